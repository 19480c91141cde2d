// What the broker runs on: runtimes, and single files with one in them.

import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

/** Of the repository; a bundle is one folder deeper than its source. */
export const root: string = fileURLToPath(
  new URL(import.meta.url.includes("/dist/") ? "../../../../" : "../../../", import.meta.url),
)

/** Runs the program in `file`; a single file is that program already. */
export interface Host {
  readonly name: string
  /** @param heap MiB */
  readonly command: (file: string, heap: number) => readonly string[]
  /** Limits the heap where the command does not. */
  readonly env: (heap: number) => Readonly<Record<string, string>>
}

/** Why there is none, in words. */
export interface Missing {
  readonly refused: string
}

/** This Node.js. */
export const nodeHost: Host = nodeAt("node", process.execPath)

function nodeAt(name: string, program: string): Host {
  return { name, command: (file, heap) => [program, `--max-old-space-size=${heap}`, file], env: () => ({}) }
}

function denoAt(name: string, program: string, script?: string): Host {
  return {
    name,
    command: (file, heap) => [program, "run", "-A", `--v8-flags=--max-old-space-size=${heap}`, script ?? file],
    env: () => ({ DENO_NO_UPDATE_CHECK: "1" }),
  }
}

/** The engine has no limit; the broker takes it as the heap that its limits are shares of. */
function bunAt(name: string, program: string, script?: string): Host {
  return { name, command: (file, heap) => [program, `--max-old-space-size=${heap}`, script ?? file], env: () => ({}) }
}

function executableAt(name: string, program: string): Host {
  const heapOf = (heap: number) => ({
    NODE_OPTIONS: `--max-old-space-size=${heap}`,
    DENO_V8_FLAGS: `--max-old-space-size=${heap}`,
  })
  return { name, command: () => [program], env: heapOf }
}

interface RuntimeInstaller {
  programOf(name: string): Promise<{ readonly program: string } | Missing>
}

interface SingleFiles {
  makeSingleFiles(names: readonly string[]): Promise<Readonly<Record<string, { readonly file: string } | Missing>>>
}

const runtimes = ["deno", "bun"] as const
const files = ["script on node", "script on deno", "script on bun", "single node", "single deno", "single bun"] as const
export const hostNames: readonly string[] = [
  "node20",
  "node26",
  ...runtimes,
  ...files.map((name) => name.replaceAll(" ", "-")),
  "workerd",
]

/** Installs it when it is missing. */
export async function runtimeProgram(name: string): Promise<{ readonly program: string } | Missing> {
  const { programOf }: RuntimeInstaller = await import(`${root}runtime-tests/install.mjs`)
  return programOf(name)
}

/** Installs or makes it when it is missing. @param name of `hostNames`, or "node": this one */
export async function hostOf(name: string): Promise<Host | Missing> {
  if (name === "node") return nodeHost
  if (/^node\d/.test(name)) {
    const node = await runtimeProgram(name)
    return "refused" in node ? node : nodeAt(name, node.program)
  }
  const of = name.replace(/^(script-on|single)-/, "")
  const runtime = of === "node" ? { program: process.execPath } : await runtimeProgram(of)
  if ("refused" in runtime) return runtime
  let script: string | undefined
  if (of !== name) {
    const { makeSingleFiles }: SingleFiles = await import(`${root}scripts/single-files.mjs`)
    const wanted = name.startsWith("single-") ? of : "script"
    const made = (await makeSingleFiles([wanted]))[wanted]
    if (made === undefined || "refused" in made) return made ?? { refused: `there is no ${wanted}` }
    if (wanted !== "script") return executableAt(name, made.file)
    script = made.file
  }
  if (of === "deno") return denoAt(name, runtime.program, script)
  if (of === "bun") return bunAt(name, runtime.program, script)
  return {
    name,
    command: (_, heap) => [process.execPath, `--max-old-space-size=${heap}`, script ?? ""],
    env: () => ({}),
  }
}

/** What runs, as it says itself. */
export function versionOf(host: Host): string {
  const [program = "", ...args] = host.command("", 512)
  if (args.length === 0) return "one executable"
  const said = execFileSync(program, ["--version"], { encoding: "utf8" })
  return said.split("\n")[0]?.trim() ?? ""
}
