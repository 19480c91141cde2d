// A configuration in the making: the file, and over it what the environment and the command line say. It knows where each value
// comes from, so what is wrong with one is told with its line, its variable or its flag.

import { UsageError } from "@puremq/tls13/command-line"
import { checkFileConfig } from "../check.ts"
import { ConfigError } from "../config.ts"
import type { FileConfig } from "../file-config.ts"
import { refused } from "../schema/kinds.ts"
import { foldedName, namesOfListeners } from "../schema/listener-names.ts"
import { listenerTypes } from "../schema/listeners.ts"
import type { Rows } from "../schema/option.ts"
import { aroundOf, itemOf, memberOf } from "../schema/path.ts"
import type { Document } from "./document.ts"
import type { Origin, Setting } from "./origin.ts"

type Values = Record<string, unknown>

/** A listener of the draft, which nobody has checked. */
export interface DraftListener {
  readonly name: string
  /** Undefined: it has none, or a wrong one. */
  readonly type: (typeof listenerTypes)[number] | undefined
  readonly values: Readonly<Values>
  /** Its place, as errors have it. */
  readonly where: string
}

interface WritableListener extends DraftListener {
  readonly values: Values
}

export class Draft {
  readonly #file: { readonly name: string; readonly document: Document } | undefined
  readonly #value: Values
  readonly #origins = new Map<string, Origin>()

  constructor(file?: { readonly name: string; readonly document: Document }) {
    this.#file = file
    const value = file?.document.value ?? {}
    if (!isObject(value)) throw this.told(refused("the configuration", "an object", value))
    const { $schema, ...values } = value
    if ($schema !== undefined && typeof $schema !== "string")
      throw this.told(refused("$schema", "the address of a JSON Schema", $schema))
    this.#value = values
  }

  /** Whether there is a file. */
  get hasFile(): boolean {
    return this.#file !== undefined
  }

  /** Whether anybody has named a listener. */
  get hasListeners(): boolean {
    return this.#value["listeners"] !== undefined
  }

  /** Those that are objects, as far as they are known by now. */
  get listeners(): readonly DraftListener[] {
    return this.#listeners
  }

