// Sessions of TLS that go on at any node of a cluster: all derive their ticket keys from what lies at the cluster's servers, and ask
// these whether a flight of early data was taken.

import { Pause, type ReplayGuard, type Ticketer } from "@puremq/tls13"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { DerivedTicketKeys, type SharedSecret } from "@puremq/tls13/session"
import { FirstFlights } from "../cluster/first-flights.ts"
import type { Streams } from "../cluster/streams.ts"
import { TicketSecrets } from "../cluster/ticket-secrets.ts"
import { answerOf } from "./answer.ts"

/** What TLS servers of a cluster have in common; for one of the embedding program's own, too. */
export interface Resumption {
  /** As `ticketKeys` of a server: a ticket of one node is good at all of them. */
  readonly ticketKeys: Ticketer
  /** As `earlyData.replayGuard` of a server: a flight with early data is taken by one node, once; while the servers are away by none. */
  readonly replayGuard: ReplayGuard
}

/** Resumption, and what the broker does for it. */
export interface ClusterResumption extends Resumption {
  /** Tickets get another secret on all nodes. With `forget` those that were given before are worth nothing any more. */
  rotate(forget: boolean): void
  /** About once a second. */
  tick(): void
}

/** Seconds: no ticket is good for longer, whatever a node of the cluster is configured to. */
const longestLifetime = 604_800

export interface ResumptionNeeds {
  readonly random: (length: number) => Uint8Array
  /** Seconds that tickets of this node's listeners are good for at most. */
  readonly lifetime: number
  /** One line. */
  readonly trouble: (line: string) => void
}

/** Resolves when the cluster's secret is known, or when the servers have gone away meanwhile. */
export async function shareResumption(streams: Streams, needs: ResumptionNeeds): Promise<ClusterResumption> {
  let derived: DerivedTicketKeys | undefined
  const secrets = new TicketSecrets({
    ...needs,
    streams,
    now: () => Date.now(),
    changed: (all) => {
      if (derived === undefined) derived = derivedFrom(all)
      else derived.replace(all)
    },
  })
  const ready = new Promise<void>((resolve) => secrets.open(resolve))
  const flights = new FirstFlights({
    streams,
    after: (milliseconds, work) => {
      const timer = setTimeout(work, milliseconds)
      return () => clearTimeout(timer)
    },
  })
  await ready
  if (derived === undefined) throw new TypeError("there is no secret to derive ticket keys from")
  return {
    ticketKeys: derived,
    replayGuard: { take: (key, expiresAt, now) => new Pause(answerOf(flights.take(key, expiresAt, now))) },
    rotate: (forget) => secrets.rotate(forget),
    tick: () => secrets.tick(),
  }
}

/** By the same AEAD and hash on every node, whatever the providers of its listeners prefer. */
function derivedFrom(secrets: readonly SharedSecret[]): DerivedTicketKeys {
  const { cipherSuites, random } = createHostProvider()
  const aead = cipherSuites.find(({ name }) => name === "TLS_AES_256_GCM_SHA384")?.aead
  const hash = cipherSuites.find(({ name }) => name === "TLS_AES_128_GCM_SHA256")?.hash
  if (aead === undefined || hash === undefined) throw new TypeError("node:crypto has no AES-256-GCM or no SHA-256")
  return new DerivedTicketKeys({ aead, hash, random, secrets, lifetime: longestLifetime })
}
