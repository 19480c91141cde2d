import { copyOf } from "../../../bytes/copy.ts"
import { copyOfTwelve } from "../twelve.ts"
import { addAndSubtract, type Element, element, fromBytes, select, subtract, toBytes } from "./field25519.ts"
import { invert } from "./field25519-powers.ts"
import { multiply, multiplySmallAndAdd, square } from "./field25519-products.ts"

// X25519, RFC 7748 section 5, on floating-point limbs.
//
// Side channels: a Montgomery ladder of 255 equal steps, selections by arithmetic, field operations without secret branches or
// table reads (see field25519.ts). Intermediate values are wiped.

/** RFC 7748 section 5: the copy of a scalar with its lowest three bits and its highest cleared, and the one below that set. */
export function clamped(scalar: Uint8Array): Uint8Array {
  const k = copyOf(scalar)
  k[0]! &= 248
  k[31] = (k[31]! & 127) | 64
  return k
}

/** The function X25519 of RFC 7748 section 5: both arguments and the result are 32 bytes. */
export function scalarMultiply(scalar: Uint8Array, u: Uint8Array): Uint8Array {
  const k = clamped(scalar)
  const x1 = fromBytes(u)
  const [x2, z2, x3, z3] = [one(), element(), copyOfTwelve(x1), one()]
  const [a, b, c, d, e, aa, bb] = [element(), element(), element(), element(), element(), element(), element()]
  let previous = 0
  for (let t = 254; t >= 0; t--) {
    const bit = (k[t >> 3]! >> (t & 7)) & 1
    const swap = bit ^ previous
    previous = bit
    addAndSubtract(a, b, x2, z2)
    addAndSubtract(c, d, x3, z3)
    // The swap decides on which point is doubled; their sum is the same.
    select(e, swap, a, c)
    square(aa, e)
    select(e, swap, b, d)
    square(bb, e)
    multiply(d, d, a) // DA
    multiply(c, c, b) // CB
    addAndSubtract(x3, z3, d, c)
    square(x3, x3)
    square(z3, z3)
    multiply(z3, z3, x1)
    multiply(x2, aa, bb)
    subtract(e, aa, bb)
    multiplySmallAndAdd(z2, e, 121665, aa)
    multiply(z2, z2, e)
  }
  select(x2, previous, x2, x3)
  select(z2, previous, z2, z3)

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
