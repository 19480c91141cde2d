// `npm run simulate -- --scale`: how what a cluster costs grows.

import { filters, goes, messages, reconnects, signsOfLife, type Table } from "./tables.ts"

const sizes = [1, 2, 5, 10, 20, 50, 100]

/** Tells each table when it is measured. @param most sessions that are away at most */
export function tellScale(most: number): void {
  // The first of all is compiled.
  messages([3])
  const sessions = [1000, 10_000, 100_000, 1_000_000].filter((count) => count <= most)
  for (const make of [
    () => messages(sizes),
    () => filters([100, 300, 1000, 10_000]),
    () => reconnects(sessions),
    () => signsOfLife(sizes),
    () => goes(sizes.slice(1)),
  ])
    tell(make())
}

function tell({ title, heads, rows }: Table): void {
  console.log(`\n${title}\n`)
  console.log(line(heads))
  console.log(line(heads.map(() => "---:")))
  for (const row of rows) console.log(line(row))
}

/** Of a table in Markdown. */
function line(cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell)).join(" | ")} |`
}
