// What a session has of its connection: how much it may send there, and where.

import type { Message } from "../packet/message.ts"
import { PacketType, type Qos } from "../packet/packets.ts"
import type { SessionLink } from "../session/link.ts"
import type { Hub } from "./hub.ts"
import type { Writer } from "./writer.ts"

export class Link<Client extends { readonly cheap: boolean }> implements SessionLink {
  readonly sendQuota: number
  readonly #hub: Hub<Client>
  readonly #client: Client
  readonly #writer: Writer

  constructor(hub: Hub<Client>, client: Client, writer: Writer, sendQuota: number) {
    this.#hub = hub
    this.#client = client
    this.#writer = writer
    this.sendQuota = sendQuota
  }

  get writable(): boolean {
    return this.#writer.writable
  }

  takes(message: Message): boolean {
    return this.#writer.takes(message)
  }

  get congested(): boolean {
    return this.#writer.congested
  }

  get roomy(): boolean {
    return this.#writer.roomy
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
