import { fromHex } from "../../../bytes/hex.ts"
import { BLOCK, BLOCKS, combDigit, combPoints, oddScalar, POWERS } from "../comb.ts"
import { selectEntry } from "../select.ts"
import { copyOfTwelve } from "../twelve.ts"
import {
  add,
  createField,
  type Element,
  element,
  type Field,
  fromBytes,
  invert,
  invertAll,
  isZero,
  one,
  scale,
  subtract,
  toBytes,
} from "./field256.ts"
import { carry, multiply, square } from "./field256-products.ts"
import { PublicMultiples } from "./public-multiples.ts"
import { p256Scalars } from "./scalars.ts"

// The group of P-256 (SEC 2 section 2.4.2) in homogeneous coordinates with the complete formulas of J. Renes,
// C. Costello and L. Batina, "Complete addition formulas for prime order elliptic curves" (EUROCRYPT 2016), algorithms 4
// to 6: one computation for all points, doubled, opposite or at infinity, so there is no special case to get wrong.
//
// Side channels: `multiply` and `multiplyBase` do the same operations for every scalar and read their tables whole;
// `hasX` does not, and is for verification only.

/** X : Y : Z with x = X / Z and y = Y / Z; infinity is 0 : 1 : 0. X and Y are 2-loose, Z is 4-loose. */
export interface Point {
  readonly x: Element
  readonly y: Element
  readonly z: Element
}

const B = "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"
const G =
  "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" +
  "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

/** Doubles of a table's entry: a point, and one with Z = 1. */
const ENTRY = 36
const SHORT = 24

