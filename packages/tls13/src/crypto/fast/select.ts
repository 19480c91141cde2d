// Reading a table at a secret position: every entry is read, and all but one are multiplied by zero.

/** 1 when the two are the same, otherwise 0; both are from 0 to 2^31. */
function isSame(a: number, b: number): number {
  return ((a ^ b) - 1) >>> 31
}

/** Copies the entry `index` of 16 to `out`; entries stand one after the other from `at` on, each as long as `out`. */
export function selectEntry(out: Float64Array, table: Float64Array, at: number, index: number): void {
  const width = out.length
  const m0 = isSame(index, 0)
  const m1 = isSame(index, 1)
  const m2 = isSame(index, 2)
  const m3 = isSame(index, 3)
  const m4 = isSame(index, 4)
  const m5 = isSame(index, 5)
  const m6 = isSame(index, 6)
  const m7 = isSame(index, 7)
  const m8 = isSame(index, 8)
  const m9 = isSame(index, 9)
  const m10 = isSame(index, 10)
  const m11 = isSame(index, 11)
  const m12 = isSame(index, 12)
  const m13 = isSame(index, 13)
  const m14 = isSame(index, 14)
  const m15 = isSame(index, 15)
  for (let column = 0; column < width; column++) {
    const i = at + column
    out[column] =
      m0 * table[i]! +
      m1 * table[i + width]! +
      m2 * table[i + 2 * width]! +
      m3 * table[i + 3 * width]! +
      m4 * table[i + 4 * width]! +
      m5 * table[i + 5 * width]! +
      m6 * table[i + 6 * width]! +
      m7 * table[i + 7 * width]! +
      m8 * table[i + 8 * width]! +
      m9 * table[i + 9 * width]! +
      m10 * table[i + 10 * width]! +
      m11 * table[i + 11 * width]! +
      m12 * table[i + 12 * width]! +
      m13 * table[i + 13 * width]! +
      m14 * table[i + 14 * width]! +
      m15 * table[i + 15 * width]!
  }
}
