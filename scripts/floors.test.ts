import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { check, type Entries, type Project } from "./floors/rules.ts"
import { scan } from "./floors/scan.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

describe("the floors of docs/architecture.md", () => {
  const project = readProject()

  it("reads the whole tree", () => {
    // A check of nothing would pass as well.
    expect(project.tree.has("packages/tls13/src/bytes/reader.ts")).toBe(true)
    expect(project.tree.has("packages/broker/src/index.ts")).toBe(true)
    expect(project.entries.get("@puremq/tls13")?.get("./x509")).toBe("./src/x509/index.ts")
  })

  it("are kept by every file", () => {
    expect(check(project)).toEqual([])
  })
})

describe("a file that breaks a rule", () => {
  const tls13 = "packages/tls13/src"
  const broken: readonly [what: string, files: Record<string, string>, finding: string | RegExp][] = [
    [
      "an import of a floor above",
      { [`${tls13}/codec/a.ts`]: 'import { b } from "../bytes/b.ts"\nimport { c } from "../record/c.ts"' },
      `${tls13}/codec/a.ts:2: imports record/c.ts: codec/ (floor 2) imports only floors below it, and record/ is floor 5`,
    ],
    [
      "a type of a floor above",
      { [`${tls13}/bytes/a.ts`]: 'import type { B } from "../codec/b.ts"' },
      "a.ts:1: imports codec/",
    ],
    [
      "a re-export of a floor above",
      { [`${tls13}/bytes/a.ts`]: 'export * from "../codec/b.ts"' },
      "a.ts:1: imports codec/",
    ],
    [
      "a floor of the same height",
      { [`${tls13}/x509/a.ts`]: 'import { b } from "../session/b.ts"' },
      "x509/ (floor 6)",
    ],
    ["x509 from a side door", { [`${tls13}/x509/a.ts`]: 'import { b } from "../handshake/b.ts"' }, "x509/ (floor 6)"],
    [
      "a folder without a floor",
      { [`${tls13}/magic/a.ts`]: 'import { b } from "../bytes/b.ts"' },
      "magic/ is not in the table",
    ],
    [
      "an adapter in the main entry",
      { [`${tls13}/index.ts`]: 'export { connect } from "./adapters/node/index.ts"' },
      "carries no adapter",
    ],
    [
      "the entry from below",
      { [`${tls13}/bytes/a.ts`]: 'import { b } from "../index.ts"' },
      "imports index.ts: the package entry",
    ],
    [
      "the client that imports the server",
      { [`${tls13}/handshake/client/a.ts`]: 'import { b } from "../server/b.ts"' },
      "handshake/client/ never imports handshake/server/",
    ],
    [
      "the server that imports a type of the client",
      { [`${tls13}/handshake/server/a.ts`]: 'import type { B } from "../client/b.ts"' },
      "handshake/server/ never imports handshake/client/",
    ],
    [
      "a shared file that imports one of the roles",
      { [`${tls13}/handshake/a.ts`]: 'import { b } from "./client/b.ts"' },
      "handshake/ never imports handshake/client/",
    ],
    [
      "the handshake that carries a verifier",
      { [`${tls13}/handshake/a.ts`]: 'import { b } from "../x509/path.ts"' },
      "sees only x509/interfaces.ts",
    ],
    [
      "the connection that carries tickets",
      { [`${tls13}/connection/a.ts`]: 'import { b } from "../session/tickets.ts"' },
      "sees only session/session.ts",
    ],
    [
      "the core that names its provider",
      { [`${tls13}/schedule/a.ts`]: 'import { b } from "../crypto/noble/index.ts"' },
      "a provider is passed in",
    ],
    [
      "an interface that imports a provider",
      { [`${tls13}/crypto/a.ts`]: 'import { b } from "./noble/b.ts"' },
      "a provider is passed in",
    ],
    [
      "@noble outside of a provider",
      { [`${tls13}/x509/a.ts`]: 'import { sha256 } from "@noble/hashes/sha2.js"' },
      "a.ts:1: imports @noble/hashes/sha2.js, which only crypto/noble/",
    ],
    [
      "the host's crypto in an adapter",
      { [`${tls13}/adapters/node/a.ts`]: 'import { createHash } from "node:crypto"' },
      "a.ts:1: imports node:crypto, which only crypto/host/",
    ],
    ["node: in the core", { [`${tls13}/record/a.ts`]: 'import "node:fs"' }, "a.ts:1: imports node:fs, which only"],
    [
      "node: in an adapter for any runtime",
      { [`${tls13}/adapters/streams.ts`]: 'import { Duplex } from "node:stream"' },
      "which only",
    ],
    [
      "a dynamic import of a runtime",
      { [`${tls13}/record/a.ts`]: 'const fs = import("node:fs")' },
      "a.ts:1: imports node:fs",
    ],
    ["an import with a computed name", { [`${tls13}/record/a.ts`]: "const fs = import(name)" }, "not a literal"],
    ["another package", { [`${tls13}/record/a.ts`]: 'import x from "left-pad"' }, "depends on @noble/* only"],
    [
      "the broker from the stack",
      { [`${tls13}/record/a.ts`]: 'import { x } from "../../../broker/src/index.ts"' },
      "outside of packages/tls13/src",
    ],
    [
      "the sink of the trace in the core",
      { [`${tls13}/record/a.ts`]: 'import { x } from "../trace/keylog.ts"' },
      "only the types of trace/events.ts",
    ],
    [
      "a value of the trace events",
      { [`${tls13}/record/a.ts`]: 'import { x } from "../trace/events.ts"' },
      "only the types of trace/events.ts",
    ],
    [
      "the trace that reads the connection",
      { [`${tls13}/trace/a.ts`]: 'import { x } from "../connection/b.ts"' },
      "trace/ imports only",
    ],
    [
      "a clock",
      { [`${tls13}/session/a.ts`]: "const x = 1\nexport const now = Date.now()" },
      `${tls13}/session/a.ts:2: uses Date`,
    ],
    ["a clock object", { [`${tls13}/session/a.ts`]: "const x = new Date(0)" }, "a.ts:1: uses Date"],
    ["Math.random", { [`${tls13}/session/a.ts`]: "const x = Math.random()" }, "uses Math.random"],
    ["Buffer", { [`${tls13}/session/a.ts`]: "const x = Buffer.alloc(1)" }, "uses Buffer"],
    ["process", { [`${tls13}/session/a.ts`]: "const x = process.env" }, "uses process"],
    ["console", { [`${tls13}/session/a.ts`]: "console.log(1)" }, "uses console"],
    ["a timer", { [`${tls13}/session/a.ts`]: "setTimeout(f, 1)" }, "uses a timer"],
    ["a global", { [`${tls13}/session/a.ts`]: "globalThis.crypto.subtle" }, "uses a global object"],
    [
      "a global inside a template literal",
      { [`${tls13}/session/a.ts`]: "const x = `a $" + "{Date.now()} b`" },
      "uses Date",
    ],
    ["a promise in the core", { [`${tls13}/session/a.ts`]: "export async function f() {}" }, "uses async"],
    ["a default export", { [`${tls13}/cli/a.ts`]: "export default 1" }, "uses a default export"],
    [
      "a renamed default export",
      { [`${tls13}/cli/a.ts`]: "const a = 1\nexport { a as default }" },
      "a.ts:2: uses a default export",
    ],
    [
      "a borrowed slice",
      { "packages/broker/src/cli/a.ts": "const x = Uint8Array.prototype.slice.call(bytes)" },
      "a.ts:1: uses a borrowed method",
    ],
    [
      "a random source that is asked directly",
      { [`${tls13}/crypto/noble/a.ts`]: "const x = draw(random, 3)\nconst y = random(3)" },
      "a.ts:2: uses what a random source gave",
    ],
    [
      "a random source of an object",
      { [`${tls13}/session/a.ts`]: "const x = this.#random(3)" },
      "uses what a random source gave",
    ],
    [
      "an X509Error that is caught",
      { [`${tls13}/cli/a.ts`]: "try { a() } catch (e) { if (!(e instanceof X509Error)) throw e }" },
      "uses a catch of X509Error",
    ],
    ["an enum", { "packages/broker/src/cli/a.ts": "export const enum A { B }" }, "uses an enum"],
    ["a variable of a module", { "packages/broker/src/cli/a.ts": "export let a = 1" }, "uses a variable at the top"],
    ["a Map of a module", { "packages/broker/src/cli/a.ts": "const a = new Map<string, B>()" }, "uses an empty Map"],
    ["a list of a module", { [`${tls13}/cli/a.ts`]: "const a: number[] = []" }, "uses an empty list"],
    ["an object of a module", { [`${tls13}/cli/a.ts`]: "const a: { b?: B } = {}" }, "uses an empty list or object"],
    ["a static field", { [`${tls13}/cli/a.ts`]: "class A {\n  static #made = 0\n}" }, "uses a static field"],
    ["a namespace", { "packages/broker/src/cli/a.ts": "export namespace A { }" }, "uses a namespace"],
    ["a folder barrel", { [`${tls13}/codec/index.ts`]: 'export * from "./a.ts"' }, "index.ts that no entry point"],
    [
      "a cycle",
      {
        [`${tls13}/codec/a.ts`]: 'import { b } from "./b.ts"',
        [`${tls13}/codec/b.ts`]: 'export { c } from "./c.ts"',
        [`${tls13}/codec/c.ts`]: 'import { a } from "./a.ts"',
      },
      `cycle of imports: ${tls13}/codec/a.ts > ${tls13}/codec/b.ts > ${tls13}/codec/c.ts > ${tls13}/codec/a.ts`,
    ],
    [
      "a cycle of types in the stack",
      {
        [`${tls13}/codec/a.ts`]: 'import type { B } from "./b.ts"',
        [`${tls13}/codec/b.ts`]: 'import { a } from "./a.ts"',
      },
      `cycle of imports: ${tls13}/codec/a.ts > ${tls13}/codec/b.ts > ${tls13}/codec/a.ts`,
    ],
    [
      "a deep import",
      { "packages/broker/src/tls/a.ts": 'import { x } from "@puremq/tls13/src/bytes/hex.ts"' },
      "not an entry point of @puremq/tls13",
    ],
    [
      "an entry that does not exist",
      { "packages/bench/src/a.ts": 'import { x } from "@puremq/tls13/nothing"' },
      "not an entry point",
    ],
    [
      "its own package",
      { [`${tls13}/cli/a.ts`]: 'import { x } from "@puremq/tls13/x509"' },
      "imports its own package by name",
    ],
    [
      "the broker that reaches into the stack",
      { "packages/broker/src/cli/a.ts": 'import { x } from "../../../tls13/src/bytes/hex.ts"' },
      "outside of packages/broker/src",
    ],
    [
      "node: in the broker's core",
      { "packages/broker/src/session/a.ts": 'import { x } from "node:events"' },
      "session/ knows no runtime",
    ],
    ["Buffer in the broker's core", { "packages/broker/src/packet/a.ts": "const x = Buffer.alloc(1)" }, "uses Buffer"],
    [
      "another package in the broker's core",
      { "packages/broker/src/hub/a.ts": 'import { x } from "ws"' },
      "hub/ knows no runtime and no other package",
    ],
    [
      "a store that sees the hub",
      { "packages/broker/src/stores/a.ts": 'import type { X } from "../hub/b.ts"' },
      "stores/ sees only packet/, ports/",
    ],
    [
      "metrics that see more of the hub than its numbers",
      { "packages/broker/src/admin/a.ts": 'import type { X } from "../hub/broker.ts"' },
      "admin/ sees only packet/, ports/, session/, hub/inspect.ts, hub/operate.ts, listen/",
    ],
    [
      "one store of the broker that knows a bus",
      { "packages/broker/src/stores/a.ts": 'import type { X } from "../buses/b.ts"' },
      "stores/ (floor 7) imports only floors below it, and buses/ is floor 7",
    ],
    [
      "a cycle of types in the broker",
      {
        "packages/broker/src/routing/a.ts": 'import type { B } from "./b.ts"',
        "packages/broker/src/routing/b.ts": 'import { a } from "./a.ts"',
      },
      "is part of a cycle of imports",
    ],
    [
      "a listener in the broker's core",
      { "packages/broker/src/routing/a.ts": 'import { x } from "../listen/b.ts"' },
      "routing/ (floor 2) imports only floors below it, and listen/ is floor 8",
    ],
    [
      "a runtime in what the broker's core is used with",
      { "packages/broker/src/codecs/plain.ts": 'import { x } from "ws"' },
      "codecs/ knows no runtime and no other package",
    ],
    [
      "what knows a runtime, in the entry of the broker's core",
      {
        "packages/broker/src/core.ts": 'import { x } from "./stores/node-files.ts"',
        "packages/broker/src/stores/node-files.ts": 'import { readFileSync } from "node:fs"',
      },
      "imports stores/node-files.ts, which is not of the core: core.ts runs on any engine",
    ],
    [
      "mqtt-packet outside of codecs/",
      { "packages/broker/src/session/a.ts": 'import mqtt from "mqtt-packet"' },
      "which only a file of codecs/",
    ],
    [
      "mqtt-packet twice",
      {
        "packages/broker/src/codecs/a.ts": 'import mqtt from "mqtt-packet"',
        "packages/broker/src/codecs/b.ts": 'import type { Packet } from "mqtt-packet"',
      },
      "b.ts:1: imports mqtt-packet, which only one file does",
    ],
  ]

  it.each(broken)("is found: %s", (_what, files, finding) => {
    const findings = check(fake(files))
    expect(findings).toHaveLength(1)
    expect(findings[0]).toContain(finding)
  })
})