export class P256 {
  readonly #field: Field = createField()
  readonly #b: Element = fromBytes(this.#field, fromHex(B))
  readonly #one: Element = one(this.#field)
  readonly #scratch = {
    t0: element(),
    t1: element(),
    t2: element(),
    t3: element(),
    t4: element(),
    t5: element(),
  }
  readonly #base: Point
  /** The comb's entries, x and y of each; made at the first use, 12 KiB. */
  #comb: Float64Array | undefined
  #public: PublicMultiples | undefined

  constructor() {
    this.#base = this.decode(fromHex(G))!
  }

  /** A point of two coordinates of 32 bytes; undefined when they are not below p or not on the curve. */
  decode(bytes: Uint8Array): Point | undefined {
    const field = this.#field
    const { columns } = field
    const x = fromBytes(field, bytes.subarray(0, 32))
    const y = fromBytes(field, bytes.subarray(32))
    // Coordinates are below p: otherwise they come back changed.
    const [xBytes, yBytes] = [toBytes(field, x), toBytes(field, y)]
    for (let i = 0; i < 32; i++) if (xBytes[i] !== bytes[i] || yBytes[i] !== bytes[32 + i]) return undefined
    // y^2 = x^3 - 3x + b
    const [left, right, three] = [element(), element(), element()]
    square(left, y, columns)
    square(right, x, columns)
    multiply(right, right, x, columns)
    scale(three, x, 3)
    subtract(right, right, three)
    add(right, right, this.#b)
    subtract(left, left, right)
    if (!isZero(field, left)) return undefined
    return { x, y, z: copyOfTwelve(this.#one) }
  }

  /** The x coordinate or both; undefined at infinity. */
  encode(point: Point, form: "x" | "both"): Uint8Array | undefined {
    const field = this.#field
    const z = element()
    carry(z, point.z)
    invert(field, z, z)
    const [x, y] = [element(), element()]
    multiply(x, point.x, z, field.columns)
    multiply(y, point.y, z, field.columns)
    const infinite = toBytes(field, z).every((byte) => byte === 0)
    const bytes = new Uint8Array(form === "x" ? 32 : 64)
    bytes.set(toBytes(field, x))
    if (form === "both") bytes.set(toBytes(field, y), 32)
    for (const secret of [x, y, z]) secret.fill(0)
    this.#forget()
    if (infinite) return undefined
    return bytes
  }

  /** scalar * point in time that depends on neither; the scalar is 32 big-endian bytes. */
  multiply(scalar: Uint8Array, point: Point): Point {
    const multiples = [this.#infinity(), copy(point)]
    for (let i = 2; i < 16; i++) multiples.push(this.#sum(multiples[i - 1]!, point))
    const table = flatten(multiples)
    const result = this.#infinity()
    const { all, point: chosen } = emptyPoint()
    for (let i = 0; i < 64; i++) {
      if (i > 0) for (let k = 0; k < 4; k++) this.#double(result)
      selectEntry(all, table, 0, (scalar[i >> 1]! >> (i & 1 ? 0 : 4)) & 15)
      this.#add(result, chosen)
    }
    all.fill(0)
    table.fill(0)
    for (const point of multiples) wipe(point)
    this.#forget()
    return result
  }

  /** scalar * G, by a comb, in time that does not depend on the scalar. */
  multiplyBase(scalar: Uint8Array): Point {
    this.#comb ??= this.#makeComb()
    const odd = oddScalar(scalar, p256Scalars.order)
    const result = this.#infinity()
    const chosen = new Float64Array(SHORT)
    const [x, y] = [chosen.subarray(0, 12), chosen.subarray(12)]
    for (let i = BLOCK - 1; i >= 0; i--) {
      if (i < BLOCK - 1) this.#double(result)
      for (let block = 0; block < BLOCKS; block++) {
        const digit = combDigit(odd, block, i)
        selectEntry(chosen, this.#comb, SHORT * 16 * block, digit & 15)
        scale(y, y, 1 - 2 * (digit >> 4))
        this.#addShort(result, x, y)
      }
    }
    chosen.fill(0)
    odd.fill(0)
    this.#forget()
    return result
  }

  /** Whether the x of a * G + b * point is `r` modulo the order; for public numbers of 32 big-endian bytes, a point from `decode`. */
  hasX(a: Uint8Array, b: Uint8Array, point: Point, r: Uint8Array): boolean {
    this.#public ??= new PublicMultiples(this.#field, this.#base)
    return this.#public.hasX(a, b, point, r)
  }

  #makeComb(): Float64Array {
    const { columns } = this.#field
    const next = copy(this.#base)
    const powers: Point[] = []
    for (let i = 0; i < POWERS; i++) {
      powers.push(copy(next))
      for (let k = 0; k < BLOCK; k++) this.#double(next)
    }
    const points = combPoints(
      (i) => copy(powers[i]!),
      (point, i) => this.#sum(point, powers[i]!),
      (point, i) => this.#sum(point, opposite(powers[i]!)),
    )
    const comb = new Float64Array(SHORT * points.length)
    const inverses = invertAll(
      this.#field,
      points.map(({ z }) => z),
    )
    for (const [i, { x, y }] of points.entries()) {
      multiply(comb.subarray(SHORT * i, SHORT * i + 12), x, inverses[i]!, columns)
      multiply(comb.subarray(SHORT * i + 12, SHORT * i + 24), y, inverses[i]!, columns)
    }
    return comb
  }

  /** What is left of the last computation. */
  #forget(): void {
    for (const secret of Object.values(this.#scratch)) secret.fill(0)
    this.#field.columns.fill(0)
  }

  #infinity(): Point {
    return { x: element(), y: copyOfTwelve(this.#one), z: element() }
  }

  #sum(a: Point, b: Point): Point {
    const result = copy(a)
    this.#add(result, b)
    return result
  }

  /** a += b, algorithm 4. The numbers on the right say how loose the element on the left is. */
  #add(a: Point, b: Point): void {
    const { columns } = this.#field
    const { t0, t1, t2, t3, t4, t5 } = this.#scratch
    const { x, y, z } = a
    multiply(t0, x, b.x, columns) // 1
    multiply(t1, y, b.y, columns) // 1
    multiply(t2, z, b.z, columns) // 1
    add(t3, x, y) // 4
    add(t4, b.x, b.y) // 4
    multiply(t3, t3, t4, columns)
    subtract(t3, t3, t0)
    subtract(t3, t3, t1) // 3: X1 Y2 + X2 Y1
    add(t4, y, z) // 6
    add(t5, b.y, b.z) // 6
    multiply(t4, t4, t5, columns)
    subtract(t4, t4, t1)
    subtract(t4, t4, t2) // 3: Y1 Z2 + Y2 Z1
    add(x, x, z) // 6
    add(y, b.x, b.z) // 6
    multiply(y, x, y, columns)
    subtract(y, y, t0)
    subtract(y, y, t2) // 3: X1 Z2 + X2 Z1
    multiply(z, this.#b, t2, columns) // 1
    subtract(x, y, z) // 4
    scale(x, x, 3) // 12
    carry(x, x) // 1
    subtract(z, t1, x) // 2
    add(x, t1, x) // 2
    multiply(y, this.#b, y, columns) // 1
    scale(t2, t2, 3) // 3
    subtract(y, y, t2)
    subtract(y, y, t0) // 5
    scale(y, y, 3) // 15
    carry(y, y) // 1
    scale(t0, t0, 3)
    subtract(t0, t0, t2) // 6
    multiply(t1, t4, y, columns)
    multiply(t2, t0, y, columns)
    multiply(y, x, z, columns)
    add(y, y, t2) // 2
    multiply(x, t3, x, columns)
    subtract(x, x, t1) // 2
    multiply(z, t4, z, columns)
    multiply(t1, t3, t0, columns)
    add(z, z, t1) // 2
  }

  /** a += the point with these coordinates, which are reduced: algorithm 5. */
  #addShort(a: Point, x2: Element, y2: Element): void {
    const { columns } = this.#field
    const { t0, t1, t2, t3, t4, t5 } = this.#scratch
    const { x, y, z } = a
    multiply(t0, x, x2, columns)
    multiply(t1, y, y2, columns)
    add(t3, x2, y2) // 2
    add(t4, x, y) // 4
    multiply(t3, t3, t4, columns)
    subtract(t3, t3, t0)
    subtract(t3, t3, t1) // 3: X1 y2 + x2 Y1
    multiply(t4, y2, z, columns)
    add(t4, t4, y) // 3: y2 Z1 + Y1
    multiply(t5, x2, z, columns)
    add(t5, t5, x) // 3: x2 Z1 + X1
    multiply(t2, this.#b, z, columns)
    subtract(x, t5, t2) // 4
    scale(x, x, 3) // 12
    carry(x, x) // 1
    scale(t2, z, 3) // 12: 3 Z1
    subtract(z, t1, x) // 2
    add(x, t1, x) // 2
    multiply(t5, this.#b, t5, columns)
    subtract(t5, t5, t2)
    subtract(t5, t5, t0) // 14
    scale(t5, t5, 3) // 42
    carry(t5, t5) // 1
    scale(t0, t0, 3)
    subtract(t0, t0, t2) // 15
    multiply(t1, t4, t5, columns)
    multiply(t2, t0, t5, columns)
    multiply(y, x, z, columns)
    add(y, y, t2) // 2
    multiply(x, t3, x, columns)
    subtract(x, x, t1) // 2
    multiply(z, t4, z, columns)
    multiply(t1, t3, t0, columns)
    add(z, z, t1) // 2
  }

  /** a += a, algorithm 6. */
  #double(a: Point): void {
    const { columns } = this.#field
    const { t0, t1, t2, t3, t4, t5 } = this.#scratch
    const { x, y, z } = a
    square(t0, x, columns) // 1
    square(t1, y, columns) // 1
    square(t2, z, columns) // 1
    multiply(t3, x, y, columns)
    add(t3, t3, t3) // 2
    multiply(t4, x, z, columns)
    add(t4, t4, t4) // 2
    multiply(t5, this.#b, t2, columns)
    subtract(t5, t5, t4) // 3
    scale(t5, t5, 3) // 9
    carry(t5, t5) // 1
    subtract(x, t1, t5) // 2
    add(t5, t1, t5) // 2
    multiply(t5, x, t5, columns) // 1
    multiply(x, x, t3, columns) // 1
    scale(t2, t2, 3) // 3
    multiply(t4, this.#b, t4, columns)
    subtract(t4, t4, t2)
    subtract(t4, t4, t0) // 5
    scale(t4, t4, 3) // 15
    carry(t4, t4) // 1
    scale(t0, t0, 3)
    subtract(t0, t0, t2) // 6
    multiply(t0, t0, t4, columns)
    add(t5, t5, t0) // 2: the new Y
    multiply(t0, y, z, columns)
    add(t0, t0, t0) // 2
    multiply(t4, t0, t4, columns)
    subtract(x, x, t4) // 2
    multiply(z, t0, t1, columns)
    scale(z, z, 4) // 4
    y.set(t5)
  }
}

export function wipe(point: Point): void {
  for (const secret of [point.x, point.y, point.z]) secret.fill(0)
}

function opposite(point: Point): Point {
  const result = copy(point)
  scale(result.y, result.y, -1)
  return result
}

function copy(point: Point): Point {
  return { x: copyOfTwelve(point.x), y: copyOfTwelve(point.y), z: copyOfTwelve(point.z) }
}

/** A point and the whole of its memory. */
function emptyPoint(): { readonly all: Float64Array; readonly point: Point } {
  const all = new Float64Array(ENTRY)
  return { all, point: { x: all.subarray(0, 12), y: all.subarray(12, 24), z: all.subarray(24) } }
}

function flatten(points: readonly Point[]): Float64Array {
  const table = new Float64Array(ENTRY * points.length)
  for (const [i, point] of points.entries()) {
    table.set(point.x, ENTRY * i)
    table.set(point.y, ENTRY * i + 12)
    table.set(point.z, ENTRY * i + 24)
  }
  return table
}
