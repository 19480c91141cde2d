import { describe, expect, it } from "vitest"
import { seeded } from "../../../tls13/src/measure/seeded.ts"
import { Interest } from "./interest.ts"
import { subjectsOfFilter } from "./subjects.ts"

/** Whether all that `one` matches is matched by `other`, as nats-server sees it. */
function isPartOf(one: string, other: string): boolean {
  const [tokens, wider] = [one.split("."), other.split(".")]
  for (const [at, token] of wider.entries()) {
    if (token === ">") return tokens.length > at
    if (tokens[at] === undefined || tokens[at] === ">") return false
    if (token !== "*" && token !== tokens[at]) return false
  }
  return tokens.length === wider.length
}

function settled(interest: Interest): readonly string[] {
  interest.settle()
  return [...interest.subjects].sort()
}

describe("interest", () => {
  it("counts who needs a subject, and tells what changes", () => {
    const interest = new Interest(10)
    interest.add("t.a")
    interest.add("t.a")
    interest.add("t.b")
    expect(interest.settle()).toEqual({ added: ["t.a", "t.b"], removed: [] })
    interest.remove("t.a")
    expect(interest.settle()).toEqual({ added: [], removed: [] })
    interest.remove("t.a")
    expect(interest.settle()).toEqual({ added: [], removed: ["t.a"] })
    expect(() => interest.remove("t.a")).toThrow(new RangeError("t.a was not added"))
    expect(() => interest.remove("t.b.>")).toThrow(RangeError)
  })

  it.each([
    [
      ["t.a.>", "t.a.b", "t.a"],
      ["t.a", "t.a.>"],
    ],
    [["t.*", "t.a"], ["t.*"]],
    [["t.*.>", "t.a.>", "t.a.b.c"], ["t.*.>"]],
    [
      ["t.a.*", "t.*.b"],
      ["t.*.b", "t.a.*"],
    ],
    [["t.>", "t.a", "t.*.b.>"], ["t.>"]],
    [["t.*.*", "t.*.a", "t.b.*"], ["t.*.*"]],
  ])("%j is %j: none is part of another", (subjects, wanted) => {
    const interest = new Interest(10)
    for (const subject of subjects) interest.add(subject)
    expect(settled(interest)).toEqual(wanted)
  })

  // A session that came back with these kept its node busy for 5 seconds, for each 32 messages that it was fetched.
  it("is soon worked out for many filters in many places", () => {
    const interest = new Interest(300)
    for (let at = 0; at < 10_000; at++) interest.add(`t.house.room${at % 500}.lamp${at}`)
    const begun = performance.now()
    expect(settled(interest).length).toBeLessThanOrEqual(300)
    expect(performance.now() - begun).toBeLessThan(1500)
  })

  it("asks for what was part of another when that is gone", () => {
    const interest = new Interest(10)
    for (const subject of ["t.a.>", "t.a.b", "t.a.*"]) interest.add(subject)
    expect(settled(interest)).toEqual(["t.a.>"])
    interest.remove("t.a.>")
    expect(interest.settle()).toEqual({ added: ["t.a.*"], removed: ["t.a.>"] })
    interest.remove("t.a.*")
    expect(interest.settle()).toEqual({ added: ["t.a.b"], removed: ["t.a.*"] })
  })

  it("past its limit asks for the fullest place as a whole, and for no more than that; and comes back", () => {
    const interest = new Interest(20)
    for (let i = 0; i < 10; i++) interest.add(`t.few.${i}`)
    for (let i = 0; i < 10; i++) interest.add(`t.many.${i}.state`)
    expect(settled(interest)).toHaveLength(20)
    for (let i = 10; i < 500; i++) interest.add(`t.many.${i}.state`)
    interest.add("t.many")
    expect(settled(interest)).toEqual([...Array.from({ length: 10 }, (_, i) => `t.few.${i}`), "t.many", "t.many.>"])
    for (let i = 0; i < 10; i++) interest.remove(`t.few.${i}`)
    for (let i = 5; i < 500; i++) interest.remove(`t.many.${i}.state`)
    expect(settled(interest)).toEqual(["t.many", ...Array.from({ length: 5 }, (_, i) => `t.many.${i}.state`)])
  })

  it("what changes while a place is widened costs no asking", () => {
    const interest = new Interest(20)
    for (let i = 0; i < 1000; i++) interest.add(`t.many.${i}`)
    expect(settled(interest)).toEqual(["t.many.>"])
    for (let i = 1000; i < 2000; i++) {
      interest.add(`t.many.${i}`)
      expect(interest.settle()).toEqual({ added: [], removed: [] })
    }
  })

  it("whatever comes and goes: all is asked for that a filter needs, none is part of another, within the limit", () => {
    const random = seeded(9)
    const below = (limit: number) => Math.floor(random() * limit)
    for (const limit of [3, 8, 40]) {
      const interest = new Interest(limit)
      const asked = new Set<string>()
      const held: string[] = []
      for (let round = 0; round < 160; round++) {
        const grows = Math.floor(round / 40) % 2 === 0
        for (let i = below(6); i > 0; i--) {
          if (!grows && held.length > 0) {
            const [filter] = held.splice(below(held.length), 1)
            for (const subject of subjectsOfFilter(filter!)) interest.remove(subject)
          } else {
            const levels = Array.from({ length: 1 + below(4) }, () =>
              below(4) === 0 ? "+" : `${"abc"[below(3)]}${below(3)}`,
            )
            if (below(5) === 0) levels.push("#")
            if (below(9) === 0) levels[0] = "$x"
            held.push(levels.join("/"))
            for (const subject of subjectsOfFilter(levels.join("/"))) interest.add(subject)
          }
        }
        const { added, removed } = interest.settle()
        const before = new Set(asked)
        for (const subject of removed) asked.delete(subject)
        for (const subject of added) asked.add(subject)
        expect(before.size + added.length - removed.length).toBe(asked.size)
        expect([...asked].sort()).toEqual([...interest.subjects].sort())
        expect(asked.size).toBeLessThanOrEqual(limit)
        const all = [...asked]
        const parts = all.filter((one) => all.some((other) => one !== other && isPartOf(one, other)))
        const wanted = held.flatMap((filter) => subjectsOfFilter(filter))
        const missing = wanted.filter((subject) => !all.some((each) => isPartOf(subject, each)))
        expect({ parts, missing }).toEqual({ parts: [], missing: [] })
      }
      for (const filter of held) for (const subject of subjectsOfFilter(filter)) interest.remove(subject)
      expect(settled(interest)).toEqual([])
    }
  })

  it("asks for wider ones when the subjects together have more bytes than fit into one message", () => {
    const long = (at: number) => `t.${"a".repeat(500)}.b${at}`
    const bytes = (count: number) =>
      Array.from({ length: count }, (_, at) => long(at).length + 2 + 80).reduce((a, b) => a + b, 0)
    const interest = new Interest(300)
    interest.mostBytes = bytes(40)
    for (let at = 0; at < 40; at++) interest.add(long(at))
    expect(settled(interest)).toHaveLength(40)
    interest.add(long(40))
    expect(settled(interest)).toEqual([`t.${"a".repeat(500)}.>`])
    // Each root with a subject as long as there is stays within it.
    const least = new Interest(300)
    least.mostBytes = 16_000
    for (const root of ["t", "d"]) for (let at = 0; at < 10; at++) least.add(`${root}.${at}${'"'.repeat(2990)}`)
    least.add("h.>")
    expect(settled(least)).toEqual(["d.>", "h.>", "t.>"])
  })
})
