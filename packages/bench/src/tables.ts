// A table of words and figures: what is not a comparison of subjects in rounds.

/** It could not be measured here. */
export interface AbsentSubject {
  readonly name: string
  readonly why: string
}

export interface Bars {
  /** What is measured, with its unit. */
  readonly axis: string
  readonly values: readonly { readonly name: string; readonly value: number }[]
}

export interface TextTable {
  readonly title: string
  /** What the figures are, and what is wanted of them; between title and table. */
  readonly lead?: string
  readonly head: readonly string[]
  readonly cells: readonly (readonly string[])[]
  /** Of the figures those that a page also draws. */
  readonly bars?: Bars
  readonly absent?: readonly AbsentSubject[]
}

/** Lines of Markdown, without the title. */
export function gridMarkdown(head: readonly string[], cells: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `|${row.map((cell) => (cell === "" ? " " : ` ${cell} `)).join("|")}|`
  return [line(head), `|${"---|".repeat(head.length)}`, ...cells.map(line)].join("\n")
}

export function tableMarkdown({ title, lead, head, cells }: TextTable): string {
  return [`### ${title}`, "", ...(lead === undefined ? [] : [lead, ""]), gridMarkdown(head, cells), ""].join("\n")
}
