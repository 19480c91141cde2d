// JSON (RFC 8259), with the line and column of every value and of what is wrong. JSON.parse tells neither in the same words on
// every runtime, and takes the last of two members of one name in silence, which a configuration must not.

import { itemOf, memberOf } from "../schema/path.ts"
import { type Document, deepest, Lines, type Place, SyntaxProblem } from "./document.ts"

/** Throws SyntaxProblem. */
export function readJson(text: string): Document {
  return new JsonReader(text).read()
}

const escapes: Readonly<Record<string, string>> = {
  ...{ '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" },
}

class JsonReader {
  readonly #text: string
  readonly #lines: Lines
  readonly #places = new Map<string, Place>()
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.#lines = new Lines(text)
  }

  read(): Document {
    this.#space()
    const value = this.#value("", 0)
    this.#space()
    if (this.#at < this.#text.length) throw this.#problem(`${this.#next()} comes behind its end`)
    return { value, places: this.#places }
  }

  #value(where: string, depth: number): unknown {
    if (depth > deepest) throw this.#problem(`more than ${deepest} values are within each other`)
    const place = this.#lines.placeOf(this.#at)
    if (!this.#places.has(where)) this.#places.set(where, place)
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(where, depth)
      case "[":
        return this.#list(where, depth)
      case '"':
        return this.#string()
    }
    const word = /[-+.\w]*/y
    word.lastIndex = this.#at
    const found = word.exec(this.#text)?.[0] ?? ""
    const value = found === "true" ? true : found === "false" ? false : found === "null" ? null : numberOf(found)
    if (value === undefined) throw this.#problem(`a value is missing: ${this.#next()} is none${adviceFor(found)}`)
    this.#at += found.length
    return value
  }

  #object(where: string, depth: number): object {
    const result: Record<string, unknown> = Object.create(null)
    this.#at++
    this.#space()
    if (this.#take("}")) return result
    for (;;) {
      const nameAt = this.#at
      if (this.#text[this.#at] !== '"') throw this.#problem(`a name in double quotes is missing before ${this.#next()}`)
      const name = this.#string()
      const own = memberOf(where, name)
      const known = this.#places.get(own)
      if (Object.hasOwn(result, name))
        throw this.#problem(`${name} is there twice, first in line ${known?.line}`, nameAt)
      this.#places.set(own, this.#lines.placeOf(nameAt))
      this.#space()
      if (!this.#take(":")) throw this.#problem(`a colon is missing behind ${JSON.stringify(name)}`)
      this.#space()
      result[name] = this.#value(own, depth + 1)
      this.#space()
      if (this.#take("}")) return result
      this.#comma("}")
    }
  }

  #list(where: string, depth: number): unknown[] {
    const result: unknown[] = []
    this.#at++
    this.#space()
    if (this.#take("]")) return result
    for (;;) {
      result.push(this.#value(itemOf(where, result.length), depth + 1))
      this.#space()
      if (this.#take("]")) return result
      this.#comma("]")
    }
  }

  #comma(end: string): void {
    const at = this.#at
    if (!this.#take(",")) throw this.#problem(`a comma or ${end} is missing before ${this.#next()}`)
    this.#space()
    if (this.#text[this.#at] === end)
      throw this.#problem(`a comma stands before ${end}: JSON has none behind the last`, at)
  }

  #string(): string {
    const begin = this.#at++
    let result = ""
    for (;;) {
      const from = this.#at
      while (isPlain(this.#text.charCodeAt(this.#at))) this.#at++
      result += this.#text.slice(from, this.#at)
      const next = this.#text[this.#at]
      if (next === '"') {
        this.#at++
        return result
      }
      if (next === undefined || next === "\n" || next === "\r")
        throw this.#problem("a text has no double quote at its end", begin)
      if (next !== "\\") throw this.#problem(`a text has a control character, which is written ${JSON.stringify(next)}`)
      result += this.#escape()
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? ""
    const code = /^[0-9a-fA-F]{4}/.exec(this.#text.slice(this.#at + 2, this.#at + 6))?.[0]
    const meant =
      letter === "u" && code !== undefined ? String.fromCharCode(Number.parseInt(code, 16)) : escapes[letter]
    if (meant === undefined) throw this.#problem(`\\${letter} means nothing in a text; a backslash is written \\\\`)
    this.#at += letter === "u" ? 6 : 2
    return meant
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #space(): void {
    while (/[ \t\n\r]/.test(this.#text[this.#at] ?? "")) this.#at++
    const rest = this.#text.slice(this.#at, this.#at + 2)
    if (rest.startsWith("#") || rest === "//" || rest === "/*")
      throw this.#problem("JSON has no comments; TOML has, in a file that ends in .toml")
  }

  /** What stands there, for a message. */
  #next(): string {
    const [character] = this.#text.slice(this.#at, this.#at + 2)
    return character === undefined ? "the end of the file" : character
  }

  #problem(message: string, at: number = this.#at): SyntaxProblem {
    return new SyntaxProblem(message, this.#lines.placeOf(at))
  }
}

/** A character of a text that stands for itself. NaN, behind the end, is none. */
function isPlain(code: number): boolean {
  return code >= 0x20 && code !== 0x22 && code !== 0x5c
}

function numberOf(word: string): number | undefined {
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(word) ? Number(word) : undefined
}

function adviceFor(word: string): string {
  return /^[A-Za-z]/.test(word) ? ". A text stands in double quotes" : ""
}
