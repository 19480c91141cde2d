// What every runtime adapter shares: it carries bytes between a transport and a connection, writes each flight at once,
// awaits the decisions that the connection pauses for, and keeps its time. It knows no runtime but promises and timers.
// Every entry from outside is a boundary: what is thrown behind it, by us or by a callback, ends this connection with
// internal_error and goes no further.

import { concatBytes } from "../bytes/concat.ts"
import { Closed, Misuse, messageOf, TlsError } from "../bytes/errors.ts"
import type { Connection } from "../connection/connection.ts"
import type { ConnectionEvent, Decision, Outcome } from "../connection/events.ts"

/** Told when the transport has taken the bytes, or why it could not. */
export type Taken = (error?: Error | null) => void

/** The byte stream below TLS. */
export interface Transport {
  /** Sends the bytes, in one write. `taken` may be called later, and is the backpressure: wait for it before sending more. */
  write(bytes: Uint8Array, taken: Taken): void
  /** Whether bytes are wanted. A transport that hands some on all the same breaks nothing. */
  setReading(wanted: boolean): void
}

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** Calls `work` once, after so many milliseconds; the result calls it off. */
  after(milliseconds: number, work: () => void): () => void
}

export interface DriverOptions {
  readonly connection: Connection
  readonly transport: Transport
  /** Gets every event, in order. */
  readonly onEvent: (event: ConnectionEvent) => void
  readonly clock?: Clock
  /** What is received is the connection's alone: see `Connection.receive`. */
  readonly givesInput?: boolean
  readonly memory?: ReadMemory | undefined
}

/** Memory that connections read with in turns. */
export interface ReadMemory {
  /** Runs `read`, which says whether all that it has opened was handed on. */
  reading(read: () => boolean): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, work) {
    const timer = setTimeout(work, milliseconds)
    return () => clearTimeout(timer)
  },
}

/** For bytes that nothing waits for: flights, tickets, alerts. A transport may gather them until what else there is to send in this turn. */
export const nobodyWaits: Taken = () => undefined
const none: readonly ConnectionEvent[] = []

/** A defect, as the error that a connection ends with. */
export function internalError(cause: unknown): TlsError {
  if (cause instanceof TlsError && !(cause instanceof Misuse)) return cause
  const error = new Closed("internal_error", `internal error: ${messageOf(cause)}`)
  error.cause = cause
  return error
}

/** The same events; data that lies behind other data in memory, as that of records of one receive does, is one piece with it. */
function withoutSeams(events: readonly ConnectionEvent[]): readonly ConnectionEvent[] {
  if (events.length < 2) return events
  const fewer: ConnectionEvent[] = []
  for (const event of events) {
    const before = fewer.at(-1)
    const joined = before?.type === "data" && event.type === "data" && joinedBytes(before.data, event.data)
    if (joined) fewer[fewer.length - 1] = { type: "data", data: joined }
    else fewer.push(event)
  }
  return fewer
}

/** Both in one view; undefined where the second does not begin at the end of the first. */
function joinedBytes(first: Uint8Array, second: Uint8Array): Uint8Array | undefined {
  const { buffer, byteOffset, length } = first
  if (second.buffer !== buffer || second.byteOffset !== byteOffset + length) return undefined
  return new Uint8Array(buffer, byteOffset, length + second.length)
}

export class Driver {
  readonly #connection: Connection
  readonly #transport: Transport
  readonly #onEvent: (event: ConnectionEvent) => void
  readonly #clock: Clock
  readonly #givesInput: boolean
  readonly #memory: ReadMemory | undefined
  /**
   * What is being handed on, from `#next` on: the list of an outcome as it is, and none at rest. A call from within a handler
   * adds its own behind it, so the order is that in which things happened.
   */
  #events: readonly ConnectionEvent[] = none
  #next = 0
  #delivering = false
  #destroyed = false
  #decision: Decision | undefined
  #wanted = true
  #reading = true
  #cancelDeadline: (() => void) | undefined
  #defective = false

  constructor(options: DriverOptions) {
    this.#connection = options.connection
    this.#transport = options.transport
    this.#onEvent = options.onEvent
    this.#clock = options.clock ?? systemClock
    this.#givesInput = options.givesInput ?? false
    this.#memory = options.memory
  }

