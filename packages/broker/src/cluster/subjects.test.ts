import { describe, expect, it } from "vitest"
import { seeded } from "../../../tls13/src/measure/seeded.ts"
import { matches, parseFilter } from "../routing/filter.ts"
import {
  longestSubject,
  subjectMatches,
  subjectOfTopic,
  subjectsOfFilter,
  tokenOfClient,
  topicOfSubject,
} from "./subjects.ts"

const random = seeded(14)
const below = (limit: number) => Math.floor(random() * limit)
const pick = <Item>(from: readonly Item[]): Item => from[below(from.length)]!

const levels = ["", "a", "b", "a.b", "*", ">", "%", "%2E", "h", "$", "$a", "é x", "日本"]
/** No filter has them. */
const odd = ["\t", "\u0085", "\u00a0x", "\u3000", "a\u2028", "\ufeff", "%u3000"]
const topicOf = () => {
  const made = Array.from({ length: 1 + below(4) }, () => pick([...levels, ...odd])).join("/")
  return made === "" ? "/" : made
}
const filterOf = () => {
  const made = Array.from({ length: 1 + below(4) }, () => (below(3) === 0 ? "+" : pick(levels)))
  if (below(3) === 0) made[made.length - 1] = "#"
  const text = made.join("/")
  return text === "" ? "/" : text
}

describe("topics and subjects", () => {
  it.each([
    ["a/b.c//d", "t.a.b%2Ec.%.d"],
    ["$a/b", "d.a.b"],
    ["$", "d.%"],
    ["/", "t.%.%"],
    ["a b/*/>/%", "t.a%20b.%2A.%3E.%25"],
    ["a/$b", "t.a.$b"],
  ])("%s is %s, and back", (topic, subject) => {
    expect(subjectOfTopic(topic)).toEqual({ text: subject, hashed: false })
    expect(topicOfSubject(subject)).toBe(topic)
  })

  it.each([
    "t",
    "d",
    "",
    "x.a",
    "h.00",
    "t..a",
    "t.a.",
    "t.%2e",
    "t.%41",
    "t.%4",
    "t.a%",
    "t.a b",
    "t.*",
    "t.$a",
    "t.>",
  ])("%j is no topic's", (subject) => expect(topicOfSubject(subject)).toBeUndefined())

  it("each topic has a subject of its own, of which NATS takes all characters", () => {
    const seen = new Map<string, string>()
    for (let i = 0; i < 5000; i++) {
      const topic = topicOf()
      const { text } = subjectOfTopic(topic)
      expect(topicOfSubject(text)).toBe(topic)
      expect(seen.get(text) ?? topic).toBe(topic)
      seen.set(text, topic)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(text).not.toMatch(/[\u0000- \u007f-\u009f*>]|\.\.|^\.|\.$/)
    }
  })

  it.each([
    ["a/b", ["t.a.b"]],
    ["a/+", ["t.a.*", "h.>"]],
    ["a/#", ["t.a", "t.a.>", "h.>"]],
    ["#", ["t.>", "h.>"]],
    ["+", ["t.*", "h.>"]],
    ["+/#", ["t.*", "t.*.>", "h.>"]],
    ["$a/#", ["d.a", "d.a.>", "h.>"]],
    ["$/+", ["d.%.*", "h.>"]],
    ["//#", ["t.%.%", "t.%.%.>", "h.>"]],
  ])("the filter %s is %j", (filter, subjects) => expect(subjectsOfFilter(filter)).toEqual(subjects))

  it("a filter's subjects match the topics that it matches, and no others [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.2-1]", () => {
    let matched = 0
    for (let i = 0; i < 20_000; i++) {
      const [topic, filter] = [topicOf(), filterOf()]
      const wanted = matches(parseFilter(filter, 200).levels, topic)
      const { text } = subjectOfTopic(topic)
      const found = subjectsOfFilter(filter).some((pattern) => subjectMatches(pattern, text))
      expect([filter, topic, found]).toEqual([filter, topic, wanted])
      if (wanted) matched++
    }
    expect(matched).toBeGreaterThan(1000)
  })
})

describe("what is too long for a subject", () => {
  const long = `a/${"é".repeat(longestSubject / 2)}`

  it("is hashed, each topic to its own, and matched by filters with wildcards", () => {
    const { text, hashed } = subjectOfTopic(long)
    expect(hashed).toBe(true)
    expect(text).toMatch(/^h\.[0-9a-f]{64}$/)
    expect(subjectOfTopic(`${long}x`).text).not.toBe(text)
    expect(topicOfSubject(text)).toBeUndefined()
    for (const filter of [long, "a/+", "#", `${long}/#`, `+/${long}`])
      expect(subjectsOfFilter(filter).some((pattern) => subjectMatches(pattern, text))).toBe(true)
    expect(subjectsOfFilter(`${long}/#`)).toEqual(["h.>"])
  })

  it("at the limit is not, one byte past it is", () => {
    const at = "a".repeat(longestSubject - 2)
    expect(subjectOfTopic(at)).toEqual({ text: `t.${at}`, hashed: false })
    expect(subjectOfTopic(`${at}a`).hashed).toBe(true)
  })
})

describe("Client Identifiers", () => {
  it.each([
    ["sensor-1", "sensor-1"],
    ["a.b/c d", "a%2Eb/c%20d"],
    ["", "%"],
    ["%h", "%25h"],
  ])("%j is the token %s", (clientId, token) => expect(tokenOfClient(clientId)).toBe(token))

  it("that are long are hashed", () => {
    const token = tokenOfClient("c".repeat(longestSubject + 1))
    expect(token).toMatch(/^%h[0-9a-f]{64}$/)
    expect(tokenOfClient(token)).toBe(token.replace("%", "%25"))
  })
})
