// A line of the screen as parts, each in a style of its own; and the same as a terminal takes it.

import { cellsOf, clipped } from "./text.ts"

export type Style = "plain" | "bold" | "dim" | "head" | "good" | "look" | "bad" | "well" | "warn" | "alarm"

export interface Span {
  readonly text: string
  readonly style: Style
}

export type Line = readonly Span[]

export function span(text: string, style: Style = "plain"): Span {
  return { text, style }
}

/** Cut or filled up to exactly so many cells. */
export function fitted(line: Line, cells: number, unicode: boolean): Line {
  const result: Span[] = []
  let room = cells
  for (const { text, style } of line) {
    if (room <= 0) break
    const part = clipped(text, room, unicode)
    result.push({ text: part, style })
    room -= cellsOf(part)
    if (part !== text) break
  }
  return room > 0 ? [...result, span(" ".repeat(room))] : result
}

export function plainText(line: Line): string {
  return line.map(({ text }) => text).join("")
}

/** SGR parameters, with colours and without: those that say something are seen without, too. */
const sgr: Readonly<Record<Style, readonly [colour: string, none: string]>> = {
  plain: ["", ""],
  bold: ["1", "1"],
  dim: ["2", "2"],
  head: ["1;36", "1"],
  good: ["32", ""],
  look: ["33", "1"],
  bad: ["1;31", "1"],
  well: ["1;30;42", "7"],
  warn: ["1;30;43", "7"],
  alarm: ["1;37;41", "1;7"],
}

/** @param mode "none": not one escape sequence */
export function painted(line: Line, mode: "colour" | "no colour" | "none"): string {
  return line
    .map(({ text, style }) => {
      const code = mode === "none" ? "" : sgr[style][mode === "colour" ? 0 : 1]
      return code === "" ? text : `\u001b[${code}m${text}\u001b[0m`
    })
    .join("")
}