describe("a file that breaks none", () => {
  const fine: readonly [what: string, files: Record<string, string>][] = [
    ["an import of a floor below", { "packages/tls13/src/record/a.ts": 'import { b } from "../bytes/b.ts"' }],
    [
      "the types of the trace events",
      { "packages/tls13/src/record/a.ts": 'import type { B } from "../trace/events.ts"' },
    ],
    ["the interfaces of x509", { "packages/tls13/src/session/a.ts": 'import type { B } from "../x509/interfaces.ts"' }],
    [
      "a state that imports what both roles share",
      { "packages/tls13/src/handshake/client/a.ts": 'import { b } from "../b.ts"' },
    ],
    [
      "noble in its provider",
      { "packages/tls13/src/crypto/noble/a.ts": 'import { gcm } from "@noble/ciphers/aes.js"' },
    ],
    [
      "an adapter with its runtime and a provider",
      {
        "packages/tls13/src/adapters/node/a.ts":
          'import net from "node:net"\nimport { b } from "../../crypto/noble/index.ts"\nsetTimeout(f, Date.now())',
      },
    ],
    [
      "the broker with entry points",
      { "packages/broker/src/cli/a.ts": 'import { a } from "@puremq/tls13"\nimport { b } from "@puremq/tls13/x509"' },
    ],
    [
      "words in comments, strings and members",
      {
        "packages/tls13/src/record/a.ts":
          '// import "node:fs"; Date\n/* Buffer */ const a = "console.log"; const b = { Date: 1 }\nb.Date; /process.exit/.test(a)',
      },
    ],
    [
      "Buffer beside mqtt-packet",
      { "packages/broker/src/codecs/a.ts": 'import { Buffer } from "node:buffer"\nimport mqtt from "mqtt-packet"' },
    ],
    [
      "random bytes by draw",
      {
        "packages/tls13/src/crypto/a.ts": "const x = draw(random, 3)\nconst y = link.random(3)\nconst z = isRandom(3)",
      },
    ],
    [
      "what is at the top of a module and does not change",
      {
        "packages/tls13/src/crypto/a.ts":
          "const a: readonly B[] = []\nconst b = new WeakMap<object, B>()\nconst c = new Map([[1, 2]])\nfunction d() {\n  let e = 1\n}\nclass F {\n  static readonly g = 1\n  static h() {}\n}",
      },
    ],
  ]

  it.each(fine)("passes: %s", (_what, files) => {
    expect(check(fake(files))).toEqual([])
  })
})

