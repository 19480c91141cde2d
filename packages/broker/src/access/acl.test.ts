// Judging by the index of rules is what going through them one by one would say.

import { describe, expect, it } from "vitest"
import type { Identity } from "../ports/access.ts"
import { covers, matches, parseFilter, readFilter } from "../routing/filter.ts"
import { Acl, type AclRule, parseAcl } from "./acl.ts"
import { readingAclFile } from "./acl-file.ts"

type Levels = readonly string[]

/** As the README has it: every rule that applies, one after the other. */
function plainWalk(rules: readonly AclRule[], { user, source }: Identity, clientId: string) {
  const fill = (text: string) => text.replaceAll(/%[uc]/g, (mark) => (mark === "%u" ? user : clientId))
  const isWide = (name: string) => name === "" || name.startsWith("$") || /[/+#]/.test(name)
  const widens = (level: string) => (level.includes("%u") && isWide(user)) || (level.includes("%c") && isWide(clientId))
  const filters = ({ filter, permission }: AclRule): Levels[] => {
    const levels = filter.split("/")
    if (!permission.startsWith("deny")) return levels.some(widens) ? [] : [levels.map(fill)]
    const whole = levels.map((level) => (widens(level) ? "+" : fill(level)))
    return fill(filter).startsWith("$") ? [whole, fill(filter).split("/")] : [whole]
  }
  const ofUser = rules.filter(({ who, name }) =>
    source === "anonymous" ? who === "anonymous" : who === "user" && name === user,
  )
  const ofClient = rules.filter(({ who, name }) => who === "client" && name === clientId)
  const all = [...ofUser, ...ofClient, ...rules.filter(({ who }) => who === "all")]
  const refusal = (action: string, fits: (levels: Levels) => boolean): string | undefined => {
    const said = (permission: string[]) =>
      all.find((rule) => permission.includes(rule.permission) && filters(rule).some(fits))
    const denial = said(["deny", `deny-${action}`])
    if (denial !== undefined) return denial.refusal.rule
    return said(["readwrite", action]) === undefined ? "no rule allows it" : undefined
  }
  return {
    write: (topic: string) => refusal("write", (levels) => matches(levels, topic)),
    read: (path: string) => refusal("read", (levels) => covers(levels, path.split("/"))),
    comes: (topic: string) =>
      !all.some(
        (rule) =>
          ["deny", "deny-read"].includes(rule.permission) && filters(rule).some((levels) => matches(levels, topic)),
      ),
  }
}

/** Numbers below `n`, the same ones each time. */
function random(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

const ofRules = ["a", "b", "c", "", "$x", "+", "+", "%c", "%u", "x%c", "%u%c", "$%c", "$%u", "%", "%x"]
const ofTopics = ["a", "b", "c", "", "$x", "$", "x", "xa", "ab", "%c", "%u", "%", "$a", "$x#", "$$x"]
const names = ["a", "b", "", "$x", "$", "a/b", "+", "#", "a/#", "$x/#", "$x/+", "x", "/", "b/#/c", "#x"]
const permissions = ["read", "write", "readwrite", "deny", "deny-read", "deny-write"]

describe("the index of an access control list", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("says what a walk through all rules says, seed %i", (seed) => {
    const below = random(seed)
    const one = <T>(of: readonly T[]): T => of[below(of.length)]!
    const path = (of: readonly string[], wild: boolean) => {
      const levels = Array.from({ length: 1 + below(4) }, () => one(of))
      if (wild && below(4) === 0) levels[levels.length - 1] = "#"
      return levels.join("/")
    }
    const seen = { refused: 0, allowed: 0, left: 0, shut: 0 }
    for (let round = 0; round < 60; round++) {
      const who = ["all", "all", "all", "anonymous", 'user "a"', 'user "$x"', 'client "a"', 'client "a/#"']
      const lines = Array.from(
        { length: 1 + below(30) },
        () => `${one(who)} ${one(permissions)} ${path(ofRules, true)}`,
      )
      const rules = lines.flatMap((line, at) => {
        try {
          return parseAcl("\n".repeat(at) + line)
        } catch {
          return [] // an empty filter
        }
      })
      const acl = new Acl(rules)
      for (let client = 0; client < 6; client++) {
        const clientId = one(names)
        const user = one(names)
        const identity: Identity = below(2) === 0 ? { user: "", source: "anonymous" } : { user, source: "password" }
        const plain = plainWalk(rules, identity, clientId)
        const what = `${lines.join("\n")}\nuser ${identity.user} client ${clientId}`
        const topics = Array.from({ length: 12 }, () => path(ofTopics, false)).filter((topic) => topic !== "")
        for (const topic of topics) {
          const refusal = acl.publishRefusal(identity, clientId, topic)?.rule
          expect(refusal, `${what} to ${topic}`).toBe(plain.write(topic))
          seen[refusal === undefined ? "allowed" : "refused"]++
        }
        for (let i = 0; i < 12; i++) {
          const filter = readFilter(path([...ofTopics, "+", "+", "+"], true), 99)!
          if (filter.text === "") continue
          expect(acl.subscribeRefusal(identity, clientId, filter)?.rule, `${what} of ${filter.text}`).toBe(
            plain.read(filter.path),
          )
          const rule = acl.deliveryRule(identity, clientId, filter)
          for (const topic of topics) {
            if (!matches(filter.levels, topic)) continue
            const comes = rule === undefined || rule(topic)
            expect(comes, `${what} by ${filter.text} on ${topic}`).toBe(plain.comes(topic))
            seen[comes ? "left" : "shut"]++
          }
        }
      }
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50)
  })

  it("a list that is read step by step is the same", () => {
    const text = "all readwrite #\n\n# not\nall deny a/+"
    const steps = readingAclFile(text)
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    expect(step.value.size).toBe(2)
    expect(step.value.publishRefusal({ user: "", source: "anonymous" }, "c", "a/b")?.rule).toBe("line 4: all deny a/+")
  })

  it("looks at what could match, however many rules there are, and says what it has looked at", () => {
    const anybody: Identity = { user: "", source: "anonymous" }
    for (const name of ["c", "$x"]) {
      const cost = (count: number, work: (acl: Acl) => void) => {
        const rules = Array.from({ length: count }, (_, i) => `all deny a/+/+/${i}/secret\nall deny own/%c/${i}/#`)
        const acl = new Acl(parseAcl(`${rules.join("\n")}\nall readwrite #`))
        const before = acl.work
        for (let i = 0; i < 100; i++) work(acl)
        return acl.work - before
      }
      const filter = (text: string) => parseFilter(text, 99)
      for (const [what, most, work] of [
        ["publish", 20, (acl) => acl.publishRefusal(anybody, name, "a/b/c/7x/secre")],
        ["publish to one's own", 20, (acl) => acl.publishRefusal(anybody, name, "own/c/7x/secre")],
        ["subscribe", 20, (acl) => acl.subscribeRefusal(anybody, name, filter("a/b/+/7x/x"))],
        ["what comes through", 100, (acl) => acl.deliveryRule(anybody, name, filter("a/+/+/+/x"))],
      ] as [string, number, (acl: Acl) => void][]) {
        const [few, many] = [cost(10, work), cost(2000, work)]
        expect(few, what).toBeGreaterThanOrEqual(100)
        expect(many, what).toBeLessThanOrEqual(100 * most + 2000)
      }
    }
  })
})
