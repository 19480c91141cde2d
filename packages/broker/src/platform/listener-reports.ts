// What listeners report of handshakes and of connections that they turn away: all of it is counted, and what comes in floods is told
// once a second.

import { HandshakeCounts } from "../admin/handshake-counts.ts"
import type { LogEvent } from "../admin/log.ts"
import { isRefusal, type Throttle } from "../admin/throttle.ts"
import type { RefusalKind } from "../listen/listener.ts"
import type { HandshakeDetail, HandshakeFailed, HandshakeSucceeded } from "../ports/events.ts"
import type { Counters } from "../session/counters.ts"

export interface ListenerReportsNeeds {
  readonly counters: Counters
  readonly refusals: Throttle
  readonly event: (event: LogEvent) => void
  /** Is told of each handshake that failed, but for floods. */
  readonly failed: (event: HandshakeFailed) => void
  readonly now: () => number
}

export class ListenerReports {
  readonly tls: HandshakeCounts = new HandshakeCounts()
  readonly #needs: ListenerReportsNeeds
  #lastRefusal = Number.NEGATIVE_INFINITY
  readonly #lastTold = new Map<RefusalKind, number>()

  constructor(needs: ListenerReportsNeeds) {
    this.#needs = needs
  }

  refused(kind: RefusalKind, text: string): void {
    this.#needs.counters.connectionsRefused++
    this.#needs.counters.disconnected(`refused: ${kind}`)
    if (this.#needs.now() - (this.#lastTold.get(kind) ?? Number.NEGATIVE_INFINITY) < 1000) return
    this.#lastTold.set(kind, this.#needs.now())
    this.#needs.event({ event: "warning", text })
  }

  handshake(event: HandshakeSucceeded | HandshakeFailed, detail: HandshakeDetail): void {
    this.tls.count(event, detail)
    // Connections turned away by a limit come in floods: all are counted, one a second is told.
    if (event.event === "tls failure" && event.limit === true) {
      if (this.#needs.now() - this.#lastRefusal < 1000) return
      this.#lastRefusal = this.#needs.now()
    }
    if (event.event === "tls failure") this.#needs.failed(event)
    if (isRefusal(event)) this.#needs.refusals.take(event, this.#needs.now())
    else this.#needs.event(event)
  }
}
