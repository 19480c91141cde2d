// The AES key schedule (FIPS 197 section 5.2) for the bit-sliced cipher of aes-bitsliced.ts, and SubBytes of both.
// No table, no branch on the key.

/** Words of a bit-sliced state. */
export const SLICES = 32

/**
 * The round keys by rows: word r of four has row r, with the byte of column c at bit 8 c; and, but in the first, with the constant
 * of SubBytes, which the circuit leaves out.
 * @param key 16 or 32 bytes
 */
export function expandKey(key: Uint8Array): Int32Array {
  const words = expandKeyWords(key)
  const keys = new Int32Array(words.length)
  for (let at = 0; at < words.length; at += 4) {
    rowsOf(keys, at, words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!)
    for (let row = at; row < at + 4; row++) keys[row]! ^= at === 0 ? 0 : 0x63636363
  }
  words.fill(0)
  return keys
}

/** Writes the rows of a block of four little-endian words to every `step` words from `at` on; the same makes columns of rows. */
export function rowsOf(rows: Int32Array, at: number, w0: number, w1: number, w2: number, w3: number): void {
  const even01 = (w0 & 0x00ff00ff) | ((w1 & 0x00ff00ff) << 8)
  const odd01 = ((w0 >>> 8) & 0x00ff00ff) | (w1 & 0xff00ff00)
  const even23 = (w2 & 0x00ff00ff) | ((w3 & 0x00ff00ff) << 8)
  const odd23 = ((w2 >>> 8) & 0x00ff00ff) | (w3 & 0xff00ff00)
  rows[at] = (even01 & 0xffff) | (even23 << 16)
  rows[at + 1] = (odd01 & 0xffff) | (odd23 << 16)
  rows[at + 2] = (even01 >>> 16) | (even23 & 0xffff0000)
  rows[at + 3] = (odd01 >>> 16) | (odd23 & 0xffff0000)
}

/**
 * The round keys as FIPS 197 has them, four little-endian words each.
 * @param key 16 or 32 bytes
 */
function expandKeyWords(key: Uint8Array): Int32Array {
  const keyWords = key.length / 4
  const rounds = keyWords + 6
  const words = new Int32Array(4 * (rounds + 1))
  for (let i = 0; i < keyWords; i++) {
    words[i] = key[4 * i]! | (key[4 * i + 1]! << 8) | (key[4 * i + 2]! << 16) | (key[4 * i + 3]! << 24)
  }
  const state = new Int32Array(SLICES)
  let roundConstant = 1
  for (let i = keyWords; i < words.length; i++) {
    let word = words[i - 1]!
    if (i % keyWords === 0) {
      word = subWord(state, (word >>> 8) | (word << 24)) ^ roundConstant
      roundConstant = (roundConstant << 1) ^ (roundConstant & 0x80 ? 0x11b : 0)
    } else if (keyWords > 6 && i % keyWords === 4) {
      word = subWord(state, word)
    }
    words[i] = words[i - keyWords]! ^ word
  }
  state.fill(0)
  return words
}

function subWord(state: Int32Array, word: number): number {
  for (let bit = 0; bit < SLICES; bit++) state[bit] = (word >>> bit) & 1
  subBytes(state)
  let result = 0x63636363
  for (let bit = 0; bit < SLICES; bit++) result ^= (state[bit]! & 1) << bit
  return result
}

/**
 * SubBytes of all rows without its complements: exclusive-or 0x63 to each byte. The circuit of J. Boyar and R. Peralta, "A new
 * combinational logic minimization technique with applications to cryptology" (SEA 2010).
 */