describe("the types that the sources are compiled with", () => {
  const folder = `${root}/node_modules/.puremq-floors-${process.pid}`
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** What the compiler says of a file that is compiled like those of a project, as `LINE: message`. */
  function compile(project: string, lines: readonly string[]): string[] {
    mkdirSync(folder, { recursive: true })
    const file = `${folder}/fixture.ts`
    writeFileSync(file, lines.join("\n"))
    const compilerOptions = { noEmit: true, composite: false, incremental: false, rootDir: root }
    // `files` comes from the project; the sources that it includes are left out.
    const config = { extends: `${root}/packages/${project}`, compilerOptions, include: [file], exclude: [] }
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config))
    const tsc = `${root}/node_modules/typescript/bin/tsc`
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { encoding: "utf8" })
    return [...stdout.matchAll(/fixture\.ts\((\d+),\d+\): error \w+: (.*)/g)].map(
      ([, line, text]) => `${line}: ${text}`,
    )
  }

  const projects = readdirSync(`${root}/packages`).flatMap((name) =>
    readdirSync(`${root}/packages/${name}`)
      .filter((file) => /^tsconfig.*\.json$/.test(file))
      .map((file) => `${name}/${file}`),
  )
  const otherSlices = [
    'export const a: string = "text".slice(1)',
    "export const b: number[] = [1, 2].slice(1)",
    "export const c: Float64Array = new Float64Array(2).slice()",
  ]

  it("are those of every project", () => {
    expect(projects).toEqual(expect.arrayContaining(["broker/tsconfig.json", "tls13/tsconfig.core.json"]))
  })

  it.each(projects)("refuse slice on bytes, and only there: %s", { timeout: 60_000 }, (project) => {
    const bytes = "export const d: Uint8Array = new Uint8Array(2).slice(1)"
    const view = "export const e = (given: Uint8Array): Uint8Array => given.subarray(1)"
    const found = compile(project, [...otherSlices, bytes, view])
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^4: Type 'unknown' is not assignable to type 'Uint8Array/)
  })

  // Where the types of Node are not known there is no Buffer.
  const knowsNode = (project: string) =>
    readFileSync(`${root}packages/${project}`, "utf8").includes('"types": ["node"]')

  it.each(projects.filter(knowsNode))("refuse slice on a Buffer: %s", { timeout: 60_000 }, (project) => {
    const found = compile(project, [...otherSlices, 'export const d: Buffer = Buffer.from("text").slice(1)'])
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^4: Type 'unknown' is not assignable to type 'Buffer/)
  })
})

