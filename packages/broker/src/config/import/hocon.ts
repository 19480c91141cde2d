// A reader of HOCON, as far as configurations of NanoMQ and EMQX use it: JSON, with unquoted texts, `=` or nothing for `:`, dotted
// names, line ends for commas, comments, objects that are merged, `include` and substitutions (`${name}`, of the document or of
// the environment). Every value knows its file and line. Texts may hold what HOCON wants in quotes, such as http://host:80/path.
// Refused: include of URLs, self-referential substitutions.

import { find, type Piece, type Raw, type RawList, type RawObject, substituted } from "./hocon-substitutions.ts"
import { HoconError, type HoconMeans, type HoconObject, type Spot } from "./hocon-values.ts"

/** Objects, lists and files within each other. */
const deepest = 64
const deepestInclude = 8

/** Throws HoconError. */
export function readHocon(text: string, file: string, means: HoconMeans): HoconObject {
  const root = new Parser(text, file, means, 0).document()
  return substituted(root, means)
}

class Parser {
  readonly #text: string
  readonly #file: string
  readonly #means: HoconMeans
  readonly #includes: number
  #at = 0
  #line = 1
  #depth = 0

  constructor(text: string, file: string, means: HoconMeans, includes: number) {
    this.#text = text.replace(/^\ufeff/, "")
    this.#file = file
    this.#means = means
    this.#includes = includes
  }

  document(): RawObject {
    this.#skip()
    const root: RawObject = { kind: "object", members: new Map(), spot: this.#spot }
    if (this.#peek === "{") {
      this.#at++
      this.#members(root, "}")
      this.#skip()
      if (this.#at < this.#text.length) throw this.#error("nothing may stand after the last }")
    } else this.#members(root, undefined)
    return root
  }

  /** Up to the end, of the text or of an object. */
  #members(into: RawObject, end: "}" | undefined): void {
    if (++this.#depth > deepest) throw this.#error(`there are more than ${deepest} objects and lists within each other`)
    const begun = this.#spot
    for (;;) {
      this.#skipSeparators()
      if (this.#at >= this.#text.length) {
        if (end !== undefined) throw new HoconError("this { has no }", begun)
        break
      }
      if (this.#peek === "}") {
        if (end === undefined) throw this.#error("there is no { for this }")
        this.#at++
        break
      }
      this.#member(into)
    }
    this.#depth--
  }

  #member(into: RawObject): void {
    const { spot } = this
    if (/^include(?=[\s"(])/.test(this.#text.slice(this.#at, this.#at + 9)) && this.#include(into)) return
    const path = this.#path()
    this.#skip(false)
    const next = this.#peek
    if (next === "{") {
      put(into, path, this.#value(), spot)
      return
    }
    const append = this.#text.startsWith("+=", this.#at)
    if (!append && next !== "=" && next !== ":")
      throw this.#error(`after ${path.join(".")} there must be =, : or {, not ${shown(next)}`)
    this.#at += append ? 2 : 1
    this.#skip()
    if (append) this.#append(into, path, spot)
    else put(into, path, this.#value(spot), spot)
  }

  #append(into: RawObject, path: readonly string[], spot: Spot): void {
    const item = this.#value()
    const before = find(into, path)
    if (before?.kind === "list") before.items.push(item)
    else put(into, path, { kind: "list", items: [item], spot }, spot)
  }

  get spot(): Spot {
    return this.#spot
  }

  get #spot(): Spot {
    return { file: this.#file, line: this.#line }
  }

  get #peek(): string {
    return this.#text[this.#at] ?? ""
  }

  #error(what: string): HoconError {
    return new HoconError(what, this.#spot)
  }

  /** Over blanks and comments. @param lines over line ends, too */
  #skip(lines = true): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#peek
      if (character === "\n") {
        if (!lines) return
        this.#line++
      } else if (this.#atComment()) {
        const end = this.#text.indexOf("\n", this.#at)
        this.#at = (end < 0 ? this.#text.length : end) - 1
      } else if (!isBlank(character)) return
    }
  }

  #atComment(): boolean {
    return this.#peek === "#" || this.#text.startsWith("//", this.#at)
  }

  #skipSeparators(): void {
    this.#skip()
    while (this.#peek === ",") {
      this.#at++
      this.#skip()
    }
  }

  /** A dotted name. */
  #path(): string[] {
    const names: string[] = []
    let name: string | undefined
    for (;;) {
      const character = this.#peek
      if (character === '"') name = (name ?? "") + this.#quoted()
      else if (character === ".") {
        if (name === undefined || name === "") throw this.#error("a name is missing before .")
        names.push(name)
        name = undefined
        this.#at++
      } else if (/[^\s"{}[\]:=,+#$`^?!@*&\\.(){}]/.test(character)) {
        name = (name ?? "") + character
        this.#at++
      } else break
    }
    if (name === undefined)
      throw this.#error(names.length > 0 ? "a name is missing after ." : `a name is expected, not ${shown(this.#peek)}`)
    names.push(name)
    if (names.length > deepest) throw this.#error(`a name has more than ${deepest} parts`)
    return names
  }

