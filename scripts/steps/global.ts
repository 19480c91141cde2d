// A whole run of the tests (`npm test`) notes every step that a state machine took in any of them, as record.ts says, and in
// the end compares them with handshake/transitions.ts: none may be missing, and there may be no other.

import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { TestProject } from "vitest/node"
import { compareSteps, tableSteps } from "../../packages/tls13/tests/steps.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Where workers write the steps; undefined: they do not. */
    stepsFolder: string | undefined
    /** Where the command `puremq` is built once for all files of a whole run; undefined: each builds it. */
    commandFolder: string | undefined
    /** The same of the explorer's page. */
    pageFolder: string | undefined
  }
}

/** @returns what is done after the last test */
export async function setup(project: TestProject): Promise<(() => void) | undefined> {
  // Tests run on the sources, and a part of those is compiled. A copy of the stack alone has no dashboard.
  const programs = ["../kernels.mjs", "../../packages/broker/dashboard/build/bundle.mjs"]
  for (const program of programs.map((path) => fileURLToPath(new URL(path, import.meta.url))))
    if (existsSync(program)) execFileSync(process.execPath, [program], { stdio: "inherit" })
  const isWhole = process.env.PUREMQ_ALL_TESTS === "1"
  const folder = isWhole ? mkdtempSync(join(tmpdir(), "puremq-steps-")) : undefined
  project.provide("stepsFolder", folder)
  const built = isWhole ? mkdtempSync(join(tmpdir(), "puremq-built-")) : undefined
  project.provide(
    "commandFolder",
    built && (await builtOnce(built, "command", "broker/tests/command-build.ts", "buildCommand")),
  )
  project.provide("pageFolder", built && (await builtOnce(built, "page", "explorer/build/bundle.mjs", "bundlePage")))
  if (folder === undefined || built === undefined) return undefined
  return () => {
    rmSync(built, { recursive: true })
    compare(folder)
  }
}

/** What many files of tests start: built once. */
async function builtOnce(within: string, name: string, source: string, build: string): Promise<string | undefined> {
  const path = fileURLToPath(new URL(`../../packages/${source}`, import.meta.url))
  if (!existsSync(path)) return undefined
  const folder = join(within, name)
  await (await import(path))[build](folder)
  return folder
}

/** When they differ the run has failed. */
function compare(folder: string): void {
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"))
  rmSync(folder, { recursive: true })
  const walked = new Set(texts.flatMap((text) => text.split("\n")).filter((line) => line !== ""))
  const rows = tableSteps("client", "server")
  const { missing, foreign } = compareSteps(walked, rows)
  console.log(`\nsteps of the state machines: ${rows.length - missing.length} of ${rows.length} rows were walked`)
  for (const row of missing) console.error(`  no test walks  ${row}`)
  for (const step of foreign) console.error(`  no row allows  ${step}`)
  // Thrown errors are printed at this stage, and the run passes.
  if (missing.length + foreign.length > 0) process.exitCode = 1
}
