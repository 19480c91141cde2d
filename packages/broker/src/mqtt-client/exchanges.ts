// Packet Identifiers of a client, and what the broker has yet to answer that has one (MQTT 5.0 sections 2.2.1, 4.3).

import { malformed } from "../packet/errors.ts"
import type { ProtocolVersion, Qos } from "../packet/packets.ts"
import type { AcknowledgementType } from "./events.ts"
import { identifiers } from "./limits.ts"
import { isWholeTo } from "./packets.ts"

/** What the identifier of a message of ours waits for. */
export type Awaited = "puback" | "pubrec" | "pubcomp"

/** A SUBSCRIBE or UNSUBSCRIBE without answer. */
export interface Asked {
  readonly answer: "suback" | "unsuback"
  /** How many Topic Filters it has. */
  readonly filters: number
}

export class Exchanges {
  readonly #awaited: Map<number, Awaited> = new Map()
  readonly #asked: Map<number, Asked> = new Map()
  /** Those whose PUBREL was sent by hand, for a message of an earlier connection: Receive Maximum is not about it (section 4.9). */
  readonly #released: Set<number> = new Set()
  #last: number

  /** @param first that is given out */
  constructor(first: number) {
    this.#last = (first - 1) & 0xffff
  }

  /** Messages of QoS 1 and 2 that nobody has acknowledged. */
  get inFlight(): number {
    return this.#awaited.size
  }

  /** Requests without answer. */
  get requests(): number {
    return this.#asked.size
  }

  /** What the broker has to answer; undefined: nothing. */
  awaits(packetId: number): Awaited | Asked["answer"] | undefined {
    const asked = this.#asked.get(packetId)?.answer
    return asked ?? this.#awaited.get(packetId) ?? (this.#released.has(packetId) ? "pubcomp" : undefined)
  }

  /** It is an identifier, and stands for nothing now. */
  isFree(packetId: number): boolean {
    return isWholeTo(identifiers, packetId) && packetId !== 0 && this.awaits(packetId) === undefined
  }

  next(): number {
    do this.#last = this.#last === 0xffff ? 1 : this.#last + 1
    while (this.awaits(this.#last) !== undefined)
    return this.#last
  }

  published(packetId: number, qos: Exclude<Qos, 0>): void {
    this.#awaited.set(packetId, qos === 1 ? "puback" : "pubrec")
  }

  /** PUBREL is sent, also for a message of an earlier connection. */
  released(packetId: number): void {
    if (this.#awaited.has(packetId)) this.#awaited.set(packetId, "pubcomp")
    else this.#released.add(packetId)
  }

  asked(packetId: number, asked: Asked): void {
    this.#asked.set(packetId, asked)
  }

  /** Whether the identifier waits for that answer; then it does no more. Throws PacketError. */
  answered(
    packetId: number,
    answer: Asked["answer"],
    reasonCodes: readonly number[],
    version: ProtocolVersion,
  ): boolean {
    const asked = this.#asked.get(packetId)
    if (asked?.answer !== answer) return false
    const { filters } = asked
    // [MQTT-3.8.4-6], [MQTT-3.11.3-1]; UNSUBACK of MQTT 3.1.1 has none
    if (reasonCodes.length !== filters && (answer === "suback" || version === 5)) {
      const rule = answer === "suback" ? "MQTT-3.8.4-6" : "MQTT-3.11.3-1"
      throw malformed(rule, `${reasonCodes.length} Reason Codes for ${filters} Topic Filters`)
    }
    return this.#asked.delete(packetId)
  }

  /** PUBREC without an error has come: PUBREL answers it, also where the message is of an earlier connection. */
  received(packetId: number): void {
    if (this.#awaited.get(packetId) === "pubrec") this.#awaited.set(packetId, "pubcomp")
  }

  /** The last answer to a message. Whether its identifier waited for just that. */
  settled(packetId: number, type: AcknowledgementType): boolean {
    return this.#awaited.get(packetId) === type && this.#awaited.delete(packetId)
  }

  /** PUBCOMP has come for what was released by hand. */
  completed(packetId: number): void {
    this.#released.delete(packetId)
  }

  clear(): void {
    this.#awaited.clear()
    this.#asked.clear()
    this.#released.clear()
  }
}
