// The values of a HOCON configuration as lines `PATH = VALUE`, each with its place; and what row each has.

import type { HoconObject, HoconValue, Spot } from "./hocon-values.ts"
import type { Source } from "./outcome.ts"
import { isSecretName, oneLine, type Row, type Rows } from "./values.ts"

export interface HoconLine {
  readonly path: readonly string[]
  /** A list as its items with commas between them. */
  readonly text: string
  readonly value: HoconValue
  readonly source: Source
}

/** What is no object is a line, and so is a list of whatever. */
export function* hoconLines(object: HoconObject, path: readonly string[] = []): Generator<HoconLine> {
  for (const [name, value] of object.members) {
    const own = [...path, name]
    if (value.kind === "object" && value.members.size > 0) yield* hoconLines(value, own)
    else yield lineOf(own, value)
  }
}

function lineOf(path: readonly string[], value: HoconValue): HoconLine {
  const text = value.kind === "list" ? value.items.map(shown).join(", ") : shown(value)
  return { path, text, value, source: sourceOf(path, value.spot, value) }
}

export function sourceOf(path: readonly string[], { file, line }: Spot, value: HoconValue): Source {
  const name = path.join(".")
  const isSecret = path.some(isSecretName) || hasSecret(value) || /:\/\/[^/\s]*@/.test(shown(value))
  const text = isSecret ? "(the value is a secret, and stands there)" : shown(value)
  return { file, line, text: oneLine(`${name} = ${text.length > 80 ? `${text.slice(0, 77)}...` : text}`) }
}

function hasSecret(value: HoconValue): boolean {
  if (value.kind === "text") return false
  if (value.kind === "list") return value.items.some(hasSecret)
  return [...value.members].some(([name, each]) => isSecretName(name) || hasSecret(each))
}

function shown(value: HoconValue): string {
  switch (value.kind) {
    case "text":
      return value.text
    case "list":
      return `[${value.items.map(shown).join(", ")}]`
    case "object":
      return `{${[...value.members].map(([name, each]) => `${name} = ${shown(each)}`).join(", ")}}`
  }
}

/** The row of a path: its own, or the one of all below the longest beginning, `a.b.*`. */
export function rowAt(rows: Rows, path: readonly string[]): Row | undefined {
  const own = path.join(".")
  if (Object.hasOwn(rows, own)) return rows[own]
  for (let length = path.length; length > 0; length--) {
    const all = `${path.slice(0, length).join(".")}.*`
    if (Object.hasOwn(rows, all)) return rows[all]
  }
  return undefined
}

export function valueAt(object: HoconObject, ...path: readonly string[]): HoconValue | undefined {
  let found: HoconValue | undefined = object
  for (const name of path) found = found?.kind === "object" ? found.members.get(name) : undefined
  return found
}

export function textAt(object: HoconObject, ...path: readonly string[]): string | undefined {
  const found = valueAt(object, ...path)
  return found?.kind === "text" ? found.text : undefined
}
