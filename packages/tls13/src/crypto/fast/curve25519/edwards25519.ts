import { fromHex } from "../../../bytes/hex.ts"
import { DIGITS, nonAdjacentForm } from "../non-adjacent-form.ts"
import { selectEntry } from "../select.ts"
import { add, type Element, element, fromBytes, subtract, toBytes } from "./field25519.ts"
import { invert, powerForRoot } from "./field25519-powers.ts"
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

/** A point as an addition wants it: Y + X, Y - X, 2Z and 2dT. */
interface Addend {
  readonly sum: Element
  readonly difference: Element
  readonly z2: Element
  readonly t2d: Element
}

/* Little-endian: d, 2d, the square root of -1, and the base point as RFC 8032 encodes it. */
const D = "a3785913ca4deb75abd841414d0a700098e879777940c78c73fe6f2bee6c0352"
const D2 = "59f1b226949bd6eb56b183829a14e00030d1f3eef2808e19e7fcdf56dcd90624"
const ROOT_OF_MINUS_ONE = "b0a00e4a271beec478e42fad0618432fa7d7fb3d99004d2b0bdfc14f8024832b"
const BASE = `58${"66".repeat(31)}`

/** The comb for the base point: four teeth, 64 bits apart, in two blocks of 32 bits. */
const TEETH = 4
const SPACING = 64
const BLOCK = 32

export class Edwards25519 {
  readonly #d: Element = fromBytes(fromHex(D))
  readonly #d2: Element = fromBytes(fromHex(D2))
  readonly #root: Element = fromBytes(fromHex(ROOT_OF_MINUS_ONE))
  readonly #scratch = { a: element(), b: element(), c: element(), d: element(), e: element(), f: element() }
  readonly #base: Point
  /** For each block the sums of 2^(64i + 32 block) * B for every set of teeth i; made at the first use, 12 KiB. */
  #combs: readonly Float64Array[] | undefined
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
    this.#combs ??= this.#makeCombs()
    const result = neutral()
    const { all, addend } = emptyAddend()
    for (let i = BLOCK - 1; i >= 0; i--) {
      if (i < BLOCK - 1) this.#double(result)
      for (let block = 0; block < 2; block++) {
        let index = 0
        for (let tooth = 0; tooth < TEETH; tooth++) {
          const bit = tooth * SPACING + block * BLOCK + i
          index |= ((scalar[31 - (bit >> 3)]! >> (bit & 7)) & 1) << tooth
        }
        selectEntry(all, this.#combs[block]!, index)
        this.#add(result, addend)
      }
    }
    all.fill(0)
    return result
  }

  /** a * B - b * point for public scalars of 32 big-endian bytes: the time depends on all of them. */
  multiplyPublic(a: Uint8Array, b: Uint8Array, point: Point): Point {
    this.#oddBase ??= this.#oddMultiples(this.#base)
    const minus = copy(point)
    negate(minus.x)
    negate(minus.t)
    const tables = [this.#oddBase, this.#oddMultiples(minus)]
    const digits = [nonAdjacentForm(a), nonAdjacentForm(b)]
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

  #makeCombs(): readonly Float64Array[] {
    // 2^(32i) * B for i = 0 to 7: the teeth of the first block and of the second in turn.
    const powers: Point[] = [copy(this.#base)]
    for (let i = 1; i < 2 * TEETH; i++) {
      const next = copy(powers[i - 1]!)
      for (let k = 0; k < BLOCK; k++) this.#double(next)
      powers.push(next)
    }
    return [0, 1].map((block) => {
      const comb = [neutral()]
      for (let tooth = 0; tooth < TEETH; tooth++) {
        const addend = this.#addend(powers[2 * tooth + block]!)
        for (let i = 0; i < 1 << tooth; i++) comb.push(this.#sum(comb[i]!, addend))
      }
      return flatten(comb.map((point) => this.#addend(point)))
    })
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
    return { sum, difference: minus, z2, t2d }
  }

  #sum(a: Point, b: Addend): Point {
    const result = copy(a)
    this.#add(result, b)
    return result
  }

  /** a += b. */
  #add({ x, y, z, t }: Point, addend: Addend): void {
    const { a, b, c, d, e, f } = this.#scratch
    subtract(a, y, x)
    multiply(a, a, addend.difference)
    add(b, y, x)
    multiply(b, b, addend.sum)
    multiply(c, t, addend.t2d)
    multiply(d, z, addend.z2)
    subtract(e, b, a) // 2: E
    subtract(f, d, c) // 2: F
    add(c, d, c) // 2: G
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

function one(): Element {
  const result = element()
  result[0] = 1
  return result
}

function neutral(): Point {
  return { x: element(), y: one(), z: one(), t: element() }
}

function copy(point: Point): Point {
  return { x: point.x.slice(), y: point.y.slice(), z: point.z.slice(), t: point.t.slice() }
}

function negate(a: Element): void {
  for (let i = 0; i < 12; i++) a[i] = -a[i]!
}

function opposite(addend: Addend): Addend {
  const t2d = addend.t2d.slice()
  negate(t2d)
  return { sum: addend.difference, difference: addend.sum, z2: addend.z2, t2d }
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

/** An addend and the whole of its memory. */
function emptyAddend(): { readonly all: Float64Array; readonly addend: Addend } {
  const all = new Float64Array(48)
  const part = (i: number): Element => all.subarray(12 * i, 12 * i + 12)
  return { all, addend: { sum: part(0), difference: part(1), z2: part(2), t2d: part(3) } }
}

function flatten(addends: readonly Addend[]): Float64Array {
  const table = new Float64Array(48 * addends.length)
  for (const [i, addend] of addends.entries()) {
    table.set(addend.sum, 48 * i)
    table.set(addend.difference, 48 * i + 12)
    table.set(addend.z2, 48 * i + 24)
    table.set(addend.t2d, 48 * i + 36)
  }
  return table
}
