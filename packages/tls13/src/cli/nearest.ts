/** What was probably meant: a name with few slips of the hand, or one that begins like it. */
export function nearest(wrong: string, names: readonly string[]): string | undefined {
  const bare = wrong.replace(/^--/, "")
  if (bare.length < 2 || bare.length > 60) return undefined
  const slips = Math.max(1, Math.floor(bare.length / 3))
  const ranked = names
    .map((name) => ({ name, far: distance(wrong, name) }))
    .filter(({ name, far }) => far <= slips || (bare.length > 2 && (name.startsWith(wrong) || wrong.startsWith(name))))
  return ranked.sort((one, other) => one.far - other.far)[0]?.name
}

/** Letters to leave out, put in, replace, or swap with their neighbours to make one of the other. */
function distance(one: string, other: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const replaced = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1)
      const swaps = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const swapped = swaps ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced, swapped))
    }
    ;[before, row] = [row, next]
  }
  return row[other.length]!
}
