import { describe, expect, it } from "vitest"
import { itemOf, memberOf } from "../schema/path.ts"
import { SyntaxProblem } from "./document.ts"
import { readToml } from "./toml.ts"

function problem(text: string): string {
  try {
    readToml(text)
  } catch (error) {
    if (error instanceof SyntaxProblem) return `${error.place.line}:${error.place.column}: ${error.message}`
    throw error
  }
  return "is taken"
}

/** The places of all values. */
function pathsIn(value: unknown, where: string = ""): string[] {
  const inside = Array.isArray(value)
    ? value.flatMap((each, index) => pathsIn(each, itemOf(where, index)))
    : typeof value === "object" && value !== null && !(value instanceof Date)
      ? Object.entries(value).flatMap(([name, each]) => pathsIn(each, memberOf(where, name)))
      : []
  return [where, ...inside]
}

const everything = `# a comment = 1
a = 1
"b c" = 'it''s' # "
`.replace("it''s", "its")

const long = `#:schema ./puremq.schema.json
a = 1
"b c" = "x = 2 # no comment" # one
'd.e'.f = 2
g.h.i = [
  1, # two
  { j = "]", k = ["}", '''
]'''] },
  [ 2,
    3 ],
]
l = """
m = 1
\\""""
n = '''
'o' = 2'''
p = 1979-05-27 07:32:00Z
q = -1_000.5e-3
r = "\\u00fc\\"" # "

[s.t]
"\\u0061" = true
u = { v = 1, w.x = 2 }

[[y]]
z = 1

[[y]]
z = 2
[y.sub]
a = 3
[[y.list]]
b = 4
[[y.list]]
c = 5

  [ aa . bb ]
  cc = []
`

describe("TOML", () => {
  it("tells where each value stands", () => {
    const { value, places } = readToml(long)
    const lines = long.split("\n")
    const paths = pathsIn(value)
    expect(paths.length).toBeGreaterThan(35)
    for (const path of paths) {
      const { line, column } = places.get(path) ?? { line: 0, column: 0 }
      expect([path, line]).not.toEqual([path, 0])
      expect(lines[line - 1]?.[column - 1]).toMatch(/\S/)
    }
    const told = (path: string) => places.get(path)?.line
    expect(["a", "b c", "d.e.f", "g.h.i", "g.h.i[0]", "g.h.i[1].k[1]", "g.h.i[2][1]"].map(told)).toEqual([
      2, 3, 4, 5, 6, 7, 10,
    ])
    expect(["l", "n", "p", "r", "s.t", "s.t.a", "s.t.u.w.x"].map(told)).toEqual([12, 15, 17, 19, 21, 22, 23])
    expect(["y", "y[0]", "y[0].z", "y[1].z", "y[1].sub.a", "y[1].list[1].c", "aa.bb.cc"].map(told)).toEqual([
      ...[25, 25, 26, 29, 31, 35, 38],
    ])
    expect(places.get("aa.bb.cc")).toEqual({ line: 38, column: 3 })
  })

  it("a short document, with windows' line ends", () => {
    const { value, places } = readToml(everything.replaceAll("\n", "\r\n"))
    expect(value).toEqual({ a: 1, "b c": "its" })
    expect([places.get("a"), places.get("b c")]).toEqual([
      { line: 2, column: 1 },
      { line: 3, column: 1 },
    ])
  })

  it.each([
    ["a = 1\nb = c", /^2:5: .*; a text stands in quotes, as in "c"$/],
    ["host = 0.0.0.0", /^1:\d+: .*; a text stands in quotes, as in "0\.0\.0\.0"$/],
    ["time = 10s", /^1:\d+: .*; a text stands in quotes, as in "10s"$/],
    ["file = /etc/puremq", /^1:8: .*; a text stands in quotes, as in "\/etc\/puremq"$/],
    ["port: 8883", /^1:\d+: .*; a value is given by =, as in port = 8883$/],
    ["listener 8883", /^1:\d+: .*; a value is given by =, as in listener = \.\.\.$/],
    ["// no", /^1:\d+: .*; a comment begins with #$/],
    ["{", /^1:\d+: .*; JSON is for a file that ends in \.json$/],
    ["a = 1\na = 2", /^2:\d+: \S/],
    ["[a]\n[a]", /^2:\d+: \S/],
    ['a = "x', /^1:\d+: \S/],
    ["a = 9007199254740993", /^1:\d+: \S/],
  ])("%j: line, column, what is wrong, and what to write", (text, said) => {
    expect(problem(text)).toMatch(said)
  })

  it("values too deep within each other are refused", () => {
    expect(problem(`a = ${"[".repeat(100_000)}`)).toMatch(/^1:\d+: \S/)
  })

  it("the search for places ends, whatever the text", () => {
    const pieces = ["a", "=", "[", "]", "{", "}", '"', "'", "#", "\n", ",", ".", "\\", " ", '"""', "1"]
    let seed = 7
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % pieces.length
    }
    for (let i = 0; i < 5000; i++) {
      const text = Array.from({ length: 12 }, () => pieces[next()]).join("")
      expect(problem(text)).toBeTypeOf("string")
    }
  })
})
