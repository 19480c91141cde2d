// Rows of what programs carry: bundled and minified by esbuild, then gzip, as `npm run size` measures it.

import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { CheckGroup } from "./group.ts"

const script = fileURLToPath(new URL("../../../../scripts/size.mjs", import.meta.url))

/** KB are 1000 bytes. */
const targets: Readonly<Record<string, number>> = {
  "client core without a provider": 20,
  "PSK client with noble": 38,
  "certificate client without a provider": 48,
}

export const bundles: CheckGroup = {
  name: "bundles",
  help: "what programs carry, min+gzip: the figures of npm run size",
  seconds: { quick: 3, whole: 3 },
  nodeOnly: true,
  async run({ tell }) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--json"], { encoding: "utf8" })
    // Over its budget is what that script is for, and no broken measurement.
    if (status !== 0 && !stdout.startsWith("{")) throw new Error(`npm run size: ${stderr.trim()}`)
    const { programs } = JSON.parse(stdout) as { programs: Record<string, { gzip: number }> }
    for (const [name, most] of Object.entries(targets)) {
      const gzip = programs[name]?.gzip
      if (gzip === undefined) throw new Error(`npm run size does not measure the ${name}`)
      tell({ name: `bundle, min+gzip: ${name}`, unit: "KB", values: [gzip / 1000], target: { most } })
    }
  },
}
