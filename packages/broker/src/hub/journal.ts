// What a turn has changed of that which outlives connections, until the store has it. What is sent to clients and depends on it
// does not leave before.

import { copy } from "../packet/bytes.ts"
import type { Change, Sequence } from "../packet/change.ts"
import { changeBytes } from "../packet/change-size.ts"
import type { Message } from "../packet/message.ts"
import { type WorkingMemory, workingMemory } from "../packet/working-memory.ts"
import { Pause } from "../ports/pause.ts"
import type { Committed, Store } from "../ports/store.ts"
import type { Recorder } from "../session/recorder.ts"

/**
 * Milliseconds between signs of life: those of a broker that was just started are closer, so that one which ends soon again has
 * been there for about as long as it was. One may be as late as a turn, or the timer.
 */
const clockInterval = 60_000
const firstClockInterval = 1000
const clockDelay = 2000

/** Milliseconds by which somebody has set the machine's clock, for another sign at once. */
const clockSet = 1000

/** Bytes of Changes after which the store is asked whether it has room for the turn; what has more than the other asks before. */
const roomStep = 16_384
const smallStep = 1024

/** So many times as much is taken for a store that has failed. */
const hopeless = 4

/** What a journal tells the hub. */
export interface JournalEvents {
  /** A turn has its first Change: it is to be ended. */
  readonly begun: () => void
  /** A turn that was not committed at once is committed now. */
  readonly committed: () => void
  /** The store has failed, and is asked again with `retry`; told once until it works again. */
  readonly failed: (why: string) => void
  /** It works again. */
  readonly recovered: () => void
  /** The store is asked to keep a turn; what this gives is told when that is committed. Absent: nobody wants to know how long it takes. */
  readonly asked?: (() => number) | undefined
  /** Does not throw. */
  readonly answered?: ((asked: number) => void) | undefined
}

interface Pending {
  readonly changes: readonly Change[]
  readonly turn: number
  readonly bytes: number
  readonly size: number
  asked: boolean
  /** When it was first asked; undefined: it was not, or nobody wants to know. */
  askedAt: number | undefined
  /** What has not been acted upon. */
  answer: Committed | undefined
}

/** The engine keeps arrays up to this size in its own heap, until somebody has a view of one. */
const smallArray = 64

/**
 * Bytes that nobody changes any more. A view of a small array would give that memory outside of the heap for as long as it lives,
 * 140 bytes (measured) that are in no account; so of a small one it is a copy.
 */
function part(bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (bytes.length > smallArray) return bytes.subarray(start, end)
  const own = new Uint8Array(end - start)
  copy(own, 0, bytes, start, end)
  return own
}

/** A longer text counts beside the Change. */
const shortText = 32

/** Bytes at most that the texts of a Change take beyond the usual. */
function textBytes(change: Change): number {
  let bytes = 0
  for (const text of textsOf(change)) if (text !== undefined && text.length > shortText) bytes += 3 * text.length
  return bytes
}

function textsOf(change: Change): readonly (string | undefined)[] {
  switch (change.type) {
    case "message":
      return [change.topic, change.account, change.publisher]
    case "retained":
      return [change.topic]
    case "queued":
      return [change.clientId, change.share]
    case "opened":
      return [change.clientId, change.owner.user, change.owner.account]
    case "will set":
      return [change.clientId, change.owner.user, change.owner.account, change.will.topic]
    case "subscribed":
    case "unsubscribed":
    case "walk begun":
    case "walk ended":
      return [change.clientId, change.filter]
    case "clock":
      return []
    default:
      return [change.clientId]
  }
}

export class Journal implements Recorder {
  readonly #store: Store
  readonly #events: JournalEvents
  #changes: Change[] = []
  /** Bytes of messages and wills in them, and of long texts. */
  #bytes = 0
  /** Of them in the store, at most. */
  #size = 0
  /** At so many bytes of Changes it is asked whether these have room. */
  #nextStep = roomStep
  /** The turn whose changes these are. */
  #turn = 1
  said: Sequence = 0
  saidBefore: Sequence = 0
  /** What the store has been given and has not answered, or has failed to keep. */
  #pending: Pending | undefined
  /** The last turn was not kept. */
  #failing = false
  /** The store has said that it soon cannot keep more; what makes room still goes in. */
  #full = false
  // Plain fields: each packet of each client looks at them.
  made = 0
  committed = 0
  behind = false
  #clock = Number.NEGATIVE_INFINITY
  #clockInterval = firstClockInterval
  /** How far the machine's clock was ahead at the last sign. */
  #ahead = 0
  readonly #wall: () => number
  readonly #anew: boolean
  readonly #most: Pick<WorkingMemory, "changes" | "changeBytes">
  /** Called when the store has answered. */
  #ending: () => void = () => undefined

