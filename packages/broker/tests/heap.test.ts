// What the trees say that they take is what they take, measured in a process of its own; and what is allowed by default is
// what a process with 512 MB of heap survives.

import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { defaultLimits } from "../src/session/limits.ts"

const folder = mkdtempSync(join(tmpdir(), "puremq-heap-"))
const program = join(folder, "heap-child.cjs")

beforeAll(async () => {
  const entry = fileURLToPath(new URL("heap-child.ts", import.meta.url))
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: "node", format: "cjs" })
})
afterAll(() => rmSync(folder, { recursive: true }))

async function run(...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--expose-gc",
    "--max-old-space-size=512",
    program,
    ...args,
  ])
  return JSON.parse(stdout)
}

describe("heap", () => {
  it("bytes of the trees are the heap they take, within 45 %, for short topics and deep ones", async () => {
    const measured = (await run("measure")) as Record<string, [real: number, charged: number]>
    expect(Object.keys(measured).length).toBeGreaterThan(15)
    const ratios = Object.entries(measured).map(([name, [real, charged]]) => [name, charged / real] as const)
    const wrong = ratios.filter(([, ratio]) => !(ratio > 0.7 && ratio < 1.45))
    expect(wrong, JSON.stringify(measured)).toEqual([])
    // A topic of 127 levels costs about what its text does: it is kept as text, bytes, packet and place in the tree.
    const [short] = measured["retained, short"]!
    const [deep] = measured["retained, 127 levels, apart at once"]!
    expect(deep - short).toBeLessThan(6 * 255)
    const [plain] = measured["subscriptions, short"]!
    const [filter] = measured["subscriptions, 127 levels, apart at once"]!
    expect(filter - plain).toBeLessThan(4 * 255)
  }, 120_000)

  it.each(["short", "127 levels, apart at once"])(
    "maximumRetainedBytes of one byte each fit into 512 MB: %s",
    async (name) => {
      const filled = (await run("fill", name)) as { kept: number; charged: number; refused: number; used: number }
      expect(filled.refused).toBe(1000)
      expect(filled.kept).toBeGreaterThan(90_000)
      expect(filled.charged).toBeGreaterThan(defaultLimits.maximumRetainedBytes * 0.99)
      expect(filled.charged).toBeLessThanOrEqual(defaultLimits.maximumRetainedBytes)
      expect(filled.used).toBeLessThan(350 * 1_048_576)
    },
    120_000,
  )
})
