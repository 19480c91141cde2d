// What a reload does with the options of the table.

import type { Table } from "./option.ts"
import { itemOf, memberOf } from "./path.ts"

/**
 * Where two configurations differ in options that a running broker does not take, such as `listeners.ws.path`; each with the names
 * from the outside in. A value that is absent is the option's default.
 */
export function leftForTheNextStart(table: Table, before: unknown, after: unknown, where: string = ""): string[] {
  const [old, now] = [membersOf(before), membersOf(after)]
  return Object.entries(table).flatMap(([name, { default: preset, kind, reload }]) => {
    const place = memberOf(where, name)
    const [own, next] = [old.get(name) ?? preset, now.get(name) ?? preset]
    if (kind.parts === undefined) return reload === undefined && written(own) !== written(next) ? [place] : []
    const rows: Table = Object.assign({}, ...kind.parts.map((part) => part.rows))
    if (!Array.isArray(own) || !Array.isArray(next)) return leftForTheNextStart(rows, own, next, place)
    return own.flatMap((each, at) => {
      const called = membersOf(each).get("name")
      const where = called === undefined ? itemOf(place, at) : memberOf(place, `${called}`)
      return leftForTheNextStart(rows, each, next[at], where)
    })
  })
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(Object.assign({}, value)))
}

function written(value: unknown): string {
  return JSON.stringify(value) ?? ""
}
