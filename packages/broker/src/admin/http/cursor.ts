// Cursors: places in lists, as texts that a client hands back as they are.

import type { Place } from "../../hub/inspect.ts"
import { Refused } from "./problem.ts"

/** @param list which list it is of: a cursor of another is none */
export function cursorOf(list: string, place: Place | undefined): string | undefined {
  if (place === undefined) return undefined
  return Buffer.from(JSON.stringify([list, ...place]), "utf8").toString("base64url")
}

/** Throws Refused for what is no cursor of this list. @param length texts of a place */
export function placeOf(list: string, cursor: string | undefined, length: number): Place | undefined {
  if (cursor === undefined) return undefined
  const [name, ...place] = textsOf(cursor)
  if (name !== list || place.length !== length)
    throw new Refused(
      400,
      "cursor is none of this list with this search: leave it out to begin, then hand back next as it is",
    )
  return place
}

function textsOf(cursor: string): string[] {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"))
  } catch {
    return []
  }
  if (!Array.isArray(value)) return []
  const texts = value.filter((one): one is string => typeof one === "string")
  return texts.length === value.length ? texts : []
}