  get #listeners(): readonly WritableListener[] {
    const { listeners } = this.#value
    const entries: (readonly [name: string | undefined, value: unknown, where: string])[] = Array.isArray(listeners)
      ? listeners.map((value, index) => [undefined, value, itemOf("listeners", index)])
      : isObject(listeners)
        ? Object.entries(listeners).map(([name, value]) => [name, value, memberOf("listeners", name)])
        : []
    const found = entries.flatMap(([key, values, where]) => {
      if (!isObject(values)) return []
      const given = values["type"] ?? key
      const type = listenerTypes.find((each) => each === given)
      const own = key ?? (typeof values["name"] === "string" ? values["name"] : undefined)
      return [{ own, type, values, where }]
    })
    const names = namesOfListeners(found.map(({ own, type = "" }) => ({ name: own, type })))
    return found.map(({ type, values, where }, i) => ({ name: names[i] ?? "", type, values, where }))
  }

  /** Sets a value over what there is. Throws ConfigError where an object is needed and something else stands. */
  set({ path, value, origin }: Setting): void {
    const [first = "", second = "", ...rest] = path
    if (first !== "listeners" || rest.length === 0) {
      this.#put(this.#value, "", path, value, origin)
      return
    }
    const { values, where } = this.#listener(second, origin)
    this.#put(values, where, rest, value, origin)
  }

  /** The listener of this name, made where there is none. */
  #listener(name: string, origin: Origin): { readonly values: Values; readonly where: string } {
    const known = this.#listeners.find((each) => foldedName(each.name) === foldedName(name))
    if (known !== undefined) return known
    this.#value["listeners"] ??= {}
    const { listeners } = this.#value
    const values: Values = {}
    let where: string
    if (Array.isArray(listeners)) {
      where = itemOf("listeners", listeners.length)
      values["name"] = name
      listeners.push(values)
    } else if (isObject(listeners)) {
      where = memberOf("listeners", name)
      if (Object.hasOwn(listeners, name)) throw this.told(refused(where, "an object", listeners[name]))
      listeners[name] = values
    } else throw this.told(refused("listeners", "objects by their names, or a list", listeners))
    this.#origins.set(where, origin)
    if (!this.#origins.has("listeners") && this.#file?.document.places.has("listeners") !== true)
      this.#origins.set("listeners", origin)
    return { values, where }
  }

  #put(values: Values, around: string, [name = "", ...rest]: readonly string[], value: unknown, origin: Origin): void {
    const where = memberOf(around, name)
    if (rest.length === 0) {
      values[name] = value
      this.#setOrigin(where, value, origin)
      return
    }
    const inside = values[name] ?? {}
    if (!isObject(inside)) throw this.told(refused(where, "an object", inside))
    if (values[name] === undefined) this.#origins.set(where, origin)
    values[name] = inside
    this.#put(inside, where, rest, value, origin)
  }

  /** Of the value and all that is in it. */
  #setOrigin(where: string, value: unknown, origin: Origin): void {
    this.#origins.set(where, origin)
    const inside: readonly (readonly [string, unknown])[] = Array.isArray(value)
      ? value.map((each, index) => [itemOf(where, index), each])
      : isObject(value)
        ? Object.entries(value).map(([name, each]) => [memberOf(where, name), each])
        : []
    for (const [place, each] of inside) this.#setOrigin(place, each, origin)
  }

  /** Where the value at a place comes from, or what it is in; undefined: nobody has said anything of it. */
  originOf(where: string): Origin | undefined {
    for (let place: string | undefined = where; place !== undefined && place !== ""; place = aroundOf(place)) {
      const found = this.#ownOrigin(place)
      if (found !== undefined) return found
    }
    return undefined
  }

  #ownOrigin(where: string): Origin | undefined {
    const set = this.#origins.get(where)
    const place = this.#file?.document.places.get(where)
    if (set !== undefined) return set
    return place && this.#file && { kind: "file", file: this.#file.name, line: place.line }
  }

  /** The place of a listener, as errors have it. */
  placeOfListener(name: string): string {
    return this.#listeners.find((each) => each.name === name)?.where ?? memberOf("listeners", name)
  }

  /** Of what is set: the checked configuration, with every listener's name. Throws ConfigError, or UsageError for a flag. */
  check(table?: Rows<FileConfig>): FileConfig {
    try {
      const config = checkFileConfig(this.#value, table)
      const { listeners } = config
      if (listeners === undefined) return config
      const names = namesOfListeners(listeners)
      return { ...config, listeners: listeners.map((one, i) => ({ ...one, name: names[i] ?? "" })) }
    } catch (error) {
      throw this.told(error)
    }
  }

  /** An error about what a file holds, with where its name comes from, unless that is a command line, which is before one's eyes. */
  toldOfFile(error: unknown): unknown {
    if (!(error instanceof ConfigError) || error.where === undefined) return error
    const { kind } = this.originOf(error.where) ?? {}
    return kind === "file" || kind === "environment" ? this.told(error) : error
  }

  /** An error with where its value comes from. */
  told(error: unknown): unknown {
    if (!(error instanceof ConfigError)) return error
    const { message, where, onCommandLine } = error
    const origin = where === undefined ? undefined : this.originOf(where)
    switch (origin?.kind) {
      case "file":
        return new ConfigError(`${origin.file}:${origin.line}: ${message}`)
      case "environment":
        return new ConfigError(`${origin.variable}: ${message}`)
      case "command line": {
        const name = origin.flag.replace(/^--/, "")
        return new UsageError(onCommandLine?.(name) ?? `${origin.flag}: ${message}`)
      }
      default: {
        const line = where === undefined ? "" : ":1"
        return new ConfigError(this.#file === undefined ? message : `${this.#file.name}${line}: ${message}`)
      }
    }
  }
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
