// The rules of an access control list that hold for the same clients, by the levels of their filters: a judgement looks at
// what could match, not at every rule. A level with %u or %c is compared when it is asked, so one tree serves all clients.

import { firstLevel, type PathNode, PathTree } from "../routing/path-tree.ts"

/** What a client does: subscribes, or publishes. */
export type Action = "read" | "write"

export type Permission = "read" | "write" | "readwrite" | "deny" | "deny-read" | "deny-write"

/** A rule as the tree knows it. */
export interface Ranked {
  /** The first of those that forbid something is named. */
  readonly line: number
  readonly permission: Permission
  readonly filter: string
}

/** What judging has cost since the beginning, without a clock. */
export interface Work {
  /** That were looked at, or made. */
  nodes: number
}

/** The names that stand for %u and %c. */
export interface Names {
  readonly user: string
  readonly clientId: string
}

export function denies({ permission }: Ranked, action: Action): boolean {
  return permission === "deny" || permission === (action === "read" ? "deny-read" : "deny-write")
}

function allows({ permission }: Ranked, action: Action): boolean {
  return permission === "readwrite" || permission === action
}

/** What has been found for one topic or filter. */
export class Verdict<Rule extends Ranked> {
  denial: Rule | undefined
  allowed = false

  /** @param widened with a name in it that would match more than itself: then a rule allows nothing, and denies more */
  hear(rule: Rule, action: Action, widened: boolean): void {
    if (denies(rule, action)) {
      if (this.denial === undefined || rule.line < this.denial.line) this.denial = rule
    } else if (!widened && allows(rule, action)) this.allowed = true
  }
}

/** Nodes that are looked at to learn whether any denying rule touches a filter, before it is taken that one does. */
const patience = 64

export class RuleTree<Rule extends Ranked> {
  /** Rules with the same filter, each of which says something that those before it do not. */
  readonly #tree = new PathTree<Rule | Rule[]>()
  /** Levels with %u or %c in them, which stand for names. */
  #templates: Set<string> | undefined
  readonly #work: Work
  readonly #filled: boolean
  readonly #isWide: (name: string) => boolean
  #left = 0

  /**
   * @param filled whether %u and %c stand for names; else they are what they say
   * @param wide the names that no level is compared with
   */
  constructor(work: Work, filled: boolean = true, wide: (name: string) => boolean = isWide) {
    this.#work = work
    this.#filled = filled
    this.#isWide = wide
  }

  /** To be called in the order of the rules. @param path the rule's filter, or what it has become */
  add(path: string, rule: Rule): void {
    if (this.#filled && isTemplate(path)) {
      this.#templates ??= new Set()
      for (const level of path.split("/")) if (isTemplate(level)) this.#templates.add(level)
    }
    const node = this.#tree.ensure(path)
    const { value } = node
    if (value === undefined) node.value = rule
    else if (!Array.isArray(value)) {
      if (addsTo([value], rule)) node.value = [value, rule]
    } else if (addsTo(value, rule)) value.push(rule)
  }

  /** Tells the verdict every rule whose filter has in it all that the topic or filter `text` matches. */
  judge(text: string, action: Action, names: Names, verdict: Verdict<Rule>): void {
    this.#work.nodes++
    this.#judge(this.#tree.root, { text, action, names, verdict, dollar: text.startsWith("$") }, 0, false)
  }

  /** False when no topic that the filter `text` matches is denied to readers. True may be said without need. */
  touches(text: string, names: Names): boolean {
    this.#left = patience
    this.#work.nodes++
    return this.#touches(this.#tree.root, { text, names, dollar: text.startsWith("$") }, 0)
  }

