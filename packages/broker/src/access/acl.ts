// Access control list, one rule a line:
//
//   user NAME      PERMISSION  FILTER      clients that logged in as NAME; a name with spaces stands in "quotes"
//   client ID      PERMISSION  FILTER      the client with that Client Identifier
//   anonymous      PERMISSION  FILTER      clients without login
//   all            PERMISSION  FILTER      every client
//
// PERMISSION is read (subscribe), write (publish), readwrite, deny, deny-read or deny-write. FILTER is a Topic Filter in
// which %u is the user's name and %c the Client Identifier. What no rule allows is refused; deny wins over the others.
// A name that is empty, begins with $ or has one of / + # in it fills no allowing rule. A subscription is allowed when one read rule covers all of it; topics of it that a deny rule matches are left out.

import type { Identity, Refusal } from "../ports/access.ts"
import { covers, matches, overlaps, parseFilter, type TopicFilter } from "../routing/filter.ts"
import { finish, lineByLine, type Steps } from "./lines.ts"

type Permission = "read" | "write" | "readwrite" | "deny" | "deny-read" | "deny-write"

export interface AclRule {
  readonly who: "user" | "client" | "anonymous" | "all"
  /** Name or Client Identifier; "" for anonymous and all. */
  readonly name: string
  readonly permission: Permission
  readonly filter: string
  /** Number and text of its line, as a refusal names it. */
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
  return finish(parsingAcl(text))
}

/** The same, step by step. */
export function* parsingAcl(text: string): Steps<AclRule[]> {
  const rules: AclRule[] = []
  yield* lineByLine(text, (raw, number) => {
    const line = raw.trim()
    if (line !== "" && !line.startsWith("#")) rules.push(parseRule(line, number))
  })
  return rules
}

function parseRule(line: string, number: number): AclRule {
  const named = /^(user|client)\s+(?:"(.+)"|(\S+))\s+(\S+)\s+(.+)$/.exec(line)
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
  return { who, name, permission, filter, refusal: { rule: `line ${number}: ${line}` } }
}

function isPermission(text: string): text is Permission {
  return permissions.has(text)
}

type Levels = readonly string[]

interface Denial {
  readonly levels: Levels
  readonly refusal: Refusal
}

/** The rules of one client with its names filled in. */
interface OwnRules {
  readonly clientId: string
  readonly read: Levels[]
  readonly write: Levels[]
  readonly denyRead: Denial[]
  readonly denyWrite: Denial[]
}

const nothingAllows: Refusal = { rule: "no rule allows it" }

export class Acl {
  readonly size: number
  readonly #general: AclRule[] = []
  readonly #anonymous: AclRule[] = []
  readonly #byUser: Map<string, AclRule[]> = new Map()
  readonly #byClient: Map<string, AclRule[]> = new Map()
  /** An Identity belongs to one connection, so its rules are worked out once and go with it. */
  readonly #own: WeakMap<Identity, OwnRules> = new WeakMap()

  constructor(rules: readonly AclRule[]) {
    this.size = rules.length
    for (const rule of rules) {
      if (rule.who === "all") this.#general.push(rule)
      else if (rule.who === "anonymous") this.#anonymous.push(rule)
      else push(rule.who === "user" ? this.#byUser : this.#byClient, rule)
    }
  }

  publishRefusal(identity: Identity, clientId: string, topic: string): Refusal | undefined {
    const own = this.#rulesOf(identity, clientId)
    for (const { levels, refusal } of own.denyWrite) if (matches(levels, topic)) return refusal
    for (const levels of own.write) if (matches(levels, topic)) return undefined
    return nothingAllows
  }

  subscribeRefusal(identity: Identity, clientId: string, filter: TopicFilter): Refusal | undefined {
    const own = this.#rulesOf(identity, clientId)
    for (const { levels, refusal } of own.denyRead) if (covers(levels, filter.levels)) return refusal
    for (const levels of own.read) if (covers(levels, filter.levels)) return undefined
    return nothingAllows
  }

  deliveryRule(identity: Identity, clientId: string, filter: TopicFilter): ((topic: string) => boolean) | undefined {
    const { denyRead } = this.#rulesOf(identity, clientId)
    const touching = denyRead.filter(({ levels }) => overlaps(levels, filter.levels))
    return touching.length === 0 ? undefined : (topic) => !touching.some(({ levels }) => matches(levels, topic))
  }

  #rulesOf(identity: Identity, clientId: string): OwnRules {
    const known = this.#own.get(identity)
    if (known?.clientId === clientId) return known
    const own: OwnRules = { clientId, read: [], write: [], denyRead: [], denyWrite: [] }
    for (const { permission, filter, refusal } of this.#applying(identity, clientId)) {
      if (permission.startsWith("deny")) {
        const denials = fillDenying(filter, identity.user, clientId).map((levels) => ({ levels, refusal }))
        if (permission !== "deny-write") own.denyRead.push(...denials)
        if (permission !== "deny-read") own.denyWrite.push(...denials)
        continue
      }
      const levels = fillAllowing(filter, identity.user, clientId)
      if (levels === undefined) continue
      if (permission !== "write") own.read.push(levels)
      if (permission !== "read") own.write.push(levels)
    }
    this.#own.set(identity, own)
    return own
  }

  #applying({ source, user }: Identity, clientId: string): readonly AclRule[] {
    const ofUser = source === "anonymous" ? this.#anonymous : (this.#byUser.get(user) ?? [])
    return [...ofUser, ...(this.#byClient.get(clientId) ?? []), ...this.#general]
  }
}

function push(rules: Map<string, AclRule[]>, rule: AclRule): void {
  const known = rules.get(rule.name)
  if (known === undefined) rules.set(rule.name, [rule])
  else known.push(rule)
}

/** True for a name that could make a filter match more than one level of that name: /, +, #, $ in front, or nothing. */
function widens(name: string): boolean {
  return name === "" || name.startsWith("$") || /[/+#]/.test(name)
}

function fill(text: string, user: string, clientId: string): string {
  return text.replaceAll(/%[uc]/g, (mark) => (mark === "%u" ? user : clientId))
}

function mentions(level: string, user: string, clientId: string): readonly string[] {
  return [...(level.includes("%u") ? [user] : []), ...(level.includes("%c") ? [clientId] : [])]
}

/** An allowing filter with the names in it; undefined when one of them could widen it: then the rule does not count. */
function fillAllowing(filter: string, user: string, clientId: string): Levels | undefined {
  const levels = filter.split("/")
  if (levels.some((level) => mentions(level, user, clientId).some(widens))) return undefined
  return levels.map((level) => fill(level, user, clientId))
}

/**
 * A denying filter with the names in it. Where one could widen it the whole level is denied, and, as wildcards leave out
 * what begins with $ (section 4.7.2), also what the name says as it stands.
 */
function fillDenying(filter: string, user: string, clientId: string): readonly Levels[] {
  const levels = filter.split("/")
  const whole = levels.map((level) =>
    mentions(level, user, clientId).some(widens) ? "+" : fill(level, user, clientId),
  )
  const plain = fill(filter, user, clientId)
  return plain.startsWith("$") && plain !== whole.join("/") ? [whole, plain.split("/")] : [whole]
}
