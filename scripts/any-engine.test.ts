// What `@puremq/broker/core` and `/client` promise: a program that knows no runtime's types compiles with it, and runs, bundled into one file, on
// an engine that has the globals of the language and no others.

import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createContext, runInContext } from "node:vm"
import { build } from "esbuild"
import { beforeAll, describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = join(root, "scripts/any-engine")
const patience = 240_000

beforeAll(() => {
  // What is built already is not built again.
  const { status, stdout } = spawnSync(process.execPath, [join(root, "scripts/run.mjs"), "build"], { encoding: "utf8" })
  if (status !== 0) throw new Error(stdout)
}, patience)

/** The globals of ES2022 (its chapter 19) that programs use. */
const language = new Set([
  ...["globalThis", "Infinity", "NaN", "undefined", "isFinite", "isNaN", "parseFloat", "parseInt"],
  ...["Array", "ArrayBuffer", "BigInt", "Boolean", "DataView", "Date", "Error", "Function", "Map", "Number", "Object"],
  ...["Promise", "Proxy", "Reflect", "RegExp", "Set", "String", "Symbol", "Uint8Array", "Uint16Array", "Uint32Array"],
  ...["Int32Array", "Float64Array", "WeakMap", "WeakRef", "WeakSet", "JSON", "Math", "RangeError", "TypeError"],
])

async function bundled(program: string): Promise<{ readonly text: string; readonly sources: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(folder, program)],
    bundle: true,
    format: "iife",
    globalName: "program",
    platform: "neutral",
    target: "es2022",
    metafile: true,
    write: false,
    logLevel: "silent",
  })
  return { text: outputFiles[0]!.text, sources: Object.keys(metafile.inputs) }
}

/** What is neither a program of ours nor built of the package. */
function isForeign(path: string): boolean {
  return !/^(scripts\/any-engine|packages\/broker\/dist)\//.test(path)
}

/** What the program's `run` returns there. */
function runOnBareEngine(text: string): unknown {
  const context = createContext({})
  const names: string[] = runInContext("Object.getOwnPropertyNames(globalThis)", context)
  for (const name of names) if (!language.has(name)) runInContext(`delete globalThis.${name}`, context)
  const left: string[] = runInContext("Object.getOwnPropertyNames(globalThis)", context)
  expect(left.filter((name) => !language.has(name))).toEqual([])
  // Time, and what is random, are arguments.
  runInContext("Date = Math.random = undefined", context)
  return JSON.parse(runInContext(`${text}; JSON.stringify(program.run())`, context))
}

describe("on any engine", () => {
  it("programs compile without the types of a runtime", { timeout: patience }, () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", folder],
      { encoding: "utf8" },
    )
    expect(stdout).toBe("")
    expect(status).toBe(0)
  })

  it("a broker by bytes: a program of ours and what is built, nothing else", { timeout: patience }, async () => {
    const { text, sources } = await bundled("broker.ts")
    expect(sources.filter(isForeign)).toEqual([])
    expect(runOnBareEngine(text)).toEqual([
      "20 02 00 00",
      "90 03 00 01 01",
      "20 02 00 00",
      "40 02 00 09",
      "32 08 00 03 74 2f 31 00 01 21",
      "20 02 00 04",
      "closed",
      "closed",
    ])
  })

  it("a client by bytes beside it", { timeout: patience }, async () => {
    const { text, sources } = await bundled("client.ts")
    expect(sources.filter(isForeign)).toEqual([])
    expect(runOnBareEngine(text)).toEqual(["connected", "subscribed", "message t/1 21.5 1", "acknowledged", "closed"])
  })
})
