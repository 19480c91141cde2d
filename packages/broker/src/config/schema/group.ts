// An object of options: names that are unknown, missing, or mean nothing without others.

import { ConfigError } from "../config.ts"
import { refused } from "./kinds.ts"
import type { Check, Kind, Rows, Schema, Table } from "./option.ts"
import { memberOf } from "./path.ts"
import { meantHere, unknownText } from "./suggestions.ts"

/** An object with these options. */
export function group<T extends object>(rows: Rows<T>): Kind<T> {
  return { words: "an object", check: checkObject(rows), schema: objectSchema(rows), parts: [{ rows }] }
}

/** What is said of objects that differ by their `type`. */
export interface Variant {
  /** Such as "a tcp listener". */
  readonly what: string
  /** The names that the others have, each with the types that have it. */
  readonly elsewhere: ReadonlyMap<string, readonly string[]>
}

/** A name that there is no option of. Whoever knows the whole table may know what is meant. */
export class UnknownOption extends ConfigError {
  readonly option: string
  readonly known: readonly string[]
  override readonly where: string

  constructor(where: string, option: string, known: readonly string[]) {
    super(unknownText(where, meantHere(option, known), known), where)
    this.option = option
    this.known = known
    this.where = where
  }
}

/** The check of an object with these options. It throws ConfigError. */
export function checkObject<T extends object>(rows: Rows<T>, variant?: Variant): Check<T> {
  const table: ReadonlyMap<string, Table[string]> = new Map(Object.entries<Table[string]>(rows))
  return (value, where) => {
    const result: T = Object.create(null)
    const given = membersOf(value, where, rows)
    for (const [name, member] of given) {
      const place = memberOf(where, name)
      const option = table.get(name)
      const types = variant?.elsewhere.get(name)
      if (option !== undefined) Object.assign(result, { [name]: checkedOption(option, member, place) })
      else if (types !== undefined)
        throw new ConfigError(
          `${place} does not belong to ${variant?.what}: leave it out, or take the type ${types.join(" or ")}`,
          place,
        )
      else throw new UnknownOption(place, name, [...table.keys()])
    }
    checkNeeds(rows, given, where)
    for (const [name, { required }] of table) {
      if (required && !given.has(name))
        throw new ConfigError(
          `${memberOf(where, name)} is missing${variant ? `: ${variant.what} needs one` : ""}`,
          memberOf(where, name),
        )
    }
    return result
  }
}

/** Throws ConfigError, in which no secret is shown. */
function checkedOption({ kind, secret }: Table[string], value: unknown, where: string): unknown {
  try {
    return kind.check(value, where)
  } catch (error) {
    if (secret !== true || !(error instanceof ConfigError)) throw error
    throw new ConfigError(`${where} must be ${kind.words}: write it in quotes`, where)
  }
}

/** Throws ConfigError for an option that means nothing without another, which is not there. */
export function checkNeeds(rows: Table, given: ReadonlyMap<string, unknown>, where: string): void {
  for (const [name, { needs = [] }] of Object.entries(rows)) {
    if (given.get(name) === undefined) continue
    const unmet = needs.find(({ met }) => !met((other) => given.get(other)))
    if (unmet !== undefined)
      throw new ConfigError(unmet.inFile(where, name), memberOf(where, name), unmet.onCommandLine)
  }
}

/** Throws ConfigError for what is no object. */
export function membersOf(value: unknown, where: string, rows: Table = {}): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    if (where === "") throw refused("the configuration", "an object", value)
    const [name] = Object.keys(rows)
    const advice = name === undefined ? undefined : `its options have names, such as ${memberOf(where, name)}`
    throw refused(where, "an object", value, advice)
  }
  return new Map<string, unknown>(Object.entries(value))
}

export function objectSchema(rows: Table): Schema {
  const required = Object.entries(rows).flatMap(([name, option]) => (option.required ? [name] : []))
  return {
    type: "object",
    properties: Object.fromEntries(
      Object.entries(rows).map(([name, { kind, about, default: preset }]) => [
        name,
        {
          ...kind.schema,
          ...(about !== "" && { description: about }),
          ...(preset !== undefined && { default: preset }),
        },
      ]),
    ),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  }
}
