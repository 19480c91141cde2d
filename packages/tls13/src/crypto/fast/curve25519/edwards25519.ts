import { fromHex } from "../../../bytes/hex.ts"
import { BLOCK, BLOCKS, combDigit, combPoints, oddScalar, POWERS } from "../comb.ts"
import { DIGITS, nonAdjacentForm } from "../non-adjacent-form.ts"
import { selectEntry } from "../select.ts"
import { copyOfTwelve } from "../twelve.ts"
import { add, conditionalSwap, type Element, element, fromBytes, subtract, toBytes } from "./field25519.ts"
import { invert, invertAll, powerForRoot } from "./field25519-powers.ts"
import { multiply, square } from "./field25519-products.ts"

// The group of Ed25519 (RFC 8032 section 5.1) in extended coordinates with the formulas of H. Hisil, K. Wong, G. Carter
// and E. Dawson, "Twisted Edwards curves revisited" (ASIACRYPT 2008), which are complete for this curve: no special case.
//
// Side channels: `multiplyBase` does the same operations for every scalar and reads its tables whole; `multiplyPublic`
// and `decode` do not, and are for verification only.

/** x = X / Z, y = Y / Z, x * y = T / Z; all reduced. */
export interface Point {
  readonly x: Element
  readonly y: Element
  readonly z: Element
  readonly t: Element
}

/** A point as an addition wants it: Y + X, Y - X, 2dT and 2Z. */
interface Addend {
  readonly sum: Element
  readonly difference: Element
  readonly t2d: Element
  readonly z2: Element | undefined
}

/* Little-endian: d, 2d, the square root of -1, and the base point as RFC 8032 encodes it. */
const D = "a3785913ca4deb75abd841414d0a700098e879777940c78c73fe6f2bee6c0352"
const D2 = "59f1b226949bd6eb56b183829a14e00030d1f3eef2808e19e7fcdf56dcd90624"
const ROOT_OF_MINUS_ONE = "b0a00e4a271beec478e42fad0618432fa7d7fb3d99004d2b0bdfc14f8024832b"
const BASE = `58${"66".repeat(31)}`

/** The order L of the base point. */
const order: Uint8Array = /* @__PURE__ */ fromHex(`10${"00".repeat(15)}14def9dea2f79cd65812631a5cf5d3ed`)
/** Doubles of an addend with Z = 1. */
const SHORT = 36

export class Edwards25519 {
  readonly #d: Element = fromBytes(fromHex(D))
  readonly #d2: Element = fromBytes(fromHex(D2))
  readonly #root: Element = fromBytes(fromHex(ROOT_OF_MINUS_ONE))
  readonly #scratch = { a: element(), b: element(), c: element(), d: element(), e: element(), f: element() }
  readonly #base: Point
  /** The comb's entries, Y + X, Y - X and 2dT of each with Z = 1; made at the first use, 18 KiB. */
  #comb: Float64Array | undefined
  /** B, 3B, 5B ... 15B. */
  #oddBase: readonly Addend[] | undefined

  constructor() {
    this.#base = this.decode(fromHex(BASE))!
  }