describe("the scanner", () => {
  const specifiers = (text: string) => scan(text).imports.map((imported) => imported.specifier)

  it("finds every form of import, with its line", () => {
    const text = [
      'import a, { type B } from "./1.ts"',
      "import type {",
      "  C,",
      "} from './2.ts'",
      'import * as d from "./3.ts"',
      'import "./4.ts"',
      'export { e } from "./5.ts"',
      'export type { F } from "./6.ts"',
      'export * from "./7.ts"',
      'const g = await import("./8.ts")',
      'import type from "./9.ts"',
    ].join("\n")
    const found = [...scan(text).imports].sort((a, b) => a.line - b.line)
    expect(found.map(({ specifier, line }) => `${line} ${specifier}`)).toEqual([
      "1 ./1.ts",
      "2 ./2.ts",
      "5 ./3.ts",
      "6 ./4.ts",
      "7 ./5.ts",
      "8 ./6.ts",
      "9 ./7.ts",
      "10 ./8.ts",
      "11 ./9.ts",
    ])
    expect(found.filter(({ typeOnly }) => typeOnly).map(({ specifier }) => specifier)).toEqual(["./2.ts", "./6.ts"])
  })

  it("does not take an export without a source for the start of the next import", () => {
    const text =
      'export interface Empty {}\nimport type { B } from "./b.ts"\nexport const c = 1\nimport { d } from "./d.ts"'
    expect(scan(text).imports.map(({ specifier, typeOnly }) => [specifier, typeOnly])).toEqual([
      ["./b.ts", true],
      ["./d.ts", false],
    ])
  })

  it("is not led astray by comments, strings, templates and regular expressions", () => {
    expect(specifiers('// it\'s\nimport { a } from "./a.ts"')).toEqual(["./a.ts"])
    expect(specifiers('/* " */ import { a } from "./a.ts"')).toEqual(["./a.ts"])
    expect(specifiers("const s = 'it\\'s'\nimport \"./a.ts\"")).toEqual(["./a.ts"])
    expect(specifiers('const s = `import "./no.ts"`')).toEqual([])
    expect(specifiers("const s = `$" + '{f({ a: `"` })}`\nimport "./a.ts"')).toEqual(["./a.ts"])
    expect(specifiers('const r = /["\'/[/"]/g\nimport "./a.ts"')).toEqual(["./a.ts"])
    expect(specifiers('const x = a / b\nimport "./a.ts" // c / d')).toEqual(["./a.ts"])
    expect(specifiers('const s = "import \\"./no.ts\\""')).toEqual([])
  })
})

