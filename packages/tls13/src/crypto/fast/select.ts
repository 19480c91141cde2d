// Reading a table at a secret position: every entry is read, and all but one are multiplied by zero.

/** Copies the entry `index` of a table to `out`; entries stand one after the other, each as long as `out`. */
export function selectEntry(out: Float64Array, table: Float64Array, index: number): void {
  const width = out.length
  for (let column = 0; column < width; column++) {
    let sum = 0
    for (let i = 0, at = column; at < table.length; i++, at += width) {
      sum += (((i ^ index) - 1) >>> 31) * table[at]!
    }
    out[column] = sum
  }
}