  /**
   * @param wall what the machine's clock says, in milliseconds since 1970
   * @param most what may wait for the store before those who make Changes have to wait, too
   * @param anew each turn says all messages that it refers to: for a cluster, in which nobody has all turns
   */
  constructor(
    store: Store,
    events: JournalEvents,
    wall: () => number,
    most: Pick<WorkingMemory, "changes" | "changeBytes"> = workingMemory(),
    anew = false,
  ) {
    this.#anew = anew
    this.#wall = wall
    this.#most = most
    this.#store = store
    this.#events = events
  }

  get turn(): number {
    return this.#changes.length > 0 ? this.#turn : this.#turn - 1
  }

  get busy(): boolean {
    return this.#pending !== undefined
  }

  get failing(): boolean {
    return this.#failing || this.#full
  }

  get broken(): boolean {
    return this.#failing
  }

  /** Everything is committed. */
  get settled(): boolean {
    return this.#pending === undefined && this.#changes.length === 0
  }

  record(change: Change): void {
    this.#changes.push(change)
    this.made++
    if (change.type === "message") this.#bytes += change.payload.length + change.properties.length
    else if (change.type === "will set") this.#bytes += change.will.payload.length + change.will.properties.length
    this.#bytes += textBytes(change)
    this.#size += changeBytes(change)
    if (this.#changes.length === 1) this.#events.begun()
    if (this.#size >= this.#nextStep) this.#lookForTurn()
    if (this.behind) return
    const { changes: most, changeBytes: mostBytes } = this.#most
    if (this.#changes.length >= most || this.#bytes >= mostBytes) this.behind = true
  }

  keep(message: Message, account?: string): Sequence {
    if (message.sequence === 0 || (this.#anew && message.sequence <= this.saidBefore)) {
      const { topic, qos, retain, expiresAt, position } = message.own()
      const properties = part(message.bytes, message.propertiesStart, message.propertiesEnd)
      const payload = part(message.bytes, message.payloadStart, message.payloadEnd)
      const sequence = this.said + 1
      const said = { sequence, topic: topic.name, qos, retain, expiresAt, properties, payload }
      const beside = { ...(account !== undefined && { account }), ...(position !== undefined && { position }) }
      this.record({ type: "message", ...said, ...beside })
      this.said = sequence
      message.sequence = sequence
    }
    return message.sequence
  }

  publish(message: Message, clientId: string, retain: boolean): void {
    const { topic, qos, expiresAt } = message.own()
    const properties = part(message.bytes, message.propertiesStart, message.propertiesEnd)
    const payload = part(message.bytes, message.payloadStart, message.payloadEnd)
    const what = { sequence: 0, topic: topic.name, qos, retain, expiresAt, properties, payload, publisher: clientId }
    this.record({ type: "message", ...what })
  }

  get largest(): number | undefined {
    return this.#store.largest
  }

  takes(bytes: number): boolean {
    if (this.failing) return false
    return bytes < smallStep || this.#fullness(this.#onTheirWay + bytes) === undefined
  }

  mayGrow(bytes: number): boolean {
    try {
      return this.#store.mayGrow?.(this.#onTheirWay + bytes) ?? true
    } catch (error) {
      this.#fill(error instanceof Error ? error.message : String(error))
      return false
    }
  }

  /** It is full until the turn ends, and somebody is told. */
  #fill(why: string): void {
    const before = this.failing
    this.#full = true
    if (!before) this.#events.failed(why)
  }

  /** Bytes that the store has not got. */
  get #onTheirWay(): number {
    return this.#size + (this.#pending?.size ?? 0)
  }

  /** A turn that has no room would never be kept, and nothing after it: what comes is refused before. */
  #lookForTurn(): void {
    this.#nextStep = this.#size + roomStep
    const why = this.#fullness(this.#onTheirWay)
    if (why !== undefined) this.#fill(why)
  }

  /** Numbers of messages go on after this one. */
  begin(after: Sequence): void {
    this.said = after
    this.saidBefore = after
  }

