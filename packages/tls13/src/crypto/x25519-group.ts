// The group x25519 over any X25519 function: RFC 9846 sections 4.3.8.2 and 7.4.2, RFC 7748.

import { NamedGroup } from "../bytes/code-points.ts"
import { isAllZero } from "../bytes/equal.ts"
import { draw } from "./draw.ts"
import { type ImmediateKeyExchange, InvalidKeyShare } from "./provider.ts"

/** Bytes of a private key, a share and a secret. */
const length = 32

/**
 * @param scalarMultiply X25519 of RFC 7748 section 5, from a scalar and a u-coordinate, all of 32 bytes; undefined may
 *   stand for an all-zero result
 * @param scalarMultiplyBase its result for 9, where there is a faster way to it
 */
export function x25519Group(
  scalarMultiply: (scalar: Uint8Array, u: Uint8Array) => Uint8Array | undefined,
  scalarMultiplyBase?: (scalar: Uint8Array) => Uint8Array,
): ImmediateKeyExchange {
  const sharedSecret = (secret: Uint8Array, share: Uint8Array): Uint8Array => {
    checkShare(share)
    const shared = scalarMultiply(secret, share)
    // RFC 9846 7.4.2: MUST check for the all-zero value and abort.
    if (shared === undefined || isAllZero(shared)) {
      throw new InvalidKeyShare("the x25519 key share is a point of small order")
    }
    return shared
  }
  const publicValue = (secret: Uint8Array): Uint8Array => {
    if (scalarMultiplyBase) return scalarMultiplyBase(secret)
    const basePoint = new Uint8Array(length)
    basePoint[0] = 9
    return sharedSecret(secret, basePoint)
  }
  return {
    name: "x25519",
    code: NamedGroup.x25519,
    start(random) {
      const secret = draw(random, length)
      return {
        share: publicValue(secret),
        complete: (serverShare) => sharedSecret(secret, serverShare),
        wipe: () => void secret.fill(0),
      }
    },
    respond(clientShare, random) {
      checkShare(clientShare)
      const secret = draw(random, length)
      try {
        return { secret: sharedSecret(secret, clientShare), share: publicValue(secret) }
      } finally {
        secret.fill(0)
      }
    },
  }
}

function checkShare(share: Uint8Array): void {
  if (share.length !== length) throw new InvalidKeyShare(`an x25519 key share has 32 bytes, not ${share.length}`)
}
