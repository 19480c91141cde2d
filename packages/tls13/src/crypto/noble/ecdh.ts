import type { ECDSA } from "@noble/curves/abstract/weierstrass.js"
import type { NamedGroupName } from "../../bytes/code-points.ts"
import { copyOf } from "../../bytes/copy.ts"
import { draw } from "../draw.ts"
import { type ImmediateKeyExchange, InvalidKeyShare, type RandomSource } from "../provider.ts"

// ECDH on a Weierstrass curve of @noble/curves; RFC 9846 sections 4.3.8.2 and 7.4.2.
// Refuses everything but an uncompressed point (RFC 9846 4.3.8.2: legacy_form 4) that is on its curve.

type NoblePoint = InstanceType<ECDSA["Point"]>

/**
 * @param length bytes of a field element, and of a private key
 * @param topByteMask the bits of a private key's first byte that the order has
 */
export function ecdh(
  name: NamedGroupName,
  code: number,
  curve: () => ECDSA,
  length: number,
  topByteMask: number,
): ImmediateKeyExchange {
  /** Uniform in 1..n-1 by rejection (FIPS 186-5 appendix A.4.2), so that the bytes drawn are the key itself. */
  function privateKey(random: RandomSource): Uint8Array {
    for (;;) {
      const candidate = draw(random, length)
      candidate[0]! &= topByteMask
      if (curve().utils.isValidSecretKey(candidate)) return candidate
    }
  }

  function peerPoint(share: Uint8Array): NoblePoint {
    if (share.length !== 1 + 2 * length || share[0] !== 4) {
      throw new InvalidKeyShare(`a ${name} key share is an uncompressed point of ${1 + 2 * length} bytes`)
    }
    try {
      // RFC 9846 4.3.8.2: peers MUST validate that the point is on the curve.
      return curve().Point.fromBytes(share)
    } catch {
      throw new InvalidKeyShare(`the ${name} key share is not a point of the curve`)
    }
  }

  /** RFC 9846 7.4.2: the x coordinate at the field's full length, leading zeros kept. */
  function sharedSecret(secret: Uint8Array, point: NoblePoint): Uint8Array {
    const product = point.multiply(curve().Point.Fn.fromBytes(secret)).toBytes(false)
    return copyOf(product.subarray(1, 1 + length))
  }

  return {
    name,
    code,
    start(random) {
      const secret = privateKey(random)
      return {
        share: curve().getPublicKey(secret, false),
        complete: (serverShare) => sharedSecret(secret, peerPoint(serverShare)),
        wipe: () => void secret.fill(0),
      }
    },
    respond(clientShare, random) {
      const point = peerPoint(clientShare)
      const secret = privateKey(random)
      try {
        return { share: curve().getPublicKey(secret, false), secret: sharedSecret(secret, point) }
      } finally {
        secret.fill(0)
      }
    },
  }
}
