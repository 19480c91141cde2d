// All code on our pages works: `ts` and `js` is compiled against the built packages as a user has them, and run; the commands
// of `sh` are run, too. What is not, says why (scripts/snippets/pages.ts).

import { spawn, spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { transformSync } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { program as puremq } from "../packages/broker/src/cli/commands.ts"
import { checkFileConfig } from "../packages/broker/src/config/check.ts"
import { readJson } from "../packages/broker/src/config/sources/json.ts"
import { readToml } from "../packages/broker/src/config/sources/toml.ts"
import { programsOf, readPage, type Snippet, snippetsOf } from "./snippets/pages.ts"
import { type Command, commandOf, commandsOf, isInstalled, runAll } from "./snippets/shell.ts"
import { createWorld, freePort, type World } from "./snippets/world.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
/** Where packages are found from, as in a user's project. */
const project = join(root, "node_modules/.puremq-snippets")
const snippets = snippetsOf(root)
const programs = programsOf(snippets)
const running = programs.filter(({ kind }) => kind === "run")
const shell = snippets.filter(({ language }) => language === "sh")

/** Ports that our pages listen on: each stands for one that is free. */
const exampleNumbers = ["1883", "4433", "8080", "8443", "8883", "9100"]
const patience = { timeout: 120_000 }

let world: World
beforeAll(async () => {
  // What is built already is not built again.
  const { status, stdout } = spawnSync(process.execPath, [join(root, "scripts/run.mjs"), "build"], { encoding: "utf8" })
  if (status !== 0) throw new Error(stdout)
  world = await createWorld(root)
}, patience.timeout)
afterAll(() => world?.close())

describe("code on our pages", () => {
  it("compiles against the built packages", patience, () => {
    rmSync(project, { recursive: true, force: true })
    for (const { name, text } of programs) {
      mkdirSync(dirname(fileOf(name, "ts")), { recursive: true })
      // Each is a module, also without an import.
      writeFileSync(fileOf(name, "ts"), `${text}\nexport {}\n`)
    }
    const compilerOptions = {
      target: "es2022",
      module: "nodenext",
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
    }
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }))
    const files = programs.map(({ name }) => fileOf(name, "ts"))
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }))
    const compiler = join(root, "node_modules/typescript/bin/tsc")
    const { stdout } = spawnSync(process.execPath, [compiler, "-p", "."], { cwd: project, encoding: "utf8" })
    expect(stdout).toBe("")
  })

  it.each(running)("$name runs", patience, async ({ name, text, ownBroker }) => {
    const ports = await portsFor(ownBroker)
    const placed = text.replace(/\b\d{4}\b/g, (number) => ports.get(number) ?? number)
    const { code } = transformSync(`${placed}\nprocess.exit(0)\n`, { loader: "ts", format: "esm", target: "node20" })
    mkdirSync(dirname(fileOf(name, "ts")), { recursive: true })
    writeFileSync(fileOf(name, "mjs"), code)
    expect(await execute(fileOf(name, "mjs"))).toEqual({ status: 0, errors: "" })
  })

  const runningShell = shell
    .filter(({ kind }) => kind === "run")
    .map((each) => [`${each.page}:${each.line}`, each] as const)
  it.each(runningShell)("%s runs", patience, async (_name, { lines, ownBroker, shows }) => {
    const ports = await portsFor(ownBroker)
    const place = { ...world, brokerPort: Number(ports.get("8883")) }
    const commands = commandsOf(lines).map((line) => commandOf(line, ports, place))
    const [there, absent] = [commands.filter(isInstalled), commands.filter((each) => !isInstalled(each))]
    for (const program of new Set(absent.map(({ program }) => program))) console.log(`${program} is not installed here`)
    expect(await runAll(there, shownBy(there, absent, shows), place)).toBeUndefined()
  })

  const configurations = snippets.filter(({ language }) => language === "json" || language === "toml")
  it.each(configurations)("$page:$line configures a broker", ({ lines, language }) => {
    const { value } = (language === "json" ? readJson : readToml)(lines.join("\n"))
    expect(checkFileConfig(value)).toHaveProperty("listeners")
  })

  it("names npm scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    const asked = shell.flatMap(({ lines }) => commandsOf(lines)).map((line) => /^npm (?:run )?(\S+)/.exec(line)?.[1])
    expect(asked.filter((name) => name !== undefined && !Object.hasOwn(scripts, name))).toEqual([])
    expect(asked.some((name) => name !== undefined)).toBe(true)
  })

  it("asks our commands for options that they have, also where it is not run", () => {
    const unknown = shell.flatMap(({ lines, page }) =>
      commandsOf(lines).flatMap((line) => unknownOptions(line).map((option) => `${page}: ${line}: ${option}`)),
    )
    expect(unknown).toEqual([])
    expect(unknownOptions("npx puremq sub --port 1 --no-tls -t x &")).toEqual(["--no-tls"])
  })

  it("is all run, but for these", () => {
    const counts = (["run", "types only", "not run"] as const).map((kind) => {
      const of = (language: string) =>
        snippets.filter((each) => each.kind === kind && each.language === language).length
      return `${kind}: ${of("ts")} ts, ${of("js")} js, ${of("sh")} sh, ${of("json")} json, ${of("toml")} toml`
    })
    const exceptions = snippets.filter(({ kind }) => kind !== "run")
    const reasons = exceptions.map(({ page, language, kind, reason }) => `${page}, ${language}, ${kind}: ${reason}`)
    expect([...counts, ...reasons]).toMatchInlineSnapshot(`
      [
        "run: 28 ts, 7 js, 16 sh, 4 json, 5 toml",
        "types only: 2 ts, 1 js, 0 sh, 0 json, 0 toml",
        "not run: 0 ts, 6 js, 30 sh, 0 json, 0 toml",
        "README.md, sh, not run: the broker of the other blocks is started as by the first, and the second runs all this",
        "CONTRIBUTING.md, sh, not run: minutes each, and the first runs this",
        "docs/adapters.md, js, types only: Node.js has no such sockets; \`npm run release -- --dry-run\` runs it on both",
        "docs/admin.md, sh, not run: packages/broker/tests/admin-docs.test.ts runs it",
        "docs/admin.md, sh, not run: packages/broker/tests/admin-docs.test.ts runs it",
        "docs/admin.md, sh, not run: packages/broker/tests/admin-docs.test.ts runs it",
        "docs/admin.md, sh, not run: packages/broker/tests/admin-docs.test.ts runs it",
        "docs/bench.md, sh, not run: the files are yours",
        "docs/bridges.md, sh, not run: minutes",
        "docs/cluster.md, sh, not run: it needs nats-server",
        "docs/cluster.md, sh, not run: it needs nats-server",
        "docs/coming-from.md, sh, not run: there is no such file here",
        "docs/conformance.md, sh, not run: it fetches BoringSSL and needs Go",
        "docs/conformance.md, sh, not run: it fetches the suite and needs Python",
        "docs/dashboard.md, sh, not run: packages/broker/tests/admin-docs.test.ts runs the same commands",
        "docs/deployment.md, sh, not run: it installs onto the machine",
        "docs/deployment.md, sh, not run: it needs a container engine",
        "docs/deployment.md, sh, not run: packages/broker/src/cli/health.test.ts runs the like",
        "docs/deployment.md, sh, not run: it runs until a key ends it; packages/broker/src/cli/top.test.ts does",
        "docs/deployment.md, sh, not run: it is about the shell of who types it",
        "docs/ech.md, sh, not run: packages/broker/tests/configuration/ech.test.ts runs it",
        "docs/ech.md, sh, not run: packages/broker/tests/configuration/ech.test.ts runs it",
        "docs/explorer.md, sh, not run: it serves until it is stopped; the tests in a browser build the page",
        "docs/hand-over.md, ts, types only: the other process is yours; packages/tls13/tests/hand-over/processes.test.ts runs it",
        "docs/hosts.md, sh, not run: these run until they are stopped, and Deno and Bun may not be there",
        "docs/model.md, sh, not run: needs Spin",
        "docs/performance.md, sh, not run: 25 minutes, and it writes this page",
        "docs/porting.md, js, not run: \`npm run runtimes\` does: it is runtime-tests/porting/port.js",
        "docs/porting.md, js, not run: \`npm run runtimes\` does: it is runtime-tests/porting/device.js",
        "docs/porting.md, js, not run: \`npm run runtimes\` does: it is runtime-tests/porting/host.mjs",
        "docs/porting.md, js, not run: \`npm run runtimes\` does: it is runtime-tests/porting/certificate-device.js",
        "docs/post-quantum.md, sh, not run: for the broker of the block before",
        "docs/reading-order.md, sh, not run: it makes a copy of the stack for a student; scripts/course.test.ts tries every exercise",
        "docs/record-and-replay.md, sh, not run: example.org, and a minute of looking",
        "docs/record-and-replay.md, ts, types only: one.jsonl is yours",
        "docs/ticket-keys.md, js, not run: it needs nats-server",
        "docs/workerd.md, js, not run: it needs workerd; \`npm run hosts -- workerd\` runs this program there",
        "packages/broker/README.md, sh, not run: these need brokers and programs of others",
        "packages/broker/README.md, sh, not run: a broker has kept nothing here",
      ]
    `)
  })

  it("that says something unknown, or is in a language that is none, is an error", () => {
    const block = (before: string, language: string) => `# A page\n\n${before}\`\`\`${language}\ncode\n\`\`\`\n`
    const read = (text: string) => () => readPage("a.md", text)
    expect(read(block("", "bash"))).toThrow(
      /^a.md:3: a block of "bash": code is ts, js, sh, json, toml, the rest is text/,
    )
    expect(read(block("", ""))).toThrow(/^a.md:3: a block of ""/)
    expect(read(block("<!-- snippet: because -->\n", "ts"))).toThrow(/^a.md:3: what does "because" say/)
    expect(read(block("<!-- snippet: not run: -->\n", "ts"))).toThrow(/^a.md:3: what does "not run:" say/)
    expect(read("```ts\ncode\n")).toThrow(/^a.md:1: no line ``` ends it/)
    expect(read("<!-- snippet: goes on -->\n")).toThrow(/no block follows/)
    expect(() => programsOf(readPage("a.md", block("<!-- snippet: goes on -->\n", "ts")))).toThrow(
      /goes on with nothing/,
    )
  })
})

/** Long options of a command line with `puremq` in it that this command of ours does not have. */
function unknownOptions(line: string): readonly string[] {
  const typed = /(?:^|\s)(?:puremq|@puremq\/broker)(?: --(?= ))?((?:\s[^|;&]*)?)/.exec(line)?.[1]
  if (typed === undefined) return []
  const [first = "start"] = typed.trim().split(/\s+/)
  const command = puremq.commands[first] ?? puremq.commands["start"]
  const known = [
    "help",
    "version",
    ...(command?.sections ?? []).flatMap(({ rows }) => rows.flatMap(({ also = [], name }) => [name, ...also])),
  ]
  // What stands in quotes is no option.
  const bare = typed.replace(/'[^']*'|"[^"]*"/g, "")
  return [...bare.matchAll(/\s--([a-z][\w-]*)/g)].flatMap(([, name = ""]) =>
    known.includes(name) ? [] : [`--${name}`],
  )
}

/** Its lines are the page's. */
function fileOf(name: string, extension: string): string {
  return join(project, `${name.replace(":", "-")}.${extension}`)
}

async function portsFor(ownBroker: boolean): Promise<Map<string, string>> {
  const ports = new Map<string, string>()
  for (const number of exampleNumbers) ports.set(number, `${await freePort()}`)
  if (!ownBroker) ports.set("8883", `${world.brokerPort}`)
  return ports
}

/** What absent programs would print is not waited for. */
function shownBy(there: readonly Command[], absent: readonly Command[], shows: Snippet["shows"]): Snippet["shows"] {
  return absent.length > 0 || there.length === 0 ? [] : shows
}

/** Runs a program in the reader's folder until it ends. */
async function execute(file: string): Promise<{ status: number | null; errors: string }> {
  const child = spawn(process.execPath, [file], { cwd: world.folder, stdio: ["ignore", "ignore", "pipe"] })
  let errors = ""
  child.stderr.on("data", (chunk) => (errors += chunk))
  const timer = setTimeout(() => {
    errors += "it did not end"
    child.kill()
  }, 60_000)
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve))
  clearTimeout(timer)
  return { status, errors }
}
