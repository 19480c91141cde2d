// What was sent at QoS 1 and 2 and is not completely acknowledged, its Packet Identifiers, and how many more may be sent (MQTT
// 5.0 sections 2.2.1, 4.4 and 4.9). It outlives connections; each begins with a quota of its own.

import type { Place } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"
import type { Limits } from "./limits.ts"

/** A PUBLISH that was sent and is not completely acknowledged. */
export interface Inflight {
  /** Which message of the session it is. */
  readonly place: Place
  /**
   * Undefined once PUBREC came: then PUBREL is what is unacknowledged ([MQTT-4.3.3-5], [MQTT-4.3.3-6]). Also undefined once
   * the client may not have it any more: then it is not sent again.
   */
  message: Message | undefined
  readonly qos: Qos
  readonly retain: boolean
  /** None once there is no message. */
  identifiers: readonly number[]
  /** The filter of the Shared Subscription that it came by; undefined once there is no message. */
  share: string | undefined
  /** It was sent on this connection: its acknowledgement gives back what it took of the quota. */
  counts: boolean
}

export class InflightWindow {
  readonly #sent: Map<number, Inflight> = new Map()
  /** Packet Identifiers of what this connection has not been sent again yet. */
  #resend: number[] = []
  #quota = 0
  #initialQuota = 0
  #lastPacketId = 0
  readonly #limits: Pick<Limits, "maximumInflight">

  /** @param limits messages that may be unacknowledged, whatever quota a client gives; it may change */
  constructor(limits: Pick<Limits, "maximumInflight">) {
    this.#limits = limits
  }

  get size(): number {
    return this.#sent.size
  }

  get(packetId: number): Inflight | undefined {
    return this.#sent.get(packetId)
  }

  /** In the order of their first sending. */
  entries(): [number, Inflight][] {
    return [...this.#sent]
  }

  values(): Iterable<Inflight> {
    return this.#sent.values()
  }

  /**
   * Whether the client may be sent another message. Each connection begins with a new quota (section 4.9), so what earlier ones
   * have left for PUBCOMP counts too: else it grows until every Packet Identifier is in use.
   */
  get maySend(): boolean {
    return this.#quota > 0 && this.#sent.size < this.#limits.maximumInflight
  }

  /** A connection begins: all of it is to be sent again. */
  begin(quota: number): void {
    this.#quota = quota
    this.#initialQuota = quota
    for (const inflight of this.#sent.values()) inflight.counts = false
    this.#resend = [...this.#sent.keys()] // insertion order is the order of first sending ([MQTT-4.6.0-1])
  }

  end(): void {
    this.#resend = []
  }

  /** Something is still to be sent again, before anything else. */
  get resends(): boolean {
    return this.#resend.length > 0
  }

  /** What is to be sent again next; its message is undefined when it has been completed meanwhile. */
  get nextResend(): { readonly packetId: number; readonly inflight: Inflight | undefined } {
    const packetId = this.#resend[0]!
    return { packetId, inflight: this.#sent.get(packetId) }
  }

  resent(): void {
    this.#resend.shift()
  }

  /** What is sent again may be: it is in the window already. */
  get mayResend(): boolean {
    return this.#quota > 0
  }

  /** It is sent again, on this connection. */
  take(inflight: Inflight): void {
    this.#quota--
    inflight.counts = true
  }

  /** It is sent for the first time, and counts. Returns its Packet Identifier. */
  add(inflight: Inflight): number {
    const packetId = this.#unusedPacketId()
    this.#sent.set(packetId, inflight)
    this.#lastPacketId = packetId
    this.#quota--
    return packetId
  }

  /** It was sent before a restart. */
  restore(packetId: number, inflight: Inflight): void {
    this.#sent.set(packetId, inflight)
    this.#lastPacketId = packetId
  }

  delete(packetId: number): void {
    this.#sent.delete(packetId)
  }

  /**
   * Section 4.9: the quota never goes above its initial value. [MQTT-3.3.4-9] PUBCOMP for a PUBLISH of an earlier connection
   * gives nothing back: else more than Receive Maximum are unacknowledged.
   */
  giveBack(inflight: Inflight | undefined): void {
    if (inflight?.counts === true && this.#quota < this.#initialQuota) this.#quota++
  }

  /** [MQTT-2.2.1-4] not 0 and not in use. There is one: fewer than 65,535 are. */
  #unusedPacketId(): number {
    let id = this.#lastPacketId
    do {
      id = id === 0xffff ? 1 : id + 1
    } while (this.#sent.has(id))
    return id
  }
}
