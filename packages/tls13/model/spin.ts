// One run of Spin: the model of a variant is made, compiled and searched in a folder of its own.

import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Variant } from "./variants.ts"

export interface Verdict {
  /** complete: every state was looked at, and every promise held. */
  readonly result: "complete" | "broken" | "too large"
  readonly states: number
  readonly depth: number
  /** Megabytes. */
  readonly memory: number
  /** On the clock, compiling included. */
  readonly seconds: number
  /** What happened up to a broken promise, as the model prints it: lines that begin with `@`. */
  readonly trail: readonly string[]
}

/** Of what is needed, what is not there. */
export function missingTools(): readonly string[] {
  return ["spin", "gcc"].filter((tool) => spawnSync(tool, [tool === "spin" ? "-V" : "--version"]).error !== undefined)
}

export interface Bounds {
  /** Megabytes that the search may take. */
  readonly memory: number
  /** Wall-clock seconds for one variant. */
  readonly seconds: number
}

/**
 * @param folder with the model's .pml files
 * @param generated what stands in the place of generated.pml
 * @throws Error when the model does not compile
 */
export function check(folder: string, generated: string, { defines, large }: Variant, bounds: Bounds): Verdict {
  const work = mkdtempSync(join(tmpdir(), "tls13-model-"))
  const begin = performance.now()
  try {
    for (const file of readdirSync(folder)) if (file.endsWith(".pml")) cpSync(join(folder, file), join(work, file))
    writeFileSync(join(work, "generated.pml"), generated)
    const names = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`)
    run(work, bounds, "spin", [...names, "-a", "tls13.pml"])
    // Partial-order reduction has nothing to do in a model of one process.
    const options = ["-DSAFETY", "-DNOREDUCE", "-DCOLLAPSE", "-DVECTORSZ=2048", `-DMEMLIM=${bounds.memory}`, "-w"]
    run(work, bounds, "gcc", [large ? "-O1" : "-O0", ...options, "-o", "pan", "pan.c"])
    const said = run(work, bounds, "./pan", ["-m20000"])
    const broken = said.includes("assertion violated")
    const trail = broken ? run(work, bounds, "spin", [...names, "-t", "tls13.pml"]) : ""
    return {
      result: broken
        ? "broken"
        : /errors: 0/.test(said) && !/Interrupted|too small|out of memory/.test(said)
          ? "complete"
          : "too large",
      states: number(said, /(\d+) states, stored/),
      depth: number(said, /depth reached (\d+)/),
      memory: number(said, /([\d.]+)\s+total actual memory/),
      seconds: (performance.now() - begin) / 1000,
      trail: trail.split("\n").flatMap((line) => (line.trim().startsWith("@") ? [line.trim()] : [])),
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function run(cwd: string, { seconds }: Bounds, program: string, args: readonly string[]): string {
  const { stdout, stderr, status, error } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    timeout: seconds * 1000,
    killSignal: "SIGINT",
    maxBuffer: 1 << 28,
  })
  const isLate = error !== undefined && "code" in error && error.code === "ETIMEDOUT"
  if (error !== undefined && !isLate) throw error
  // A search and the replay of a trail end with an error where a promise is broken.
  const makes = program === "gcc" || args.includes("-a")
  if (makes && !isLate && (status !== 0 || stdout.includes("Error: ")))
    throw new Error(`${program} ${args.join(" ")}: ${(stderr || stdout).slice(0, 500)}`)
  return isLate ? `${stdout}\nInterrupted` : stdout
}

function number(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0)
}
