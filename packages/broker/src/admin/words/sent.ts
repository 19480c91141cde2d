// What peers have sent, on its way to who looks: each character can be seen, and no text is longer than so much.

import { visible } from "../visible.ts"

/** Characters of a name in a line. */
export const lineLength = 120

/** @param most characters of it that are shown */
export function shown(text: string, most: number = lineLength): string {
  const all = text.length > most ? text.slice(0, most) : text
  return text.length > most ? `${visible(all)}…` : visible(all)
}

/** Of a payload: lines stay lines. */
export function shownLines(text: string, most: number): string {
  const all = text.length > most ? text.slice(0, most) : text
  return visible(all, "\n\t")
}
