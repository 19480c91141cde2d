// An access control list of Mosquitto's (its acl_file), as it is:
//
//   topic [read|write|readwrite|deny] FILTER     of the user named last; before any, of clients without a user name
//   user NAME                                    whose the next topics are
//   pattern [read|write|readwrite|deny] FILTER   of everybody; a level %u or %c of it is the user's name or the Client Identifier
//
// Without a word it is readwrite. What nothing allows is refused. The topics of the user come first, and decide where one of them
// fits: those that deny before the others. Then the patterns, in the same way; whoever has + or # in a name gets nothing by them.
// Every subscription is granted: each message is judged when it is about to be delivered.
//
// A client whose login says what it may do (Rights) has that, and nothing of what the list allows; what it denies holds for it, too.
//
// Where its versions differ, what one of them refuses is refused: a name that is empty, has a / in it or begins a topic with $ fills
// no pattern that allows (2.1), and fills one that denies (2.0). A level that has more in it than %u or %c is filled in by 2.0
// and not by 2.1: such a list is refused.

import type { Identity, Refusal } from "../ports/access.ts"
import { matches, parseFilter, type TopicFilter } from "../routing/filter.ts"
import { type AccessList, AclError, refusalByLogin } from "./acl.ts"
import {
  type Action,
  fill,
  isTemplate,
  type Names,
  type Permission,
  type Ranked,
  RuleTree,
  Verdict,
} from "./rule-tree.ts"

interface Rule extends Ranked {
  readonly refusal: Refusal
}

type Read =
  | { readonly kind: "user"; readonly name: string }
  | { readonly kind: "topic" | "pattern"; readonly rule: Rule }

const permissions: ReadonlyMap<string, Permission> = new Map(
  (["read", "write", "readwrite", "deny"] as const).map((word) => [word, word]),
)

/** Whether a line is one of such a list, and cannot be meant as one of ours. */
export function isMosquittoLine(line: string): boolean {
  return /^(topic|pattern) /.test(line) || /^user +\S+( +\S+)?$/.test(line)
}

function readLine(line: string, number: number): Read {
  const [, word, rest = ""] = /^(\S+) *(.*)$/.exec(line) ?? []
  switch (word) {
    case "user":
      if (rest === "") throw new AclError(number, "user needs a name")
      return { kind: word, name: rest }
    case "topic":
    case "pattern":
      return { kind: word, rule: readRule(word, rest, line, number) }
    default:
      throw new AclError(number, "expected, as in the lines before: topic, pattern or user, as Mosquitto has them")
  }
}

function readRule(kind: "topic" | "pattern", rest: string, line: string, number: number): Rule {
  const [, word = "", after = ""] = /^([^ ]*) *(.*)$/.exec(rest) ?? []
  const filter = after === "" ? word : after
  if (filter === "") throw new AclError(number, `${kind} needs a topic`)
  const permission = after === "" ? "readwrite" : permissions.get(word)
  if (permission === undefined) {
    const advice = "a topic with a space in it needs one of them before it"
    throw new AclError(number, `${word} is none of ${[...permissions.keys()].join(", ")}; ${advice}`)
  }
  try {
    parseFilter(filter, 128)
  } catch (error) {
    throw new AclError(number, error instanceof Error ? error.message : "not a Topic Filter")
  }
  if (kind === "pattern" && filter.split("/").some((level) => isTemplate(level) && level.length > 2))
    throw new AclError(
      number,
      "%u and %c must be all of a level: with more in it, versions of Mosquitto differ in what it means",
    )
  return { permission, filter, line: number, refusal: { rule: `line ${number}: ${line}` } }
}

const nothingAllows: Refusal = { rule: "no rule allows it" }
const dangerous: Refusal = { rule: "no pattern is for a name with + or # in it" }

/** It has no level of a topic of its own. */
function isOdd(name: string): boolean {
  return name === "" || name.includes("/")
}

/** A name that fills no level allows nothing, and denies nothing here. */
class PatternVerdict extends Verdict<Rule> {
  override hear(rule: Rule, action: Action, widened: boolean): void {
    if (!widened) super.hear(rule, action, false)
  }
}

export class MosquittoAcl implements AccessList {
  #size = 0
  readonly #work = { nodes: 0 }
  readonly #anonymous: RuleTree<Rule>
  readonly #byUser: Map<string, RuleTree<Rule>> = new Map()
  /** Of topics that begin with $, only patterns that do so themselves. */
  readonly #patterns: { readonly plain: RuleTree<Rule>; readonly dollar: RuleTree<Rule> }
  /** Those that deny, and have names in them. */
  readonly #denials: Rule[] = []
  #hasPatterns = false
  /** Whose the next topics are. */
  #current: RuleTree<Rule>

