import { KnownNamedGroup, type KnownNamedGroupName } from "../../../bytes/code-points.ts"
import { concatBytes } from "../../../bytes/concat.ts"
import { draw } from "../../draw.ts"
import { type ImmediateKeyExchange, InvalidKeyShare, type RandomSource } from "../../provider.ts"
import type { CurveKernel } from "./kernel.ts"
import type { Scalars } from "./scalars.ts"

// ECDH (RFC 9846 sections 4.3.8.2 and 7.4.2) on one curve, over a kernel.

/** @param kernel makes the kernel at its first use */
export function createEcdh(
  name: KnownNamedGroupName,
  { length, isScalar }: Scalars,
  kernel: () => CurveKernel,
): ImmediateKeyExchange {
  function publicValue(secret: Uint8Array): Uint8Array {
    return concatBytes(Uint8Array.of(4), kernel().multiplyBase(secret))
  }

  function sharedSecret(secret: Uint8Array, coordinates: Uint8Array): Uint8Array {
    const shared = kernel().multiply(secret, coordinates)
    // RFC 9846 4.3.8.2: peers MUST validate that the point is on the curve.
    if (!shared) throw notOnCurve()
    return shared
  }

  function coordinatesOf(share: Uint8Array): Uint8Array {
    if (share.length !== 1 + 2 * length || share[0] !== 4) {
      throw new InvalidKeyShare(`a ${name} key share is an uncompressed point of ${1 + 2 * length} bytes`)
    }
    return share.subarray(1)
  }

  function notOnCurve(): InvalidKeyShare {
    return new InvalidKeyShare(`the ${name} key share is not a point of the curve`)
  }

  /** Uniform in 1..n-1 by rejection (FIPS 186-5 appendix A.4.2), so that the bytes drawn are the key itself. */
  function privateKey(random: RandomSource): Uint8Array {
    for (;;) {
      const candidate = draw(random, length)
      if (isScalar(candidate)) return candidate
    }
  }

  return {
    name,
    code: KnownNamedGroup[name],
    start(random) {
      const secret = privateKey(random)
      return {
        share: publicValue(secret),
        complete: (serverShare) => sharedSecret(secret, coordinatesOf(serverShare)),
        wipe: () => void secret.fill(0),
      }
    },
    respond(clientShare, random) {
      const coordinates = coordinatesOf(clientShare)
      if (!kernel().isPoint(coordinates)) throw notOnCurve()
      const secret = privateKey(random)
      try {
        return { share: publicValue(secret), secret: sharedSecret(secret, coordinates) }
      } finally {
        secret.fill(0)
      }
    },
  }
}
