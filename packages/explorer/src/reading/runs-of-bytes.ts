// Colours of fields, and the pieces of a hex dump: neighbours of one row that belong to the same innermost field.

import type { Field } from "../recording/spans.ts"
import { pathTo } from "./subjects.ts"

/** Colours there are, from 0. */
export const colours = 8

export interface Piece {
  readonly start: number
  readonly end: number
  readonly path: readonly Field[]
}

/** Neighbours get different ones; a length has that of what it is the length of. */
export function coloursOf(fields: readonly Field[]): ReadonlyMap<Field, number> {
  const all = new Map<Field, number>()
  const paint = (siblings: readonly Field[], first: number) => {
    let next = first
    for (const field of siblings) {
      const colour = next % colours
      all.set(field, colour)
      if (field.kind !== "length") next++
      paint(field.fields, colour + 1)
    }
  }
  paint(fields, 0)
  return all
}

/** @param width bytes of a row */
export function rowsOf(bytes: Uint8Array, fields: readonly Field[], width: number): readonly (readonly Piece[])[] {
  const paths = Array.from(bytes, (_, at) => pathTo(fields, at))
  const rows: Piece[][] = []
  for (let from = 0; from < bytes.length; from += width) {
    const pieces: { start: number; end: number; path: readonly Field[] }[] = []
    for (let at = from; at < Math.min(from + width, bytes.length); at++) {
      const path = paths[at]!
      const last = pieces.at(-1)
      if (last !== undefined && last.path.at(-1) === path.at(-1)) last.end = at + 1
      else pieces.push({ start: at, end: at + 1, path })
    }
    rows.push(pieces)
  }
  return rows
}
