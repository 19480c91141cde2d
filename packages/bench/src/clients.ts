// Full handshakes of clients over sockets, with node:tls in a process of its own, by the client's processor time.

import type { Pems } from "./contestants.ts"
import { otherClients } from "./engine/client-handshakes.ts"
import { driftText, type Plan, takeTurns } from "./engine/processes.ts"
import { asText, type Comparison, type Row } from "./measure.ts"
import { startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { quartiles, ratios } from "./statistics.ts"

const plan: Plan = { generations: 2, rounds: 5, slice: 150, warmUp: [1500, 4000] }

/** What is measured in a child is given away by name. */
const names = {
  node: "node:tls (OpenSSL)",
  noble: "PureMQ, noble",
  fast: "PureMQ, fast",
  host: "PureMQ, host crypto",
  subtls: `${otherClients.subtls.package} (WebCrypto, P-256)`,
  reclaim: `${otherClients.reclaim.package} (WebCrypto)`,
  "lemon-tls": `${otherClients["lemon-tls"].package} (node:crypto)`,
} as const

export async function compareClients(pems: Pems): Promise<Comparison> {
  const title = "Full handshakes of a client over sockets (P-256 certificate, AES-128-GCM; server node:tls)"
  progress(title)
  const suite = "TLS_AES_128_GCM_SHA256"
  const server = await startPeer({ kind: "sink", stack: "node:tls", pems, suite })
  try {
    const work = { type: "client", port: server.port, ca: pems.ca } as const
    const subjects = Object.keys(names) as (keyof typeof names)[]
    const contenders = subjects.map((subject) => ({ name: names[subject], subject, work }))
    const { measured, absent } = await takeTurns(contenders, plan)
    for (const { name, why } of absent) progress(`skipped ${name}: ${why}`)
    progress(driftText(measured))
    const first = measured[0]!.samples.map(({ cpu }) => cpu)
    const rows = measured.map(({ name, samples }): Row => {
      const cpu = samples.map((sample) => sample.cpu)
      return { name, samples: cpu, median: quartiles(cpu)[1], ratio: quartiles(ratios(cpu, first)) }
    })
    const drifts = measured.map(({ drifts: own }) => own.at(-1))
    const comparison = { title, unit: "µs CPU", rounds: plan.generations * plan.rounds, rows, drifts, absent }
    console.log(asText(comparison))
    return comparison
  } finally {
    server.stop()
  }
}