function fake(files: Record<string, string>): Project {
  const entries = new Map([
    ["@puremq/tls13", new Map([".", "./x509", "./node", "./crypto/noble"].map((name) => [name, sourceOf(name)]))],
    ["@puremq/broker", new Map([[".", "./src/index.ts"]])],
  ])
  return { tree: new Map(Object.entries(files)), entries }
}

function sourceOf(entry: string): string {
  return entry === "." ? "./src/index.ts" : `./src/${entry.slice(2)}/index.ts`
}

function readProject(): Project {
  const tree = new Map<string, string>()
  const entries = new Map<string, Entries>()
  for (const name of readdirSync(`${root}/packages`)) {
    const { exports = {} } = JSON.parse(readFileSync(`${root}/packages/${name}/package.json`, "utf8"))
    const sources = Object.entries<{ "@puremq/source"?: string } | string>(exports).flatMap(([entry, target]) =>
      typeof target === "object" && target["@puremq/source"] ? [[entry, target["@puremq/source"]] as const] : [],
    )
    entries.set(`@puremq/${name}`, new Map(sources))
    for (const file of readdirSync(`${root}/packages/${name}/src`, { recursive: true, encoding: "utf8" })) {
      const path = `packages/${name}/src/${file.replaceAll("\\", "/")}`
      if (path.endsWith(".ts") && !path.endsWith(".test.ts")) tree.set(path, readFileSync(`${root}/${path}`, "utf8"))
    }
  }
  return { tree, entries }
}
