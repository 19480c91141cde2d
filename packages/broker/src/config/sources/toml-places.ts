// Where in a TOML document its values stand. smol-toml reads the values and tells what is wrong with a text; it does not tell
// places. This looks only at documents that it has taken, so whatever does not fit here ends the search, and is no error: a value
// without place is told with the place of what it is in.

import { itemOf, memberOf } from "../schema/path.ts"
import { Lines, type Place } from "./document.ts"

export function tomlPlaces(text: string): ReadonlyMap<string, Place> {
  return new PlaceSearch(text).search()
}

class PlaceSearch {
  readonly #text: string
  readonly #lines: Lines
  readonly #places = new Map<string, Place>()
  /** Tables that were added so far to each array of tables. */
  readonly #counts = new Map<string, number>()
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.#lines = new Lines(text)
  }

  search(): ReadonlyMap<string, Place> {
    this.#note("", 0)
    let table = ""
    for (;;) {
      this.#space(true)
      if (this.#at >= this.#text.length) return this.#places
      const before = this.#at
      if (this.#text[this.#at] === "[") table = this.#header()
      else this.#pair(table)
      if (this.#at === before) return this.#places
    }
  }

  /** `[a.b]` or `[[a.b]]`. Returns the place of the table. */
  #header(): string {
    const begin = this.#at
    const isItem = this.#text.startsWith("[[", begin)
    this.#at += isItem ? 2 : 1
    const keys = this.#keys()
    let where = ""
    keys.forEach(({ name, at }, i) => {
      where = memberOf(where, name)
      this.#note(where, at)
      const count = this.#counts.get(where) ?? 0
      if (isItem && i === keys.length - 1) {
        this.#counts.set(where, count + 1)
        where = itemOf(where, count)
        this.#note(where, begin)
      } else if (count > 0) where = itemOf(where, count - 1)
    })
    while (this.#text[this.#at] === "]") this.#at++
    return where
  }

  /** `a.b = value` */
  #pair(table: string): void {
    let where = table
    for (const { name, at } of this.#keys()) {
      where = memberOf(where, name)
      this.#note(where, at)
    }
    if (this.#text[this.#at] !== "=") return
    this.#at++
    this.#space(false)
    this.#value(where)
  }

  /** The names of a dotted key, which ends before what is no part of it. */
  #keys(): { readonly name: string; readonly at: number }[] {
    const keys: { name: string; at: number }[] = []
    for (;;) {
      this.#space(false)
      const at = this.#at
      const name = this.#key()
      if (name === undefined) return keys
      keys.push({ name, at })
      this.#space(false)
      if (this.#text[this.#at] !== ".") return keys
      this.#at++
    }
  }

  #key(): string | undefined {
    const quote = this.#text[this.#at]
    if (quote === '"' || quote === "'") {
      const begin = this.#at + 1
      this.#string()
      const inside = this.#text.slice(begin, this.#at - 1)
      return quote === "'" ? inside : unescaped(inside)
    }
    const name = this.#match(/[\w-]+/y)
    return name === "" ? undefined : name
  }

  #value(where: string): void {
    const first = this.#text[this.#at] ?? ""
    if (first === '"' || first === "'") this.#string()
    else if (first === "{") this.#inside("}", () => this.#pair(where))
    else if (first !== "[") this.#match(/[^,\]}#\n]*/y)
    else {
      this.#inside("]", (index) => {
        const item = itemOf(where, index)
        this.#note(item, this.#at)
        this.#value(item)
      })
    }
  }

  /** What stands in brackets, with commas between. */
  #inside(end: string, member: (index: number) => void): void {
    this.#at++
    for (let index = 0; ; index++) {
      this.#space(true)
      const before = this.#at
      if (this.#text[this.#at] !== end) member(index)
      this.#space(true)
      if (this.#text[this.#at] === ",") this.#at++
      else if (this.#text[this.#at] === end) {
        this.#at++
        return
      }
      if (this.#at === before) return
    }
  }

  #string(): void {
    const quote = this.#text[this.#at] ?? ""
    const long = quote.repeat(3)
    if (this.#text.startsWith(long, this.#at)) {
      this.#at += 3
      while (this.#at < this.#text.length && !this.#text.startsWith(long, this.#at)) this.#step(quote)
      this.#at += 3
      // Up to two quotes may stand before the three.
      while (this.#text[this.#at] === quote) this.#at++
    } else {
      this.#at++
      while (this.#at < this.#text.length && this.#text[this.#at] !== quote) this.#step(quote)
      this.#at++
    }
  }

  #step(quote: string): void {
    this.#at += quote === '"' && this.#text[this.#at] === "\\" ? 2 : 1
  }

  /** Spaces and comments, and line ends where a value may go on behind them. */
  #space(lineEnds: boolean): void {
    this.#match(lineEnds ? /(?:[ \t\r\n]|#[^\n]*)*/y : /[ \t]*/y)
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ""
    this.#at += found.length
    return found
  }

  #note(where: string, at: number): void {
    if (!this.#places.has(where)) this.#places.set(where, this.#lines.placeOf(at))
  }
}

const letters: Readonly<Record<string, string>> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", e: "\u001b" }

function unescaped(text: string): string {
  return text.replace(/\\(?:u(\w{4})|U(\w{8})|x(\w{2})|(.))/gs, (_, four, eight, two, letter: string = "") => {
    const code = four ?? eight ?? two
    return code === undefined ? (letters[letter] ?? letter) : String.fromCodePoint(Number.parseInt(code, 16))
  })
}
