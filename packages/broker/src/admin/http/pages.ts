// Pages of lists as answers. What clients call themselves, their topics and filters may be long, and a thousand of them would be an
// answer that stops the broker for seconds: a page ends before its limit where its items are long together.

import type { Page } from "../../hub/inspect.ts"
import { cursorOf } from "./cursor.ts"
import type { PageOf } from "./model.ts"

/** UTF-16 units of the items of a page as JSON. One item is always there, however long it is. */
export const longestPage = 1_048_576

/** Adds up items of a page: true for as long as the next fits. */
export class PageLength {
  #length = 0

  /** The first always does. */
  fits(item: unknown): boolean {
    const isFirst = this.#length === 0
    this.#length += JSON.stringify(item).length
    return isFirst || this.#length <= longestPage
  }
}

/** @param list which it is of @param read gives a page of so many entries at most, from the same place each time */
export function pageModel<Entry, Model>(
  list: string,
  limit: number,
  read: (limit: number) => Page<Entry>,
  model: (entry: Entry) => Model,
): PageOf<Model> {
  const { items: entries, next } = read(limit)
  const items: Model[] = []
  const length = new PageLength()
  for (const entry of entries) {
    const item = model(entry)
    // Entries cost little, their texts much: so they are looked for once more, and the place where the next page begins with them.
    if (!length.fits(item)) return { items, ...nextOf(list, read(items.length).next) }
    items.push(item)
  }
  return { items, ...nextOf(list, next) }
}

function nextOf(list: string, place: Page<unknown>["next"]): { readonly next?: string } {
  const next = cursorOf(list, place)
  return next === undefined ? {} : { next }
}
