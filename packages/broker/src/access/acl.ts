// Access control list, one rule a line:
//
//   user NAME      PERMISSION  FILTER      clients that logged in as NAME; a name with spaces stands in "quotes"
//   client ID      PERMISSION  FILTER      the client with that Client Identifier
//   anonymous      PERMISSION  FILTER      clients without login
//   all            PERMISSION  FILTER      every client
//
// PERMISSION is read (subscribe), write (publish), readwrite, deny, deny-read or deny-write. FILTER is a Topic Filter in
// which %u is the user's name and %c the Client Identifier. What no rule allows is refused; deny wins over the others.
// A subscription is allowed when one read rule covers all of it; topics of it that a deny rule matches are left out.

import { covers, matches, overlaps, parseFilter, type TopicFilter } from "../routing/filter.ts"
import type { Identity } from "./access.ts"

type Permission = "read" | "write" | "readwrite" | "deny" | "deny-read" | "deny-write"

export interface AclRule {
  readonly who: "user" | "client" | "anonymous" | "all"
  /** Name or Client Identifier; "" for anonymous and all. */
  readonly name: string
  readonly permission: Permission
  readonly filter: string
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
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = raw.trim()
    if (line !== "" && !line.startsWith("#")) rules.push(parseRule(line, index + 1))
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
  return { who, name, permission, filter }
}

function isPermission(text: string): text is Permission {
  return permissions.has(text)
}

/** The rules of one client with its names filled in. */
interface OwnRules {
  readonly read: (readonly string[])[]
  readonly write: (readonly string[])[]
  readonly denyRead: (readonly string[])[]
  readonly denyWrite: (readonly string[])[]
}

export class Acl {
  readonly #rules: readonly AclRule[]
  /** An Identity belongs to one connection, so its rules are worked out once and go with it. */
  readonly #own: WeakMap<Identity, OwnRules> = new WeakMap()

  constructor(rules: readonly AclRule[]) {
    this.#rules = rules
  }

  mayPublish(identity: Identity, clientId: string, topic: string): boolean {
    const own = this.#rulesOf(identity, clientId)
    if (own.denyWrite.some((levels) => matches(levels, topic))) return false
    return own.write.some((levels) => matches(levels, topic))
  }

  maySubscribe(identity: Identity, clientId: string, filter: TopicFilter): boolean | ((topic: string) => boolean) {
    const own = this.#rulesOf(identity, clientId)
    if (!own.read.some((levels) => covers(levels, filter.levels))) return false
    const touching = own.denyRead.filter((levels) => overlaps(levels, filter.levels))
    if (touching.length === 0) return true
    if (touching.some((levels) => covers(levels, filter.levels))) return false
    return (topic) => !touching.some((levels) => matches(levels, topic))
  }

  #rulesOf(identity: Identity, clientId: string): OwnRules {
    const known = this.#own.get(identity)
    if (known !== undefined) return known
    const own: OwnRules = { read: [], write: [], denyRead: [], denyWrite: [] }
    for (const rule of this.#rules) {
      if (!applies(rule, identity, clientId)) continue
      const deny = rule.permission.startsWith("deny")
      const levels = fill(rule.filter, identity.user, clientId, deny)
      if (levels === undefined) continue
      const { permission } = rule
      if (permission === "read" || permission === "readwrite") own.read.push(levels)
      if (permission === "write" || permission === "readwrite") own.write.push(levels)
      if (permission === "deny" || permission === "deny-read") own.denyRead.push(levels)
      if (permission === "deny" || permission === "deny-write") own.denyWrite.push(levels)
    }
    this.#own.set(identity, own)
    return own
  }
}

function applies(rule: AclRule, identity: Identity, clientId: string): boolean {
  switch (rule.who) {
    case "all":
      return true
    case "anonymous":
      return identity.source === "anonymous"
    case "client":
      return rule.name === clientId
    case "user":
      return identity.source !== "anonymous" && rule.name === identity.user
  }
}

/**
 * Puts the names into a filter. A name with /, + or # could widen the filter, so an allowing rule with such a name does
 * not count, and a denying one denies the whole level.
 */
function fill(filter: string, user: string, clientId: string, deny: boolean): readonly string[] | undefined {
  const levels: string[] = []
  for (const level of filter.split("/")) {
    if (!level.includes("%u") && !level.includes("%c")) {
      levels.push(level)
      continue
    }
    const names = [level.includes("%u") ? user : "x", level.includes("%c") ? clientId : "x"]
    if (names.some((name) => name === "" || /[/+#]/.test(name))) {
      if (!deny) return undefined
      levels.push("+")
      continue
    }
    levels.push(level.replaceAll(/%[uc]/g, (mark) => (mark === "%u" ? user : clientId)))
  }
  return levels
}
