import { ecdsaSha256, ecdsaSha384, ecdsaSha512 } from "../../noble/ecdsa.ts"
import type { Hash, ImmediateKeyExchange, SignatureAlgorithm } from "../../provider.ts"
import { createEcdh } from "../curves/ecdh.ts"
import { createEcdsa } from "../curves/ecdsa.ts"
import type { CurveKernel } from "../curves/kernel.ts"
import { p384Over } from "../p384/algorithms.ts"
import { p256Scalars } from "./scalars.ts"

export interface P256Algorithms {
  readonly secp256r1: ImmediateKeyExchange
  /** For keys of P-256; those of other curves go on to the noble provider, but for those of P-384 where it has a kernel. */
  readonly ecdsaSha256: SignatureAlgorithm
  readonly ecdsaSha384: SignatureAlgorithm
  readonly ecdsaSha512: SignatureAlgorithm
}

/** The hashes of messages; nonces are made with the one that is as long as the order. */
export interface EcdsaHashes {
  readonly sha256: Hash
  readonly sha384: Hash
  readonly sha512: Hash
}

/**
 * The algorithms share one kernel and its tables, which are made at their first use.
 * @param p384 for keys of P-384, where there is a kernel for them
 */
export function p256Over(
  kernel: () => CurveKernel,
  { sha256, sha384, sha512 }: EcdsaHashes,
  p384: () => CurveKernel | undefined = () => undefined,
): P256Algorithms {
  const curve = { name: "P-256", scalars: p256Scalars, kernel, nonceHash: sha256 } as const
  return {
    secp256r1: createEcdh("secp256r1", p256Scalars, kernel),
    ecdsaSha256: createEcdsa(curve, p384Over(p384, ecdsaSha256, sha256, sha384), sha256),
    ecdsaSha384: createEcdsa(curve, p384Over(p384, ecdsaSha384, sha384, sha384), sha384),
    ecdsaSha512: createEcdsa(curve, p384Over(p384, ecdsaSha512, sha512, sha384), sha512),
  }
}
