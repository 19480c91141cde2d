import { p256 as noble } from "@noble/curves/nist.js"
import { NamedGroup } from "../../../bytes/code-points.ts"
import { draw } from "../../draw.ts"
import { type ImmediateKeyExchange, InvalidKeyShare, type RandomSource } from "../../provider.ts"
import type { P256, Point } from "./p256.ts"

// ECDH on P-256 (RFC 9846 sections 4.3.8.2 and 7.4.2), over the kernel of p256.ts.

const LENGTH = 32

/** @param curve makes the kernel at its first use */
export function createSecp256r1(curve: () => P256): ImmediateKeyExchange {
  function peerPoint(share: Uint8Array): Point {
    if (share.length !== 1 + 2 * LENGTH || share[0] !== 4) {
      throw new InvalidKeyShare("a secp256r1 key share is an uncompressed point of 65 bytes")
    }
    // RFC 9846 4.3.8.2: peers MUST validate that the point is on the curve.
    const point = curve().decode(share)
    if (!point) throw new InvalidKeyShare("the secp256r1 key share is not a point of the curve")
    return point
  }

  /** The group's order is prime: neither result can be infinity. */
  function publicValue(secret: Uint8Array): Uint8Array {
    return curve().encode(curve().multiplyBase(secret), "uncompressed")!
  }

  function sharedSecret(secret: Uint8Array, point: Point): Uint8Array {
    return curve().encode(curve().multiply(secret, point), "x")!
  }

  return {
    name: "secp256r1",
    code: NamedGroup.secp256r1,
    start(random) {
      const secret = privateKey(random)
      return {
        share: publicValue(secret),
        complete: (serverShare) => sharedSecret(secret, peerPoint(serverShare)),
        wipe: () => void secret.fill(0),
      }
    },
    respond(clientShare, random) {
      const point = peerPoint(clientShare)
      const secret = privateKey(random)
      try {
        return { share: publicValue(secret), secret: sharedSecret(secret, point) }
      } finally {
        secret.fill(0)
      }
    },
  }
}

/** Uniform in 1..n-1 by rejection (FIPS 186-5 appendix A.4.2), so that the bytes drawn are the key itself. */
function privateKey(random: RandomSource): Uint8Array {
  for (;;) {
    const candidate = draw(random, LENGTH)
    if (noble.utils.isValidSecretKey(candidate)) return candidate
  }
}
