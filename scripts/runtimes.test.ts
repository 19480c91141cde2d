// What `npm run runtimes` stands on, and what its pages say of it.

import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { modulesOf, resolve } from "../runtime-tests/modules.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), "utf8")
const folder = mkdtempSync(join(tmpdir(), "modules-"))
afterAll(() => rmSync(folder, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

describe("the loader of runtime-tests", () => {
  write(
    "node_modules/@a/b/package.json",
    JSON.stringify({ exports: { ".": { default: "./i.js" }, "./c.js": "./c.js" } }),
  )
  write("node_modules/@a/b/i.js", ' * import { none } from "nowhere"\nexport {\n  c,\n  d\n} from "./parts/c.js"\n')
  write("node_modules/@a/b/c.js", 'import "node:fs"\nexport const text = { name: "import of nothing" }\n')
  write("node_modules/@a/b/parts/c.js", "import { text } from '@a/b/c.js'\nexport const c = text, d = 1\n")
  write("main.js", 'import { c } from "@a/b"\nexport * from "./node_modules/@a/b/c.js"\n')

  it("finds what an entry leads to, each file once", () => {
    const modules = modulesOf(folder, "main.js")
    expect([...modules.keys()]).toEqual([
      "main.js",
      "node_modules/@a/b/i.js",
      "node_modules/@a/b/c.js",
      "node_modules/@a/b/parts/c.js",
    ])
    expect([...modules.get("node_modules/@a/b/parts/c.js")!.imports]).toEqual([["@a/b/c.js", "node_modules/@a/b/c.js"]])
  })

  it("says which import leads nowhere", () => {
    expect(() => resolve(folder, "@a/b/other.js", "main.js")).toThrow(
      "main.js imports @a/b/other.js, which @a/b does not",
    )
  })
})

describe("docs/porting.md", () => {
  it.each(readdirSync(join(root, "runtime-tests/porting")))("shows %s as it is run", (name) => {
    expect(read("docs/porting.md")).toContain(`\`\`\`js\n${read(`runtime-tests/porting/${name}`)}\`\`\`\n`)
  })

  it("promises a port in 50 lines", () => {
    const lines = ["port.js", "device.js"].flatMap((name) =>
      read(`runtime-tests/porting/${name}`).trimEnd().split("\n"),
    )
    expect(lines.length).toBeLessThanOrEqual(50)
  })
})

describe("npm run runtimes", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, "runtime-tests/run.mjs"), ...args], { encoding: "utf8" })

  it("has each runtime of the table in docs/runtimes.md, in one exact version", () => {
    for (const packages of Object.values<Record<string, string>>(JSON.parse(read("runtime-tests/versions.json")))) {
      for (const version of Object.values(packages)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    }
    const head = /^\| \|? ?(?:\| )?(.*Node\.js 20.*) \|$/m.exec(read("docs/runtimes.md"))?.[1]
    expect(head?.split(" | ")).toEqual([
      ...["Node.js 20", "Node.js 26", "Deno", "Bun", "workerd", "Chromium", "QuickJS", "QuickJS-ng"],
    ])
    expect(read("docs/runtimes.md")).not.toContain("FAILED")
  })

  it("refuses what it does not know", () => {
    expect(run("rhino")).toMatchObject({ status: 2, stderr: expect.stringContaining("unknown runtime rhino") })
    expect(run("--all")).toMatchObject({ status: 2, stderr: expect.stringContaining("unknown option --all") })
    expect(run("deno", "--write")).toMatchObject({ status: 2, stderr: expect.stringContaining("name none") })
  })
})
