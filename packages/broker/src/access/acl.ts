// Access control list, one rule a line:
//
//   user NAME      PERMISSION  FILTER      clients that logged in as NAME; a name with spaces stands in "quotes"
//   client ID      PERMISSION  FILTER      the client with that Client Identifier
//   anonymous      PERMISSION  FILTER      clients without login
//   all            PERMISSION  FILTER      every client
//
// PERMISSION is read (subscribe), write (publish), readwrite, deny, deny-read or deny-write. FILTER is a Topic Filter in
// which %u is the user's name and %c the Client Identifier. What no rule allows is refused; deny wins over the others.
// A client whose login says what it may do (Rights) has that, and nothing of what rules allow; what they deny holds for it, too.
// A name that is empty, begins with $ or has one of / + # in it fills no allowing rule. A subscription is allowed when one read rule covers all of it; topics of it that a deny rule matches are left out.

import type { Access, Identity, Refusal } from "../ports/access.ts"
import { parseFilter, type TopicFilter } from "../routing/filter.ts"
import { finish, lineByLine } from "./lines.ts"
import {
  type Action,
  denies,
  fill,
  isTemplate,
  isWide,
  type Names,
  type Permission,
  type Ranked,
  RuleTree,
  Verdict,
  type Work,
} from "./rule-tree.ts"

/** What a list says of a client: this one, or one of Mosquitto's (mosquitto-acl.ts). */
export interface AccessList extends Pick<Access, "publishRefusal" | "subscribeRefusal" | "deliveryRule"> {
  /** Its rules. */
  readonly size: number
  /** What judging has cost since the beginning, in the units of routing. */
  readonly work: number
}

export interface AclRule extends Ranked {
  readonly who: "user" | "client" | "anonymous" | "all"
  /** Name or Client Identifier; "" for anonymous and all. */
  readonly name: string
  /** Its line, with the number, as a refusal names it. */
  readonly refusal: Refusal
}

