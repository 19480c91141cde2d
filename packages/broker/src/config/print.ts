// A resolved configuration as people and programs read it: all that is set, with the defaults, the same for the same broker.

import { resolve } from "node:path"
import { machineLimits } from "../session/limits.ts"
import type { FileConfig } from "./file-config.ts"
import type { Kind, Option, Table } from "./schema/option.ts"
import { options } from "./schema/options.ts"
import { itemOf, memberOf } from "./schema/path.ts"

/** A value, and what it is told of. */
export interface Printed {
  readonly name: string
  /** Where errors would say that it stands; undefined: nobody has set it. */
  readonly place: string
  /** The members of an object; undefined: it is a value. */
  readonly members?: readonly Printed[]
  readonly value?: unknown
  readonly isDefault: boolean
}

type PlaceOf = (name: string) => string

/** @param placeOf a listener, by its name */
export function printed(config: FileConfig, placeOf: PlaceOf, table: Table = options): readonly Printed[] {
  return membersOf(config, "", table, placeOf)
}

function membersOf(value: object, where: string, table: Table, placeOf: PlaceOf): Printed[] {
  const given = new Map<string, unknown>(Object.entries(value))
  return Object.entries(table).flatMap(([name, option]): Printed[] => {
    const place = memberOf(where, name)
    const own = given.get(name)
    if (place === "listeners" && Array.isArray(own))
      return [{ name, place, isDefault: false, members: listenersOf(own, option.kind, placeOf) }]
    const { parts } = option.kind
    if (parts !== undefined && Array.isArray(own)) {
      const rows: Table = Object.assign({}, ...parts.map((part) => part.rows))
      const each = own.map((one, i) => asObject(membersOf(Object.assign({}, one), itemOf(place, i), rows, placeOf)))
      return [{ name, place, isDefault: false, value: each }]
    }
    if (parts !== undefined) {
      // What is in another object may say something by being there.
      if (own === undefined && (where !== "" || !hasDefaults(parts.map(({ rows }) => rows)))) return []
      const rows: Table = Object.assign({}, ...parts.map((part) => part.rows))
      const members = membersOf(Object.assign({}, own), place, rows, placeOf)
      return members.length === 0 ? [] : [{ name, place, isDefault: own === undefined, members }]
    }
    // A default that means nothing without another option would be refused.
    const isMet = (option.needs ?? []).every(({ met }) => met((other) => given.get(other)))
    const shown = own ?? (isMet ? presetOf(place, option) : undefined)
    return shown === undefined ? [] : [{ name, place, isDefault: own === undefined, value: shownOf(shown, option) }]
  })
}

/** By their names. */
function listenersOf(listeners: readonly unknown[], kind: Kind<unknown>, placeOf: PlaceOf): Printed[] {
  const found = listeners.map((each) => {
    const { name, type, ...others }: { name?: unknown; type?: unknown } = Object.assign({}, each)
    const place = placeOf(`${name}`)
    const rows: Table = Object.assign(
      {},
      ...(kind.parts ?? [])
        .filter(({ types }) => types === undefined || types.some((one) => one === type))
        .map((part) => part.rows),
    )
    const { name: _, ...own } = rows
    return { name: `${name}`, place, isDefault: false, members: membersOf({ type, ...others }, place, own, placeOf) }
  })
  return found.sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** An object that is not there has its defaults all the same, unless it says something by being there. */
function hasDefaults(tables: readonly Table[]): boolean {
  return tables.every((rows) => Object.values(rows).every(({ required }) => required !== true))
}

/** Those that depend on the machine are not told: the same broker elsewhere would be another. */
function presetOf(place: string, option: Option<unknown>): unknown {
  return machineLimits.some((name) => place === `limits.${name}`) ? undefined : option.default
}

function shownOf(value: unknown, { kind, secret }: Option<unknown>): unknown {
  if (secret) return "(secret)"
  if ((kind.file ?? kind.folder) === undefined) return value
  if (Array.isArray(value)) return value.map((each) => resolve(`${each}`))
  return typeof value === "string" ? resolve(value) : value
}

/** As an object of JSON. */
export function asObject(members: readonly Printed[]): object {
  return Object.fromEntries(
    members.map(({ name, members: inside, value }) => [name, inside === undefined ? value : asObject(inside)]),
  )
}

/** Each value that was set, by its path in the object of `asObject`. */
export function pathsOf(
  members: readonly Printed[],
  around: string = "",
): (readonly [path: string, printed: Printed])[] {
  return members.flatMap((each) => {
    const path = memberOf(around, each.name)
    return each.members === undefined ? [[path, each] as const] : pathsOf(each.members, path)
  })
}

/** As TOML. @param comment of a value, behind it */
export function asToml(
  members: readonly Printed[],
  comment: (printed: Printed) => string | undefined = () => undefined,
): string {
  return `${tableLines(members, "", comment).join("\n").trim()}\n`
}

function tableLines(
  members: readonly Printed[],
  path: string,
  comment: (printed: Printed) => string | undefined,
): string[] {
  const own = members.filter((each) => each.members === undefined)
  const lines = own.map((each) => {
    const told = comment(each)
    return `${keyText(each.name)} = ${valueText(each.value)}${told === undefined ? "" : ` # ${told}`}`
  })
  const header = path === "" || own.length === 0 ? [] : ["", `[${path}]`]
  const inside = members.flatMap(({ name, members: below }) =>
    below === undefined ? [] : tableLines(below, path === "" ? keyText(name) : `${path}.${keyText(name)}`, comment),
  )
  return [...header, ...lines, ...inside]
}

function keyText(name: string): string {
  return /^[\w-]+$/.test(name) ? name : textOf(name)
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`
  if (typeof value === "object" && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, each]) => `${keyText(name)} = ${valueText(each)}`)
      .join(", ")} }`
  return typeof value === "string" ? textOf(value) : `${value}`
}

/** A text of JSON is one of TOML, where it has no DEL. */
function textOf(value: string): string {
  return JSON.stringify(value).replaceAll("\u007f", "\\u007f")
}