  constructor() {
    const tree = (filled: boolean) => new RuleTree<Rule>(this.#work, filled, isOdd)
    this.#anonymous = tree(false)
    this.#patterns = { plain: tree(true), dollar: tree(true) }
    this.#current = this.#anonymous
  }

  /** Adds a line, without spaces around it, that is not empty and no comment. Throws AclError. */
  addLine(line: string, number: number): void {
    const read = readLine(line, number)
    if (read.kind === "user") {
      this.#current = this.#ofUser(read.name)
      return
    }
    this.#size++
    const { rule } = read
    if (read.kind === "topic") {
      this.#current.add(rule.filter, rule)
      return
    }
    this.#hasPatterns = true
    this.#patternsFor(rule.filter).add(rule.filter, rule)
    if (rule.permission === "deny" && isTemplate(rule.filter)) this.#denials.push(rule)
  }

  #ofUser(name: string): RuleTree<Rule> {
    let tree = this.#byUser.get(name)
    if (tree === undefined) {
      tree = new RuleTree<Rule>(this.#work, false)
      this.#byUser.set(name, tree)
    }
    return tree
  }

  #patternsFor(text: string): RuleTree<Rule> {
    return text.startsWith("$") ? this.#patterns.dollar : this.#patterns.plain
  }

  get size(): number {
    return this.#size
  }

  get work(): number {
    return this.#work.nodes
  }

  publishRefusal(identity: Identity, clientId: string, topic: string): Refusal | undefined {
    return this.#refusal(identity, clientId, topic, "write")
  }

  subscribeRefusal(identity: Identity, _clientId: string, filter: TopicFilter): Refusal | undefined {
    return refusalByLogin(identity, filter.path, "read")
  }

  deliveryRule(identity: Identity, clientId: string, filter: TopicFilter): ((topic: string) => boolean) | undefined {
    if (identity.rights === undefined && this.#allowsAll(identity, clientId, filter.path)) return undefined
    return (topic) => this.#refusal(identity, clientId, topic, "read") === undefined
  }

  /** Whether every topic of a filter may be read, as far as that is seen without looking at each. */
  #allowsAll(identity: Identity, clientId: string, path: string): boolean {
    const names = { user: identity.user, clientId }
    const own = this.#own(identity)
    if (own?.touches(path, names) === true) return false
    if (own !== undefined && judged(own, path, "read", names).allowed) return true
    if (!this.#hasPatterns || isDangerous(names) || this.#oddDenials(names).length > 0) return false
    const patterns = this.#patternsFor(path)
    return !patterns.touches(path, names) && judged(patterns, path, "read", names, new PatternVerdict()).allowed
  }

  #own({ source, user }: Identity): RuleTree<Rule> | undefined {
    return source === "anonymous" ? this.#anonymous : this.#byUser.get(user)
  }

  #refusal(identity: Identity, clientId: string, topic: string, action: Action): Refusal | undefined {
    const names = { user: identity.user, clientId }
    const { rights } = identity
    const own = this.#own(identity)
    if (own !== undefined) {
      const { denial, allowed } = judged(own, topic, action, names)
      if (denial !== undefined) return denial.refusal
      if (allowed && rights === undefined) return undefined
    }
    const otherwise = rights === undefined ? nothingAllows : refusalByLogin(identity, topic, action)
    if (rights !== undefined) this.#work.nodes += rights.size
    if (!this.#hasPatterns) return otherwise
    if (isDangerous(names)) return dangerous
    const { denial, allowed } = judged(this.#patternsFor(topic), topic, action, names, new PatternVerdict())
    if (denial !== undefined) return denial.refusal
    const odd = this.#oddDenials(names).find(({ filter }) => {
      this.#work.nodes++
      return matches(fill(filter, names).split("/"), topic)
    })
    if (odd !== undefined) return odd.refusal
    return allowed && rights === undefined ? undefined : otherwise
  }

  /** Patterns that deny, with a name in them that fills none that allows. */
  #oddDenials(names: Names): readonly Rule[] {
    const { user, clientId } = names
    if (this.#denials.length === 0 || ![user, clientId].some((name) => isOdd(name) || name.startsWith("$"))) return []
    // Who has no name has no pattern with one.
    return user === "" ? this.#denials.filter(({ filter }) => !filter.includes("%u")) : this.#denials
  }
}

function judged(
  tree: RuleTree<Rule>,
  text: string,
  action: Action,
  names: Names,
  verdict: Verdict<Rule> = new Verdict<Rule>(),
): Verdict<Rule> {
  tree.judge(text, action, names, verdict)
  return verdict
}

function isDangerous({ user, clientId }: Names): boolean {
  return /[+#]/.test(user) || /[+#]/.test(clientId)
}
