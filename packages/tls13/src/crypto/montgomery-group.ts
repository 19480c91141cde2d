// The groups x25519 and x448 over any X25519 or X448 function: RFC 9846 sections 4.3.8.2 and 7.4.2, RFC 7748.

import { isAllZero } from "../bytes/equal.ts"
import { draw } from "./draw.ts"
import { type ImmediateKeyExchange, InvalidKeyShare } from "./provider.ts"

/**
 * @param scalarMultiply X25519 or X448 of RFC 7748 section 5, from a scalar and a u-coordinate, all of 32 or 56 bytes;
 *   undefined may stand for an all-zero result
 * @param scalarMultiplyBase its result for the base point, where there is a faster way to it
 */
export function montgomeryGroup(
  { name, code }: { readonly name: "x25519" | "x448"; readonly code: number },
  scalarMultiply: (scalar: Uint8Array, u: Uint8Array) => Uint8Array | undefined,
  scalarMultiplyBase?: (scalar: Uint8Array) => Uint8Array,
): ImmediateKeyExchange {
  /** Bytes of a private key, a share and a secret; the u-coordinate of the base point (RFC 7748 sections 4.1 and 4.2). */
  const [length, base] = name === "x25519" ? [32, 9] : [56, 5]
  const checkShare = (share: Uint8Array): void => {
    if (share.length !== length)
      throw new InvalidKeyShare(`an ${name} key share has ${length} bytes, not ${share.length}`)
  }
  const sharedSecret = (secret: Uint8Array, share: Uint8Array): Uint8Array => {
    checkShare(share)
    const shared = scalarMultiply(secret, share)
    // RFC 9846 7.4.2: MUST check for the all-zero value and abort.
    if (shared === undefined || isAllZero(shared)) {
      throw new InvalidKeyShare(`the ${name} key share is a point of small order`)
    }
    return shared
  }
  const publicValue = (secret: Uint8Array): Uint8Array => {
    if (scalarMultiplyBase) return scalarMultiplyBase(secret)
    const basePoint = new Uint8Array(length)
    basePoint[0] = base
    return sharedSecret(secret, basePoint)
  }
  return {
    name,
    code,
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
