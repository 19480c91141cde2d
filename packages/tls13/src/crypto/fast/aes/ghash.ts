// GHASH (NIST SP 800-38D section 6.4) by carry-less multiplication out of integer multiplication, without tables.
//
// After the method of T. Pornin's BearSSL ("ctmul"), on halves of words: of the bits of a factor only every third is kept at a
// time, at most six of 16, so that a sum of an ordinary multiplication stays below 8 and never reaches the next kept bit.
// Nine multiplications make 16 by 16 bits, whose product is whole in 32 bits: nothing has to be computed on reversed bits.
// 27 such products (Karatsuba, three times) make 128 by 128 bits.
//
// Side channels: no table and no branch depends on the key or the data; 32-bit multiplication takes constant time on
// the usual processors.

const BLOCK = 16

const nothing: Int32Array = new Int32Array(0)

/** The nine factors of Karatsuba's method out of four words, lowest first. */
function factors(w0: number, w1: number, w2: number, w3: number): readonly number[] {
  return [w0, w1, w2, w3, w0 ^ w1, w2 ^ w3, w0 ^ w2, w1 ^ w3, w0 ^ w1 ^ w2 ^ w3]
}

/**
 * The expanded key: the nine factors of H.
 * @param block E(K, 0) as four little-endian words
 */
export function expandGhashKey(block: Int32Array): Int32Array {
  return Int32Array.from(
    factors(swapBytes(block[3]!), swapBytes(block[2]!), swapBytes(block[1]!), swapBytes(block[0]!)),
  )
}

/** A running GHASH; one serves many keys in turn. */
export class Ghash {
  #h: Int32Array = nothing
  /** The running value, lowest word first. */
  readonly #y: Int32Array = new Int32Array(4)
  readonly #products: Int32Array = new Int32Array(18)
  readonly #last: DataView = new DataView(new ArrayBuffer(BLOCK))

  /** @param h of `expandGhashKey` */
  start(h: Int32Array): void {
    this.#h = h
    this.#y.fill(0)
  }

