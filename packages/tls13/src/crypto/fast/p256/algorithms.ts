import { ecdsaSha256, ecdsaSha384, ecdsaSha512 } from "../../noble/ecdsa.ts"
import type { Hash, ImmediateKeyExchange, SignatureAlgorithm } from "../../provider.ts"
import { type P384Kernel, p384Over } from "../p384/algorithms.ts"
import { createEcdsa } from "../curves/ecdsa.ts"
import type { P256Kernel } from "../curves/kernel.ts"
import { createSecp256r1 } from "../curves/ecdh.ts"

export interface P256Algorithms {
  readonly secp256r1: ImmediateKeyExchange
  /** For keys of P-256; those of other curves go on to the noble provider, but for what a kernel of P-384 verifies. */
  readonly ecdsaSha256: SignatureAlgorithm
  readonly ecdsaSha384: SignatureAlgorithm
  readonly ecdsaSha512: SignatureAlgorithm
}

/** The hashes of messages; nonces are made with the first. */
export interface EcdsaHashes {
  readonly sha256: Hash
  readonly sha384: Hash
  readonly sha512: Hash
}

/**
 * The algorithms share one kernel and its tables, which are made at their first use.
 * @param p384 verifies by keys of P-384, where there is a kernel for them
 */
export function p256Over(
  kernel: () => P256Kernel,
  { sha256, sha384, sha512 }: EcdsaHashes,
  p384: () => P384Kernel | undefined = () => undefined,
): P256Algorithms {
  return {
    secp256r1: createSecp256r1(kernel),
    ecdsaSha256: createEcdsa(kernel, p384Over(p384, ecdsaSha256, sha256), sha256, sha256),
    ecdsaSha384: createEcdsa(kernel, p384Over(p384, ecdsaSha384, sha384), sha384, sha256),
    ecdsaSha512: createEcdsa(kernel, p384Over(p384, ecdsaSha512, sha512), sha512, sha256),
  }
}