/** An ACL file that cannot be used; the message names the line. */
export class AclError extends Error {
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`)
    this.name = "AclError"
  }
}

const permissions: ReadonlySet<string> = new Set(["read", "write", "readwrite", "deny", "deny-read", "deny-write"])

/** Reads the text of an ACL file. Empty lines and lines that begin with # are skipped. Throws AclError. */
export function parseAcl(text: string): AclRule[] {
  const rules: AclRule[] = []
  finish(
    lineByLine(text, (line, number) => {
      const rule = readLine(line, number)
      if (rule !== undefined) rules.push(rule)
    }),
  )
  return rules
}

function readLine(raw: string, number: number): AclRule | undefined {
  const line = raw.trim()
  return line === "" || line.startsWith("#") ? undefined : parseRule(line, number)
}

/** Whether a line is a rule of this form, or means to be one. */
export function isOwnRule(line: string): boolean {
  return /^(client|anonymous|all)\s/.test(line) || isPermission(namedRule.exec(line)?.[4] ?? "")
}

const namedRule = /^(user|client)\s+(?:"(.+)"|(\S+))\s+(\S+)\s+(.+)$/

function parseRule(line: string, number: number): AclRule {
  const named = namedRule.exec(line)
  const plain = /^(anonymous|all)\s+(\S+)\s+(.+)$/.exec(line)
  const [who, name, permission, filter] =
    named !== null
      ? [named[1], named[2] ?? named[3]!, named[4]!, named[5]!]
      : plain !== null
        ? [plain[1], "", plain[2]!, plain[3]!]
        : ["", "", "", ""]
  if (who !== "user" && who !== "client" && who !== "anonymous" && who !== "all") {
    throw new AclError(number, "expected: user NAME | client ID | anonymous | all, then PERMISSION and FILTER")
  }
  if (!isPermission(permission)) {
    throw new AclError(number, `${permission} is none of ${[...permissions].join(", ")}`)
  }
  try {
    parseFilter(filter, 128)
  } catch (error) {
    throw new AclError(number, error instanceof Error ? error.message : "not a Topic Filter")
  }
  return { who, name, permission, filter, line: number, refusal: { rule: `line ${number}: ${line}` } }
}

function isPermission(text: string): text is Permission {
  return permissions.has(text)
}

const nothingAllows: Refusal = { rule: "no rule allows it" }
const notOfLogin: Refusal = { rule: "nothing that its login says allows it" }

/** By the rights that came with the login alone. Undefined: it is allowed, or the login says nothing of rights. */
export function refusalByLogin({ rights }: Identity, text: string, action: Action): Refusal | undefined {
  return rights === undefined || rights.allows(action, text) ? undefined : notOfLogin
}

/** The names of one client, and what denying rules become by them where they would match more than themselves. */
interface OwnNames extends Names {
  readonly plain: Map<RuleSet, RuleTree<AclRule>>
}

/** The rules of a user, of a Client Identifier, or of everybody. */
class RuleSet {
  readonly #work: Work
  readonly #fixed: RuleTree<AclRule>
  /** Those with %u or %c. */
  #templates: RuleTree<AclRule> | undefined
  /** Denying ones among them that may begin with $ once there are names in them. */
  #reserved: AclRule[] | undefined

  constructor(work: Work) {
    this.#work = work
    this.#fixed = new RuleTree(work)
  }

  add(rule: AclRule): void {
    const { filter } = rule
    if (!isTemplate(filter)) {
      this.#fixed.add(filter, rule)
      return
    }
    this.#templates ??= new RuleTree(this.#work)
    this.#templates.add(filter, rule)
    if (!/^(\$|%[uc])/.test(filter) || !(denies(rule, "read") || denies(rule, "write"))) return
    this.#reserved ??= []
    this.#reserved.push(rule)
  }

  judge(text: string, action: Action, names: OwnNames, verdict: Verdict<AclRule>): void {
    this.#fixed.judge(text, action, names, verdict)
    this.#templates?.judge(text, action, names, verdict)
    this.#plain(names)?.judge(text, action, names, verdict)
  }

  /** See RuleTree. */
  touches(text: string, names: OwnNames): boolean {
    return [this.#fixed, this.#templates, this.#plain(names)].some((tree) => tree?.touches(text, names) === true)
  }

  /**
   * In a denying rule a name that could match more than itself denies the whole level; and, as wildcards leave out what begins
   * with $ (section 4.7.2), also what it says as it stands: those are in this tree.
   */
  #plain(names: OwnNames): RuleTree<AclRule> | undefined {
    if (this.#reserved === undefined || !(isWide(names.user) || isWide(names.clientId))) return undefined
    let tree = names.plain.get(this)
    if (tree !== undefined) return tree
    tree = new RuleTree(this.#work, false)
    for (const rule of this.#reserved) {
      this.#work.nodes++
      const filter = fill(rule.filter, names)
      if (filter.startsWith("$")) tree.add(untilAll(filter), rule)
    }
    names.plain.set(this, tree)
    return tree
  }
}

/** A name may have put a # before other levels: it matches all that comes. */
function untilAll(filter: string): string {
  const levels = filter.split("/")
  const at = levels.indexOf("#")
  return at < 0 ? filter : levels.slice(0, at + 1).join("/")
}

export class Acl implements AccessList {
  #size = 0
  readonly #work: Work = { nodes: 0 }
  readonly #general: RuleSet
  readonly #anonymous: RuleSet
  readonly #byUser: Map<string, RuleSet> = new Map()
  readonly #byClient: Map<string, RuleSet> = new Map()
  /** An Identity belongs to one connection. */
  readonly #names: WeakMap<Identity, OwnNames> = new WeakMap()

  constructor(rules: readonly AclRule[]) {
    this.#general = new RuleSet(this.#work)
    this.#anonymous = new RuleSet(this.#work)
    for (const rule of rules) this.#add(rule)
  }

  /** Adds a line, without spaces around it, that is not empty and no comment. Throws AclError. */
  addLine(line: string, number: number): void {
    this.#add(parseRule(line, number))
  }

  #add(rule: AclRule): void {
    this.#size++
    this.#setOf(rule).add(rule)
  }

  get size(): number {
    return this.#size
  }

  /** What judging has cost since the beginning, in the units of routing. */
  get work(): number {
    return this.#work.nodes
  }

  publishRefusal(identity: Identity, clientId: string, topic: string): Refusal | undefined {
    return this.#refusal(identity, clientId, topic, "write")
  }

  subscribeRefusal(identity: Identity, clientId: string, filter: TopicFilter): Refusal | undefined {
    return this.#refusal(identity, clientId, filter.path, "read")
  }

  deliveryRule(identity: Identity, clientId: string, filter: TopicFilter): ((topic: string) => boolean) | undefined {
    const names = this.#namesOf(identity, clientId)
    const sets = this.#applying(identity, clientId)
    if (!sets.some((set) => set.touches(filter.path, names))) return undefined
    return (topic) => {
      const verdict = new Verdict<AclRule>()
      for (const set of sets) set.judge(topic, "read", names, verdict)
      return verdict.denial === undefined
    }
  }

  #refusal(identity: Identity, clientId: string, text: string, action: Action): Refusal | undefined {
    const names = this.#namesOf(identity, clientId)
    const verdict = new Verdict<AclRule>()
    for (const set of this.#applying(identity, clientId)) {
      set.judge(text, action, names, verdict)
      if (verdict.denial !== undefined) return verdict.denial.refusal
    }
    if (identity.rights !== undefined) {
      this.#work.nodes += identity.rights.size
      return refusalByLogin(identity, text, action)
    }
    return verdict.allowed ? undefined : nothingAllows
  }

  #namesOf(identity: Identity, clientId: string): OwnNames {
    const known = this.#names.get(identity)
    if (known?.clientId === clientId) return known
    const names = { user: identity.user, clientId, plain: new Map() }
    this.#names.set(identity, names)
    return names
  }

  #applying({ source, user }: Identity, clientId: string): readonly RuleSet[] {
    const ofUser = source === "anonymous" ? this.#anonymous : this.#byUser.get(user)
    const ofClient = this.#byClient.get(clientId)
    return [ofUser, ofClient, this.#general].filter((set) => set !== undefined)
  }

  #setOf({ who, name }: AclRule): RuleSet {
    if (who === "all") return this.#general
    if (who === "anonymous") return this.#anonymous
    const sets = who === "user" ? this.#byUser : this.#byClient
    let set = sets.get(name)
    if (set === undefined) {
      set = new RuleSet(this.#work)
      sets.set(name, set)
    }
    return set
  }
}
