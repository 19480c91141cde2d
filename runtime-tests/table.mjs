// The table of what ran where, and the page that keeps it.

import { readFileSync, writeFileSync } from "node:fs"

/** @param columns with `title`, `version`, `memory`, `why` (skipped), and `cells`: by row, `{ ms, error }`, without `ms` where it says nothing */
export function tableOf(rows, columns) {
  const cell = ({ cells, why }, row) => {
    if (why !== undefined) return "skipped"
    const result = cells.get(row)
    if (result === undefined) return ""
    if (result.error !== undefined) return "FAILED"
    return result.ms === undefined ? "ok" : milliseconds(result.ms)
  }
  return [
    ["", ...columns.map(({ title }) => title)],
    ["version", ...columns.map(({ version }) => version ?? "")],
    ...rows.map((row) => [row, ...columns.map((column) => cell(column, row))]),
    ["memory", ...columns.map(({ memory }) => (memory === undefined ? "" : `${(memory / 1e6).toFixed(1)} MB`))],
  ]
}

function milliseconds(ms) {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}

export function asText(table) {
  const widths = table[0].map((_, at) => Math.max(...table.map((row) => row[at].length)))
  return table
    .map((row) =>
      row
        .map((text, at) => text.padEnd(widths[at]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}

export function asMarkdown([head, ...rows]) {
  const line = (cells) => `| ${cells.join(" | ")} |`
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n")
}

const [begin, end] = ["<!-- npm run runtimes -- --write -->", "<!-- end -->"]

/** Writes what is between the marks of a page. */
export function writeInto(page, text) {
  const [before, rest] = readFileSync(page, "utf8").split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`${page} has no lines ${begin} and ${end}`)
  writeFileSync(page, `${before}${begin}\n\n${text}\n\n${end}${after}`)
}
