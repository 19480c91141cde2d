// Lists of Mosquitto's mean what they mean there; tests/mosquitto-acl.test.ts asks its broker.

import { describe, expect, it } from "vitest"
import type { Identity } from "../ports/access.ts"
import { matches, parseFilter } from "../routing/filter.ts"
import { readAclFile } from "./acl-file.ts"

interface Line {
  readonly kind: "topic" | "pattern"
  readonly user: string | undefined
  readonly permission: string
  readonly filter: string
}

/** As a level of a pattern is matched in 2.0, where the names are filled in, and in 2.1, where levels are compared. */
const patternMatches = {
  "2.0": (filter: string, topic: string, user: string, clientId: string) =>
    matches(filter.replaceAll("%c", clientId).replaceAll("%u", user).split("/"), topic),
  "2.1": (filter: string, topic: string, user: string, clientId: string) => {
    if (topic.startsWith("$") !== filter.startsWith("$")) return false
    const names = filter.split("/").map((level) => (level === "%c" ? clientId : level === "%u" ? user : level))
    return (
      !names.some((name, i) => name !== filter.split("/")[i] && (name === "" || name.includes("/"))) &&
      matches(names, topic)
    )
  },
}

/** Every rule in turn, as acl_check.c does it. */
function plainWalk(lines: readonly Line[], { user, source }: Identity, clientId: string, version: "2.0" | "2.1") {
  const name = source === "anonymous" ? undefined : user
  const inOrder = (of: readonly Line[]) => [
    ...of.filter(({ permission }) => permission === "deny"),
    ...of.filter(({ permission }) => permission !== "deny"),
  ]
  return (topic: string, action: string): boolean => {
    const gives = ({ permission }: Line) => permission === "readwrite" || permission === action
    for (const line of inOrder(lines.filter((one) => one.kind === "topic" && one.user === name))) {
      if (!matches(line.filter.split("/"), topic)) continue
      if (line.permission === "deny") return false
      if (gives(line)) return true
    }
    const patterns = inOrder(lines.filter(({ kind }) => kind === "pattern"))
    if (patterns.length > 0 && /[+#]/.test(`${user}${clientId}`)) return false
    for (const line of patterns) {
      if (name === undefined && line.filter.includes("%u")) continue
      if (!patternMatches[version](line.filter, topic, user, clientId)) continue
      if (line.permission === "deny") return false
      if (gives(line)) return true
    }
    return false
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

const ofTopics = ["a", "b", "c", "", "$x", "x", "%c", "%u"]
const ofFilters = [...ofTopics, "+", "+", "%c", "%u"]
const names = ["a", "b", "$x", "a/b", "x", "+", "a#", "/"]

describe("an access control list of Mosquitto's", () => {
  it.each([1, 2, 3, 4, 5, 6])("says what going through the rules says, in 2.0 and 2.1, seed %i", (seed) => {
    const below = random(seed)
    const one = <T>(of: readonly T[]): T => of[below(of.length)]!
    const path = (of: readonly string[], wild: boolean) => {
      const levels = Array.from({ length: 1 + below(3) }, () => one(of))
      if (wild && below(4) === 0) levels[levels.length - 1] = "#"
      return levels.join("/")
    }
    const seen = { yes: 0, no: 0, comes: 0, all: 0 }
    for (let round = 0; round < 60; round++) {
      let user: string | undefined
      const lines: Line[] = []
      const text: string[] = []
      for (let i = 0; i < 1 + below(14); i++) {
        if (below(5) === 0) {
          user = one(["a", "b", "$x", "a/b"])
          text.push(`user ${user}`)
          continue
        }
        const permission = one(["read", "write", "readwrite", "deny", "deny"])
        const filter = path(ofFilters, true)
        if (filter === "") continue
        const kind = one(["topic", "pattern"] as const)
        lines.push({ kind, user, permission, filter })
        text.push(`${kind} ${permission} ${filter}`)
      }
      if (!text.some((line) => /^(topic|pattern)/.test(line))) continue
      const acl = readAclFile(text.join("\n"))
      expect(acl.size).toBe(lines.length)
      for (let ask = 0; ask < 40; ask++) {
        const source = one(["anonymous", "password"] as const)
        const identity: Identity = { user: source === "anonymous" ? "" : one(names), source }
        const clientId = one(names)
        const topic = path(ofTopics, false)
        if (topic === "") continue
        const allowed = (action: string) =>
          (["2.0", "2.1"] as const).every((version) => plainWalk(lines, identity, clientId, version)(topic, action))
        const context = `${text.join("\n")}\n${JSON.stringify(identity)} ${clientId} ${topic}`
        expect(acl.publishRefusal(identity, clientId, topic) === undefined, context).toBe(allowed("write"))
        seen[allowed("write") ? "yes" : "no"]++
        const filter = parseFilter(one([topic, "#", "+/#", topic.replace(/^[^/]*/, "+")]), 9)
        expect(acl.subscribeRefusal(identity, clientId, filter)).toBeUndefined()
        if (!matches(filter.levels, topic)) continue
        const rule = acl.deliveryRule(identity, clientId, filter)
        expect(rule === undefined || rule(topic), `${context} through ${filter.text}`).toBe(allowed("read"))
        seen[rule === undefined ? "all" : "comes"]++
      }
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(30)
  })

  const bob: Identity = { user: "bob", source: "password" }

  it("names the rule that refuses", () => {
    const acl = readAclFile("# of the house\ntopic read a/#\nuser bob\ntopic deny a/b\ntopic a/#\npattern deny x/%u")
    expect(acl.publishRefusal(bob, "c", "a/b")).toEqual({ rule: "line 4: topic deny a/b" })
    expect(acl.publishRefusal(bob, "c", "x/bob")).toEqual({ rule: "line 6: pattern deny x/%u" })
    expect(acl.publishRefusal(bob, "c", "y")).toEqual({ rule: "no rule allows it" })
    expect(acl.publishRefusal({ ...bob, user: "b+" }, "c", "x/b")).toEqual({
      rule: "no pattern is for a name with + or # in it",
    })
  })

  it("denies what a login allows, and allows nothing that it does not", () => {
    const acl = readAclFile("user bob\ntopic a/#\ntopic deny a/b\npattern deny x/%u\npattern c")
    const rights = { allows: (_: string, text: string) => ["a/b", "x/bob", "y"].includes(text), size: 1 }
    const may = (topic: string) => acl.publishRefusal({ ...bob, rights }, "c", topic) === undefined
    expect(["a/b", "a/c", "x/bob", "y", "c"].filter(may)).toEqual(["y"])
    expect(acl.subscribeRefusal({ ...bob, rights }, "c", parseFilter("a/c", 9))).toBeDefined()
    expect(acl.subscribeRefusal({ ...bob, rights }, "c", parseFilter("y", 9))).toBeUndefined()
    expect(acl.deliveryRule({ ...bob, rights }, "c", parseFilter("+", 9))?.("c")).toBe(false)
  })

  it("takes what Mosquitto takes as the form of a line", () => {
    const acl = readAclFile("topic x\nuser  bob of the   house \r\ntopic write  a b/c\r\n topic read\n")
    const identity: Identity = { user: "bob of the   house", source: "password" }
    expect(acl.publishRefusal(identity, "c", "a b/c")).toBeUndefined()
    expect(acl.publishRefusal(identity, "c", "read")).toBeUndefined()
    expect(acl.size).toBe(3)
  })

  it.each([
    ["topic", "line 1: expected"],
    ["topic a\ntopic read", undefined],
    ["topic a\ntopic", "line 2: topic needs a topic"],
    ["topic a\nuser", "line 2: user needs a name"],
    ["topic a\n\n# x\nreads a", "line 4: expected, as in the lines before"],
    ["topic a b", "line 1: a is none of read, write, readwrite, deny; a topic with a space in it needs one"],
    ["topic read a/#/b", "line 1: "],
    ["pattern read x%u/a", "line 1: %u and %c must be all of a level"],
    ["topic read a\nuser bob read b", "line 2: this is of our own form, and line 1 of Mosquitto's"],
    ["user bob read b\nuser bob", "line 2: this is of Mosquitto's form, and line 1 of our own"],
    ["all read b\ntopic a", "line 2: this is of Mosquitto's form, and line 1 of our own"],
    ["user bob reed b", "line 1: reed is none of"],
  ])("of %j says %j", (text, what) => {
    if (what === undefined) expect(() => readAclFile(text)).not.toThrow()
    else expect(() => readAclFile(text)).toThrow(what)
  })

  it("looks at what could match, however many rules there are", () => {
    const cost = (count: number) => {
      const lines = Array.from({ length: count }, (_, i) => `topic deny a/+/${i}/x\npattern deny own/%u/${i}/#`)
      const acl = readAclFile(`user bob\n${lines.join("\n")}\npattern readwrite #`)
      const before = acl.work
      for (let i = 0; i < 100; i++) {
        acl.publishRefusal(bob, "c", "a/b/7/secret")
        acl.deliveryRule(bob, "c", parseFilter("own/bob/7/y", 9))
      }
      return acl.work - before
    }
    expect(cost(2000)).toBeLessThanOrEqual(1.5 * cost(10))
  })
})