  /** Takes `length` bytes and zeros up to the next whole block. */
  updatePadded(bytes: DataView, at: number, length: number): void {
    const whole = length - (length % BLOCK)
    if (whole > 0) blocks(this.#h, this.#products, this.#y, bytes, at, at + whole)
    if (whole === length) return
    const last = this.#last
    for (let i = 0; i < BLOCK; i++) last.setUint8(i, whole + i < length ? bytes.getUint8(at + whole + i) : 0)
    blocks(this.#h, this.#products, this.#y, last, 0, BLOCK)
  }

  /** Takes the block of the two lengths, given in bytes. */
  updateLengths(aadLength: number, textLength: number): void {
    const last = this.#last
    last.setUint32(0, Math.floor(aadLength / 2 ** 29))
    last.setUint32(4, aadLength << 3)
    last.setUint32(8, Math.floor(textLength / 2 ** 29))
    last.setUint32(12, textLength << 3)
    blocks(this.#h, this.#products, this.#y, last, 0, BLOCK)
  }

  /** Writes the four words of the result, little-endian, and forgets what it worked on. */
  finish(out: Int32Array): void {
    for (let i = 0; i < 4; i++) out[i] = swapBytes(this.#y[3 - i]!)
    this.#y.fill(0)
    this.#products.fill(0)
    for (let i = 0; i < BLOCK; i++) this.#last.setUint8(i, 0)
    this.#h = nothing
  }
}

/** y = (y + block) * H, for each block from `at` to `end`. */
function blocks(h: Int32Array, x: Int32Array, y: Int32Array, bytes: DataView, at: number, end: number): void {
  let y0 = y[0]!
  let y1 = y[1]!
  let y2 = y[2]!
  let y3 = y[3]!
  for (let i = at; i < end; i += BLOCK) {
    y3 ^= bytes.getInt32(i)
    y2 ^= bytes.getInt32(i + 4)
    y1 ^= bytes.getInt32(i + 8)
    y0 ^= bytes.getInt32(i + 12)
    x[0] = y0
    x[1] = y1
    x[2] = y2
    x[3] = y3
    x[4] = y0 ^ y1
    x[5] = y2 ^ y3
    x[6] = y0 ^ y2
    x[7] = y1 ^ y3
    x[8] = y0 ^ y1 ^ y2 ^ y3
    // Each factor becomes its product's low word, and the high word stands nine further.
    for (let j = 0; j < 9; j++) {
      const word = x[j]!
      const low = word & 0xffff
      const high = word >>> 16
      const factor = h[j]!
      const lowFactor = factor & 0xffff
      const highFactor = factor >>> 16
      const p = multiply(low, lowFactor)
      const q = multiply(high, highFactor)
      const middle = multiply(low ^ high, lowFactor ^ highFactor) ^ p ^ q
      x[j] = p ^ (middle << 16)
      x[j + 9] = q ^ (middle >>> 16)
    }
    const a = x[0]!
    const b = x[1]!
    const c = x[2]!
    const d = x[3]!
    const ab = x[4]! ^ a ^ b
    const cd = x[5]! ^ c ^ d
    const ac = x[6]!
    const bd = x[7]!
    const abcd = x[8]! ^ ac ^ bd
    const e = x[9]!
    const f = x[10]!
    const g = x[11]!
    const k = x[12]!
    const ef = x[13]! ^ e ^ f
    const gk = x[14]! ^ g ^ k
    const eg = x[15]!
    const fk = x[16]!
    const efgk = x[17]! ^ eg ^ fk

    // The product's eight words.
    const z0 = a
    const z1 = ab ^ e
    const z2 = b ^ ac ^ a ^ c ^ ef
    const z3 = abcd ^ ab ^ cd ^ f ^ eg ^ e ^ g
    const z4 = c ^ bd ^ b ^ d ^ efgk ^ ef ^ gk
    const z5 = cd ^ g ^ fk ^ f ^ k
    const z6 = d ^ gk
    const z7 = k

    // GCM's bits are reversed: the product is one bit further up.
    const x0 = z0 << 1
    const x1 = (z1 << 1) | (z0 >>> 31)
    const x2 = (z2 << 1) | (z1 >>> 31)
    let x3 = (z3 << 1) | (z2 >>> 31)
    let x4 = (z4 << 1) | (z3 >>> 31)
    let x5 = (z5 << 1) | (z4 >>> 31)
    let x6 = (z6 << 1) | (z5 >>> 31)
    let x7 = (z7 << 1) | (z6 >>> 31)

    // Modulo x^128 + x^7 + x^2 + x + 1, word by word from the lowest.
    x4 ^= x0 ^ (x0 >>> 1) ^ (x0 >>> 2) ^ (x0 >>> 7)
    x3 ^= (x0 << 31) ^ (x0 << 30) ^ (x0 << 25)
    // x1 takes nothing from x0: its own low words follow.
    x5 ^= x1 ^ (x1 >>> 1) ^ (x1 >>> 2) ^ (x1 >>> 7)
    x4 ^= (x1 << 31) ^ (x1 << 30) ^ (x1 << 25)
    x6 ^= x2 ^ (x2 >>> 1) ^ (x2 >>> 2) ^ (x2 >>> 7)
    x5 ^= (x2 << 31) ^ (x2 << 30) ^ (x2 << 25)
    x7 ^= x3 ^ (x3 >>> 1) ^ (x3 >>> 2) ^ (x3 >>> 7)
    x6 ^= (x3 << 31) ^ (x3 << 30) ^ (x3 << 25)
    y0 = x4
    y1 = x5
    y2 = x6
    y3 = x7
  }
  y[0] = y0
  y[1] = y1
  y[2] = y2
  y[3] = y3
}

/** The carry-less product of 16 bits each. */
function multiply(x: number, y: number): number {
  const x0 = x & 0x49249249
  const x1 = x & 0x92492492
  const x2 = x & 0x24924924
  const y0 = y & 0x49249249
  const y1 = y & 0x92492492
  const y2 = y & 0x24924924
  return (
    ((Math.imul(x0, y0) ^ Math.imul(x1, y2) ^ Math.imul(x2, y1)) & 0x49249249) |
    ((Math.imul(x0, y1) ^ Math.imul(x1, y0) ^ Math.imul(x2, y2)) & 0x92492492) |
    ((Math.imul(x0, y2) ^ Math.imul(x1, y1) ^ Math.imul(x2, y0)) & 0x24924924)
  )
}

function swapBytes(word: number): number {
  return (((word >>> 8) | (word << 24)) & 0xff00ff00) | (((word << 8) | (word >>> 24)) & 0x00ff00ff)
}
