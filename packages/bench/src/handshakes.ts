// Handshakes over sockets, by the server's processor time: the clients are OpenSSL through node:tls for all of them.

import { type Pems, type Stack, stackNames, stacks } from "./contestants.ts"
import { type Comparison, compare } from "./measure.ts"
import { onOneProcessor } from "./one-processor.ts"
import { type ForeignServer, foreignServerNames, foreignServers, startForeignServer } from "./openssl-servers.ts"
import { startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { connectionsUnderLoad, type Loadable, limitText, type UnderLoad } from "./server-load.ts"
import type { AbsentSubject } from "./tables.ts"

export interface HandshakePlan {
  readonly stacks: readonly Stack[]
  /** Beside them, where they are installed. */
  readonly foreign?: readonly ForeignServer[]
  readonly rounds: number
  /** Rounds before those that count. */
  readonly uncounted: number
  /** Milliseconds of one measurement. */
  readonly slice: number
}

export const usualHandshakePlan: HandshakePlan = {
  stacks,
  foreign: foreignServerNames,
  rounds: 7,
  uncounted: 6,
  slice: 500,
}

const suite = "TLS_AES_128_GCM_SHA256"
const kinds = { full: "Full", resumed: "Resumed" } as const

export async function compareHandshakes(pems: Pems, plan: HandshakePlan): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const kind of ["full", "resumed"] as const) comparisons.push(await compareKind(pems, kind, plan))
  return comparisons
}

interface Loaded {
  readonly name: string
  readonly load: UnderLoad
  stop(): void
}

/** The first stack of the plan is what the others are compared to. */
export async function compareKind(pems: Pems, kind: "full" | "resumed", plan: HandshakePlan): Promise<Comparison> {
  const load = { pems, suite, resumed: kind === "resumed", mqtt: false, slice: plan.slice, atOnce: 4 }
  const running: Loaded[] = []
  const absent: AbsentSubject[] = []
  const put = async (name: string, server: Loadable, stop: () => void) => {
    running.push({ name, stop, load: await connectionsUnderLoad(server, load) })
  }
  try {
    for (const stack of plan.stacks) {
      const { port, pid, ask, stop } = await startPeer({ kind: "sink", stack, pems })
      onOneProcessor(pid)
      await put(stackNames[stack], { port, busy: () => ask("busy") }, stop)
    }
    for (const which of plan.foreign ?? []) {
      const server = await startForeignServer(which, pems)
      if (server !== undefined) {
        const { port, pid, busy, stop } = server
        onOneProcessor(pid)
        await put(foreignServers[which], { port, busy: async () => busy() }, stop)
        continue
      }
      absent.push({ name: foreignServers[which], why: "it is not installed, or does not start" })
      progress(`skipped ${foreignServers[which]}: it is not installed, or does not start`)
    }
    const contestants = running.map(({ name, load: { measure, warm } }) => ({ name, measure, warm }))
    const title = `${kinds[kind]} handshakes by server (X25519, P-256 certificate, AES-128-GCM; OpenSSL clients)`
    const comparison = await compare(title, "handshakes/CPU s", plan.rounds, contestants, plan.uncounted)
    for (const { name, load: own } of running) progress(limitText(name, own.shares()))
    return { ...comparison, absent }
  } finally {
    for (const { stop, load: own } of running) {
      own.stop()
      stop()
    }
  }
}
