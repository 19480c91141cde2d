// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is read
import { describe, expect, it } from "vitest"
import { readHocon } from "./hocon.ts"
import type { HoconMeans, HoconValue } from "./hocon-values.ts"

const files: Readonly<Record<string, string>> = {
  "more.conf": "b = 2\nc { d = 3 }",
  "users.conf": '"admin": "public"\n"x y": z',
}

function means(told: string[] = [], environment: Readonly<Record<string, string>> = {}): HoconMeans {
  return {
    include: (name) => (files[name] === undefined ? undefined : { file: name, text: files[name] }),
    variable: (name) => environment[name],
    missing: (what, { line }) => told.push(`${line}: ${what}`),
  }
}

/** As JSON has it; texts that are not quoted in angle brackets. */
function plain(value: HoconValue): unknown {
  if (value.kind === "text") return value.quoted ? value.text : `<${value.text}>`
  if (value.kind === "list") return value.items.map(plain)
  return Object.fromEntries([...value.members].map(([name, each]) => [name, plain(each)]))
}

const read = (text: string, environment?: Readonly<Record<string, string>>) =>
  plain(readHocon(text, "x.conf", means([], environment)))

describe("HOCON", () => {
  it.each([
    ["", {}],
    ["a=1", { a: "<1>" }],
    ["{ a : 1, b : [1, 2] }", { a: "<1>", b: ["<1>", "<2>"] }],
    ["a { b = 15s # c\n c = 1MB // d\n\n}", { a: { b: "<15s>", c: "<1MB>" } }],
    ["a.b.c = x\na.b.d = y\na { e = z }", { a: { b: { c: "<x>", d: "<y>" }, e: "<z>" } }],
    ['a."b.c" = "d\\n\\u00e4"', { a: { "b.c": "d\nä" } }],
    ["a = [\n 1\n 2,\n\n {b = c}\n {b = d},\n]", { a: ["<1>", "<2>", { b: "<c>" }, { b: "<d>" }] }],
    ["a = hello  big world ", { a: "<hello  big world>" }],
    ["url = http://127.0.0.1:80/a?b=c // d", { url: "<http://127.0.0.1:80/a?b=c>" }],
    ["bind = 0.0.0.0:1883\r\nb = c\r\n", { bind: "<0.0.0.0:1883>", b: "<c>" }],
    ["a = 1\na = 2", { a: "<2>" }],
    ["a { b = 1 }\na = 2", { a: "<2>" }],
    ["a = 2\na { b = 1 }", { a: { b: "<1>" } }],
    ["a = [1]\na += 2\nb += 3", { a: ["<1>", "<2>"], b: ["<3>"] }],
    ['a = """x "y"\nz"""\nb = 1', { a: 'x "y"\nz', b: "<1>" }],
    ["a = {x = 1} {y = 2}", { a: { x: "<1>", y: "<2>" } }],
    ["# only\n// comments", {}],
    ["listeners.ssl.default { bind = 8883 }", { listeners: { ssl: { default: { bind: "<8883>" } } } }],
    ["a = {}\nb = []", { a: {}, b: [] }],
    ["__proto__ = 1\nconstructor.x = 2", JSON.parse('{ "__proto__": "<1>", "constructor": { "x": "<2>" } }')],
  ])("reads %j", (text, value) => {
    expect(read(text)).toEqual(value)
  })

  it("puts in what a substitution names: of the document, else of the environment", () => {
    expect(read('a = 1\nb = ${a}\nc = "${a}"\nd = ${a}/x${e.f}\ne.f = 2', {})).toEqual({
      ...{ a: "<1>", b: "<1>", c: "${a}", d: "<1/x2>" },
      e: { f: "<2>" },
    })
    expect(read('a = ${HOME}"/certs"\nb = ${?NONE}\nc = [${?NONE}, 1]', { HOME: "/root" })).toEqual({
      ...{ a: "/root/certs", c: ["<1>"] },
    })
    expect(read("base { x = 1, y { z = 2 } }\na = ${base} { y { w = 3 } }")).toEqual({
      base: { x: "<1>", y: { z: "<2>" } },
      a: { x: "<1>", y: { z: "<2>", w: "<3>" } },
    })
    expect(read("a = [1]\nb = ${a} [2]")).toEqual({ a: ["<1>"], b: ["<1>", "<2>"] })
  })

  it("tells what is missing, and goes on", () => {
    const told: string[] = []
    const value = readHocon('a = ${NONE}\ninclude "gone.conf"\nb = 1', "x.conf", means(told))
    expect(plain(value)).toEqual({ a: "${NONE}", b: "<1>" })
    expect(told).toEqual([
      "2: the file gone.conf, which is included",
      "1: ${NONE}, which neither the file nor the environment has",
    ])
  })

  it.each([
    'a = 1\ninclude "more.conf"\ne = 4',
    'a = 1\ninclude file("more.conf")\ne = 4',
    'a = 1\ninclude required(file("more.conf"))\ne = 4',
    'a = 1, include "more.conf", e = 4',
  ])("reads included files: %j", (text) => {
    expect(read(text)).toEqual({ a: "<1>", b: "<2>", c: { d: "<3>" }, e: "<4>" })
  })

  it("reads a file into an object", () => {
    expect(read('auth { password = {include "users.conf"} }')).toEqual({
      auth: { password: { admin: "public", "x y": "<z>" } },
    })
    expect(read("include = 1\ninclude.x = 2")).toEqual({ include: { x: "<2>" } })
  })

  it("knows the line and file of each value", () => {
    const value = readHocon('\na {\n  b = 1\n\n  c = [\n    x\n  ]\n}\ninclude "more.conf"', "x.conf", means())
    const at = (path: string) => {
      let found: HoconValue | undefined = value
      for (const name of path.split(".")) found = found?.kind === "object" ? found.members.get(name) : undefined
      return `${found?.spot.file}:${found?.spot.line}`
    }
    expect([at("a.b"), at("a.c"), at("b"), at("c.d")]).toEqual(["x.conf:3", "x.conf:5", "more.conf:1", "more.conf:2"])
  })

  it.each([
    ["a", 1, "after a there must be =, : or {, not the end"],
    ["a\n= 1", 1, "after a there must be"],
    ["b = 1\na = ", 2, "a value is missing"],
    ["a = ,", 1, "a value is missing"],
    ["a {\n b = 1", 1, "this { has no }"],
    ["a = [\n 1", 1, "this [ has no ]"],
    ["a = 1\n}", 2, "there is no { for this }"],
    ["a = [ } ]", 1, "there is no { for this }"],
    ['a = "x\n"', 1, 'a text ends with its "'],
    ['a = "\\q"', 1, "unknown \\"],
    ["a = ${b", 1, "${ needs a name"],
    ["a = ${b c}", 1, "${ needs a name"],
    ["a = ${b}\nb = ${a}", 1, "this refers to itself"],
    [".a = 1", 1, "a name is missing before ."],
    ["a. = 1", 1, "a name is missing after ."],
    ["= 1", 1, "a name is expected, not ="],
    ["{ a = 1 } b", 1, "nothing may stand after the last }"],
    ["a = x {b = 1}", 1, "are not one value"],
    ['include url("http://x")', 1, "include of a url is not read"],
    ["include more", 1, "include needs the name of a file"],
    ['a = """', 1, 'this """ has no """'],
    ["a{".repeat(70), 1, "more than 64 objects"],
    [`a = ${"[".repeat(70)}`, 1, "more than 64 objects"],
  ])("refuses %j", (text, line, what) => {
    try {
      read(text)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ name: "HoconError", spot: { file: "x.conf", line } })
      expect(String(error)).toContain(what)
    }
  })

  it("does not go round in circles of files, nor grow without end", () => {
    const round: HoconMeans = { ...means(), include: (name) => ({ file: name, text: 'include "again"' }) }
    expect(() => readHocon('include "again"', "x.conf", round)).toThrow("files include each other too deeply")
    const doubling = [
      "a0 = xxxxxxxxxx",
      ...Array.from({ length: 40 }, (_, i) => `a${i + 1} = \${a${i}}\${a${i}}`),
    ].join("\n")
    expect(() => read(doubling)).toThrow("substitutions make too much")
    expect(() => read(doubling.replaceAll("${", "${?").replace(/^.*\n/, ""))).toThrow("substitutions make too much")
  })
})