  /** Begins, with what the connection's first calls gave back; their output leaves in one write. */
  start(...first: readonly Outcome[]): void {
    this.#guard(() => {
      this.#awaitDeadline()
      // A trace sink has thrown before there was an outcome to say so.
      if (first.length === 0 && this.#connection.failure !== undefined) throw this.#connection.failure
      const last = first.at(-1)
      if (last === undefined) return
      const events = first.flatMap((outcome) => outcome.events)
      this.#take({ output: concatBytes(...first.map(({ output }) => output)), events, waitsFor: last.waitsFor })
    })
  }

  /** Every event has been handed on. */
  get #isAtRest(): boolean {
    return !this.#delivering && this.#next >= this.#events.length
  }

  /** Bytes of the peer; they may be reused afterwards, unless they are given. */
  receive(bytes: Uint8Array): void {
    const memory = this.#memory
    if (memory === undefined) this.#receive(bytes)
    else
      memory.reading(() => {
        this.#receive(bytes)
        return this.#isAtRest
      })
  }

  #receive(bytes: Uint8Array): void {
    if (!this.#destroyed)
      this.#guard(() => this.#take(this.#connection.receive(bytes, this.#clock.now(), this.#givesInput)))
  }

  /** The peer ended its half of the transport. */
  receiveEnd(): void {
    if (!this.#destroyed) this.#guard(() => this.#take(this.#connection.receiveEnd(this.#clock.now())))
  }

  /** Application data. Each part has records of its own; all leave in one write. */
  send(parts: readonly Uint8Array[], taken: Taken = nobodyWaits): void {
    const told = this.#once(taken)
    this.#guard(() => {
      const outcomes = parts.map((part) => this.#connection.send(part))
      const output = outcomes.length === 1 ? outcomes[0]!.output : concatBytes(...outcomes.map((each) => each.output))
      const last = outcomes.at(-1)
      if (last === undefined) told()
      else this.#take({ output, events: outcomes.flatMap((each) => each.events), waitsFor: last.waitsFor }, told)
    }, told)
  }

  /** New sending keys; with `update_requested` the peer renews its own too. */
  updateKeys(request: "update_requested" | "update_not_requested"): void {
    this.#take(this.#connection.updateKeys(request))
  }

  /** close_notify; what the peer still sends is received. */
  close(taken: Taken = nobodyWaits): void {
    const told = this.#once(taken)
    if (this.#destroyed) told()
    else this.#guard(() => this.#take(this.#connection.close(), told), told)
  }

  /** Carries out what another call on the connection gave back. */
  take(outcome: Outcome): void {
    this.#take(outcome)
  }

  /**
   * Ends the connection: something was thrown, here or in what carries its bytes. The peer gets internal_error, and
   * `failed` is the last event. Never throws.
   */
  fail(cause: unknown): void {
    if (this.#destroyed) return
    const error = internalError(cause)
    this.#events = none
    if (this.#defective) {
      this.destroy() // what handles the failure fails
      return
    }
    this.#defective = true
    try {
      const { output } = this.#connection.abandon(error.message, this.#clock.now(), error.cause ?? error)
      if (output.length > 0) this.#transport.write(output, nobodyWaits)
    } catch {
      // Then it ends without an alert.
    }
    this.#note([{ type: "failed", error }])
    this.#guard(() => this.#deliver())
  }

  /** Whether the application has room for more data. While it has not, the transport is not read. */
  want(data: boolean): void {
    this.#wanted = data
    this.#guard(() => this.#updateReading())
  }

  /** Forgets the keys; nothing is sent, and no event follows. */
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#events = none
    this.#cancelDeadline?.()
    this.#connection.destroy()
  }

  #awaitDeadline(): void {
    const { deadline } = this.#connection
    if (deadline === undefined) return
    this.#cancelDeadline = this.#clock.after(Math.max(1, deadline - this.#clock.now()), () => {
      if (this.#destroyed) return
      this.#guard(() => {
        this.#take(this.#connection.tick(this.#clock.now()))
        // A timer and a clock do not always agree on when a millisecond is over.
        this.#awaitDeadline()
      })
    })
  }

  #take(outcome: Outcome, taken?: Taken): void {
    // Noted first: a transport may bring the answer before `write` returns.
    this.#note(withoutSeams(outcome.events))
    if (this.#connection.deadline === undefined) this.#cancelDeadline?.()
    this.#await(typeof outcome.waitsFor === "object" ? outcome.waitsFor : undefined)
    if (outcome.output.length > 0) this.#transport.write(outcome.output, taken ?? nobodyWaits)
    else taken?.()
    this.#refuseUnanswerable()
    this.#deliver()
  }

  /** After what the call wanted sent: the alert comes behind it. */
  #refuseUnanswerable(): void {
    const decision = this.#decision
    if (decision === undefined || decision.pause.work !== undefined) return
    this.#decision = undefined
    const reason = `the pause for ${decision.name} has no work that could end`
    this.#take(this.#connection.abandon(reason, this.#clock.now()))
  }

  #note(events: readonly ConnectionEvent[]): void {
    if (events.length === 0) return
    const left = this.#events.slice(this.#next)
    this.#events = left.length === 0 ? events : [...left, ...events]
    this.#next = 0
  }

  /** In order, even when the application's handler calls back into the driver. */
  #deliver(): void {
    if (this.#delivering) return
    this.#delivering = true
    try {
      while (this.#next < this.#events.length) this.#onEvent(this.#events[this.#next++]!)
    } finally {
      this.#delivering = false
      this.#forgetDelivered()
    }
  }

  #forgetDelivered(): void {
    if (this.#next < this.#events.length) return
    this.#events = none
    this.#next = 0
  }

  #await(decision: Decision | undefined): void {
    if (decision !== undefined && decision.pause === this.#decision?.pause) return
    this.#decision = decision
    this.#updateReading()
    if (decision === undefined) return
    const { pause } = decision
    const decided = (decide: (now: number) => Outcome) => {
      // What comes after the end goes to the connection too: it erases a secret that nobody waits for any more.
      if (this.#decision?.pause !== pause && this.#connection.failure === undefined) return
      this.#decision = undefined
      this.#guard(() => {
        const outcome = decide(this.#clock.now())
        if (!this.#destroyed) this.#take(outcome)
      })
    }
    if (pause.work === undefined) return
    // Through a promise: a thenable may answer at once, ahead of the bytes of this very outcome.
    Promise.resolve(pause.work).then(
      (answer) => decided((now) => this.#connection.answer(answer, now)),
      (error: unknown) => decided((now) => this.#connection.reject(error, now)),
    )
  }

  /** @param taken told when the work is not done */
  #guard(work: () => void, taken: Taken = nobodyWaits): void {
    try {
      work()
    } catch (cause) {
      this.fail(cause)
      taken(internalError(cause))
    }
  }

  /** For the transport, which calls when it likes: an entry from outside. */
  #once(taken: Taken): Taken {
    let told = false
    return (error) => {
      this.#guard(() => {
        if (told) return
        told = true
        taken(error)
      })
    }
  }

  #updateReading(): void {
    const reading = this.#wanted && this.#decision === undefined
    if (reading === this.#reading) return
    this.#reading = reading
    this.#transport.setReading(reading)
  }
}
