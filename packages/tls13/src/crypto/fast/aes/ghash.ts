// GHASH (NIST SP 800-38D section 6.4) by carry-less multiplication out of integer multiplication, without tables.
//
// After the method of T. Pornin's BearSSL ("ctmul"), on halves of words: of the bits of a factor only every third is kept at a
// time, at most six of 16, so that a sum of an ordinary multiplication stays below 8 and never reaches the next kept bit.
// Nine multiplications make 16 by 16 bits, whose product is whole in 32 bits: nothing has to be computed on reversed bits.
// 27 such products (Karatsuba, three times) make 128 by 128 bits.
//
// Where there are many blocks, every eighth has a running value of its own: what is made of a factor is made once for eight
// products. And each of them takes four blocks at once, by H^32, H^24, H^16 and H^8, whose products are reduced together.
//
// A block is a number of 128 bits whose highest is that of x^0, so that a product of two is one bit too low. H and its powers
// are kept divided by x, which puts that right.
//
// Side channels: no table and no branch depends on the key or the data; 32-bit multiplication takes constant time on
// the usual processors.

/** Words of a block. */
const BLOCK = 4
/** Numbers that Karatsuba's method makes of a block. */
const FACTORS = 9
/** Running values, and the words of a block for each. */
const LANES = 8
const ROW = 32
/** Rows that are taken at once, and from which number of blocks on. */
const ROWS = 4
const MANY = 40

/** A running GHASH; one serves many keys in turn. */
export class Ghash {
  /** The factors of H and, once they are wanted, of H^8 to H^32. */
  readonly #h: Int32Array = new Int32Array(FACTORS)
  readonly #powers: Int32Array = new Int32Array(FACTORS * ROWS)
  #hasPowers = false
  /** The running value, lowest word first, and those of further lanes. */
  readonly #y: Int32Array = new Int32Array(ROW)
  readonly #factors: Int32Array = new Int32Array(FACTORS * LANES)
  readonly #products: Int32Array = new Int32Array(2 * FACTORS * LANES)
  readonly #last: Int32Array = new Int32Array(BLOCK)

