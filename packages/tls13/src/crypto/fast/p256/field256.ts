import { twelve } from "../twelve.ts"
import { carry, multiply, square } from "./field256-products.ts"

// The field of P-256, integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, on doubles in Montgomery's form.
//
// As in field25519.ts, an element is a sum of doubles: twelve, limb i a multiple of 2^(22i); an element x is held as
// x * R modulo p with R = 2^264. "Reduced" limbs are at most 2^21 units and the value is below p in amount, with either
// sign. A sum of k reduced elements is called k-loose; the factors of a product may be k- and l-loose with k * l <= 64:
// then columns stay below 2^53 units, so that no operation rounds, and the product is reduced.
//
// Side channels: as in field25519.ts, no table, no branch on a secret.

export type Element = Float64Array

/** What the operations of one curve share: scratch space, and R^2 modulo p, which brings a number into Montgomery's form. */
export interface Field {
  readonly columns: Float64Array
  readonly plain: Element
  readonly rSquared: Element
}

export function element(): Element {
  return twelve()
}

export function createField(): Field {
  const limbs = [196608, 0, 0, 4177920, 4194303, 4194287, 4190207, 4194303, 4194303, 4192255, 1048575, 1]
  const rSquared = element()
  for (const [i, limb] of limbs.entries()) rSquared[i] = limb * 2 ** (22 * i)
  carry(rSquared, rSquared)
  return { columns: new Float64Array(24), plain: element(), rSquared }
}

/** 2^264 modulo p is not small, so 1 is made by reduction: R^2 * 1 / R. */
export function one(field: Field): Element {
  const result = element()
  result[0] = 1
  multiply(result, result, field.rSquared, field.columns)
  return result
}

/** Of 32 big-endian bytes, whatever they are; reduced. */
export function fromBytes(field: Field, bytes: Uint8Array): Element {
  const result = element()
  for (let i = 0; i < 12; i++) {
    let limb = 0
    for (let bit = 22 * i + 21; bit >= 22 * i; bit--) {
      limb = 2 * limb + (bit < 256 ? (bytes[31 - (bit >> 3)]! >> (bit & 7)) & 1 : 0)
    }
    result[i] = limb * 2 ** (22 * i)
  }
  carry(result, result)
  multiply(result, result, field.rSquared, field.columns)
  return result
}

/** The one representation below p, as 32 big-endian bytes. */
export function toBytes(field: Field, a: Element): Uint8Array {
  const plain = element()
  plain[0] = 1
  multiply(plain, plain, a, field.columns)
  // The value is between -p and p: p is added, and then subtracted where it was one too many.
  const more = new Int32Array(12)
  for (let i = 0; i < 12; i++) more[i] = plain[i]! / 2 ** (22 * i) + prime[i]!
  carryUp(more)
  const less = new Int32Array(12)
  for (let i = 0; i < 12; i++) less[i] = more[i]! - prime[i]!
  const below = carryUp(less) >> 31
  const bytes = new Uint8Array(32)
  for (let i = 0; i < 12; i++) {
    const limb = less[i]! ^ ((less[i]! ^ more[i]!) & below)
    for (let bit = 22 * i; bit < 22 * i + 22 && bit < 256; bit++) {
      bytes[31 - (bit >> 3)]! |= ((limb >> (bit - 22 * i)) & 1) << (bit & 7)
    }
  }
  plain.fill(0)
  more.fill(0)
  less.fill(0)
  return bytes
}

/** Whether an element is 0 modulo p; for public ones. */
export function isZero(field: Field, a: Element): boolean {
  const { plain } = field
  plain.fill(0)
  plain[0] = 1
  multiply(plain, plain, a, field.columns)
  // What is between -p and p and 0 modulo p is -p, 0 or p, whose lowest limb is 1, 0 or -1.
  return Math.abs(plain[0]!) <= 1 && toBytes(field, a).every((byte) => byte === 0)
}

/** p in limbs of 22 bits. */
const prime = [4194303, 4194303, 4194303, 4194303, 255, 0, 0, 0, 65536, 0, 4194288, 16383] as const

/** Carries from limb to limb; returns the highest limb, negative when the number is. */
function carryUp(limbs: Int32Array): number {
  for (let i = 0; i < 11; i++) {
    limbs[i + 1]! += limbs[i]! >> 22
    limbs[i]! &= 0x3fffff
  }
  return limbs[11]!
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

/** out = a * factor for a small integer: k-loose makes (k * factor)-loose. */
export function scale(out: Element, a: Element, factor: number): void {
  out[0] = a[0]! * factor
  out[1] = a[1]! * factor
  out[2] = a[2]! * factor
  out[3] = a[3]! * factor
  out[4] = a[4]! * factor
  out[5] = a[5]! * factor
  out[6] = a[6]! * factor
  out[7] = a[7]! * factor
  out[8] = a[8]! * factor
  out[9] = a[9]! * factor
  out[10] = a[10]! * factor
  out[11] = a[11]! * factor
}

/** out = a^(p-2), the inverse, and 0 for 0. */
export function invert(field: Field, out: Element, a: Element): void {
  const { columns } = field
  const run = (base: Element, squarings: number, factor: Element): Element => {
    const result = element()
    square(result, base, columns)
    for (let i = 1; i < squarings; i++) square(result, result, columns)
    multiply(result, result, factor, columns)
    return result
  }
  // xN = a^(2^N - 1): N ones in the exponent.
  const x2 = run(a, 1, a)
  const x4 = run(x2, 2, x2)
  const x6 = run(x4, 2, x2)
  const x8 = run(x4, 4, x4)
  const x14 = run(x8, 6, x6)
  const x16 = run(x8, 8, x8)
  const x30 = run(x16, 14, x14)
  const x32 = run(x16, 16, x16)
  // p - 2 = ffffffff 00000001 00000000 00000000 00000000 ffffffff ffffffff fffffffd
  const high = run(x32, 32, a)
  const middle = run(run(high, 128, x32), 32, x32)
  const result = run(run(middle, 30, x30), 2, a)
  out.set(result)
}

/** The inverses of elements that are not 0, by one inversion. */
export function invertAll(field: Field, elements: readonly Element[]): Element[] {
  const { columns } = field
  // Products of the first of them.
  const products: Element[] = []
  let last = one(field)
  for (const a of elements) {
    const next = element()
    multiply(next, last, a, columns)
    products.push(next)
    last = next
  }
  const rest = element()
  invert(field, rest, last)
  for (let i = elements.length - 1; i > 0; i--) {
    multiply(products[i]!, rest, products[i - 1]!, columns)
    multiply(rest, rest, elements[i]!, columns)
  }
  if (elements.length > 0) products[0]!.set(rest)
  return products
}
