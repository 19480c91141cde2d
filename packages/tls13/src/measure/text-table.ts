/** Lines of columns: the first to the left, the others to the right. */
export function textTable(rows: readonly (readonly string[])[], indent: string = ""): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, at) => Math.max(0, ...rows.map((row) => (row[at] ?? "").length)))
  return rows.map((row) => {
    const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
    return `${indent}${cells.join("  ")}`.trimEnd()
  })
}

/** Three significant digits, whole numbers from 100 on and where it is one; `-` for what is not there. */
export function figure(value: number | undefined | null): string {
  if (value === undefined || value === null || !Number.isFinite(value)) return "-"
  const size = Math.abs(value)
  if (size >= 100) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",")
  if (Number.isInteger(value)) return String(value)
  if (size < 0.00005) return value.toExponential(1)
  if (size < 0.1) return String(Number(value.toPrecision(size < 0.001 ? 2 : 3)))
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3)
}

/** A cell of a CSV file (RFC 4180). */
export function csvCell(value: string | number | boolean | undefined | null): string {
  if (value === undefined || value === null || (typeof value === "number" && !Number.isFinite(value))) return ""
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Of a share: `3.2%`. */
export function percent(share: number): string {
  const value = 100 * share
  return `${value >= 10 ? Math.round(value) : Number(value.toPrecision(2))}%`
}

/** `1 flight`, `2 flights`. */
export function countOf(count: number, what: string): string {
  return `${figure(count)} ${what}${count === 1 ? "" : what.endsWith("s") ? "es" : "s"}`
}