  /** RFC 8032 5.1.3, strictly: undefined when y is not below p, when there is no such point, or for "minus zero". */
  decode(bytes: Uint8Array): Point | undefined {
    if (bytes.length !== 32) return undefined
    const y = fromBytes(bytes)
    const canonical = toBytes(y)
    for (let i = 0; i < 32; i++) if (canonical[i] !== (i === 31 ? bytes[i]! & 0x7f : bytes[i])) return undefined
    const negative = bytes[31]! >> 7
    // x^2 = u / v with u = y^2 - 1 and v = d y^2 + 1; x = u v^3 (u v^7)^((p-5)/8), perhaps times the root of -1.
    const [u, v, v3, x, check] = [element(), element(), element(), element(), element()]
    square(u, y)
    multiply(v, u, this.#d)
    u[0]! -= 1
    v[0]! += 1
    square(v3, v)
    multiply(v3, v3, v)
    square(x, v3)
    multiply(x, x, v)
    multiply(x, x, u)
    powerForRoot(x, x)
    multiply(x, x, v3)
    multiply(x, x, u)
    square(check, x)
    multiply(check, check, v)
    if (!isZero(difference(check, u))) {
      add(check, check, u)
      if (!isZero(check)) return undefined
      multiply(x, x, this.#root)
    }
    const odd = toBytes(x)[0]! & 1
    if (odd === 0 && negative === 1 && isZero(x)) return undefined
    if (odd !== negative) negate(x)
    const t = element()
    multiply(t, x, y)
    return { x, y, z: one(), t }
  }

  /** RFC 8032 5.1.2. */
  encode(point: Point): Uint8Array {
    const [inverse, x, y] = [element(), element(), element()]
    invert(inverse, point.z)
    multiply(x, point.x, inverse)
    multiply(y, point.y, inverse)
    const bytes = toBytes(y)
    bytes[31]! |= (toBytes(x)[0]! & 1) << 7
    for (const secret of [inverse, x, y]) secret.fill(0)
    return bytes
  }

  /** The u coordinate (1 + y) / (1 - y) of the point's image on Curve25519 (RFC 7748 section 4.1), of one that is not neutral. */
  encodeMontgomery(point: Point): Uint8Array {
    const [inverse, u] = [element(), element()]
    subtract(inverse, point.z, point.y)
    invert(inverse, inverse)
    add(u, point.z, point.y)
    multiply(u, u, inverse)
    const bytes = toBytes(u)
    for (const secret of [inverse, u]) secret.fill(0)
    return bytes
  }

  /** scalar * B, by a comb, in time that does not depend on the scalar; 32 big-endian bytes. */
  multiplyBase(scalar: Uint8Array): Point {
    this.#comb ??= this.#makeComb()
    const odd = oddScalar(scalar, order)
    const result = neutral()
    const { all, addend } = emptyAddend()
    for (let i = BLOCK - 1; i >= 0; i--) {
      if (i < BLOCK - 1) this.#double(result)
      for (let block = 0; block < BLOCKS; block++) {
        const digit = combDigit(odd, block, i)
        selectEntry(all, this.#comb, SHORT * 16 * block, digit & 15)
        negateWhere(digit >> 4, addend)
        this.#add(result, addend)
      }
    }
    all.fill(0)
    odd.fill(0)
    for (const secret of Object.values(this.#scratch)) secret.fill(0)
    return result
  }

  /** a * B - b * point for public scalars of 32 big-endian bytes: the time depends on all of them. */
  multiplyPublic(a: Uint8Array, b: Uint8Array, point: Point): Point {
    this.#oddBase ??= this.#oddMultiples(this.#base)
    const minus = copy(point)
    negate(minus.x)
    negate(minus.t)
    const tables = [this.#oddBase, this.#oddMultiples(minus)]
    const digits = [nonAdjacentForm(a, 5), nonAdjacentForm(b, 5)]
    const result = neutral()
    for (let i = DIGITS - 1; i >= 0; i--) {
      if (i < DIGITS - 1) this.#double(result)
      for (let which = 0; which < 2; which++) {
        const digit = digits[which]![i]!
        if (digit > 0) this.#add(result, tables[which]![digit >> 1]!)
        if (digit < 0) this.#add(result, opposite(tables[which]![-digit >> 1]!))
      }
    }
    return result
  }

  #makeComb(): Float64Array {
    const next = copy(this.#base)
    const powers: Point[] = []
    for (let i = 0; i < POWERS; i++) {
      powers.push(copy(next))
      for (let k = 0; k < BLOCK; k++) this.#double(next)
    }
    const addends = powers.map((power) => this.#addend(power))
    const points = combPoints(
      (i) => copy(powers[i]!),
      (point, i) => this.#sum(point, addends[i]!),
      (point, i) => this.#sum(point, opposite(addends[i]!)),
    )
    const comb = new Float64Array(SHORT * points.length)
    const inverses = invertAll(points.map(({ z }) => z))
    for (const [i, { x, y }] of points.entries()) {
      const [affineX, affineY, t2d] = [element(), element(), element()]
      multiply(affineX, x, inverses[i]!)
      multiply(affineY, y, inverses[i]!)
      multiply(t2d, affineX, affineY)
      multiply(t2d, t2d, this.#d2)
      for (let k = 0; k < 12; k++) {
        comb[SHORT * i + k] = affineY[k]! + affineX[k]!
        comb[SHORT * i + 12 + k] = affineY[k]! - affineX[k]!
        comb[SHORT * i + 24 + k] = t2d[k]!
      }
    }
    return comb
  }

  #oddMultiples(point: Point): readonly Addend[] {
    const twice = copy(point)
    this.#double(twice)
    const step = this.#addend(twice)
    const multiples = [copy(point)]
    for (let i = 1; i < 8; i++) multiples.push(this.#sum(multiples[i - 1]!, step))
    return multiples.map((multiple) => this.#addend(multiple))
  }

  #addend(point: Point): Addend {
    const [sum, minus, z2, t2d] = [element(), element(), element(), element()]
    add(sum, point.y, point.x)
    subtract(minus, point.y, point.x)
    add(z2, point.z, point.z)
    multiply(t2d, point.t, this.#d2)
    return { sum, difference: minus, t2d, z2 }
  }

  #sum(a: Point, b: Addend): Point {
    const result = copy(a)
    this.#add(result, b)
    return result
  }

  /** a += b; without 2Z, b has Z = 1. */
  #add({ x, y, z, t }: Point, addend: Addend): void {
    const { a, b, c, d, e, f } = this.#scratch
    subtract(a, y, x)
    multiply(a, a, addend.difference)
    add(b, y, x)
    multiply(b, b, addend.sum)
    multiply(c, t, addend.t2d)
    if (addend.z2) multiply(d, z, addend.z2)
    else add(d, z, z) // 2
    subtract(e, b, a) // 2: E
    subtract(f, d, c) // 3: F
    add(c, d, c) // 3: G
    add(b, b, a) // 2: H
    multiply(x, e, f)
    multiply(y, c, b)
    multiply(t, e, b)
    multiply(z, f, c)
  }

  /** a += a. The numbers on the right say how loose the element on the left is. */
  #double({ x, y, z, t }: Point): void {
    const { a, b, c, d, e, f } = this.#scratch
    square(a, x)
    square(b, y)
    square(c, z)
    add(c, c, c) // 2
    add(d, a, b) // 2: H
    add(e, x, y)
    square(e, e)
    subtract(e, d, e) // 3: E
    subtract(f, a, b) // 2: G
    add(c, c, f) // 4: F
    multiply(x, e, c)
    multiply(y, f, d)
    multiply(t, e, d)
    multiply(z, c, f)
  }
}

export function wipe(point: Point): void {
  for (const secret of [point.x, point.y, point.z, point.t]) secret.fill(0)
}

function one(): Element {
  const result = element()
  result[0] = 1
  return result
}

function neutral(): Point {
  return { x: element(), y: one(), z: one(), t: element() }
}

function copy(point: Point): Point {
  return { x: copyOfTwelve(point.x), y: copyOfTwelve(point.y), z: copyOfTwelve(point.z), t: copyOfTwelve(point.t) }
}

function negate(a: Element): void {
  for (let i = 0; i < 12; i++) a[i] = -a[i]!
}

function opposite(addend: Addend): Addend {
  const t2d = copyOfTwelve(addend.t2d)
  negate(t2d)
  return { ...addend, sum: addend.difference, difference: addend.sum, t2d }
}

function difference(a: Element, b: Element): Element {
  const result = element()
  subtract(result, a, b)
  return result
}

/** Of a public element. */
function isZero(a: Element): boolean {
  return toBytes(a).every((byte) => byte === 0)
}

/** An addend with Z = 1, and the whole of its memory. */
function emptyAddend(): { readonly all: Float64Array; readonly addend: Addend } {
  const all = new Float64Array(SHORT)
  const part = (i: number): Element => all.subarray(12 * i, 12 * i + 12)
  return { all, addend: { sum: part(0), difference: part(1), t2d: part(2), z2: undefined } }
}

/** Makes an addend its opposite when `negative` is 1 and keeps it when it is 0, doing the same work. */
function negateWhere(negative: number, addend: Addend): void {
  conditionalSwap(negative, addend.sum, addend.difference)
  const sign = 1 - 2 * negative
  for (let i = 0; i < 12; i++) addend.t2d[i]! *= sign
}
