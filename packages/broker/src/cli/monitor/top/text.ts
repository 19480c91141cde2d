// Text on a terminal: how many cells it takes, and what others have said in a form that nothing of it moves the cursor, changes a
// colour, draws over its neighbours or is wider than it is thought to be.

import { shown } from "../../../admin/words/sent.ts"

/** Marks are drawn over what is before them: of more than two in a row the others are written out. So is what has no known width. */
const unsure = /(?<=\p{M}{2})\p{M}|^\p{M}|\p{Cn}|\p{Co}|\p{Variation_Selector}/gu

/** What a peer has said. @param most characters of it */
export function told(text: string, most: number, unicode: boolean): string {
  const safe = shown(text, most).replace(unsure, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
  return unicode ? safe : asciiOf(safe)
}

/** For a terminal that shows nothing else. */
export function asciiOf(text: string): string {
  return text
    .replaceAll("\u2026", "...")
    .replaceAll(/[\u201c\u201d]/g, '"')
    .replaceAll("\u00b5", "u")
    .replaceAll(/[\u202f\u00a0]/g, " ")
    .replaceAll(/[^\n -~]/gu, "?")
}

/** East Asian wide and fullwidth characters, and emoji that are drawn as such. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u

function cellsOfOne(character: string): number {
  if (character >= " " && character <= "~") return 1
  if (/[\p{Mn}\p{Me}]/u.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

export function cellsOf(text: string): number {
  let cells = 0
  for (const character of text) cells += cellsOfOne(character)
  return cells
}

/** The text, or as much of it as there is room for, with a sign that it is cut. */
export function clipped(text: string, cells: number, unicode: boolean): string {
  if (cellsOf(text) <= cells) return text
  const sign = unicode ? "\u2026" : "."
  let taken = ""
  let room = cells - 1
  for (const character of text) {
    room -= cellsOfOne(character)
    if (room < 0) break
    taken += character
  }
  return cells < 1 ? "" : `${taken}${sign}`
}

export function padded(text: string, cells: number, side: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, cells - cellsOf(text)))
  return side === "left" ? text + space : space + text
}