  /**
   * A sign of life now and then, while time matters: at a restart it says when connections were lost at the latest, as there was no
   * other, and where time goes on.
   */
  clock(now: number, matters: boolean): void {
    if (!matters) return
    const set = Math.abs(this.#wall() - now - this.#ahead) >= clockSet
    if (set || now - this.#clock >= this.#clockInterval) this.#tell(now)
  }

  #tell(now: number): void {
    if (this.#clock !== Number.NEGATIVE_INFINITY) this.#clockInterval = Math.min(2 * this.#clockInterval, clockInterval)
    this.#clock = now
    const until = Math.ceil(now) + this.#clockInterval + clockDelay
    const wall = this.#wall()
    this.#ahead = wall - now
    this.record({ type: "clock", now: Math.floor(now), wall: Math.floor(wall), until })
  }

  /** Ends the turn. While the store has not answered about the one before, changes are of the next. */
  endTurn(now: number): void {
    if (this.#pending === undefined && this.#changes.length > 0) {
      if (now - this.#clock >= Math.min(this.#clockInterval, clockInterval / 6)) this.#tell(now)
      this.#pending = {
        changes: this.#changes,
        turn: this.#turn++,
        bytes: this.#bytes,
        size: this.#size,
        asked: false,
        askedAt: undefined,
        answer: undefined,
      }
      this.saidBefore = this.said
      this.#changes = []
      this.#bytes = 0
      this.#size = 0
      this.#nextStep = roomStep
      this.#lookBehind()
    }
    if (!this.#failing) this.#goOn()
    this.#lookForRoom()
  }

  #lookBehind(): void {
    this.behind = this.#waiting >= 1
  }

  /** What is not committed: at 1 it is so much that those who make Changes wait. */
  get #waiting(): number {
    const { changes = [], bytes = 0 } = this.#pending ?? {}
    return Math.max(
      (this.#changes.length + changes.length) / this.#most.changes,
      (this.#bytes + bytes) / this.#most.changeBytes,
    )
  }

  /** Not everybody can be made to wait: past this the store counts as one that fails, until it has caught up. */
  #late(): string | undefined {
    const waiting = this.#waiting
    if (waiting < (this.#full ? 1 : hopeless)) return undefined
    const changes = this.#changes.length + (this.#pending?.changes.length ?? 0)
    return `the store has ${changes} changes to keep and does not keep up; see what its disk is busy with`
  }

  #lookForRoom(): void {
    const why = this.#fullness(this.#onTheirWay) ?? this.#late()
    if ((why !== undefined) === this.#full) return
    const before = this.failing
    this.#full = why !== undefined
    if (why !== undefined && !before) this.#events.failed(why)
    else if (before && !this.failing) this.#events.recovered()
  }

  /** A store that throws cannot say that it has room. */
  #fullness(more: number): string | undefined {
    try {
      return this.#store.full(more)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** Gives the store what is left, and then ends it. What it cannot keep is lost. */
  end(close: () => void | Pause<void>): void | Pause<void> {
    if (this.settled || this.#failing) return close()
    const done = new Pause<void>()
    this.#ending = () => {
      if (!this.settled && !this.#failing) return
      this.#ending = () => undefined
      const closing = close()
      if (closing === undefined) done.answer(undefined)
      else closing.onAnswer(() => done.answer(undefined))
    }
    return done
  }

  /** Asks the store again, after it has failed. */
  retry(): void {
    if (this.#failing) this.#goOn()
  }

  /** Each step is done once, wherever something throws. */
  #goOn(): void {
    const pending = this.#pending
    if (pending === undefined) return
    if (!pending.asked) {
      pending.askedAt ??= this.#events.asked?.()
      const answer = this.#commit(pending.changes)
      pending.asked = true
      if (answer instanceof Pause) answer.onAnswer((value) => this.#answeredLate(pending, value))
      else pending.answer = answer
    }
    if (this.#pending === pending && pending.answer !== undefined) this.#answered(pending, pending.answer)
  }

  /** A store that throws has kept nothing. */
  #commit(changes: readonly Change[]): Committed | Pause<Committed> {
    try {
      return this.#store.commit(changes)
    } catch (error) {
      return { failed: error instanceof Error ? error.message : String(error) }
    }
  }

  #answeredLate(pending: Pending, answer: Committed): void {
    pending.answer = answer
    this.#goOn()
    if (answer === "committed") this.#events.committed()
    this.#ending()
  }

  #answered(pending: Pending, answer: Committed): void {
    if (answer === "committed") {
      this.#pending = undefined
      this.#lookBehind()
      this.committed = pending.turn
      if (pending.askedAt !== undefined) this.#events.answered?.(pending.askedAt)
      const before = this.failing
      this.#failing = false
      if (before && !this.failing) this.#events.recovered()
      return
    }
    pending.answer = undefined
    pending.asked = false
    const before = this.failing
    this.#failing = true
    if (!before) this.#events.failed(answer.failed)
  }
}
