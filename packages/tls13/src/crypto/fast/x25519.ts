import { NamedGroup } from "../../bytes/code-points.ts"
import { isAllZero } from "../../bytes/equal.ts"
import { InvalidKeyShare, type KeyExchange } from "../provider.ts"
import { add, conditionalSwap, type Element, element, fromBytes, subtract, toBytes } from "./field25519.ts"
import { invert } from "./field25519-powers.ts"
import { multiply, multiplySmallAndAdd, square } from "./field25519-products.ts"

// X25519, RFC 7748 section 5, on floating-point limbs; RFC 9846 sections 4.3.8.2 and 7.4.2.
//
// Side channels: a Montgomery ladder of 255 equal steps, swaps by arithmetic, field operations without secret branches or
// table reads (see field25519.ts). Intermediate values are wiped.

const LENGTH = 32

export const x25519: KeyExchange = {
  name: "x25519",
  code: NamedGroup.x25519,
  start(random) {
    const secret = random(LENGTH)
    return {
      share: publicValue(secret),
      complete: (serverShare) => sharedSecret(secret, serverShare),
      wipe: () => void secret.fill(0),
    }
  },
  respond(clientShare, random) {
    checkShare(clientShare)
    const secret = random(LENGTH)
    try {
      return { secret: sharedSecret(secret, clientShare), share: publicValue(secret) }
    } finally {
      secret.fill(0)
    }
  },
}

function publicValue(secret: Uint8Array): Uint8Array {
  const basePoint = new Uint8Array(LENGTH)
  basePoint[0] = 9
  return scalarMultiply(secret, basePoint)
}

function sharedSecret(secret: Uint8Array, share: Uint8Array): Uint8Array {
  checkShare(share)
  const shared = scalarMultiply(secret, share)
  // RFC 9846 7.4.2: MUST check for the all-zero value and abort.
  if (isAllZero(shared)) throw new InvalidKeyShare("the x25519 key share is a point of small order")
  return shared
}

function checkShare(share: Uint8Array): void {
  if (share.length !== LENGTH) throw new InvalidKeyShare(`an x25519 key share has 32 bytes, not ${share.length}`)
}

/** The function X25519 of RFC 7748 section 5: both arguments and the result are 32 bytes. */
export function scalarMultiply(scalar: Uint8Array, u: Uint8Array): Uint8Array {
  const k = scalar.slice()
  k[0]! &= 248
  k[31] = (k[31]! & 127) | 64

  const x1 = fromBytes(u)
  const [x2, z2, x3, z3] = [one(), element(), x1.slice(), one()]
  const [a, b, c, d, e, aa, bb] = [element(), element(), element(), element(), element(), element(), element()]
  let previous = 0
  for (let t = 254; t >= 0; t--) {
    const bit = (k[t >> 3]! >> (t & 7)) & 1
    conditionalSwap(bit ^ previous, x2, x3)
    conditionalSwap(bit ^ previous, z2, z3)
    previous = bit
    add(a, x2, z2)
    square(aa, a)
    subtract(b, x2, z2)
    square(bb, b)
    subtract(e, aa, bb)
    add(c, x3, z3)
    subtract(d, x3, z3)
    multiply(d, d, a) // DA
    multiply(c, c, b) // CB
    add(x3, d, c)
    square(x3, x3)
    subtract(z3, d, c)
    square(z3, z3)
    multiply(z3, z3, x1)
    multiply(x2, aa, bb)
    multiplySmallAndAdd(z2, e, 121665, aa)
    multiply(z2, z2, e)
  }
  conditionalSwap(previous, x2, x3)
  conditionalSwap(previous, z2, z3)

  invert(z2, z2)
  multiply(x2, x2, z2)
  const result = toBytes(x2)
  for (const secret of [x2, z2, x3, z3, a, b, c, d, e, aa, bb]) secret.fill(0)
  k.fill(0)
  return result
}

function one(): Element {
  const result = element()
  result[0] = 1
  return result
}
