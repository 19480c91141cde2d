// A test file as its tests: enough of a reader of TypeScript to know where a test begins and ends, what it is called and
// which comments stand above it. No parser: strings, templates, comments and regular expressions are told apart, and
// brackets are counted.

type Kind = "string" | "comment" | "word" | "sign"

interface Token {
  readonly kind: Kind
  /** Of a string its value, of a template its text with `{expression}` in place of each expression. */
  readonly text: string
  readonly at: number
}

/** A call of `describe`, `it` or `test` with a literal title. */
export interface TestCall {
  readonly kind: "group" | "test"
  readonly title: string
  /** `.skip`, `.todo`, `.each` ... */
  readonly modifiers: readonly string[]
  /** Token numbers: the call's name, and its last bracket. */
  readonly first: number
  readonly last: number
}

export interface TestSource {
  readonly tokens: readonly Token[]
  readonly calls: readonly TestCall[]
}

export function readTests(source: string): TestSource {
  const tokens = tokenize(source)
  const calls: TestCall[] = []
  for (let at = 0; at < tokens.length; at++) {
    const call = readCall(tokens, at)
    if (call !== undefined) calls.push(call)
  }
  return { tokens, calls }
}

export function lineOf(source: string, at: number): number {
  return source.slice(0, at).split("\n").length
}

/* ---------------------------------------------------------------- calls */

const kinds: ReadonlyMap<string, TestCall["kind"]> = new Map([
  ["describe", "group"],
  ["it", "test"],
  ["test", "test"],
])

function readCall(tokens: readonly Token[], first: number): TestCall | undefined {
  const kind = tokens[first]?.kind === "word" ? kinds.get(tokens[first].text) : undefined
  if (kind === undefined || tokens[first - 1]?.text === ".") return undefined
  let at = first + 1
  const modifiers: string[] = []
  while (tokens[at]?.text === "." && tokens[at + 1]?.kind === "word") {
    modifiers.push(tokens[at + 1]!.text)
    at += 2
  }
  const isTable = ["each", "for", "skipIf", "runIf"].includes(modifiers.at(-1) ?? "")
  if (isTable) {
    // Its rows, or its condition.
    if (!isOpening(tokens[at])) return undefined
    at = closing(tokens, at) + 1
  }
  if (!isOpening(tokens[at])) return undefined
  const title = tokens[at + 1]
  if (title?.kind !== "string") return undefined
  return { kind, title: title.text, modifiers, first, last: closing(tokens, at) }
}

function isOpening(token: Token | undefined): boolean {
  return token?.kind === "sign" && token.text === "("
}

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!
    if (kind !== "sign") continue
    if (text === "(" || text === "[" || text === "{") depth++
    if (text === ")" || text === "]" || text === "}") depth--
    if (depth === 0) return at
  }
  return tokens.length - 1
}

/* ---------------------------------------------------------------- tokens */

const words = /[\p{ID_Start}$_#][\p{ID_Continue}$]*|\d[\w.]*/uy

function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < source.length; ) {
    const char = source[at]!
    let end = at + 1
    if (/\s/.test(char)) {
      at = end
      continue
    }
    if (char === "/" && (source[at + 1] === "/" || source[at + 1] === "*")) {
      const isLine = source[at + 1] === "/"
      const found = source.indexOf(isLine ? "\n" : "*/", at + 2)
      end = found === -1 ? source.length : found + (isLine ? 0 : 2)
      tokens.push({ kind: "comment", text: source.slice(at, end), at })
    } else if (char === '"' || char === "'") {
      end = endOfString(source, at)
      tokens.push({ kind: "string", text: withoutEscapes(source.slice(at + 1, end - 1)), at })
    } else if (char === "`") {
      const template = readTemplate(source, at)
      end = template.end
      tokens.push({ kind: "string", text: withoutEscapes(template.text), at })
    } else if (char === "/" && startsExpression(tokens.at(-1))) {
      end = endOfRegExp(source, at)
      tokens.push({ kind: "sign", text: "/", at })
    } else {
      words.lastIndex = at
      const word = words.exec(source)?.[0]
      end = at + (word?.length ?? 1)
      tokens.push({ kind: word === undefined ? "sign" : "word", text: word ?? char, at })
    }
    at = end
  }
  return tokens
}

/** Whether a slash after this token begins a regular expression: after a value it divides. */
function startsExpression(before: Token | undefined): boolean {
  if (before === undefined || before.kind === "comment") return true
  if (before.kind === "sign") return !")]}".includes(before.text)
  return before.kind === "word" && ["return", "typeof", "of", "in", "case"].includes(before.text)
}

function endOfString(source: string, start: number): number {
  let at = start + 1
  while (source[at] !== source[start]) at += source[at] === "\\" ? 2 : 1
  return at + 1
}

function endOfRegExp(source: string, start: number): number {
  let isClass = false
  for (let at = start + 1; ; at++) {
    const char = source[at]
    if (char === "\\") at++
    else if (char === "[") isClass = true
    else if (char === "]") isClass = false
    else if ((char === "/" && !isClass) || char === "\n" || char === undefined) return at + 1
  }
}

function readTemplate(source: string, start: number): { text: string; end: number } {
  let text = ""
  let at = start + 1
  while (at < source.length && source[at] !== "`") {
    if (source[at] === "\\") {
      text += source.slice(at, at + 2)
      at += 2
    } else if (source.startsWith("${", at)) {
      const end = endOfExpression(source, at + 2)
      text += `{${source.slice(at + 2, end)}}`
      at = end + 1
    } else text += source[at++]
  }
  return { text, end: at + 1 }
}

function endOfExpression(source: string, start: number): number {
  let depth = 0
  for (let at = start; at < source.length; at++) {
    const char = source[at]!
    if (char === "`") at = readTemplate(source, at).end - 1
    else if (char === '"' || char === "'") at = endOfString(source, at) - 1
    else if (char === "{") depth++
    else if (char === "}" && depth-- === 0) return at
  }
  return source.length
}

function withoutEscapes(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === "n" ? " " : char))
}
