import type { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"

/** What a session needs of the connection it is attached to. */
export interface SessionLink {
  /** Initial send quota: the client's Receive Maximum ([MQTT-4.9.0-1]). */
  readonly sendQuota: number
  /** True while the output may take another message. */
  readonly writable: boolean
  /** False for a message of QoS 0 that is too large for what all clients together leave. */
  takes(message: Message): boolean
  /** True while more than half of the output limit is in use. */
  readonly congested: boolean
  /** True while less than a quarter of it is: what can wait may be written. */
  readonly roomy: boolean
  /** Writes a PUBLISH; false when it is above the client's Maximum Packet Size and was discarded. */
  publish(
    message: Message,
    qos: Qos,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifiers: readonly number[],
    now: number,
  ): boolean
  pubrel(packetId: number, reasonCode: number): void
  /** How much may be done for it before the others have their turn, in the units of routing. */
  readonly turnLeft: number
  /** So much was done for it. */
  worked(units: number): void
  /** Asks that the session's `pump` be called again, in a turn to come. */
  pumpSoon(): void
  /** Asks that the session's `sendRetained` be called, at the end of the turn. */
  retainedSoon(): void
}
