// What programs carry: bundled and minified by esbuild, then gzip, as `npm run size` measures it.

import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { asText, type Comparison } from "./measure.ts"

const script = fileURLToPath(new URL("../../../scripts/size.mjs", import.meta.url))

/** Of each program, in KB of 1000 bytes. */
export function bundleSizes(): ReadonlyMap<string, number> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--json"], { encoding: "utf8" })
  // Over its budget is what that script is for, and no broken measurement.
  if (status !== 0 && !stdout.startsWith("{")) throw new Error(`npm run size: ${stderr.trim()}`)
  const { programs } = JSON.parse(stdout) as { programs: Record<string, { gzip: number }> }
  return new Map(Object.entries(programs).map(([name, { gzip }]) => [name, gzip / 1000]))
}

/** The part `bundles`. */
export function compareBundles(): Comparison {
  const sizes = [...bundleSizes()]
  const first = sizes[0]![1]
  const rows = sizes.map(([name, size]) => {
    const ratio = size / first
    return { name, samples: [size], median: size, ratio: [ratio, ratio, ratio] as const }
  })
  const comparison = { title: "Bundles of programs, min+gzip", unit: "KB", rounds: 1, rows, drifts: [] }
  console.log(asText(comparison))
  return comparison
}
