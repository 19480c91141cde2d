// What one session makes the broker keep, in bytes of memory: messages that wait or are not acknowledged, Packet Identifiers,
// Topic Aliases, a will.

import type { Position } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"
import { type Account, besideCost, identifierCost, placeOverhead, type QueuedMemory } from "./memory.ts"

/** A message with what is kept beside it. */
export interface Held {
  readonly message: Message
  readonly identifiers: readonly number[]
  readonly share: string | undefined
}

export class Holdings {
  /** What it and the other sessions of its owner use together. */
  readonly account: Account
  readonly #memory: QueuedMemory
  /** Called with what came by a Shared Subscription of a cluster's, when it is not here any more. */
  sharedGone: ((share: string, position: Position) => void) | undefined
  #messages = 0
  #aliases = 0
  #will = 0

  constructor(memory: QueuedMemory, account: Account) {
    this.#memory = memory
    this.account = account
  }

  /** False when there is no room. */
  message(message: Message, identifiers: readonly number[], share: string | undefined, connected: boolean): boolean {
    const beside = besideCost(identifiers, share)
    const cost = this.#memory.hold(message, this.#messages, this.account, connected, beside)
    this.#messages += cost
    return cost > 0
  }

  /** Whether there could be room, if nobody had anything. */
  mayHold(message: Message, identifiers: readonly number[]): boolean {
    return this.#memory.mayHold(message, besideCost(identifiers, undefined))
  }

  /** Of before a restart: there was room. */
  messageAnyway({ message, identifiers, share }: Held): void {
    this.#messages += this.#memory.holdAnyway(message, this.account, besideCost(identifiers, share))
  }

  messageGone({ message, identifiers, share }: Held): void {
    if (share !== undefined && message.position !== undefined) this.sharedGone?.(share, message.position)
    this.#messages -= this.#memory.release(message, this.account, besideCost(identifiers, share))
  }

  /** A Packet Identifier in use for which there is no message any more. */
  place(): void {
    this.#memory.charge(placeOverhead, this.account)
  }

  placeGone(): void {
    this.#memory.give(placeOverhead, this.account)
  }

  /** So many more messages are sent and not acknowledged, or fewer. */
  sent(more: number): void {
    this.#memory.inflight += more
  }

  /** The Packet Identifier of a QoS 2 message that has come; false when there is no room. */
  identifier(connected: boolean): boolean {
    return this.#memory.take(identifierCost, this.account, connected)
  }

  identifierAnyway(): void {
    this.#memory.charge(identifierCost, this.account)
  }

  identifiersGone(count: number): void {
    this.#memory.give(count * identifierCost, this.account)
  }

  /** So many bytes more, or less, for Topic Aliases of the connection; false when there is no room. */
  alias(bytes: number): boolean {
    if (bytes <= 0) this.#memory.give(-bytes, this.account)
    else if (!this.#memory.take(bytes, this.account, true)) return false
    this.#aliases += bytes
    return true
  }

  aliasesGone(): void {
    this.#memory.give(this.#aliases, this.account)
    this.#aliases = 0
  }

  /** A will of so many bytes in the place of the one before; 0: there is none. False when there is no room. */
  will(bytes: number): boolean {
    this.#memory.give(this.#will, this.account)
    if (bytes > 0 && !this.#memory.take(bytes, this.account, true)) {
      this.#memory.charge(this.#will, this.account)
      return false
    }
    this.#memory.wills += bytes - this.#will
    this.#will = bytes
    return true
  }

  /** The will is on the way to be published, and counts until what is returned is called. */
  partWithWill(): () => void {
    const bytes = this.#will
    this.#will = 0
    return () => {
      this.#memory.give(bytes, this.account)
      this.#memory.wills -= bytes
    }
  }
}
