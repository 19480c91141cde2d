// The acl.conf of EMQX: Erlang terms `{allow, WHO, ACTION, [TOPIC, ...]}.`, of which the simple ones are understood.

import type { OrderedRule, Who } from "./ordered-rules.ts"
import { oneLine } from "./values.ts"

type Term =
  | { readonly kind: "atom" | "text"; readonly text: string }
  | { readonly kind: "tuple" | "list"; readonly items: readonly Term[] }

/** A file that cannot be read; the message is a clause. */
export class ErlangError extends Error {
  readonly line: number

  constructor(message: string, line: number) {
    super(message)
    this.name = "ErlangError"
    this.line = line
  }
}

/** Throws ErlangError. */
export function readErlangRules(text: string, file: string): OrderedRule[] {
  const reader = new TermReader(text)
  const rules: OrderedRule[] = []
  for (;;) {
    const read = reader.next()
    if (read === undefined) return rules
    rules.push(ruleOf(read.term, { file, line: read.line, text: read.text }))
  }
}

const deepest = 32

class TermReader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  next(): { readonly term: Term; readonly line: number; readonly text: string } | undefined {
    this.#skip()
    if (this.#at >= this.#text.length) return undefined
    const [begin, line] = [this.#at, this.#line]
    const term = this.#term()
    const text = oneLine(this.#text.slice(begin, this.#at).replaceAll(/%[^\n]*/g, ""))
    this.#skip()
    if (this.#text[this.#at] !== ".") throw this.#error("a term ends with .")
    this.#at++
    return { term, line, text }
  }

  get #line(): number {
    return this.#text.slice(0, this.#at).split("\n").length
  }

  #error(what: string): ErlangError {
    return new ErlangError(what, this.#line)
  }

  #skip(): void {
    const blank = /(?:\s|%[^\n]*)*/y
    blank.lastIndex = this.#at
    this.#at += blank.exec(this.#text)?.[0].length ?? 0
  }

  #term(): Term {
    this.#skip()
    const character = this.#text[this.#at] ?? ""
    if (character === "{" || character === "[") return this.#group(character)
    const pattern =
      /<<"((?:[^"\\\n]|\\.)*)"(?:\/utf8)?>>|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|([A-Za-z0-9_@-]+)/y
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) throw this.#error(`a term is expected, not ${character === "" ? "the end" : character}`)
    this.#at += match[0].length
    const [, binary, string, quoted, atom] = match
    const text = binary ?? string
    if (text !== undefined) return { kind: "text", text: text.replaceAll(/\\(.)/g, "$1") }
    return { kind: "atom", text: quoted ?? atom ?? "" }
  }

  #group(open: "{" | "["): Term {
    if (++this.#depth > deepest) throw this.#error(`there are more than ${deepest} terms within each other`)
    const items: Term[] = []
    const close = open === "{" ? "}" : "]"
    this.#at++
    this.#skip()
    while (this.#text[this.#at] !== close) {
      items.push(this.#term())
      this.#skip()
      if (this.#text[this.#at] === ",") this.#at++
      else if (this.#text[this.#at] !== close) throw this.#error(`, or ${close} is expected`)
      this.#skip()
    }
    this.#at++
    this.#depth--
    return { kind: open === "{" ? "tuple" : "list", items }
  }
}

function ruleOf(term: Term, source: OrderedRule["source"]): OrderedRule {
  const nothing = { source, permit: "deny", who: undefined, action: "all", topics: undefined, exact: false } as const
  if (term.kind !== "tuple") return { ...nothing, topics: [], unable: "it is no rule" }
  const [permission, client, act, topics] = term.items
  const permit = atomOf(permission)
  if ((permit !== "allow" && permit !== "deny") || client === undefined)
    return { ...nothing, topics: [], unable: "it is no rule" }
  const who = whoOf(client)
  const simple = act?.kind === "tuple" ? act.items[0] : act
  const action = act === undefined ? "all" : atomOf(simple)
  if (action !== "publish" && action !== "subscribe" && action !== "all" && action !== "pubsub")
    return { ...nothing, permit, topics: [], unable: "its action is not known" }
  const unable =
    who === undefined
      ? "rules go by one user or one client identifier here, not by addresses, expressions or several at once"
      : act?.kind === "tuple"
        ? "rules do not go by QoS or the retain flag here"
        : undefined
  const read = topics === undefined ? undefined : topics.kind === "list" ? topics.items : [topics]
  const plain = read?.flatMap((topic) => (topic.kind === "text" ? [topic.text] : []))
  const exact = read !== undefined && plain?.length !== read.length
  return { source, permit, who, action: action === "pubsub" ? "all" : action, topics: plain, exact, unable }
}

function whoOf(term: Term): readonly Who[] | undefined {
  if (term.kind === "atom") return term.text === "all" ? [{ kind: "all" }] : undefined
  if (term.kind !== "tuple") return undefined
  const [kind, what] = term.items
  switch (atomOf(kind)) {
    case "user":
    case "username":
      return what?.kind === "text" ? [{ kind: "user", name: what.text }] : undefined
    case "client":
    case "clientid":
      return what?.kind === "text" ? [{ kind: "client", name: what.text }] : undefined
    case "or": {
      const all = what?.kind === "list" ? what.items.map(whoOf) : [undefined]
      return all.every((each) => each !== undefined) ? all.flat() : undefined
    }
    default:
      return undefined
  }
}

function atomOf(term: Term | undefined): string | undefined {
  return term?.kind === "atom" ? term.text : undefined
}
