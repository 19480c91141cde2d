import type { MlDsaName, MlDsaPrivateKey, PrivateKey, PublicKey } from "../../src/crypto/keys.ts"
import { generateMlDsaKey, mlDsaPublicKey } from "../../src/crypto/noble-pq/ml-dsa.ts"
import type { CryptoProvider, RandomSource } from "../../src/crypto/provider.ts"
import { publicKeyOf } from "./any-keys.ts"

export const mlDsaNames: readonly MlDsaName[] = ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"]

/** @param name of the signature algorithm, such as mldsa65 */
export function mlDsaKeyFor(name: string, random: RandomSource): MlDsaPrivateKey {
  return generateMlDsaKey(mlDsaNames.find((each) => each.replaceAll("-", "") === name)!, random)
}

/** One of each kind that the provider signs with. */
export function mlDsaKeys({ signatures, random }: CryptoProvider): readonly MlDsaPrivateKey[] {
  return signatures.filter(({ name }) => name.startsWith("mldsa")).map(({ name }) => mlDsaKeyFor(name, random))
}

/** Of any key. */
export function publicHalf(key: PrivateKey): PublicKey {
  return key.type.startsWith("ml-dsa") ? mlDsaPublicKey(key as MlDsaPrivateKey) : publicKeyOf(key)
}
