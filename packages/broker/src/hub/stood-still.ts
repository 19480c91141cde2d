// A node that has stood still for a while (a process that was stopped, a virtual machine that was paused) may have lost sessions, and
// not know: what it had written for their clients waits until the servers have said whose they are.

import type { Connection } from "../client/connection.ts"
import type { Cluster } from "../ports/cluster.ts"
import type { Faults } from "../session/faults.ts"

export interface StoodStillNeeds {
  readonly cluster: Cluster
  readonly faults: Faults
  readonly now: () => number
}

/** Milliseconds for which output waits for servers that do not answer: messages of QoS 0 need none. */
const patience = 10_000

interface Held {
  readonly connection: Connection
  readonly until: number
  asked: boolean
}

export class StoodStill {
  readonly #needs: StoodStillNeeds
  readonly #held: Map<Connection, Held> = new Map()

  constructor(needs: StoodStillNeeds) {
    this.#needs = needs
  }

  /** It has, and these connections were there before. */
  happened(connections: Iterable<Connection>): void {
    const until = this.#needs.now() + patience
    for (const connection of connections) {
      if (!connection.outflow.holds) continue
      connection.outflow.hold()
      this.#held.set(connection, { connection, until, asked: false })
    }
    this.#ask()
  }

  /** About once a second. */
  wake(now: number): void {
    if (this.#held.size === 0) return
    for (const { connection, until } of this.#held.values()) if (until <= now) this.#release(connection)
    this.#ask()
  }

  #ask(): void {
    for (const held of this.#held.values()) {
      if (held.asked) continue
      held.asked = true
      const { connection } = held
      this.#needs.cluster.look(connection.clientId).onAnswer((problem) => {
        if (this.#held.get(connection) !== held) return
        held.asked = problem === undefined
        // One whose session is another node's has been told, and has nothing left to send.
        if (problem === undefined) this.#release(connection)
      })
    }
  }

  #release(connection: Connection): void {
    this.#held.delete(connection)
    this.#needs.faults.attempt(() => connection.outflow.release(), { clientId: connection.clientId })
  }
}
