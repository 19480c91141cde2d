import type { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"
import type { TopicFilter } from "./filter.ts"

/** What became of a message: the sessions that it went to, and how many of them had no room for it in memory. */
export interface Reach {
  readonly sessions: number
  readonly withoutRoom: number
}

/** What the router knows of a session. */
export interface Subscriber {
  readonly clientId: string
  readonly connected: boolean
  /** True while the session's queue or output is more than half full. */
  readonly congested: boolean
  /** True while a message at QoS 1 or 2 would be sent to the client at once. */
  readonly ready: boolean
  /** Whether the session's queue has room for the message. */
  hasRoom(message: Message): boolean
  /** True when the session outlives its connection, and the process if the store does. */
  readonly lasting: boolean
  /** True when what comes to the session is kept. */
  readonly recorded: boolean
  /**
   * Takes a message for delivery, or drops and counts it when the session's limits are reached. False when a message at QoS 1 or
   * 2 is not kept: there is no room for it in memory, or in the session's queue. `share` is the filter of the Shared
   * Subscription that it comes by.
   */
  deliver(
    message: Message,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[],
    now: number,
    share: string | undefined,
  ): boolean
}

/** Which topics may come through a subscription. */
export type TopicRule = (topic: string) => boolean

/** One subscription of one session (MQTT 5.0 section 3.8.3.1). */
export interface Subscription {
  readonly subscriber: Subscriber
  readonly filter: Pick<TopicFilter, "text" | "shareName" | "path">
  /** Maximum QoS granted. */
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifier: number | undefined
  /**
   * Says which topics may come through; undefined: all that match. Must always say the same of a topic, and never throw. It
   * is exchanged by `Router.rule` alone.
   */
  mayReceive: TopicRule | undefined
  /** [identifier], or an empty list: shared by all deliveries. */
  readonly identifiers: readonly number[]
}