  /** @param h E(K, 0) as four little-endian words */
  start(h: Int32Array): void {
    const y = this.#y
    for (let i = 0; i < BLOCK; i++) y[i] = swapBytes(h[3 - i]!)
    keep(this.#h, 0, y)
    clear(y, 0, BLOCK)
  }

  /** Takes `count` blocks, of four little-endian words each, from `at` on. */
  update(words: Int32Array, at: number, count: number): void {
    const end = at + BLOCK * count
    if (count >= MANY) {
      if (!this.#hasPowers) this.#makePowers()
      // The last row is taken one block after the other.
      for (let rows = 0; ; at += ROW * rows) {
        rows = Math.min(ROWS, Math.floor((end - at) / ROW) - 1)
        if (rows === 0) break
        this.#take(words, at, LANES, rows, this.#powers)
      }
      const y = this.#y
      this.#take(words, at, 1, 1, this.#h)
      for (let lane = BLOCK; lane < ROW; lane += BLOCK) {
        for (let i = 0; i < BLOCK; i++) {
          y[i]! ^= y[lane + i]!
          y[lane + i] = 0
        }
        this.#take(words, at + lane, 1, 1, this.#h)
      }
      at += ROW
    }
    for (; at < end; at += BLOCK) this.#take(words, at, 1, 1, this.#h)
  }

  /** Takes the block of the two lengths, given in bytes, and forgets what it worked on; returns the result, little-endian, until the next start. */
  finish(aadLength: number, textLength: number): Int32Array {
    const result = this.#last
    result[0] = swapBytes(Math.floor(aadLength / 2 ** 29))
    result[1] = swapBytes(aadLength << 3)
    result[2] = swapBytes(Math.floor(textLength / 2 ** 29))
    result[3] = swapBytes(textLength << 3)
    this.update(result, 0, 1)
    for (let i = 0; i < BLOCK; i++) result[i] = swapBytes(this.#y[3 - i]!)
    const lanes = this.#hasPowers ? LANES : 1
    clear(this.#h, 0, FACTORS)
    clear(this.#y, 0, BLOCK * lanes)
    clear(this.#factors, 0, FACTORS * lanes)
    clear(this.#products, 0, 2 * FACTORS * lanes)
    if (this.#hasPowers) clear(this.#powers, 0, FACTORS * ROWS)
    this.#hasPowers = false
    return result
  }

  #makePowers(): void {
    const factors = this.#factors
    const products = this.#products
    const powers = this.#powers
    const power = new Int32Array(BLOCK)
    // A one times H is H without the division by x.
    factor(factors, 0, 0, 0, 0, 1 << 31)
    multiply(factors, 1, this.#h, 0, products, 0)
    reduce(products, 0, power, 0)
    keep(powers, 0, power)
    for (let doubled = 0; doubled < 3; doubled++) {
      times(factors, power, powers, products)
      keep(powers, 0, power)
    }
    for (let at = FACTORS; at < FACTORS * ROWS; at += FACTORS) {
      times(factors, power, powers, products)
      keep(powers, at, power)
    }
    power.fill(0)
    this.#hasPowers = true
  }

  /** For each of the lanes: y = (y + block) * the power of its row + the products of its blocks in the further rows. */
  #take(words: Int32Array, at: number, lanes: number, rows: number, powers: Int32Array): void {
    const y = this.#y
    const factors = this.#factors
    const products = this.#products
    for (let row = 0; row < rows; row++) {
      // y is taken into the first row only.
      const isFirst = row === 0 ? -1 : 0
      for (let lane = 0; lane < lanes; lane++) {
        const from = (at + ROW * row + 4 * lane) & 0xffffff
        const own = (4 * lane) & 31
        const w0 = swapBytes(words[from + 3]!) ^ (y[own]! & isFirst)
        const w1 = swapBytes(words[from + 2]!) ^ (y[own + 1]! & isFirst)
        const w2 = swapBytes(words[from + 1]!) ^ (y[own + 2]! & isFirst)
        const w3 = swapBytes(words[from]!) ^ (y[own + 3]! & isFirst)
        factor(factors, 9 * lane, w0, w1, w2, w3)
      }
      multiply(factors, lanes, powers, 9 * (rows - 1 - row), products, ~isFirst)
    }
    for (let lane = 0; lane < lanes; lane++) reduce(products, 18 * lane, y, 4 * lane)
  }
}

/** power = power * the first of `powers`. */
function times(factors: Int32Array, power: Int32Array, powers: Int32Array, products: Int32Array): void {
  factor(factors, 0, power[0]!, power[1]!, power[2]!, power[3]!)
  multiply(factors, 1, powers, 0, products, 0)
  reduce(products, 0, power, 0)
}

/** Writes the factors of `power`, divided by x, to `to` from `at` on. */
function keep(to: Int32Array, at: number, power: Int32Array): void {
  const w0 = power[0]!
  const w1 = power[1]!
  const w2 = power[2]!
  const w3 = power[3]!
  // 1 / x = x^127 + x^6 + x + 1
  const out = w3 >> 31
  factor(
    to,
    at,
    (w0 << 1) ^ (out & 1),
    (w1 << 1) | (w0 >>> 31),
    (w2 << 1) | (w1 >>> 31),
    ((w3 << 1) | (w2 >>> 31)) ^ (out & 0xc2000000),
  )
}

/** Writes the nine factors of Karatsuba's method out of four words, lowest first, to `to` from `at` on. */
function factor(to: Int32Array, at: number, w0: number, w1: number, w2: number, w3: number): void {
  to[at] = w0
  to[at + 1] = w1
  to[at + 2] = w2
  to[at + 3] = w3
  to[at + 4] = w0 ^ w1
  to[at + 5] = w2 ^ w3
  to[at + 6] = w0 ^ w2
  to[at + 7] = w1 ^ w3
  to[at + 8] = w0 ^ w1 ^ w2 ^ w3
}

/**
 * Of each lane's nine factors the products with those at `from` of `powers`: their low words, and nine further their high words.
 * Halves are computed one after the other, each from memory to memory, as some engines do side by side what they can, with
 * more numbers than there are registers.
 * @param kept -1: they are added to what `products` has, 0: they replace it
 */
function multiply(
  factors: Int32Array,
  lanes: number,
  powers: Int32Array,
  from: number,
  products: Int32Array,
  kept: number,
): void {
  for (let j = 0; j < 9; j++) {
    // Of the low half, of the high one and of their sum: bits whose places are 0, 1 and 2 modulo 3.
    const power = powers[from + j]!
    const l0 = power & 0x9249
    const l1 = power & 0x2492
    const l2 = power & 0x4924
    const h0 = (power >>> 16) & 0x9249
    const h1 = (power >>> 16) & 0x2492
    const h2 = (power >>> 16) & 0x4924
    const m0 = l0 ^ h0
    const m1 = l1 ^ h1
    const m2 = l2 ^ h2
    let to = j
    for (let i = j; i < 9 * lanes; i = (i + 9) | 0) {
      let x = factors[i]!
      let x0 = x & 0x9249
      let x1 = x & 0x2492
      let x2 = x & 0x4924
      const low =
        ((Math.imul(x0, l0) ^ Math.imul(x1, l2) ^ Math.imul(x2, l1)) & 0x49249249) |
        ((Math.imul(x0, l1) ^ Math.imul(x1, l0) ^ Math.imul(x2, l2)) & 0x92492492) |
        ((Math.imul(x0, l2) ^ Math.imul(x1, l1) ^ Math.imul(x2, l0)) & 0x24924924)
      products[to] = low ^ (products[to]! & kept)
      x = factors[i]! >>> 16
      x0 = x & 0x9249
      x1 = x & 0x2492
      x2 = x & 0x4924
      const high =
        ((Math.imul(x0, h0) ^ Math.imul(x1, h2) ^ Math.imul(x2, h1)) & 0x49249249) |
        ((Math.imul(x0, h1) ^ Math.imul(x1, h0) ^ Math.imul(x2, h2)) & 0x92492492) |
        ((Math.imul(x0, h2) ^ Math.imul(x1, h1) ^ Math.imul(x2, h0)) & 0x24924924)
      products[to + 9] = high ^ (products[to + 9]! & kept)
      x = factors[i]!
      x ^= x >>> 16
      x0 = x & 0x9249
      x1 = x & 0x2492
      x2 = x & 0x4924
      const middle =
        (((Math.imul(x0, m0) ^ Math.imul(x1, m2) ^ Math.imul(x2, m1)) & 0x49249249) |
          ((Math.imul(x0, m1) ^ Math.imul(x1, m0) ^ Math.imul(x2, m2)) & 0x92492492) |
          ((Math.imul(x0, m2) ^ Math.imul(x1, m1) ^ Math.imul(x2, m0)) & 0x24924924)) ^
        low ^
        high
      products[to]! ^= middle << 16
      products[to + 9]! ^= middle >>> 16
      to = (to + 18) | 0
    }
  }
}

/** The sum of the products from `from` on modulo x^128 + x^7 + x^2 + x + 1, to `y` from `to` on. */
function reduce(x: Int32Array, from: number, y: Int32Array, to: number): void {
  const a = x[from]!
  const b = x[from + 1]!
  const c = x[from + 2]!
  const d = x[from + 3]!
  const ab = x[from + 4]! ^ a ^ b
  const cd = x[from + 5]! ^ c ^ d
  const ac = x[from + 6]!
  const bd = x[from + 7]!
  const abcd = x[from + 8]! ^ ac ^ bd
  const e = x[from + 9]!
  const f = x[from + 10]!
  const g = x[from + 11]!
  const k = x[from + 12]!
  const ef = x[from + 13]! ^ e ^ f
  const gk = x[from + 14]! ^ g ^ k
  const eg = x[from + 15]!
  const fk = x[from + 16]!
  const efgk = x[from + 17]! ^ eg ^ fk

  // The product's eight words.
  const z0 = a
  const z1 = ab ^ e
  const z2 = b ^ ac ^ a ^ c ^ ef
  const z3 = abcd ^ ab ^ cd ^ f ^ eg ^ e ^ g
  const z4 = c ^ bd ^ b ^ d ^ efgk ^ ef ^ gk
  const z5 = cd ^ g ^ fk ^ f ^ k
  const z6 = d ^ gk
  const z7 = k

  let x3 = z3
  let x4 = z4
  let x5 = z5
  let x6 = z6
  let x7 = z7

  // Modulo x^128 + x^7 + x^2 + x + 1, word by word from the lowest.
  x4 ^= z0 ^ (z0 >>> 1) ^ (z0 >>> 2) ^ (z0 >>> 7)
  x3 ^= (z0 << 31) ^ (z0 << 30) ^ (z0 << 25)
  // z1 takes nothing from z0: its own low words follow.
  x5 ^= z1 ^ (z1 >>> 1) ^ (z1 >>> 2) ^ (z1 >>> 7)
  x4 ^= (z1 << 31) ^ (z1 << 30) ^ (z1 << 25)
  x6 ^= z2 ^ (z2 >>> 1) ^ (z2 >>> 2) ^ (z2 >>> 7)
  x5 ^= (z2 << 31) ^ (z2 << 30) ^ (z2 << 25)
  x7 ^= x3 ^ (x3 >>> 1) ^ (x3 >>> 2) ^ (x3 >>> 7)
  x6 ^= (x3 << 31) ^ (x3 << 30) ^ (x3 << 25)
  y[to] = x4
  y[to + 1] = x5
  y[to + 2] = x6
  y[to + 3] = x7
}

export function swapBytes(word: number): number {
  return (((word >>> 8) | (word << 24)) & 0xff00ff00) | (((word << 8) | (word >>> 24)) & 0x00ff00ff)
}

/** Zeros, for what is mostly short: `fill` is a call that costs more. */
export function clear(array: Int32Array | Uint8Array, from: number, to: number): void {
  if (to - from > 256) array.fill(0, from, to)
  else for (let i = from; i < to; i++) array[i] = 0
}
