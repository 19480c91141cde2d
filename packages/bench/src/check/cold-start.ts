// Rows of the first moments of a process: imports, and the first handshake, beside node:tls.

import { type First, measureColdStarts } from "../cold-start.ts"
import { ratios } from "../statistics.ts"
import type { CheckGroup } from "./group.ts"

export const coldStart: CheckGroup = {
  name: "cold-start",
  help: "imports and the first handshake of a process, beside node:tls",
  seconds: { quick: 8, whole: 20 },
  nodeOnly: true,
  async run({ pems, quick, tell }) {
    const times = await measureColdStarts(pems, quick ? 7 : 15)
    const beyond = (first: First): number[] => times[first].map((time, round) => time - times.node[round]!)
    tell({
      name: 'import of the core, beyond import("node:tls")',
      unit: "ms",
      values: beyond("core"),
      target: { most: 15 },
      note: "CPU",
    })
    tell({
      name: 'import of the core and noble, beyond import("node:tls")',
      unit: "ms",
      values: beyond("core-noble"),
      target: { most: 50 },
      note: "CPU",
    })
    tell({
      name: "import and first handshake of the Node adapter, x node:tls",
      unit: "x",
      values: ratios(times["our-handshake"], times["node-handshake"]),
      target: undefined,
    })
  },
}
