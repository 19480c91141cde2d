// The field of RFC 7748, integers modulo p = 2^255 - 19, on doubles.
//
// Floating-point arithmetic in the manner of D. J. Bernstein, "Curve25519: new Diffie-Hellman speed records": an element
// is a sum of twelve doubles, limb i being a multiple of 2^e[i] with e = 0, 22, 43, 64, 85, 107, 128, 149, 170, 192, 213,
// 234. "Reduced" limbs, which products have, are at most half of the next unit. A sum of k reduced elements is called
// k-loose; the factors of a product may be k- and l-loose with k * l <= 16: then columns stay below 2^53 times their unit,
// so that no operation rounds. A carry adds and subtracts 3 * 2^(51+e), which rounds to a multiple of 2^e.
//
// Side channels: additions and multiplications of doubles that are neither denormal, infinite nor NaN take the same
// time for all values on the usual processors; no table, no branch on a secret.

import { twelve } from "../twelve.ts"
import { multiplySmallAndAdd } from "./field25519-products.ts"

/** Twelve limbs. */
export type Element = Float64Array

const exponents = [0, 22, 43, 64, 85, 107, 128, 149, 170, 192, 213, 234, 255] as const

export function element(): Element {
  return twelve()
}

/** The 32 little-endian bytes of a u coordinate; the top bit is ignored (RFC 7748 section 5). Reduced. */
export function fromBytes(bytes: Uint8Array): Element {
  const result = element()
  for (let i = 0; i < 12; i++) {
    const from = exponents[i]!
    let limb = 0
    for (let bit = exponents[i + 1]! - 1; bit >= from; bit--) limb = 2 * limb + ((bytes[bit >> 3]! >> (bit & 7)) & 1)
    result[i] = limb * 2 ** from
  }
  multiplySmallAndAdd(result, result, 0, result)
  return result
}

/** The one representation below p, as 32 little-endian bytes. */
export function toBytes(a: Element): Uint8Array {
  const limbs = new Int32Array(12)
  for (let i = 0; i < 12; i++) limbs[i] = a[i]! / 2 ** exponents[i]!
  // Three passes bring every limb into its range and the number below 2^255, whatever its sign was.
  for (let pass = 0; pass < 3; pass++) {
    const carry = carryUp(limbs)
    limbs[0]! += 19 * carry
  }
  carryUp(limbs)
  // a + 19 reaches 2^255 exactly when a >= p: then a - p is the result.
  const less = limbs.slice()
  less[0]! += 19
  const above = -carryUp(less)
  const bytes = new Uint8Array(32)
  for (let i = 0; i < 12; i++) {
    const limb = limbs[i]! ^ ((limbs[i]! ^ less[i]!) & above)
    for (let bit = exponents[i]!; bit < exponents[i + 1]!; bit++) {
      bytes[bit >> 3]! |= ((limb >> (bit - exponents[i]!)) & 1) << (bit & 7)
    }
  }
  limbs.fill(0)
  less.fill(0)
  return bytes
}

/** Carries from limb to limb; returns what is left over above 2^255. */
function carryUp(limbs: Int32Array): number {
  let carry = 0
  for (let i = 0; i < 12; i++) {
    const bits = exponents[i + 1]! - exponents[i]!
    const limb = limbs[i]! + carry
    carry = limb >> bits
    limbs[i] = limb & ((1 << bits) - 1)
  }
  return carry
}

/** k- and l-loose make (k + l)-loose. */
export function add(out: Element, a: Element, b: Element): void {
  out[0] = a[0]! + b[0]!
  out[1] = a[1]! + b[1]!
  out[2] = a[2]! + b[2]!
  out[3] = a[3]! + b[3]!
  out[4] = a[4]! + b[4]!
  out[5] = a[5]! + b[5]!
  out[6] = a[6]! + b[6]!
  out[7] = a[7]! + b[7]!
  out[8] = a[8]! + b[8]!
  out[9] = a[9]! + b[9]!
  out[10] = a[10]! + b[10]!
  out[11] = a[11]! + b[11]!
}

