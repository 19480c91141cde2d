// A store in memory that keeps what it is given, and minds every Change: one that cannot be true of what was said before is a
// fault of the hub's.

import type { Change } from "../src/packet/change.ts"
import { Pause } from "../src/ports/pause.ts"
import type { Committed, Restored, Store } from "../src/ports/store.ts"

interface Kept {
  readonly places: Map<number, { sequence: number; state: "queued" | "sent" | "released" }>
  readonly subscriptions: Set<string>
  readonly received: Set<number>
  readonly walks: Set<string>
  /** The last place. */
  last: number
}

export class KeepingStore implements Store {
  lasting = true
  /** All that was committed. */
  readonly changes: Change[] = []
  /** "late": answers when `answer` is called. */
  mode: "at once" | "late" | "failing" | "full" = "at once"
  closed = false
  largest: number | undefined
  /** Bytes that a turn may have before it is full. */
  room: number = Number.POSITIVE_INFINITY
  /** Bytes of what may follow of what was taken. */
  grows: number = Number.POSITIVE_INFINITY
  /** Changes that cannot be true. */
  readonly wrong: string[] = []
  #late: { readonly turn: readonly Change[]; readonly pause: Pause<Committed> } | undefined
  readonly #messages: Map<number, number> = new Map()
  readonly #sessions: Map<string, Kept> = new Map()
  readonly #retained: Map<string, number> = new Map()
  readonly #wills: Set<string> = new Set()

  restore(visit: (change: Change) => void): Restored {
    for (const change of this.changes) visit(change)
    // Places go on after those that there still are.
    for (const session of this.#sessions.values()) session.last = Math.max(0, ...session.places.keys())
    return "restored"
  }

  full(more = 0): string | undefined {
    return this.mode === "full" || more > this.room ? "the folder is full" : undefined
  }

  mayGrow(bytes: number): boolean {
    return bytes <= this.grows
  }

  commit(turn: readonly Change[]): Committed | Pause<Committed> {
    if (this.#late !== undefined) throw new Error("a turn comes before the one before is answered")
    if (turn.length === 0) throw new Error("an empty turn")
    if (this.mode === "failing") return { failed: "the disk is full" }
    if (this.mode === "late") {
      const pause = new Pause<Committed>()
      this.#late = { turn, pause }
      return pause
    }
    this.#keep(turn)
    return "committed"
  }

  /** True when a turn waits for its answer. */
  get waits(): boolean {
    return this.#late !== undefined
  }

  answer(): void {
    const late = this.#late
    if (late === undefined) throw new Error("no turn waits for its answer")
    this.#late = undefined
    this.#keep(late.turn)
    late.pause.answer("committed")
  }

  /** The turn that waits cannot be kept, nor can what comes. */
  fail(): void {
    const late = this.#late
    if (late === undefined) throw new Error("no turn waits for its answer")
    this.#late = undefined
    this.mode = "failing"
    late.pause.answer({ failed: "the disk is full" })
  }

  close(): void {
    this.closed = true
  }

  /** What the store would hold: messages that somebody refers to, and what of sessions there is. */
  get counts(): { messages: number; sessions: number; retained: number; wills: number } {
    const [messages, sessions] = [this.#messages.size, this.#sessions.size]
    return { messages, sessions, retained: this.#retained.size, wills: this.#wills.size }
  }

  session(clientId: string): { waiting: number; subscriptions: number; received: number } | undefined {
    const session = this.#sessions.get(clientId)
    if (session === undefined) return undefined
    const { places, subscriptions, received } = session
    return { waiting: places.size, subscriptions: subscriptions.size, received: received.size }
  }

  #keep(turn: readonly Change[]): void {
    for (const change of turn) {
      const wrong = this.#mind(change)
      if (wrong !== undefined) this.wrong.push(`${JSON.stringify(change)}: ${wrong}`)
      this.changes.push(change)
    }
    // References are judged when the turn is over.
    for (const [sequence, references] of this.#messages) if (references === 0) this.#messages.delete(sequence)
  }

  #refer(sequence: number, by: 1 | -1): string | undefined {
    const references = this.#messages.get(sequence)
    if (references === undefined) return "refers to a message that there is not"
    this.#messages.set(sequence, references + by)
    return references + by < 0 ? "refers less than never" : undefined
  }

  #forget(clientId: string): void {
    for (const { sequence, state } of this.#sessions.get(clientId)?.places.values() ?? []) {
      if (state !== "released") this.#refer(sequence, -1)
    }
    this.#sessions.delete(clientId)
  }

  /** What is wrong with it. */
  #mind(change: Change): string | undefined {
    switch (change.type) {
      case "message":
        if (this.#messages.has(change.sequence)) return "was said before"
        this.#messages.set(change.sequence, 0)
        return undefined
      case "retained": {
        const before = this.#retained.get(change.topic)
        if (before !== undefined) this.#refer(before, -1)
        this.#retained.delete(change.topic)
        if (change.sequence === 0) return before === undefined ? "there was none" : undefined
        this.#retained.set(change.topic, change.sequence)
        return this.#refer(change.sequence, 1)
      }
      case "clock":
        return undefined
      case "will set":
        this.#wills.add(change.clientId)
        return undefined
      case "will cleared":
        return this.#wills.delete(change.clientId) ? undefined : "there was none"
      case "opened":
        if (this.#sessions.has(change.clientId)) return "there is one already"
        this.#sessions.set(change.clientId, {
          places: new Map(),
          subscriptions: new Set(),
          received: new Set(),
          walks: new Set(),
          last: 0,
        })
        return undefined
      case "ended":
        if (!this.#sessions.has(change.clientId)) return "there is none"
        this.#forget(change.clientId)
        return undefined
    }
    const session = this.#sessions.get(change.clientId)
    if (session === undefined) return "of a session that there is not"
    switch (change.type) {
      case "queued":
        if (session.places.has(change.place)) return "the place is taken"
        if (change.place <= session.last) return "places go backwards"
        session.last = change.place
        session.places.set(change.place, { sequence: change.sequence, state: "queued" })
        return this.#refer(change.sequence, 1)
      case "sent":
      case "released":
      case "done": {
        const waiting = session.places.get(change.place)
        if (waiting === undefined) return "no such place"
        if (change.type === "sent") {
          if (waiting.state !== "queued") return "was sent before"
          waiting.state = "sent"
          return undefined
        }
        const referred = waiting.state !== "released"
        if (change.type === "released") waiting.state = "released"
        else session.places.delete(change.place)
        return referred ? this.#refer(waiting.sequence, -1) : undefined
      }
      case "subscribed":
        session.subscriptions.add(change.filter)
        return undefined
      case "walk begun":
        session.walks.add(change.filter)
        return session.subscriptions.has(change.filter) ? undefined : "of a subscription that there is not"
      case "walk ended":
        return session.walks.delete(change.filter) ? undefined : "there was none"
      case "unsubscribed":
        session.walks.delete(change.filter)
        return session.subscriptions.delete(change.filter) ? undefined : "there was none"
      case "received":
        if (session.received.has(change.packetId)) return "was received before"
        session.received.add(change.packetId)
        return undefined
      case "freed":
        return session.received.delete(change.packetId) ? undefined : "was not received"
      default:
        return undefined
    }
  }
}
