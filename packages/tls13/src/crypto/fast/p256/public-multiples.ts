import { DIGITS, nonAdjacentForm } from "../non-adjacent-form.ts"
import {
  add,
  type Element,
  element,
  type Field,
  fromBytes,
  invertAll,
  isZero,
  one,
  scale,
  subtract,
} from "./field256.ts"
import { carry, multiply, square } from "./field256-products.ts"
import { p256Scalars } from "./scalars.ts"

// Sums of multiples of two points of P-256 for verification, in Jacobian coordinates: x = X / Z^2 and y = Y / Z^3. A doubling
// is "dbl-2001-b" of the Explicit-Formulas Database and takes two thirds of the complete one's time. Branches are on public
// numbers. Special cases show at the end, and then all is done again with a look for them.

/** A point with Z = 1. */
interface ShortPoint {
  readonly x: Element
  readonly y: Element
}

/** A point as it is added: its coordinates, and Z with its square and cube where Z is not 1. */
interface Addend extends ShortPoint {
  readonly z: Element | undefined
  readonly z2: Element | undefined
  readonly z3: Element | undefined
}

/** Digits of multiples of G and of the other point: there is a table of 32 for the one, and of 8 for the other. */
const BASE_WIDTH = 7
const POINT_WIDTH = 5

/** One that is not G's. */
type KeptAddend = Required<{ [Name in keyof Addend]: Element }>

function newAddend(): KeptAddend {
  return { x: element(), y: element(), z: element(), z2: element(), z3: element() }
}

