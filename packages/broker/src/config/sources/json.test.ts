import { describe, expect, it } from "vitest"
import { deepest, SyntaxProblem } from "./document.ts"
import { readJson } from "./json.ts"

function problem(text: string): string {
  try {
    readJson(text)
  } catch (error) {
    if (error instanceof SyntaxProblem) return `${error.place.line}:${error.place.column}: ${error.message}`
    throw error
  }
  return "is taken"
}

const texts = [
  ...[
    "{}",
    "[]",
    " {\t} ",
    "[1,2 , 3]",
    '{"a":{"b":[true,false,null]}}',
    '"\\u00fc\\n\\"\\\\\\/"',
    "-0.5e+3",
    "0",
    "1E2",
  ],
  ...['{"__proto__":{"a":1},"constructor":2}', '{"":1}', '"\u00e4\u{1f600}"', '{"a b":[{"c":1}]}\r\n', "[[],[[]]]"],
  ...["", "{", "[1,]", '{"a":1,}', "01", "+1", "1.", ".5", "NaN", "'a'", '"\t"', '"\\x"', "[1 2]", '{"a" 1}', "{a:1}"],
  ...["tru", "nul", '"', '{"a":1}x', "// a\n{}", '"\\u12"', "\ufeff{}", "1e", "--1", '{"a":}'],
]

describe("JSON", () => {
  it.each(texts)("%j is taken as JSON.parse takes it, or refused as there", (text) => {
    let expected: unknown
    try {
      expected = { value: JSON.parse(text) }
    } catch {
      expected = "refused"
    }
    let found: unknown
    try {
      found = { value: JSON.parse(JSON.stringify(readJson(text).value)) }
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxProblem)
      found = "refused"
    }
    expect(found).toEqual(expected)
  })

  it("tells where each value stands: a member by its name", () => {
    const { places } = readJson('{\n  "a": {"b": 1},\n  "c": [\n    2,\n    {"d": 3}]\n}')
    const told = Object.fromEntries([...places].map(([path, { line, column }]) => [path, `${line}:${column}`]))
    expect(told).toEqual({
      ...{ "": "1:1", a: "2:3", "a.b": "2:9", c: "3:3", "c[0]": "4:5", "c[1]": "5:5", "c[1].d": "5:6" },
    })
  })

  it.each([
    ['{"a": 1,\n "b": tru}', "2:7: a value is missing: t is none. A text stands in double quotes"],
    ['{"a": 1\n "b": 2}', '2:2: a comma or } is missing before "'],
    ['{"a": 1,\n}', "1:8: a comma stands before }: JSON has none behind the last"],
    ['{"a": 1, "a": 2}', "1:10: a is there twice, first in line 1"],
    ["{a: 1}", "1:2: a name in double quotes is missing before a"],
    ['{"a": 1 // why\n}', "1:9: JSON has no comments; TOML has, in a file that ends in .toml"],
    ['{"a": "b\n"}', "1:7: a text has no double quote at its end"],
    ['{"a": "\\d"}', "1:8: \\d means nothing in a text; a backslash is written \\\\"],
    ['{"a": "\t"}', '1:8: a text has a control character, which is written "\\t"'],
    ["{", "1:2: a name in double quotes is missing before the end of the file"],
    ["[1", "1:3: a comma or ] is missing before the end of the file"],
    ["{} {}", "1:4: { comes behind its end"],
  ])("%j: %s", (text, said) => {
    expect(problem(text)).toBe(said)
  })

  it("takes so many values within each other, and one more not", () => {
    const nested = (depth: number) => `${"[".repeat(depth)}1${"]".repeat(depth)}`
    expect(problem(nested(deepest))).toBe("is taken")
    expect(problem(nested(deepest + 1))).toBe(`1:${deepest + 2}: more than ${deepest} values are within each other`)
    expect(problem("[".repeat(1_000_000))).toMatch(/^1:\d+: more than/)
  })
})