export function subBytes(state: Int32Array): void {
  for (let at = 0; at < 32; at += 8) {
    const x0 = state[at + 7]!
    const x1 = state[at + 6]!
    const x2 = state[at + 5]!
    const x3 = state[at + 4]!
    const x4 = state[at + 3]!
    const x5 = state[at + 2]!
    const x6 = state[at + 1]!
    const x7 = state[at]!
    const y14 = x3 ^ x5
    const y13 = x0 ^ x6
    const y9 = x0 ^ x3
    const y8 = x0 ^ x5
    const t0 = x1 ^ x2
    const y1 = t0 ^ x7
    const y4 = y1 ^ x3
    const y12 = y13 ^ y14
    const y2 = y1 ^ x0
    const y5 = y1 ^ x6
    const y3 = y5 ^ y8
    const t1 = x4 ^ y12
    const y15 = t1 ^ x5
    const y20 = t1 ^ x1
    const y6 = y15 ^ x7
    const y10 = y15 ^ t0
    const y11 = y20 ^ y9
    const y7 = x7 ^ y11
    const y17 = y10 ^ y11
    const y19 = y10 ^ y8
    const y16 = t0 ^ y11
    const y21 = y13 ^ y16
    const y18 = x0 ^ y16
    const t2 = y12 & y15
    const t4 = (y3 & y6) ^ t2
    const t6 = (y4 & x7) ^ t2
    const t7 = y13 & y16
    const t9 = (y5 & y1) ^ t7
    const t11 = (y2 & y7) ^ t7
    const t12 = y9 & y11
    const t14 = (y14 & y17) ^ t12
    const t16 = (y8 & y10) ^ t12
    const t21 = t4 ^ t14 ^ y20
    const t22 = t6 ^ t16 ^ y19
    const t23 = t9 ^ t14 ^ y21
    const t24 = t11 ^ t16 ^ y18
    const t25 = t21 ^ t22
    const t26 = t21 & t23
    const t27 = t24 ^ t26
    const t29 = (t25 & t27) ^ t22
    const t30 = t23 ^ t24
    const t31 = t22 ^ t26
    const t33 = (t31 & t30) ^ t24
    const t34 = t23 ^ t33
    const t35 = t27 ^ t33
    const t36 = t24 & t35
    const t37 = t36 ^ t34
    const t38 = t27 ^ t36
    const t40 = t25 ^ (t29 & t38)
    const t41 = t40 ^ t37
    const t42 = t29 ^ t33
    const t43 = t29 ^ t40
    const t44 = t33 ^ t37
    const t45 = t42 ^ t41
    const z0 = t44 & y15
    const z1 = t37 & y6
    const z2 = t33 & x7
    const z3 = t43 & y16
    const z4 = t40 & y1
    const z5 = t29 & y7
    const z6 = t42 & y11
    const z7 = t45 & y17
    const z8 = t41 & y10
    const z9 = t44 & y12
    const z10 = t37 & y3
    const z11 = t33 & y4
    const z12 = t43 & y13
    const z13 = t40 & y5
    const z14 = t29 & y2
    const z15 = t42 & y9
    const z16 = t45 & y14
    const z17 = t41 & y8
    const t46 = z15 ^ z16
    const t48 = z5 ^ z13
    const t53 = z0 ^ z3
    const t54 = z6 ^ z7
    const t57 = z2 ^ z12 ^ t53
    const t58 = z4 ^ t46
    const t59 = z3 ^ t54
    const t61 = z14 ^ t57
    const t62 = z7 ^ z8 ^ t58
    const t63 = z9 ^ z10 ^ t58
    const t64 = z4 ^ t59
    const t65 = t61 ^ t62
    const t66 = z1 ^ t63
    const s3 = t53 ^ t66
    state[at + 7] = t59 ^ t63
    state[at + 6] = t64 ^ s3
    state[at + 5] = z16 ^ z17 ^ t64 ^ t65
    state[at + 4] = s3
    state[at + 3] = z2 ^ z5 ^ t66
    state[at + 2] = z10 ^ z11 ^ t65
    state[at + 1] = z12 ^ t48 ^ t62
    state[at] = t48 ^ t46 ^ t57
  }
}
