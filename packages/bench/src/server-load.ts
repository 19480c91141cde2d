// A server under load, by what it computes itself: operations a second of its own processor time. Who waited for whom does not
// change that much, and which side was the limit is said.

import { cpus } from "node:os"
import { type Loaded, type LoadTask, startPeer } from "./peers.ts"

/** What a load is put on. */
export interface Loadable {
  readonly port: number
  /** Milliseconds of processor time until now. */
  busy(): Promise<number>
}

export interface UnderLoad {
  /** Connections a second of the server's processor time. */
  measure(): Promise<number>
  /** The same, in a round that does not count. */
  warm(): Promise<number>
  /** Connections a second, by the clock. */
  measureRate(): Promise<number>
  /** Of all runs: which share of the time the server computed, and how much of a processor each process of the load. */
  shares(): { readonly server: number; readonly load: number }
  stop(): void
}

/** Processes that make connections: one less than there are processors, but 2 at least, so that a client of OpenSSL is not the limit. */
const loaders = Math.max(2, Math.min(4, cpus().length - 1))

/**
 * Connections of a round that does not count, and slices at most. An engine settles by how often something has run, not by the
 * clock: of ours a connection cost twice as much after 1,000 as after 6,000, and a busy machine makes 40 in a slice.
 */
const warmConnections = 250
const mostSlices = 6

/** Runs slices until there were enough connections. @returns connections a second of the server's processor time */
export async function warmedBy(
  slice: () => Promise<{ readonly connections: number; readonly busy: number }>,
): Promise<number> {
  let [connections, busy] = [0, 0]
  for (let slices = 0; slices < mostSlices && connections < warmConnections; slices++) {
    const each = await slice()
    connections += each.connections
    busy += each.busy
  }
  return (connections * 1000) / busy
}

export async function connectionsUnderLoad(server: Loadable, load: Omit<LoadTask, "port">): Promise<UnderLoad> {
  const processes = await Promise.all(
    Array.from({ length: loaders }, () => startPeer({ kind: "load", load: { ...load, port: server.port } })),
  )
  const total = { elapsed: 0, server: 0, load: 0 }
  const run = async () => {
    const before = await server.busy()
    const runs: Loaded[] = await Promise.all(processes.map((process) => process.ask("load")))
    const busy = (await server.busy()) - before
    const elapsed = Math.max(...runs.map((each) => each.elapsed))
    total.elapsed += elapsed
    total.server += busy
    total.load += runs.reduce((sum, each) => sum + each.busy, 0) / runs.length
    return { busy, elapsed, connections: runs.reduce((sum, { connections }) => sum + connections, 0) }
  }
  return {
    async measure() {
      const { connections, busy } = await run()
      return (connections * 1000) / busy
    },
    warm: () => warmedBy(run),
    async measureRate() {
      const { connections, elapsed } = await run()
      return (connections * 1000) / elapsed
    },
    shares: () => ({ server: total.server / total.elapsed, load: total.load / total.elapsed }),
    stop: () => processes.forEach((process) => void process.stop()),
  }
}

/** Which side was the limit, in words. On a machine that others use neither has a processor all the time. */
export function limitText(name: string, { server, load }: ReturnType<UnderLoad["shares"]>): string {
  const percent = (share: number) => `${Math.round(100 * share)}%`
  const busiest = server >= load ? "the server was the limit" : "the load was the limit"
  const limit = Math.max(server, load) < 0.5 ? "neither was the limit, but other programs" : busiest
  return `${name}: the server computed ${percent(server)} of the time, each of ${loaders} load processes ${percent(load)}: ${limit}`
}