export class PublicMultiples {
  readonly #field: Field
  readonly #one: Element
  /** G, 3G, 5G ... 63G; 6 KiB. */
  readonly #oddBase: readonly Addend[]
  /** The same of the other point, up to 15 of it, and twice that; written anew for each. */
  readonly #oddPoint = Array.from({ length: 1 << (POINT_WIDTH - 2) }, newAddend)
  readonly #twice = newAddend()
  readonly #scratch = {
    t0: element(),
    t1: element(),
    t2: element(),
    t3: element(),
    t4: element(),
  }
  /** The sum so far: X is up to 4-loose, Y 3-loose, Z 2-loose. */
  readonly #x = element()
  readonly #y = element()
  readonly #z = element()
  #infinite = true
  /** Whether additions look for equal and opposite points. */
  #isCareful = false

  constructor(field: Field, base: ShortPoint) {
    this.#field = field
    this.#one = one(field)
    const odd = Array.from({ length: 1 << (BASE_WIDTH - 2) }, newAddend)
    this.#oddMultiples(base, odd)
    this.#oddBase = this.#short(odd)
  }

  /** Whether the x of a * G + b * point is `r` modulo the order, which is not 0; false at infinity. */
  hasX(a: Uint8Array, b: Uint8Array, point: ShortPoint, r: Uint8Array): boolean {
    this.#oddMultiples(point, this.#oddPoint)
    const baseDigits = nonAdjacentForm(a, BASE_WIDTH)
    const pointDigits = nonAdjacentForm(b, POINT_WIDTH)
    this.#isCareful = false
    this.#sum(baseDigits, pointDigits)
    // Where a point was added to itself or to its opposite, Z has been 0 ever since: a case that has to be made on purpose.
    if (isZero(this.#field, this.#z)) {
      this.#isCareful = true
      this.#sum(baseDigits, pointDigits)
    }
    return !this.#infinite && (this.#isX(r) || this.#isX(plusOrder(r)))
  }

  #sum(baseDigits: Int8Array, pointDigits: Int8Array): void {
    this.#infinite = true
    for (let i = DIGITS - 1; i >= 0; i--) {
      if (!this.#infinite) this.#double()
      this.#addDigit(this.#oddBase, baseDigits[i]!)
      this.#addDigit(this.#oddPoint, pointDigits[i]!)
    }
  }

  /** Whether X / Z^2 is this number, which is below p. */
  #isX(number: Uint8Array | undefined): boolean {
    if (number === undefined) return false
    const { columns } = this.#field
    const { t0, t1 } = this.#scratch
    square(t0, this.#z, columns)
    multiply(t1, fromBytes(this.#field, number), t0, columns)
    subtract(t1, t1, this.#x)
    return isZero(this.#field, t1)
  }

  #addDigit(odd: readonly Addend[], digit: number): void {
    if (digit > 0) this.#add(odd[digit >> 1]!, 1)
    if (digit < 0) this.#add(odd[-digit >> 1]!, -1)
  }

  /** Writes point, 3 point, 5 point ... to `points`. */
  #oddMultiples({ x, y }: ShortPoint, points: readonly KeptAddend[]): void {
    this.#start({ x, y, z: undefined, z2: undefined, z3: undefined }, 1)
    this.#keep(points[0]!)
    this.#double()
    this.#keep(this.#twice)
    this.#start(points[0]!, 1)
    for (let i = 1; i < points.length; i++) {
      this.#add(this.#twice, 1)
      this.#keep(points[i]!)
    }
  }

  /** The sum so far, to be added later. */
  #keep({ x, y, z, z2, z3 }: KeptAddend): void {
    const { columns } = this.#field
    x.set(this.#x)
    y.set(this.#y)
    z.set(this.#z)
    square(z2, z, columns)
    multiply(z3, z2, z, columns)
  }

  /** The same points with Z = 1, by one inversion. */
  #short(points: readonly Addend[]): readonly Addend[] {
    const { columns } = this.#field
    const inverses = invertAll(
      this.#field,
      points.map(({ z }) => z!),
    )
    return points.map((point, i) => {
      const [x, y, power] = [element(), element(), element()]
      square(power, inverses[i]!, columns)
      multiply(x, point.x, power, columns)
      multiply(power, power, inverses[i]!, columns)
      multiply(y, point.y, power, columns)
      return { x, y, z: undefined, z2: undefined, z3: undefined }
    })
  }

  #start({ x, y, z }: Addend, sign: number): void {
    this.#x.set(x)
    scale(this.#y, y, sign)
    this.#z.set(z ?? this.#one)
    this.#infinite = false
  }

  /** The numbers on the right say how loose the element on the left is. */
  #double(): void {
    const { columns } = this.#field
    const { t0, t1, t2, t3, t4 } = this.#scratch
    const [x, y, z] = [this.#x, this.#y, this.#z]
    square(t0, z, columns) // delta
    square(t1, y, columns) // gamma
    multiply(t2, x, t1, columns) // beta
    subtract(t3, x, t0) // 5
    add(t4, x, t0) // 5
    multiply(t3, t3, t4, columns)
    scale(t3, t3, 3) // 3: alpha
    multiply(z, y, z, columns)
    scale(z, z, 2) // 2
    square(x, t3, columns)
    scale(t2, t2, 4) // 4
    subtract(x, x, t2)
    subtract(x, x, t2) // 9
    carry(x, x)
    subtract(t2, t2, x) // 5
    multiply(y, t3, t2, columns)
    scale(t1, t1, 2) // 2
    square(t1, t1, columns)
    subtract(y, y, t1)
    subtract(y, y, t1) // 3
  }

  /** Adds a point, or its opposite when the sign is -1. */
  #add(point: Addend, sign: number): void {
    if (this.#infinite) {
      this.#start(point, sign)
      return
    }
    const { columns } = this.#field
    const { t0, t1, t2, t3, t4 } = this.#scratch
    const [x, y, z] = [this.#x, this.#y, this.#z]
    // What the sum is when X and Y are brought to the product of both Z's squared and cubed.
    if (point.z2) multiply(t3, x, point.z2, columns)
    else t3.set(x)
    if (point.z3) multiply(t4, y, point.z3, columns)
    else t4.set(y)
    square(t0, z, columns)
    multiply(t1, point.x, t0, columns)
    subtract(t1, t1, t3) // 5: H
    multiply(t0, t0, z, columns)
    multiply(t2, point.y, t0, columns)
    scale(t2, t2, sign)
    subtract(t2, t2, t4) // 4: R
    if (this.#isCareful && isZero(this.#field, t1)) {
      if (isZero(this.#field, t2)) this.#double()
      else this.#infinite = true
      return
    }
    if (point.z) multiply(z, z, point.z, columns)
    multiply(z, z, t1, columns)
    square(t0, t1, columns)
    multiply(t3, t3, t0, columns) // V
    multiply(t0, t0, t1, columns) // H^3
    square(x, t2, columns)
    subtract(x, x, t0)
    subtract(x, x, t3)
    subtract(x, x, t3) // 4
    subtract(t3, t3, x) // 5
    multiply(t3, t2, t3, columns)
    multiply(t0, t4, t0, columns)
    subtract(y, t3, t0) // 2
  }
}

/** r + n where it is below p, which is what an x may be whose remainder is r. */
function plusOrder(r: Uint8Array): Uint8Array | undefined {
  const sum = new Uint8Array(32)
  let carried = 0
  for (let i = 31; i >= 0; i--) {
    carried += r[i]! + p256Scalars.order[i]!
    sum[i] = carried
    carried >>= 8
  }
  return carried > 0 || !isBelowPrime(sum) ? undefined : sum
}

const prime: readonly number[] = [0xffffffff, 1, 0, 0, 0, 0xffffffff, 0xffffffff, 0xffffffff]

function isBelowPrime(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer)
  for (const [i, word] of prime.entries()) {
    const own = view.getUint32(4 * i)
    if (own !== word) return own < word
  }
  return false
}
