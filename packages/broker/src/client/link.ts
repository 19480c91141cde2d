// What a session has of its connection: how much it may send there, and where.

import type { Message } from "../packet/message.ts"
import { PacketType, type Qos } from "../packet/packets.ts"
import type { SessionLink } from "../session/link.ts"
import type { Hub } from "./hub.ts"
import type { Outflow } from "./outflow.ts"
import type { Writer } from "./writer.ts"

/** Its connection. */
interface Linked {
  readonly cheap: boolean
  readonly writer: Writer
  readonly outflow: Outflow
}

export class Link<Client extends Linked> implements SessionLink {
  readonly sendQuota: number
  readonly #hub: Hub<Client>
  readonly #client: Client
  readonly #writer: Writer
  readonly #outflow: Outflow

  constructor(hub: Hub<Client>, client: Client, sendQuota: number) {
    this.#hub = hub
    this.#client = client
    this.#writer = client.writer
    this.#outflow = client.outflow
    this.sendQuota = sendQuota
  }

  get writable(): boolean {
    return this.#outflow.writable
  }

  takes(message: Message): boolean {
    return this.#outflow.takes(message)
  }

  get congested(): boolean {
    return this.#outflow.congested
  }

  get roomy(): boolean {
    return this.#outflow.roomy
  }

  get turnLeft(): number {
    return this.#hub.turnLeft(this.#client.cheap)
  }

  worked(units: number): void {
    this.#hub.cost(units)
  }

  pumpSoon(): void {
    this.#hub.pumpSoon(this.#client)
  }

  retainedSoon(): void {
    this.#hub.retainedSoon(this.#client)
  }

  publish(
    message: Message,
    qos: Qos,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifiers: readonly number[],
    now: number,
  ): boolean {
    return this.#writer.publish(message, qos, retain, dup, packetId, identifiers, now)
  }

  pubrel(packetId: number, reasonCode: number): void {
    this.#writer.acknowledge(PacketType.Pubrel, packetId, reasonCode)
  }
}
