// A message on its way: kept if it is to be retained, over the bus, and to those who subscribe. Whose fault it is when that
// throws: the publisher's within its own turn, a receiver's where it was to be given the message.

import type { Connection } from "../client/connection.ts"
import type { Message } from "../packet/message.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Bus } from "../ports/bus.ts"
import type { Router } from "../routing/router.ts"
import type { Reach, Subscriber } from "../routing/subscription.ts"
import type { Faults } from "../session/faults.ts"
import type { QueuePolicy } from "../session/queue.ts"
import type { Recorder } from "../session/recorder.ts"
import { Session } from "../session/session.ts"
import { isOwn, type RetainedMessages } from "./retained.ts"

export interface PublicationsNeeds {
  readonly bus: Bus
  /** There are other nodes: what has a QoS, or is retained, goes to all by way of the cluster, and comes back from there. */
  readonly clustered: boolean
  readonly router: Router
  readonly retained: RetainedMessages
  readonly faults: Faults
  readonly now: () => number
  readonly recorder: Recorder
  readonly queuePolicy: QueuePolicy
  readonly connectionOf: (session: Session) => Connection | undefined
  readonly askForFlush: () => void
}

export class Publications {
  readonly #needs: PublicationsNeeds
  /** Whose message is routed. */
  #publisher: Connection | undefined
  #publishing = false
  /** Connections whose delivery threw while somebody else's message was routed; they end with the turn. */
  readonly #faulty: Map<Connection, unknown> = new Map()
  /** Those that had no room for a message, and are disconnected for it with the turn. */
  readonly #slow: Set<Connection> = new Set()

  constructor(needs: PublicationsNeeds) {
    this.#needs = needs
    const { bus, router } = needs
    bus.receive((message, publisher, time) => this.#arrived(message, publisher, time))
    router.onCongested = (subscriber) => {
      if (this.#publisher !== undefined && subscriber instanceof Session)
        this.#publisher.waitFor(subscriber, needs.now())
    }
    router.onFault = (subscriber, error) => this.faulted(subscriber, error)
    if (needs.queuePolicy === "disconnect") {
      router.onNoRoom = (subscriber, message) => {
        // For want of memory, which others may have taken, nobody is disconnected.
        if (!(subscriber instanceof Session) || !subscriber.isFullFor(message)) return
        const connection = needs.connectionOf(subscriber)
        if (connection === undefined) return
        this.#slow.add(connection)
        needs.askForFlush()
      }
    }
    router.onLate = (message) => {
      needs.recorder.keep(message) // so its acknowledgement waits for this turn, whoever has a copy already
      needs.askForFlush()
    }
  }

  /** Stores (RETAIN) and forwards; returns the Reason Code for PUBACK or PUBREC. */
  publish(message: Message, session: Session | undefined, connection: Connection | undefined, now: number): number {
    const { clustered, retained } = this.#needs
    if (clustered && !isOwn(message.topic.name)) return this.#publishToAll(message, session, connection, now)
    const acknowledged = connection !== undefined && message.qos > 0
    let kept = false
    if (message.retain) {
      kept = retained.keep(message, session)
      // Its publisher can be told: then nothing of it happens.
      if (!kept && acknowledged && connection.version === 5) return ReasonCode.QuotaExceeded
      if (!kept) retained.forget(message.topic.name) // rather none than an old one (section 3.3.1.3)
    }
    const { sessions, withoutRoom } = this.#forward(message, session, connection, now)
    if (acknowledged && !kept && (message.retain || (sessions > 0 && withoutRoom === sessions))) {
      return ReasonCode.QuotaExceeded
    }
    return sessions === 0 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success
  }

  /**
   * Nobody knows here who will get it. At QoS 0 it is at once on its way to who listens; else it is kept first, and what is
   * retained in any case.
   */
  #publishToAll(
    message: Message,
    session: Session | undefined,
    connection: Connection | undefined,
    now: number,
  ): number {
    const { recorder, retained } = this.#needs
    const retain = message.retain && retained.mayGo(message, now)
    // Its publisher can be told: then nothing of it happens. Else it is a message as others are.
    if (message.retain && !retain && message.qos > 0 && connection?.version === 5) return ReasonCode.QuotaExceeded
    if (message.qos === 0) this.#forward(message, session, connection, now)
    if (message.qos > 0 || retain) recorder.publish(message, session?.clientId ?? "", retain)
    return ReasonCode.Success
  }

  /** A message of another node's, or one that has come back from the cluster. */
  arrived(message: Message, publisher: Subscriber | undefined, now: number): void {
    this.#arrived(message, publisher, now)
  }

  #forward(message: Message, session: Session | undefined, connection: Connection | undefined, now: number): Reach {
    const before = this.#publisher
    const inside = this.#publishing
    this.#publisher = connection
    this.#publishing = true
    try {
      return this.#needs.bus.publish(message, session, now) // [MQTT-4.5.0-1]
    } finally {
      this.#publisher = before
      this.#publishing = inside
    }
  }

  /** A message off the bus. What throws in a publisher's own turn is its connection's; else nobody could answer for it. */
  #arrived(message: Message, publisher: Subscriber | undefined, now: number): Reach {
    const { faults, router } = this.#needs
    if (this.#publishing) return router.route(message, publisher, now)
    let reach: Reach = { sessions: 0, withoutRoom: 0 }
    faults.attempt(() => {
      reach = router.route(message, publisher, now)
    })
    return reach
  }

  /** Giving this one a message threw. */
  faulted(subscriber: Subscriber, error: unknown): void {
    const { askForFlush, connectionOf, faults } = this.#needs
    const connection = subscriber instanceof Session ? connectionOf(subscriber) : undefined
    if (connection === undefined) {
      faults.report(error, { clientId: subscriber.clientId })
      return
    }
    this.#faulty.set(connection, error)
    askForFlush()
  }

  /** Ends those that giving a message to has failed for. */
  endFaulty(now: number): void {
    for (const connection of this.#slow) {
      this.#slow.delete(connection)
      connection.disconnect(now, ReasonCode.QuotaExceeded, "it does not keep up with its messages")
    }
    for (const [connection, error] of this.#faulty) {
      this.#faulty.delete(connection)
      connection.fault(error, now)
    }
  }

  closed(connection: Connection): void {
    this.#faulty.delete(connection)
    this.#slow.delete(connection)
  }
}
