// The engine as the page has it: bundled with the stack instrumented, and imported from there.

import { rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { bundleEngine } from "../build/bundle.mjs"
import type * as Engine from "../src/engine.ts"

/** Milliseconds that bundling it may take, on a machine that does other things, too: the limit of a `beforeAll`. */
export const engineTime = 120_000

export async function loadEngine(): Promise<typeof Engine> {
  const file = join(tmpdir(), `explorer-engine-${process.pid}-${Math.random().toString(36).slice(2)}.mjs`)
  writeFileSync(file, await bundleEngine())
  try {
    return (await import(pathToFileURL(file).href)) as typeof Engine
  } finally {
    rmSync(file)
  }
}