/** k- and l-loose make (k + l)-loose. */
export function subtract(out: Element, a: Element, b: Element): void {
  out[0] = a[0]! - b[0]!
  out[1] = a[1]! - b[1]!
  out[2] = a[2]! - b[2]!
  out[3] = a[3]! - b[3]!
  out[4] = a[4]! - b[4]!
  out[5] = a[5]! - b[5]!
  out[6] = a[6]! - b[6]!
  out[7] = a[7]! - b[7]!
  out[8] = a[8]! - b[8]!
  out[9] = a[9]! - b[9]!
  out[10] = a[10]! - b[10]!
  out[11] = a[11]! - b[11]!
}

/** Swaps when `swap` is 1 and keeps when it is 0, doing the same work. */
export function conditionalSwap(swap: number, a: Element, b: Element): void {
  for (let i = 0; i < 12; i++) {
    const difference = swap * (b[i]! - a[i]!)
    a[i]! += difference
    b[i]! -= difference
  }
}

/** Both of these at once. The outs are no inputs. */
export function addAndSubtract(sum: Element, difference: Element, a: Element, b: Element): void {
  const a0 = a[0]!
  const b0 = b[0]!
  sum[0] = a0 + b0
  difference[0] = a0 - b0
  const a1 = a[1]!
  const b1 = b[1]!
  sum[1] = a1 + b1
  difference[1] = a1 - b1
  const a2 = a[2]!
  const b2 = b[2]!
  sum[2] = a2 + b2
  difference[2] = a2 - b2
  const a3 = a[3]!
  const b3 = b[3]!
  sum[3] = a3 + b3
  difference[3] = a3 - b3
  const a4 = a[4]!
  const b4 = b[4]!
  sum[4] = a4 + b4
  difference[4] = a4 - b4
  const a5 = a[5]!
  const b5 = b[5]!
  sum[5] = a5 + b5
  difference[5] = a5 - b5
  const a6 = a[6]!
  const b6 = b[6]!
  sum[6] = a6 + b6
  difference[6] = a6 - b6
  const a7 = a[7]!
  const b7 = b[7]!
  sum[7] = a7 + b7
  difference[7] = a7 - b7
  const a8 = a[8]!
  const b8 = b[8]!
  sum[8] = a8 + b8
  difference[8] = a8 - b8
  const a9 = a[9]!
  const b9 = b[9]!
  sum[9] = a9 + b9
  difference[9] = a9 - b9
  const a10 = a[10]!
  const b10 = b[10]!
  sum[10] = a10 + b10
  difference[10] = a10 - b10
  const a11 = a[11]!
  const b11 = b[11]!
  sum[11] = a11 + b11
  difference[11] = a11 - b11
}

/** `b` when `which` is 1 and `a` when it is 0, doing the same work. */
export function select(out: Element, which: number, a: Element, b: Element): void {
  out[0] = a[0]! + which * (b[0]! - a[0]!)
  out[1] = a[1]! + which * (b[1]! - a[1]!)
  out[2] = a[2]! + which * (b[2]! - a[2]!)
  out[3] = a[3]! + which * (b[3]! - a[3]!)
  out[4] = a[4]! + which * (b[4]! - a[4]!)
  out[5] = a[5]! + which * (b[5]! - a[5]!)
  out[6] = a[6]! + which * (b[6]! - a[6]!)
  out[7] = a[7]! + which * (b[7]! - a[7]!)
  out[8] = a[8]! + which * (b[8]! - a[8]!)
  out[9] = a[9]! + which * (b[9]! - a[9]!)
  out[10] = a[10]! + which * (b[10]! - a[10]!)
  out[11] = a[11]! + which * (b[11]! - a[11]!)
}
