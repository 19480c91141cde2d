import { describe, expect, it } from "vitest"
import { repeatedMember } from "./repeated-member.ts"

describe("a name that stands twice in an object of JSON (RFC 8259 section 4)", () => {
  it.each([
    ['{"a":1,"a":2}', "a"],
    ['{"a":1,"b":{"a":1},"a":2}', "a"],
    ['{"a":[{"b":1}],"b":"a","a":0}', "a"],
    ['{ "a" : 1 , "\\u0061" : 2 }', "a"],
    ['{"":0,"":0}', ""],
    ['{"a\\"b":1,"a\\"b":2}', 'a"b'],
    ['{"__proto__":1,"__proto__":2}', "__proto__"],
  ])("%s: %j", (text, name) => expect(repeatedMember(text)).toBe(name))

  it.each([
    "{}",
    '{"a":"a","b":"b"}',
    '{"a":{"a":{"a":1}}}',
    '{"a":["a","a",{"a":1},{"a":1}]}',
    '{"a":"\\",\\"a\\":1","b":"}{:"}',
    '{"a":"\\\\","b":1}',
    '[{"a":1,"a":2}]',
    '"a"',
  ])("%s: none", (text) => expect(repeatedMember(text)).toBeUndefined())

  it("is found behind a text of any length", () => {
    for (const filler of ["x", '\\"', "\\\\"]) {
      const long = filler.repeat(8_000_000 / filler.length)
      expect(repeatedMember(`{"a":"${long}","b":1,"b":2}`)).toBe("b")
    }
  })
})
