// What a reload does with the options of the table.

import { everyOption, type Table } from "./option.ts"
import { itemOf, memberOf } from "./path.ts"

/**
 * Where two configurations differ in options that a running broker does not take, such as `listeners.ws.path`; each with the names
 * from the outside in. A value that is absent is the option's default; of a file's name there may be what the file holds.
 */
export function leftForTheNextStart(table: Table, before: unknown, after: unknown, where: string = ""): string[] {
  const [old, now] = [membersOf(before), membersOf(after)]
  return Object.entries(table).flatMap(([name, { default: preset, kind, reload }]) => {
    const place = memberOf(where, name)
    const [own, next] = [valueIn(old, name) ?? preset, valueIn(now, name) ?? preset]
    if (kind.parts === undefined) return reload === undefined && written(own) !== written(next) ? [place] : []
    const rows: Table = Object.assign({}, ...kind.parts.map((part) => part.rows))
    if (!Array.isArray(own) && !Array.isArray(next)) return leftForTheNextStart(rows, own, next, place)
    return leftInList(rows, Array.isArray(own) ? own : [], Array.isArray(next) ? next : [], place)
  })
}

/**
 * The same of lists. Objects are one and the same by their names; by their places where they have none, or where one has another
 * name now.
 */
function leftInList(rows: Table, own: readonly unknown[], next: readonly unknown[], place: string): string[] {
  const isTaken = everyOption(rows).every(({ option: { kind, reload } }) => kind.parts !== undefined || reload)
  if (isTaken) return []
  const placeOf = (each: unknown, at: number) => {
    const called = nameOf(each)
    return called === undefined ? itemOf(place, at) : memberOf(place, `${called}`)
  }
  const named = (list: readonly unknown[], name: unknown) => list.find((other) => nameOf(other) === name)
  const sameIn = (list: readonly unknown[], others: readonly unknown[], each: unknown, at: number) => {
    if (nameOf(each) === undefined) return list[at]
    const isRenamed = list.length === others.length && named(others, nameOf(list[at])) === undefined
    return named(list, nameOf(each)) ?? (isRenamed ? list[at] : undefined)
  }
  const changed = own.flatMap((each, at) => {
    const same = sameIn(next, own, each, at)
    const where = placeOf(each, at)
    return same === undefined ? [where] : leftForTheNextStart(rows, each, same, where)
  })
  const added = next.flatMap((each, at) => (sameIn(own, next, each, at) === undefined ? [placeOf(each, at)] : []))
  return [...changed, ...added]
}

function nameOf(each: unknown): unknown {
  return membersOf(each).get("name")
}

function valueIn(members: ReadonlyMap<string, unknown>, name: string): unknown {
  return members.get(name) ?? (name.endsWith("File") ? members.get(name.slice(0, -"File".length)) : undefined)
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(Object.assign({}, value)))
}

function written(value: unknown): string {
  return JSON.stringify(value) ?? ""
}
