import { KnownNamedGroup } from "../../../bytes/code-points.ts"
import { fromHex } from "../../../bytes/hex.ts"
import { secp384r1 } from "../../noble/nist.ts"
import type { Hash, ImmediateKeyExchange, SignatureAlgorithm } from "../../provider.ts"
import { createEcdh } from "../curves/ecdh.ts"
import { createEcdsa } from "../curves/ecdsa.ts"
import type { CurveKernel } from "../curves/kernel.ts"
import { type Scalars, scalarsBelow } from "../curves/scalars.ts"

// P-384 over a kernel; noble's where there is none.

export const p384Scalars: Scalars = /* @__PURE__ */ scalarsBelow(
  /* @__PURE__ */ fromHex(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  ),
)

/** @param kernel makes the kernel at its first use */
export function secp384r1Over(kernel: () => CurveKernel | undefined): ImmediateKeyExchange {
  const own = createEcdh("secp384r1", p384Scalars, () => kernel()!)
  const here = (): ImmediateKeyExchange => (kernel() === undefined ? secp384r1 : own)
  return {
    name: "secp384r1",
    code: KnownNamedGroup.secp384r1,
    start: (random) => here().start(random),
    respond: (clientShare, random) => here().respond(clientShare, random),
  }
}

/**
 * @param kernel makes the kernel at its first use
 * @param others what answers for other keys, and where there is no kernel
 * @param hash of messages
 */
export function p384Over(
  kernel: () => CurveKernel | undefined,
  others: SignatureAlgorithm,
  hash: Hash,
  sha384: Hash,
): SignatureAlgorithm {
  return createEcdsa({ name: "P-384", scalars: p384Scalars, kernel, nonceHash: sha384 }, others, hash)
}
