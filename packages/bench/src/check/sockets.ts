// Rows of servers over sockets: handshakes and bulk by the server's processor time, heap of an idle connection.

import type { Stack } from "../contestants.ts"
import { compareKind, type HandshakePlan } from "../handshakes.ts"
import { type Comparison, unsettled } from "../measure.ts"
import { heapOfIdle } from "../memory.ts"
import { ratios } from "../statistics.ts"
import { compareTransfer, type TransferPlan } from "../transfer.ts"
import type { CheckGroup } from "./group.ts"

const stacks: readonly Stack[] = ["node:tls", "fast"]

// A tenth of the processor time is still that of compilers after ten slices.
const handshakePlans = {
  quick: { stacks, rounds: 7, uncounted: 20, slice: 400 },
  whole: { stacks, rounds: 15, uncounted: 20, slice: 700 },
} as const satisfies Record<string, HandshakePlan>

const transferPlans = {
  quick: { stacks, rounds: 7, uncounted: 6, slice: 100 },
  whole: { stacks, rounds: 15, uncounted: 6, slice: 300 },
} as const satisfies Record<string, TransferPlan>

export const servers: CheckGroup = {
  name: "servers",
  help: "a server's CPU a handshake over sockets, beside node:tls",
  seconds: { quick: 50, whole: 110 },
  nodeOnly: true,
  async run({ pems, quick, tell }) {
    for (const kind of ["full", "resumed"] as const) {
      const comparison = await compareKind(pems, kind, handshakePlans[quick ? "quick" : "whole"])
      tell({
        name: `server's CPU of a ${kind} handshake over sockets, x node:tls`,
        unit: "x",
        values: costs(comparison),
        target: { most: 1 },
        ...unsettled(comparison),
      })
    }
  },
}

export const bulk: CheckGroup = {
  name: "bulk",
  help: "a server's CPU a megabyte over sockets, beside node:tls",
  seconds: { quick: 12, whole: 60 },
  nodeOnly: true,
  async run({ pems, quick, tell }) {
    for (const [suite, least] of [
      ["TLS_AES_128_GCM_SHA256", 0.2],
      ["TLS_CHACHA20_POLY1305_SHA256", 0.6],
    ] as const) {
      const comparison = await compareTransfer(pems, suite, 16_384, transferPlans[quick ? "quick" : "whole"])
      const [theirs, ours] = comparison.rows
      tell({
        name: `MB a server's CPU second over sockets, ${suite}, x node:tls`,
        unit: "x",
        values: ratios(ours!.samples, theirs!.samples),
        target: { least },
        ...unsettled(comparison),
      })
    }
  },
}

export const idleConnections: CheckGroup = {
  name: "idle",
  help: "heap of a server for an idle TLS connection",
  seconds: { quick: 12, whole: 35 },
  nodeOnly: true,
  async run({ pems, quick, tell }) {
    for (const [stack, target] of [
      ["fast", { most: 8 }],
      ["node:tls", undefined],
    ] as const) {
      const values: number[] = []
      for (let round = 0; round < (quick ? 1 : 3); round++) values.push((await heapOfIdle(stack, pems)).heap)
      const note = stack === "fast" ? undefined : "and what OpenSSL holds outside of it"
      tell({ name: `heap of an idle TLS connection, ${stack}`, unit: "KiB", values, target, ...(note && { note }) })
    }
  },
}

/** Of the second contestant beside the first, of rates: processor time of one operation. */
function costs({ rows: [theirs, ours] }: Comparison): number[] {
  return ratios(theirs!.samples, ours!.samples)
}
