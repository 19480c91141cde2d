// What stands in a text in HOCON before substitutions are made, and what they make of it.

import { HoconError, type HoconMeans, type HoconObject, type HoconValue, type Spot } from "./hocon-values.ts"

/** Characters of all that substitutions make: they may multiply. */
const mostSubstituted = 1_000_000

export type Raw = RawObject | RawList | RawParts

export interface RawObject {
  readonly kind: "object"
  readonly members: Map<string, Raw>
  readonly spot: Spot
}

export interface RawList {
  readonly kind: "list"
  readonly items: Raw[]
  readonly spot: Spot
}

/** Pieces that stand one after the other. */
export interface RawParts {
  readonly kind: "parts"
  readonly parts: Piece[]
  readonly spot: Spot
}

export type Piece =
  | { readonly kind: "piece"; readonly text: string; readonly quoted: boolean }
  | { readonly kind: "substitution"; readonly path: readonly string[]; readonly optional: boolean; readonly spot: Spot }
  | RawObject
  | RawList

/** Makes the substitutions. Throws HoconError. */
export function substituted(root: RawObject, means: HoconMeans): HoconObject {
  return new Resolver(root, means).all()
}

export function find(root: RawObject, path: readonly string[]): Raw | undefined {
  let found: Raw | undefined = root
  for (const name of path) found = found?.kind === "object" ? found.members.get(name) : undefined
  return found
}

class Resolver {
  readonly #root: RawObject
  readonly #means: HoconMeans
  readonly #under: Set<Raw> = new Set()
  #left = mostSubstituted

  constructor(root: RawObject, means: HoconMeans) {
    this.#root = root
    this.#means = means
  }

  all(): HoconObject {
    return this.#object(this.#root)
  }

  #object({ members, spot }: RawObject): HoconObject {
    const resolved = new Map<string, HoconValue>()
    for (const [name, raw] of members) {
      const value = this.#value(raw)
      if (value !== undefined) resolved.set(name, value)
    }
    return { kind: "object", members: resolved, spot }
  }

  /** Undefined: it is an optional substitution of nothing. */
  #value(raw: Raw): HoconValue | undefined {
    if (raw.kind === "object") return this.#object(raw)
    if (raw.kind === "list") {
      const items = raw.items.map((item) => this.#value(item)).filter((item) => item !== undefined)
      return { kind: "list", items, spot: raw.spot }
    }
    if (this.#under.has(raw)) throw new HoconError("this refers to itself", raw.spot)
    this.#under.add(raw)
    try {
      return this.#joined(raw)
    } finally {
      this.#under.delete(raw)
    }
  }

  #joined({ parts, spot }: RawParts): HoconValue | undefined {
    const values = parts.map((piece) => this.#part(piece, spot)).filter((value) => value !== undefined)
    const [first] = values
    if (first === undefined) return undefined
    // Blanks between values are of texts only.
    const solid = values.filter((value) => value.kind !== "text" || value.quoted || value.text.trim() !== "")
    if (solid.length === 1 && solid[0] !== undefined && solid[0].kind !== "text") return { ...solid[0], spot }
    if (solid.length > 0 && solid.every((value) => value.kind === "object")) {
      const members = new Map<string, HoconValue>()
      for (const value of solid)
        for (const [name, member] of value.members) members.set(name, merged(members.get(name), member))
      return { kind: "object", members, spot }
    }
    if (solid.length > 0 && solid.every((value) => value.kind === "list"))
      return { kind: "list", items: solid.flatMap(({ items }) => items), spot }
    if (!values.every((value) => value.kind === "text"))
      throw new HoconError("a text and an object or list are not one value", spot)
    const text = values.map((value) => value.text).join("")
    const quoted = values.some((value) => value.quoted)
    return { kind: "text", text: quoted ? text : text.trim(), quoted, spot }
  }

  #part(piece: Piece, spot: Spot): HoconValue | undefined {
    if (piece.kind === "piece") return { kind: "text", text: piece.text, quoted: piece.quoted, spot }
    if (piece.kind !== "substitution") return this.#value(piece)
    const raw = find(this.#root, piece.path)
    const value = raw === undefined ? undefined : this.#value(raw)
    this.#left -= value === undefined ? 1 : sizeOf(value)
    if (this.#left < 0) throw new HoconError("substitutions make too much of this text", piece.spot)
    if (value !== undefined) return value
    const name = piece.path.join(".")
    const text = this.#means.variable(name)
    if (text !== undefined) return { kind: "text", text, quoted: false, spot }
    if (piece.optional) return undefined
    this.#means.missing(`$\{${name}}, which neither the file nor the environment has`, piece.spot)
    return { kind: "text", text: `$\{${name}}`, quoted: true, spot }
  }
}

function merged(before: HoconValue | undefined, value: HoconValue): HoconValue {
  if (before?.kind !== "object" || value.kind !== "object") return value
  const members = new Map(before.members)
  for (const [name, member] of value.members) members.set(name, merged(members.get(name), member))
  return { kind: "object", members, spot: value.spot }
}

function sizeOf(value: HoconValue): number {
  if (value.kind === "text") return 1 + value.text.length
  const inside = value.kind === "list" ? value.items : [...value.members.values()]
  return inside.reduce((sum, each) => sum + sizeOf(each), 1)
}