  /** @returns false: it is a name after all */
  #include(into: RawObject): boolean {
    const match =
      /^include\s*(?:required\s*\(\s*)?(?:(file|url|classpath)\s*\(\s*)?"([^"\n]*)"[\s)]*?(?=[\s,}#]|$|\/\/)/.exec(
        this.#text.slice(this.#at, this.#at + 4096),
      )
    if (match === null) {
      if (/^include\s*[=:{.]/.test(this.#text.slice(this.#at, this.#at + 64))) return false
      throw this.#error('include needs the name of a file, as in include "more.conf"')
    }
    const [all, kind, name = ""] = match
    const { spot } = this
    if (kind === "url" || kind === "classpath") throw this.#error(`include of a ${kind} is not read: put a file there`)
    this.#at += all.length
    while (/[)\t ]/.test(this.#peek)) this.#at++
    if (this.#includes >= deepestInclude) throw new HoconError("files include each other too deeply", spot)
    const found = this.#means.include(name, this.#file)
    if (found === undefined) {
      this.#means.missing(`the file ${name}, which is included`, spot)
      return true
    }
    const other = new Parser(found.text, found.file, this.#means, this.#includes + 1).document()
    for (const [key, value] of other.members) put(into, [key], value, value.spot)
    return true
  }

  /** All that stands up to the end of the line, a comma or a closing bracket. */
  #value(from: Spot = this.#spot): Raw {
    const { spot } = this
    const parts: Piece[] = []
    let blanks = ""
    for (;;) {
      const character = this.#peek
      if (character === "" || character === "\n" || character === "," || character === "}" || character === "]") break
      if (this.#atComment() && (blanks !== "" || parts.length === 0 || character === "#")) break
      if (isBlank(character)) {
        blanks += character
        this.#at++
        continue
      }
      const last = parts.at(-1)
      if (blanks !== "" && last !== undefined && last.kind !== "object" && last.kind !== "list")
        parts.push({ kind: "piece", text: blanks, quoted: false })
      blanks = ""
      parts.push(this.#piece(character))
    }
    const [only] = parts
    if (only === undefined) throw new HoconError("a value is missing", from)
    if (parts.length === 1 && (only.kind === "object" || only.kind === "list")) return only
    return { kind: "parts", parts, spot }
  }

  #piece(character: string): Piece {
    const { spot } = this
    if (character === "{") {
      const object: RawObject = { kind: "object", members: new Map(), spot }
      this.#at++
      this.#members(object, "}")
      return object
    }
    if (character === "[") return this.#list()
    if (character === '"') return { kind: "piece", text: this.#quoted(), quoted: true }
    if (this.#text.startsWith("${", this.#at)) return this.#substitution()
    const begin = this.#at
    while (!/^(?:[\s,{}[\]"#]|\$\{)/.test(this.#text.slice(this.#at, this.#at + 2)) && this.#at < this.#text.length)
      this.#at++
    if (this.#at === begin) throw this.#error(`a value is expected, not ${shown(character)}`)
    return { kind: "piece", text: this.#text.slice(begin, this.#at), quoted: false }
  }

  #list(): RawList {
    const list: RawList = { kind: "list", items: [], spot: this.#spot }
    if (++this.#depth > deepest) throw this.#error(`there are more than ${deepest} objects and lists within each other`)
    this.#at++
    for (;;) {
      this.#skipSeparators()
      if (this.#at >= this.#text.length) throw new HoconError("this [ has no ]", list.spot)
      if (this.#peek === "]") {
        this.#at++
        this.#depth--
        return list
      }
      if (this.#peek === "}") throw this.#error("there is no { for this }")
      list.items.push(this.#value())
    }
  }

  #substitution(): Piece {
    const { spot } = this
    const end = this.#text.indexOf("}", this.#at)
    const inside = end < 0 ? "" : this.#text.slice(this.#at + 2, end)
    const match = /^(\??)\s*([^\s{}"$]+)\s*$/.exec(inside)
    if (match === null) throw this.#error(`$\{ needs a name and a }`)
    this.#at = end + 1
    return { kind: "substitution", path: (match[2] ?? "").split("."), optional: match[1] === "?", spot }
  }

  #quoted(): string {
    if (this.#text.startsWith('"""', this.#at)) return this.#longText()
    const begin = this.#at++
    for (;;) {
      const character = this.#peek
      if (character === "" || character === "\n") throw this.#error('a text ends with its " in the same line')
      if (character === '"') break
      this.#at += character === "\\" ? 2 : 1
    }
    this.#at++
    const text = this.#text.slice(begin, this.#at)
    try {
      const read: unknown = JSON.parse(text.replaceAll("\t", "\\t"))
      if (typeof read === "string") return read
    } catch {
      // It is told below.
    }
    throw this.#error("there is an unknown \\ in this text")
  }

  #longText(): string {
    const begin = this.#at + 3
    let end = this.#text.indexOf('"""', begin)
    if (end < 0) throw this.#error('this """ has no """')
    while (this.#text[end + 3] === '"') end++
    const text = this.#text.slice(begin, end)
    this.#line += text.split("\n").length - 1
    this.#at = end + 3
    return text
  }
}

/** What is there already and an object, like what comes, is merged with it. */
function put(into: RawObject, [name = "", ...rest]: readonly string[], value: Raw, spot: Spot): void {
  const before = into.members.get(name)
  if (rest.length > 0) {
    if (before?.kind === "object") put(before, rest, value, spot)
    else {
      const inside: RawObject = { kind: "object", members: new Map(), spot }
      into.members.set(name, inside)
      put(inside, rest, value, spot)
    }
  } else if (before?.kind === "object" && value.kind === "object") {
    for (const [key, each] of value.members) put(before, [key], each, each.spot)
  } else into.members.set(name, value.kind === "parts" ? { ...value, spot } : value)
}

function isBlank(character: string): boolean {
  return character !== "\n" && /\s/.test(character)
}

function shown(character: string): string {
  return character === "" ? "the end" : character === "\n" ? "the end of the line" : character
}
