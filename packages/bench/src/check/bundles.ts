// Rows of what programs carry, min+gzip.

import { bundleSizes } from "../bundle-sizes.ts"
import type { CheckGroup } from "./group.ts"

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
    const sizes = bundleSizes()
    for (const [name, most] of Object.entries(targets)) {
      const size = sizes.get(name)
      if (size === undefined) throw new Error(`npm run size does not measure the ${name}`)
      tell({ name: `bundle, min+gzip: ${name}`, unit: "KB", values: [size], target: { most } })
    }
  },
}
