// Cursors: places in lists, as texts that a client hands back as they are. What MQTT calls something has no U+0000, which stands
// between the texts of a place; a topic of 65,535 bytes still fits into the head of a request.

import type { Place } from "../../hub/inspect.ts"
import { Refused } from "./problem.ts"

/** @param list which list it is of: a cursor of another is none */
export function cursorOf(list: string, place: Place | undefined): string | undefined {
  if (place === undefined) return undefined
  return Buffer.from([list, ...place].join("\0"), "utf8").toString("base64url")
}

/** Throws Refused for what is no cursor of this list. @param length texts of a place */
export function placeOf(list: string, cursor: string | undefined, length: number): Place | undefined {
  if (cursor === undefined) return undefined
  const [name, ...place] = Buffer.from(cursor, "base64url").toString("utf8").split("\0")
  if (name !== list || place.length !== length)
    throw new Refused(
      400,
      "cursor is none of this list with this search: leave it out to begin, then hand back next as it is",
    )
  return place
}
