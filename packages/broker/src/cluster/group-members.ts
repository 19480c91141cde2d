// The members of a Shared Subscription that are connected, wherever, and whose turn it is.

import { encodeText } from "../packet/bytes.ts"
import type { Qos } from "../packet/packets.ts"
import type { MemberThere } from "./group-words.ts"

/** Messages that one member has been offered, or sent, and has not done. */
const mostEach = 256
/** Milliseconds after which one that had no room is asked again, although it has not said anything. */
const patience = 2000

export interface Member {
  readonly clientId: string
  readonly node: string
  readonly qos: Qos
  /** See MemberThere. */
  readonly claim: number | undefined
  /** It can be offered something. */
  readonly room: boolean
}

interface Entry {
  readonly clientId: string
  node: string
  qos: Qos
  claim: number | undefined
  sent: number
  full: boolean
  at: number
}

export class GroupMembers {
  readonly #byClientId: Map<string, Entry> = new Map()
  readonly #all: Entry[] = []
  #next = 0

  get size(): number {
    return this.#all.length
  }

  get(clientId: string): Member | undefined {
    const entry = this.#byClientId.get(clientId)
    return entry && memberOf(entry)
  }

  at(node: string): readonly { readonly clientId: string }[] {
    return this.#all.filter((entry) => entry.node === node)
  }

  all(holds: (clientId: string) => boolean): boolean {
    return this.#all.every(({ clientId }) => holds(clientId))
  }

  join({ clientId, qos, claim }: MemberThere, node: string): void {
    const known = this.#byClientId.get(clientId)
    if (known !== undefined) {
      known.node = node
      known.qos = qos
      known.claim = claim
      known.full = false
      return
    }
    const entry = { clientId, node, qos, claim, sent: 0, full: false, at: this.#all.length }
    this.#byClientId.set(clientId, entry)
    this.#all.push(entry)
  }

  part(clientId: string): void {
    const entry = this.#byClientId.get(clientId)
    if (entry === undefined) return
    this.#byClientId.delete(clientId)
    const last = this.#all.pop()!
    if (last === entry) return
    this.#all[entry.at] = last
    last.at = entry.at
  }

  /** So many more messages are with it, or fewer. */
  sent(clientId: string, more: number): void {
    const entry = this.#byClientId.get(clientId)
    if (entry !== undefined) entry.sent = Math.max(0, entry.sent + more)
  }

  /** It has no room until it says so. */
  full(clientId: string, node: string): void {
    const entry = this.#byClientId.get(clientId)
    if (entry?.node === node) entry.full = true
  }

  #retriedAt = 0

  retry(now: number): void {
    if (now - this.#retriedAt < patience) return
    this.#retriedAt = now
    for (const entry of this.#all) entry.full = false
  }

  /** In turn, the next that has room, and may have it. */
  choose(may: (member: { readonly clientId: string }) => boolean): Member | undefined {
    const { length } = this.#all
    for (let tries = 0; tries < length; tries++) {
      this.#next = (this.#next + 1) % length
      const entry = this.#all[this.#next]!
      if (hasRoom(entry) && may(entry)) return memberOf(entry)
    }
    return undefined
  }
}

/** Client Identifiers of members that outlive their connections: they stand in the group's record. */
export class LastingMembers {
  readonly #all: Set<string>
  /** Bytes of them there. */
  bytes: number

  constructor(clientIds: readonly string[] = []) {
    this.#all = new Set(clientIds)
    this.bytes = clientIds.reduce((sum, clientId) => sum + idBytes(clientId), 0)
  }

  get size(): number {
    return this.#all.size
  }

  /** Whether there is room for it within so many bytes, or it is one of them. */
  fits(clientId: string, most: number): boolean {
    return this.#all.has(clientId) || this.bytes + idBytes(clientId) <= most
  }

  add(clientId: string): void {
    if (this.#all.has(clientId)) return
    this.#all.add(clientId)
    this.bytes += idBytes(clientId)
  }

  delete(clientId: string): boolean {
    if (!this.#all.delete(clientId)) return false
    this.bytes -= idBytes(clientId)
    return true
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#all.values()
  }
}

/** Bytes of a Client Identifier in a record, with what separates it. */
export function idBytes(clientId: string): number {
  return encodeText(JSON.stringify(clientId)).length + 1
}

function memberOf(entry: Entry): Member {
  const { claim, clientId, node, qos } = entry
  return { clientId, node, qos, claim, room: hasRoom(entry) }
}

function hasRoom({ full, sent }: Entry): boolean {
  return !full && sent < mostEach
}
