// An object of options: names that are unknown, missing, or mean nothing without others.

import { nearest } from "@puremq/tls13/command-line"
import { ConfigError } from "../config.ts"
import { show } from "./kinds.ts"
import type { Check, Kind, Rows, Table } from "./option.ts"

/** An object with these options. */
export function group<T extends object>(rows: Rows<T>): Kind<T> {
  return { words: "an object", check: checkObject(rows), parts: [{ rows }] }
}

/** What is said of objects that differ by their `type`. */
export interface Variant {
  /** Such as "a tcp listener". */
  readonly what: string
  /** The names that the others have. */
  readonly elsewhere: Table
}

/** The check of an object with these options. It throws ConfigError. */
export function checkObject<T extends object>(rows: Rows<T>, variant?: Variant): Check<T> {
  const table: ReadonlyMap<string, Table[string]> = new Map(Object.entries<Table[string]>(rows))
  const others = new Set(Object.keys(variant?.elsewhere ?? {}))
  return (value, where) => {
    const result: T = Object.create(null)
    const given = membersOf(value, where)
    for (const [name, member] of given) {
      const place = join(where, name)
      const option = table.get(name)
      if (option !== undefined) Object.assign(result, { [name]: option.kind.check(member, place) })
      else if (others.has(name)) throw new ConfigError(`${place} does not belong to ${variant?.what}`)
      else throw new ConfigError(unknown(place, name, [...new Set([...table.keys(), ...others])]))
    }
    for (const [name, { required }] of table) {
      if (required && !given.has(name))
        throw new ConfigError(`${join(where, name)} is missing${variant ? `: ${variant.what} needs one` : ""}`)
    }
    checkNeeds(rows, given, where)
    return result
  }
}

/** Throws ConfigError for an option that means nothing without another, which is not there. */
export function checkNeeds(rows: Table, given: ReadonlyMap<string, unknown>, where: string): void {
  for (const [name, { needs = [] }] of Object.entries(rows)) {
    if (given.get(name) === undefined) continue
    const unmet = needs.find(({ met }) => !met((other) => given.get(other)))
    if (unmet !== undefined) throw new ConfigError(unmet.inFile(where, name))
  }
}

/** Throws ConfigError for what is no object. */
export function membersOf(value: unknown, where: string): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ConfigError(`${where === "" ? "the configuration" : where} must be an object, not ${show(value)}`)
  return new Map<string, unknown>(Object.entries(value))
}

function unknown(place: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known)
  return `${place} is not known; known here: ${known.join(", ")}${meant === undefined ? "" : `; did you mean ${meant}?`}`
}

function join(where: string, name: string): string {
  return where === "" ? name : `${where}.${name}`
}
