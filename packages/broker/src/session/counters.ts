import type { Observer } from "../ports/timings.ts"

/** What the broker counts. Plain numbers that only grow; read by $SYS and the metrics endpoint. */
export class Counters {
  /** Told how many messages wait for a session, when one more does. */
  readonly queueDepth: Observer | undefined
  packetsReceived = 0
  bytesReceived = 0
  bytesSent = 0
  publishReceived = 0
  publishSent = 0
  /** Packets sent that are no PUBLISH. */
  othersSent = 0
  /** Bytes of payloads. */
  publishBytesReceived = 0
  publishBytesSent = 0
  connectionsOpened = 0
  /** Network connections that never became one of those: too many, or nothing that may come in. */
  connectionsRefused = 0
  connectionsClosed = 0
  /** CONNECT packets, whatever became of them. */
  connectsReceived = 0
  connectsAccepted = 0
  connectsRefused = 0
  publishersPaused = 0
  /** How often a connection was not read from as it had published faster than it may. */
  publishersRationed = 0
  retainedRefused = 0
  willsPublished = 0
  /** Sessions that ended as their client had not come again for their Session Expiry Interval. */
  sessionsExpired = 0
  /** Sessions that ended before their time because others needed the room. */
  sessionsDisplaced = 0
  /** Messages that were not delivered to a session, by reason. */
  readonly dropped: Record<DropReason, number> = {
    "output full": 0,
    "queue full": 0,
    "memory full": 0,
    expired: 0,
    "too large": 0,
    offline: 0,
    "session ended": 0,
    "refused by client": 0,
    "not authorized": 0,
    "not kept": 0,
    "payload too large": 0,
    "payload format invalid": 0,
  }
  /** Connections that ended for a reason other than the client's own good-bye, by reason. */
  readonly disconnects: Map<string, number> = new Map()

  constructor(queueDepth?: Observer) {
    this.queueDepth = queueDepth
  }

  disconnected(reason: string): void {
    // Reasons come from fixed texts, so the map stays small; the bound is for the day somebody forgets that.
    const label = this.disconnects.size < 256 || this.disconnects.has(reason) ? reason : "other"
    this.disconnects.set(label, (this.disconnects.get(label) ?? 0) + 1)
  }
}

export type DropReason =
  | "output full"
  | "queue full"
  | "memory full"
  | "expired"
  | "too large"
  | "offline"
  | "session ended"
  | "refused by client"
  | "not authorized"
  | "not kept"
  | "payload too large"
  | "payload format invalid"