  /** `at` is the offset of the level that children must match, above the length of the text when there is none. */
  #judge(node: PathNode<Rule | Rule[]>, asked: Judged<Rule>, at: number, widened: boolean): void {
    const { text } = asked
    if (at > text.length) tell(node.value, asked, widened)
    const { children } = node
    if (children === undefined) return
    if (!(children instanceof Map)) {
      this.#judgeChild(children, asked, at, widened)
      return
    }
    if (at <= text.length) {
      const level = firstLevel(text, at)
      if (level !== "+" && level !== "#" && this.#templates?.has(level) !== true)
        this.#judgeChild(children.get(level), asked, at, widened)
      this.#judgeChild(children.get("+"), asked, at, widened)
      this.#templates?.forEach((template) => {
        this.#work.nodes++
        this.#judgeChild(children.get(template), asked, at, widened)
      })
    }
    this.#judgeChild(children.get("#"), asked, at, widened)
  }

  #judgeChild(
    child: PathNode<Rule | Rule[]> | undefined,
    asked: Judged<Rule>,
    from: number,
    widenedBefore: boolean,
  ): void {
    if (child === undefined) return
    this.#work.nodes++
    const { text, names, dollar } = asked
    let [at, widened] = [from, widenedBefore]
    for (let i = 0; i <= child.path.length; ) {
      const own = firstLevel(child.path, i)
      i += own.length + 1
      // [MQTT-4.7.2-1] a filter that starts with a wildcard does not match what starts with $
      const wild = !(at === 0 && dollar)
      if (own === "#") {
        // the parent level too
        if (wild) tell(child.value, asked, widened)
        return
      }
      if (at > text.length) return
      const end = endOf(text, at)
      const level = this.#level(own, names)
      if (level === undefined) widened = true
      if (level === undefined || level === "+") {
        if (!wild || (end === at + 1 && text[at] === "#")) return
      } else if (level.length !== end - at || !text.startsWith(level, at)) return
      at = end + 1
    }
    this.#judge(child, asked, at, widened)
  }

  #touches(node: PathNode<Rule | Rule[]>, asked: Asked, at: number): boolean {
    const { text } = asked
    const level = at > text.length ? undefined : firstLevel(text, at)
    if ((level === undefined || level === "#") && deniesReaders(node.value)) return true
    const { children } = node
    if (children === undefined) return false
    if (!(children instanceof Map)) return this.#touchesChild(children, asked, at)
    if (level === "+" || level === "#") {
      for (const child of children.values()) if (this.#touchesChild(child, asked, at)) return true
      return false
    }
    if (this.#touchesChild(children.get("#"), asked, at)) return true
    if (level === undefined) return false
    if (this.#templates?.has(level) !== true && this.#touchesChild(children.get(level), asked, at)) return true
    if (this.#touchesChild(children.get("+"), asked, at)) return true
    for (const template of this.#templates ?? []) {
      if (this.#spent() || this.#touchesChild(children.get(template), asked, at)) return true
    }
    return false
  }

  #touchesChild(child: PathNode<Rule | Rule[]> | undefined, asked: Asked, from: number): boolean {
    if (child === undefined) return false
    if (this.#spent()) return true
    const { text, names, dollar } = asked
    let at = from
    for (let i = 0; i <= child.path.length; ) {
      const own = firstLevel(child.path, i)
      i += own.length + 1
      const wild = !(at === 0 && dollar)
      if (own === "#") return wild && deniesReaders(child.value)
      if (at > text.length) return false
      const end = endOf(text, at)
      const level = this.#level(own, names)
      const asksAll = end === at + 1 && (text[at] === "+" || text[at] === "#")
      if (asksAll) {
        if (at === 0 && level?.startsWith("$") === true) return false
        if (text[at] === "#") return this.#deniesBelow(child)
      } else if (level === undefined || level === "+") {
        if (!wild) return false
      } else if (level.length !== end - at || !text.startsWith(level, at)) return false
      at = end + 1
    }
    return this.#touches(child, asked, at)
  }

  #deniesBelow({ value, children }: PathNode<Rule | Rule[]>): boolean {
    if (this.#spent() || deniesReaders(value)) return true
    if (children === undefined) return false
    if (!(children instanceof Map)) return this.#deniesBelow(children)
    for (const child of children.values()) if (this.#deniesBelow(child)) return true
    return false
  }

  #spent(): boolean {
    this.#work.nodes++
    return --this.#left < 0
  }

  /** A level with the names in it; undefined where one of them would match more than itself. */
  #level(own: string, names: Names): string | undefined {
    if (this.#templates === undefined || !isTemplate(own)) return own
    return this.#widens(own, names) ? undefined : fill(own, names)
  }

  #widens(level: string, { user, clientId }: Names): boolean {
    return (level.includes("%u") && this.#isWide(user)) || (level.includes("%c") && this.#isWide(clientId))
  }
}

interface Asked {
  /** A topic, or a filter. */
  readonly text: string
  readonly names: Names
  /** It starts with $. */
  readonly dollar: boolean
}

interface Judged<Rule extends Ranked> extends Asked {
  readonly action: Action
  readonly verdict: Verdict<Rule>
}

function tell<Rule extends Ranked>(
  value: Rule | Rule[] | undefined,
  { action, verdict }: Judged<Rule>,
  widened: boolean,
): void {
  if (value === undefined) return
  if (!Array.isArray(value)) verdict.hear(value, action, widened)
  else for (const rule of value) verdict.hear(rule, action, widened)
}

function deniesReaders(value: Ranked | Ranked[] | undefined): boolean {
  if (value === undefined) return false
  return Array.isArray(value) ? value.some((rule) => denies(rule, "read")) : denies(value, "read")
}

/** Does the rule say something that no earlier one with the same filter says? */
function addsTo(before: readonly Ranked[], rule: Ranked): boolean {
  return (["read", "write"] as const).some((action) =>
    [denies, allows].some((says) => says(rule, action) && !before.some((other) => says(other, action))),
  )
}

function endOf(text: string, at: number): number {
  const slash = text.indexOf("/", at)
  return slash < 0 ? text.length : slash
}

export function isTemplate(text: string): boolean {
  return text.includes("%u") || text.includes("%c")
}

/** With the names in the places of %u and %c. */
export function fill(text: string, { user, clientId }: Names): string {
  if (text === "%c") return clientId
  return text.replaceAll(/%[uc]/g, (mark) => (mark === "%u" ? user : clientId))
}

/** True for a name that could make a filter match more than one level of that name: /, +, #, $ in front, or nothing. */
export function isWide(name: string): boolean {
  return name === "" || name.startsWith("$") || /[/+#]/.test(name)
}
