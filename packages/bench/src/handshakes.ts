// Handshakes over sockets, by the server's processor time: the clients are OpenSSL through node:tls for all of them.

import { type Pems, type Stack, stackNames, stacks } from "./contestants.ts"
import { type Comparison, compare } from "./measure.ts"
import { startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { connectionsUnderLoad, limitText } from "./server-load.ts"

export interface HandshakePlan {
  readonly stacks: readonly Stack[]
  readonly rounds: number
  /** Rounds before those that count. */
  readonly uncounted: number
  /** Milliseconds of one measurement. */
  readonly slice: number
}

export const usualHandshakePlan: HandshakePlan = { stacks, rounds: 7, uncounted: 6, slice: 500 }

const suite = "TLS_AES_128_GCM_SHA256"
const kinds = { full: "Full", resumed: "Resumed" } as const

export async function compareHandshakes(pems: Pems, plan: HandshakePlan): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const kind of ["full", "resumed"] as const) comparisons.push(await compareKind(pems, kind, plan))
  return comparisons
}

/** The first stack of the plan is what the others are compared to. */
export async function compareKind(pems: Pems, kind: "full" | "resumed", plan: HandshakePlan): Promise<Comparison> {
  const load = { pems, suite, resumed: kind === "resumed", mqtt: false, slice: plan.slice, atOnce: 4 }
  const running = []
  try {
    for (const stack of plan.stacks) {
      const peer = await startPeer({ kind: "sink", stack, pems })
      const server = { port: peer.port, busy: () => peer.ask("busy") }
      running.push({ name: stackNames[stack], peer, load: await connectionsUnderLoad(server, load) })
    }
    const contestants = running.map(({ name, load: { measure } }) => ({ name, measure }))
    const title = `${kinds[kind]} handshakes by server (X25519, P-256 certificate, AES-128-GCM; OpenSSL clients)`
    const comparison = await compare(title, "handshakes/CPU s", plan.rounds, contestants, plan.uncounted)
    for (const { name, load: own } of running) progress(limitText(name, own.shares()))
    return comparison
  } finally {
    for (const { peer, load: own } of running) {
      own.stop()
      peer.stop()
    }
  }
}
