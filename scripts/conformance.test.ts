import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { generate, page } from "./conformance/generate.ts"
import { coverage, listProblems, type Requirement, scanFile } from "./conformance/requirements.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

describe("the requirements of RFC 9846", () => {
  const generated = generate(root)

  it("are tagged by tests that exist, and every tag names one", () => {
    expect(generated.problems).toEqual([])
  })

  it("are shown in docs/conformance.md as the tags are; `npm run conformance` writes them anew", () => {
    expect(readFileSync(join(root, page), "utf8") === generated.page, "docs/conformance.md is out of date").toBe(true)
  })
})

describe("a tag", () => {
  const requirements: readonly Requirement[] = [
    { id: "1-1", level: "MUST", role: "both", text: "one" },
    { id: "1-2", level: "MUST", role: "client", text: "two" },
    { id: "1-3", level: "MUST", role: "server", text: "three", sameAs: "1-1" },
    { id: "1-4", level: "MUST", role: "both", text: "four", notApplicable: "middlebox" },
  ]
  const scan = (source: string) => scanFile("a.test.ts", source, requirements)
  const titles = (source: string) => {
    const { evidence, problems } = scan(source)
    expect(problems).toEqual([])
    return evidence.map(({ id, roles, title }) => `${id} ${roles.join()} ${title}`)
  }

  it.each([
    ["of a test", '// Requirement 1-1\nit("a", () => {})', ["1-1 client,server a"]],
    ["of several requirements", '// Requirements 1-1 (server), 1-2\nit("a", f)', ["1-1 server a", "1-2 client a"]],
    ["with another comment below", '// Requirement 1-2\n// Why.\ntest("a", f)', ["1-2 client a"]],
    [
      "in groups",
      'describe("g", () => {\n describe("h", () => {\n// Requirement 1-2\nit("a", f)})})',
      ["1-2 client g > h > a"],
    ],
    ["of a group", '// Requirement 1-2\ndescribe.each(rows)("g %s", f)', ["1-2 client g %s"]],
    ["of a table", '// Requirement 1-2\nit.each([["x", /["(]/], [`y`, 1]])("a %s", f)', ["1-2 client a %s"]],
    ["of a row", 'it.each([\n// Requirement 1-2\n["x", 1], ["y", 2]])("a %s", f)', ["1-2 client x"]],
    ["of a row in a list", 'const rows = [\n// Requirement 1-2\n["x", 1]]\nit.for(rows)("a", f)', ["1-2 client x"]],
    ["of a template", `// Requirement 1-2\nit(\`a \${b("c")} d\`, f)`, ['1-2 client a {b("c")} d']],
  ])("%s", (_what, source, expected) => {
    expect(titles(source)).toEqual(expected)
  })

  it.each([
    ["an unknown requirement", '// Requirement 9-9\nit("a", f)', /a\.test\.ts:1: "9-9" is no requirement/],
    ["a role that it is not for", '// Requirement 1-2 (server)\nit("a", f)', /1-2 is no requirement for a server/],
    ["one that is another's", '// Requirement 1-3\nit("a", f)', /1-3 is the same as 1-1/],
    ["one that does not apply", '// Requirement 1-4\nit("a", f)', /1-4 is said not to apply/],
    ["a list in another form", '// Requirement 1-1 and 1-2\nit("a", f)', /"1-1 and 1-2" is no requirement/],
    ["no test below", "// Requirement 1-1\nconst a = 1", /no test below/],
    ["a test that is skipped", '// Requirement 1-1\nit.skip("a", f)', /"a" is skipped/],
    [
      "a test of a group that is skipped",
      'describe.skip("g", () => {\n// Requirement 1-1\nit("a", f)})',
      /"g" is skipped/,
    ],
    ["a title that is computed", "// Requirement 1-1\nit(title, f)", /no test below/],
    ["a row without a table", 'const rows = [\n// Requirement 1-2\n["x", 1]]', /no test below/],
  ])("is refused: %s", (_what, source, problem) => {
    expect(scan(source)).toEqual({ evidence: [], problems: [expect.stringMatching(problem)] })
  })

  it("covers the requirement that says the same, and only the roles that it names", () => {
    const { evidence } = scan('// Requirement 1-1 (server)\nit("a", f)')
    expect(coverage(requirements, evidence).map(({ missing }) => missing)).toEqual([["client"], ["client"], [], []])
  })
})

it("the list of requirements is checked for itself", () => {
  const base = { level: "MUST", text: "t" } as const
  expect(
    listProblems([
      { ...base, id: "1-1", role: "none" },
      { ...base, id: "1-2", role: "both", sameAs: "1-9" },
      { ...base, id: "1-2", role: "both", notApplicable: "a", untested: "b" },
    ]),
  ).toEqual([
    "an id stands twice",
    "1-1 concerns nobody and does not say why",
    "1-2 is the same as 1-9, which is no requirement of its own",
    "1-2 says more than one of sameAs, notApplicable and untested",
  ])
})
