// What the admin API remembers and passes on of what happens.

import type { HandshakeFailed } from "../ports/events.ts"
import { LiveEvents } from "./live.ts"
import type { LogEvent } from "./log.ts"
import { Recent, RecentOfTwo } from "./recent.ts"
import type { Refused } from "./throttle.ts"

/** Something with the time of its happening, in milliseconds since 1970. */
export interface Timed<Event> {
  readonly at: number
  readonly event: Event
}

/** A login, a right or a message that was refused. */
export type ClientRefusal = Exclude<Refused, HandshakeFailed>

/** Of failed handshakes, of logins that were refused, and of what else was: the last so many. */
export const mostRemembered = 512

export class Watch {
  readonly handshakeFailures: Recent<Timed<HandshakeFailed>> = new Recent(mostRemembered)
  /** Whoever is in can be refused as often as it likes: that must not hide who tries to get in. */
  readonly refusals: RecentOfTwo<Timed<ClientRefusal>> = new RecentOfTwo(
    mostRemembered,
    ({ event }) => event.event === "client refused",
  )
  readonly live: LiveEvents = new LiveEvents()
  readonly #wall: () => number

  /** @param wall milliseconds since 1970 */
  constructor(wall: () => number) {
    this.#wall = wall
  }

  /** Each one, also those that the log holds back. */
  refused(event: Refused): void {
    const at = this.#wall()
    if (event.event === "tls failure") this.handshakeFailures.add({ at, event })
    else this.refusals.add({ at, event: shortened(event) })
  }

  /** What the log tells. */
  told(event: LogEvent): void {
    if (this.live.readers > 0) this.live.take(event, this.#wall())
  }
}

/** Of a peer what is shown: the rest of it would keep a connection that has gone. */
function shortened(event: ClientRefusal): ClientRefusal {
  const { transport, address, listener } = event.peer
  return { ...event, peer: { transport, address, listener } }
}
