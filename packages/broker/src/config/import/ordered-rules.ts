// Rules of NanoMQ and EMQX, of which the first that fits decides, as an access control list of ours, in which what denies wins
// wherever it stands. So a rule that allows an exception from a later one that denies is lost: that is said, and stricter.

import { parseAcl } from "../../access/acl.ts"
import type { Outcome, Source } from "./outcome.ts"

export interface OrderedRule {
  readonly source: Source
  readonly permit: "allow" | "deny"
  /** Undefined: it cannot be said here, for the reason in `unable`. */
  readonly who: readonly Who[] | undefined
  readonly action: "publish" | "subscribe" | "all"
  /** Undefined: all topics. Those that are only meant as they stand are left out, and in `exact`. */
  readonly topics: readonly string[] | undefined
  readonly exact: boolean
  /** Why it cannot be said here as it is. */
  readonly unable: string | undefined
}

export type Who = { readonly kind: "all" } | { readonly kind: "user" | "client"; readonly name: string }

const everything = ["#", "$SYS/#"]

/** The text of a list. @param otherwise what is done where no rule fits */
export function aclOf(rules: readonly OrderedRule[], otherwise: "allow" | "deny", outcome: Outcome): string {
  const lines = ["# Of rules of which the first that fits decides. Here what denies wins, wherever it stands."]
  let allowed = false
  let last: OrderedRule | undefined
  for (const rule of rules) {
    const { source, permit, unable } = rule
    if (last !== undefined) {
      outcome.hold(source, "a rule before it is of everybody and everything: this one is never asked")
      continue
    }
    if (isOfEverything(rule)) {
      last = rule
      outcome.carry(source)
      continue
    }
    const differs = differenceOf(rule, allowed)
    if (permit === "allow") allowed = true
    const made = unable !== undefined && permit === "allow" ? [] : linesOf(rule)
    if (made.length === 0) {
      outcome.leave(
        source,
        `${unable ?? "nothing of it can be said here"}${permit === "deny" ? ": what it denies is not denied by the list that is made" : ""}`,
      )
      if (permit === "deny")
        outcome.told.push(`${source.file}:${source.line}: a rule that denies is not carried over: ${source.text}`)
      continue
    }
    outcome.carry(source, differs)
    lines.push(`# ${source.text}`, ...(differs === undefined ? [] : [`#   ${differs}`]), ...made)
  }
  if ((last?.permit ?? otherwise) === "allow")
    lines.push("# Where no rule fits, it is allowed.", ...everything.map((filter) => `all readwrite ${filter}`))
  return `${lines.join("\n")}\n`
}

/** It decides what no rule before it does. */
function isOfEverything({ who, action, topics, unable, exact }: OrderedRule): boolean {
  const isOfAll = who?.length === 1 && who[0]?.kind === "all"
  return unable === undefined && isOfAll && action === "all" && (topics === undefined || topics.includes("#")) && !exact
}

function differenceOf({ permit, unable, exact }: OrderedRule, allowed: boolean): string | undefined {
  if (permit === "allow") return exact ? "what it says of a filter alone is left out" : undefined
  if (unable !== undefined) return `${unable}: here it denies everybody`
  if (exact)
    return "what it says of a filter alone is left out: a subscription to it is granted, without the topics that are denied"
  return allowed ? "here it wins over rules before it that allow something of it" : undefined
}

function linesOf({ permit, who = [{ kind: "all" }], action, topics = everything }: OrderedRule): string[] {
  const permission = {
    allow: { publish: "write", subscribe: "read", all: "readwrite" },
    deny: { publish: "deny-write", subscribe: "deny-read", all: "deny" },
  }[permit][action]
  const lines = who.flatMap((each) =>
    topics.map((topic) => {
      const filter = topic.replaceAll(/\$\{clientid\}/g, "%c").replaceAll(/\$\{username\}/g, "%u")
      return `${each.kind === "all" ? "all" : `${each.kind} "${each.name}"`} ${permission} ${filter}`
    }),
  )
  return lines.filter((line) => {
    try {
      return parseAcl(line).length === 1
    } catch {
      return false
    }
  })
}
