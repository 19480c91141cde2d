// What goes to a registry: of each package that can be published, the built sources and nothing that only our tests use; and
// every entry point is there, and is on the package's page.

import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, it } from "vitest"
import { scan } from "./floors/scan.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const patience = 120_000

beforeAll(() => {
  // What is built already is not built again.
  const { status, stdout } = spawnSync(process.execPath, [join(root, "scripts/run.mjs"), "build"], { encoding: "utf8" })
  if (status !== 0) throw new Error(stdout)
}, patience)

describe.each(["tls13", "broker"])("packages/%s, packed", (name) => {
  const folder = join(root, "packages", name)
  const description = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const targets = Object.values<unknown>(description.exports).flatMap((each) => filesOf(each, folder))
  let files: readonly string[]
  beforeAll(() => {
    const { stdout } = spawnSync("npm pack --dry-run --json --ignore-scripts", {
      cwd: folder,
      encoding: "utf8",
      shell: true,
    })
    files = JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path)
  }, patience)

  it("has what its entry points lead to, and its commands", () => {
    const commands = Object.values<string>(description.bin)
    const wanted = [...targets, ...commands].map((path) => path.replace(/^\.\//, ""))
    expect(wanted.length).toBeGreaterThan(2)
    expect(wanted.filter((path) => !files.includes(path))).toEqual([])
  })

  it("has its sources, what is built of them, and no more", () => {
    const programs = reachedFrom(folder, [
      ...targets.filter((path) => path.endsWith(".js")).map((path) => path.replace("./", "")),
      ...readdirSync(join(folder, "bin")).map((name) => `bin/${name}`),
    ])
    expect(programs.size).toBeGreaterThan(10)
    const others = files.filter((path) => {
      if (targets.includes(`./${path}`) && path.endsWith(".wasm")) return false
      const declared = /^dist\/(.+?)\.d\.ts(?:\.map)?$/.exec(path)?.[1]
      if (declared !== undefined) return !files.includes(`src/${declared}.ts`)
      return !/^src\/.+\.ts$/.test(path) && !programs.has(path.replace(/\.map$/, ""))
    })
    const own = name === "broker" ? ["puremq.schema.json"] : []
    expect(others.sort()).toEqual(["LICENSE", "README.md", "package.json", ...own])
    expect(files.filter((path) => path.includes(".test."))).toEqual([])
    expect([...programs].filter((path) => !files.includes(path))).toEqual([])
  })

  it("has entry points for other runtimes that name nothing of Node", () => {
    const others = targets.filter((path) => /(core|workerd|streams)\.js$/.test(path))
    expect(others.length).toBeGreaterThan(1)
    for (const entry of others) {
      const named = [...reachedFrom(folder, [entry.replace("./", "")])].filter((path) =>
        /from "node:/.test(readFileSync(join(folder, path), "utf8")),
      )
      expect(named, entry).toEqual([])
    }
  })

  it("has a bundled file for each entry point, over few that they share", () => {
    for (const entry of targets.filter((path) => path.endsWith(".js"))) {
      // What is loaded when it is needed does not count: it costs nobody else anything.
      expect(reachedFrom(folder, [entry.replace("./", "")], "at once").size, entry).toBeLessThanOrEqual(20)
    }
  })

  it.runIf(name === "broker")("has each kind of error once: instanceof would not hold between two", () => {
    const declared = (ending: string, pattern: RegExp) =>
      files
        .filter((path) => path.endsWith(ending) && path.startsWith(ending === ".ts" ? "src/" : "dist/"))
        .flatMap((path) => [...readFileSync(join(folder, path), "utf8").matchAll(pattern)].map(([, found]) => found))
    const built = declared(".js", /\b(\w+) = class extends \w*Error\b/g)
    const sources = declared(".ts", /\bclass (\w+) extends \w*Error\b/g)
    const count = (all: readonly unknown[], wanted: unknown) => all.filter((each) => each === wanted).length
    expect(built.length).toBeGreaterThan(3)
    expect(built.filter((each) => count(built, each) > count(sources, each))).toEqual([])
  })

  it("has no source that neither an entry point nor a command leads to: it would be for our tests alone", () => {
    // A .d.ts declares the modules of a runtime to the compiler.
    const sources = files.filter((path) => path.startsWith("src/") && !path.endsWith(".d.ts"))
    const begin = [...targets, ...commandSources(folder)].map((path) => path.replace(/^\.\//, ""))
    const reached = reachedFrom(
      folder,
      begin.filter((path) => sources.includes(path)),
    )
    expect(reached.size).toBeGreaterThan(30)
    expect(sources.filter((path) => !reached.has(path))).toEqual([])
  })

  it("has every entry point on its page", () => {
    const page = readFileSync(join(folder, "README.md"), "utf8")
    const entries = Object.keys(description.exports).filter((entry) => !entry.endsWith(".json"))
    const named = (entry: string) => [
      `\`${entry}\``,
      `\`${entry.replace(".", description.name)}\``,
      `"${description.name}"`,
    ]
    expect(entries.filter((entry) => !named(entry).some((text) => page.includes(text)))).toEqual([])
  })
})

// Programs of threads and children are files of npm's package, and so are modules of WebAssembly: docs/release.md.
describe.each([
  ["tls13", ["./node", "./bench", "./command-line", "./webassembly/*.wasm", "./package.json"]],
  ["broker", [".", "./workerd", "./package.json"]],
])("packages/%s/jsr.json", (name, npmOnly) => {
  const read = (file: string) => JSON.parse(readFileSync(join(root, "packages", name, file), "utf8"))
  const [ours, jsr] = [read("package.json"), read("jsr.json")]

  it("is the package of package.json, by its sources", () => {
    expect([jsr.name, jsr.version, jsr.license]).toEqual([ours.name, ours.version, ours.license])
    const entries = Object.entries<Record<string, string>>(ours.exports).filter(([entry]) => !npmOnly.includes(entry))
    const sources = entries.map(([entry, { "@puremq/source": source }]) => [entry, source])
    expect(jsr.exports).toEqual(Object.fromEntries(sources))
  })

  it("has those dependencies of package.json that its sources import", () => {
    const all: Record<string, string> = { ...ours.dependencies, ...ours.optionalDependencies }
    const sources = [
      ...reachedFrom(join(root, "packages", name), Object.values<string>(jsr.exports).map(posix.normalize)),
    ]
    const imported = sources.flatMap((path) => scan(readFileSync(join(root, "packages", name, path), "utf8")).imports)
    const used = Object.keys(all).filter((each) => imported.some(({ specifier }) => specifier?.startsWith(`${each}/`)))
    const imports = used.map((each) => [`${each}/`, `npm:/${each}@${all[each]}/`])
    expect(jsr.imports ?? {}).toEqual(Object.fromEntries(imports))
  })
})

/** The sources that the package's files in bin/ run. */
function commandSources(folder: string): string[] {
  return readdirSync(join(folder, "bin")).flatMap((name) =>
    scan(readFileSync(join(folder, "bin", name), "utf8")).imports.map(({ specifier = "" }) =>
      specifier.replace(/^\.\.\/dist\/(.+)\.js$/, "src/$1.ts"),
    ),
  )
}

/** Those files and all that they import, also as types, or start as a thread, inside the package. */
function reachedFrom(folder: string, begin: readonly string[], when?: "at once"): ReadonlySet<string> {
  const reached = new Set(begin)
  for (const path of reached) {
    const text = readFileSync(join(folder, path), "utf8")
    for (const { specifier, late } of scan(text).imports) {
      if (late && when === "at once") continue
      if (specifier?.startsWith(".")) reached.add(posix.join(posix.dirname(path), specifier))
    }
    // The program of a thread or process; a source names what is built of its neighbour, or a file of bin/.
    for (const [, program = ""] of text.matchAll(/new URL\("(\.[\w./-]+\.js)", import\.meta\.url\)/g)) {
      const named = posix.join(posix.dirname(path), program)
      if (path.startsWith("dist/")) reached.add(named)
      else if (named.startsWith("src/")) reached.add(named.replace(/js$/, "ts"))
    }
  }
  return reached
}

/** Of a target of `exports`: a file, or a file by condition; the kernels of `*.wasm` are those that have a source. */
function filesOf(target: unknown, folder: string): string[] {
  if (typeof target === "string") {
    return target.endsWith("*.wasm") ? kernelNames(folder).map((name) => target.replace("*", name)) : [target]
  }
  if (typeof target !== "object" || target === null) return []
  return Object.values(target).flatMap((each) => filesOf(each, folder))
}

/** Folders that are a module, and not what modules share. */
function kernelNames(folder: string): string[] {
  const sources = join(folder, "assembly")
  return readdirSync(sources).filter((name) => existsSync(join(sources, name, "index.ts")))
}
