// The public sans-I/O face, as both roles have it: bytes and time in, bytes and events out.
// Application data and alerts go out here (RFC 9846 sections 5 and 6); what comes in is machine.ts. A call never throws for
// what the peer did: it becomes a failure, with its alert.

import { AlertDescription, AlertLevel, type AlertName } from "../bytes/alerts.ts"
import { ContentType } from "../bytes/code-points.ts"
import { Closed, LimitExceeded, Misuse, messageOf, TlsError } from "../bytes/errors.ts"
import { nothing } from "../bytes/nothing.ts"
import type { KeyUpdateRequest } from "../codec/key-update.ts"
import { type Connected, exportFrom } from "../handshake/connected.ts"
import type { Steps } from "../handshake/coroutine.ts"
import type { HandshakeInfo } from "../handshake/info.ts"
import { answerKeyUpdate, updateKeys } from "../handshake/key-update.ts"
import type { PostHandshake } from "../handshake/post-handshake.ts"
import type { Role, TransitionRow } from "../handshake/transitions.ts"
import type { TraceSink } from "../trace/events.ts"
import type { Outcome } from "./events.ts"
import { Machine } from "./machine.ts"
import type { LinkOptions, RecordLink } from "./record-link.ts"

export abstract class Connection<State extends Connected = Connected, Link extends RecordLink = RecordLink> {
  protected readonly link: Link
  readonly #role: Role
  readonly #options: LinkOptions
  readonly #deadline: number
  readonly #machine: Machine<State>
  #failure: TlsError | undefined
  #sentClose = false
  /** A call is under way: a callback of the configuration may be what runs. */
  #running = false
  #destroyed = false

  protected constructor(
    role: Role,
    transitions: readonly TransitionRow[],
    LinkClass: new (options: LinkOptions) => Link,
    given: LinkOptions,
    now: number,
  ) {
    const options = given.trace === undefined ? given : { ...given, trace: untilItThrows(given.trace) }
    this.#role = role
    this.#options = options
    this.link = new LinkClass(options)
    this.#machine = new Machine(role, transitions, options, this.link)
    this.link.now = now
    this.#deadline = now + options.limits.handshakeTime
  }

  /* ------------------------------------------------------------ what is known */

  /** What was agreed; undefined until CONNECTED. */
  get info(): HandshakeInfo | undefined {
    return this.link.info
  }

  /** Why the connection failed; undefined while it has not. */
  get failure(): TlsError | undefined {
    // An error's stack takes 10 µs to make: of what was only destroyed there is one when somebody asks.
    if (this.#destroyed) this.#failure ??= new Closed(undefined, "the connection was destroyed")
    return this.#failure
  }

  get #isOver(): boolean {
    return this.#destroyed || this.#failure !== undefined
  }

  /** Whether `send` may be called. */
  get writable(): boolean {
    return this.info !== undefined && !this.#sentClose && !this.#isOver
  }

  /** Bytes that the client may still send as 0-RTT data: what the ticket allows, and the key (section 5.5), which no update follows. */
  get earlyDataWritable(): number {
    const { earlyData, writer } = this.link
    if (this.#role !== "client" || this.#isOver || this.info !== undefined) return 0
    return Math.min(earlyData?.left ?? 0, writer.contentUntilKeyUpdate)
  }

  /** Whether `sendHalfRtt` may be called: the server's Finished is out, the client's has not come. */
  get halfRttWritable(): boolean {
    // Only a server has that exporter, and only for as long.
    return this.link.halfRttExporter !== undefined && !this.#sentClose && !this.#isOver
  }

  /** When `tick` is due at the latest, milliseconds since 1970; undefined once the handshake is over. */
  get deadline(): number | undefined {
    return this.info === undefined && !this.#isOver ? this.#deadline : undefined
  }

  /* ------------------------------------------------------------ what comes in */

  /**
   * Takes bytes of the peer, in any pieces. Never throws for what they are: a failure is an event, and its alert is in
   * the output. `bytes` may be reused by the caller afterwards, unless they are given.
   * @param given nobody else has them or reads them afterwards: long records are opened where they lie, and data is a view of them
   */
  receive(bytes: Uint8Array, now: number, given?: boolean): Outcome {
    if (this.#isOver || this.link.receivedClose) return this.#run(now, () => {})
    this.#refuseReentry()
    // Ahead of the closure below, which an error's stack keeps alive: the caller's bytes are not to be kept with it.
    this.link.reader.push(bytes, given)
    return this.#run(now, () => this.#machine.drain())
  }

  /**
   * The peer's half of the stream ended. Without close_notify before it, data may be missing (section 6.1); what came before
   * the end is read first, and while a decision is due it waits.
   */
  receiveEnd(now: number): Outcome {
    return this.#run(now, () => this.#machine.endInput())
  }

  /**
   * Answers the decision that the last outcome waits for. An answer that comes after the end is late, not wrong: hand it over all
   * the same, as a private value or a secret is erased here.
   */
  answer(value: unknown, now: number): Outcome {
    if (this.#isOver) {
      this.#machine.discard(value)
      return this.#run(now, () => {})
    }
    if (this.#machine.waiting === undefined) throw new Misuse("the connection waits for no decision")
    let isTaken = false
    const outcome = this.#run(now, () => {
      isTaken = true
      this.#machine.answer(value)
    })
    // Time was up before it was looked at.
    if (!isTaken) this.#machine.discard(value)
    return outcome
  }

  /**
   * The decision that the last outcome waits for could not be made: as if the callback had thrown `error`. An `InvalidKeyShare` of
   * a key exchange is the peer's fault; whatever nobody knows ends the connection with internal_error.
   */
  reject(error: unknown, now: number): Outcome {
    if (this.#isOver) return this.#run(now, () => {})
    const { waiting } = this.#machine
    if (waiting === undefined) throw new Misuse("the connection waits for no decision")
    return this.#run(now, () => {
      try {
        this.#machine.reject(error)
      } catch (thrown) {
        const isOurs = thrown instanceof TlsError && !(thrown instanceof Misuse)
        if (thrown !== error || isOurs) throw thrown
        throw internalError(`${waiting.decision} failed: ${messageOf(error)}`, error)
      }
    })
  }

  /** Ends the connection with internal_error, for a reason of the application's. @param cause what was thrown */
  abandon(reason: string, now: number, cause?: unknown): Outcome {
    return this.#run(now, () => {
      throw internalError(reason, cause)
    })
  }

  /**
   * Ends the connection with an error alert of the application's own (section 6.2): `access_denied` for a peer that may not be
   * here, say. It may be sent before the handshake is complete, too; the event is `failed`, with a `Closed` of that alert.
   * @throws Misuse for what is no error alert: close_notify and user_canceled are sent by `close`
   */
  abort(alert: AlertName, reason: string = `the application ended the connection with ${alert}`): Outcome {
    // Appendix B: what is RESERVED has no name here, as it "MUST NOT" be sent.
    if (!isErrorAlert(alert)) throw new Misuse(`${String(alert)} is no error alert that an application may send`)
    return this.#run(this.link.now, () => {
      throw new Closed(alert, reason)
    })
  }

  /** Lets time pass: call it at `deadline`. */
  tick(now: number): Outcome {
    return this.#run(now, () => this.#checkDeadline())
  }

  /* ------------------------------------------------------------ what goes out */

  /** Application data of any length; fragmented, and preceded by a KeyUpdate when the keys are used up (section 5.5). */
  send(plaintext: Uint8Array): Outcome {
    const connected = this.#requireConnected()
    return this.#run(this.link.now, () => {
      answerKeyUpdate(this.link, connected)
      this.link.flushHandshake()
      let at = 0
      do {
        if (this.link.writer.needsKeyUpdate) {
          updateKeys(this.link, connected, "update_not_requested")
          this.link.flushHandshake()
        }
        const end = Math.min(plaintext.length, at + this.link.writer.contentUntilKeyUpdate)
        this.link.write(ContentType.application_data, plaintext.subarray(at, end))
        at = end
      } while (at < plaintext.length)
    })
  }

  /**
   * 0-RTT data, between `start` and the server's answer. It can be replayed by anybody who sees it (section 8).
   * @throws Misuse for more bytes than `earlyDataWritable`, and when that is 0
   */
  sendEarlyData(plaintext: Uint8Array): Outcome {
    const left = this.earlyDataWritable
    if (left === 0) throw new Misuse("no early data may be sent now")
    if (plaintext.length > left)
      throw new Misuse(`${plaintext.length} bytes of early data, but only ${left} may be sent now`)
    return this.#run(this.link.now, () => {
      this.link.earlyData?.sent(plaintext.length)
      this.link.flushHandshake()
      this.link.write(ContentType.application_data, plaintext)
    })
  }

  /**
   * A server's data ahead of the client's Finished ("0.5-RTT data"), so an answer to early data, say: section 2, "any data
   * sent at that point is, of course, being sent to an unauthenticated peer", who may be replaying.
   * @throws Misuse unless `halfRttWritable`, and for more than the key may protect (section 5.5): no update can come yet
   */
  sendHalfRtt(plaintext: Uint8Array): Outcome {
    if (!this.halfRttWritable) throw new Misuse("only a server between the two Finished messages sends 0.5-RTT data")
    if (plaintext.length > this.link.writer.contentUntilKeyUpdate) {
      throw new Misuse("the key of 0.5-RTT data is used up")
    }
    return this.#run(this.link.now, () => {
      this.link.flushHandshake()
      this.link.write(ContentType.application_data, plaintext)
    })
  }

  /** New sending keys (section 4.7.3); `update_requested`: the peer's too. */
  updateKeys(request: KeyUpdateRequest = "update_not_requested"): Outcome {
    return this.perform((connected) => updateKeys(this.link, connected, request))
  }

  /** close_notify: no more will be sent; what the peer still sends is read (section 6.1). Safe to call twice. */
  close(): Outcome {
    return this.#run(this.link.now, () => {
      if (this.#sentClose) return
      this.#sentClose = true
      // Section 6.1: user_canceled "MUST be followed by a "close_notify"": that is how a handshake is called off.
      if (this.info !== undefined) return this.#sendAlert("close_notify", AlertLevel.warning)
      this.link.dropHandshake()
      this.#sendAlert("user_canceled", AlertLevel.warning)
      this.#sendAlert("close_notify", AlertLevel.warning)
      // Nothing may follow close_notify: the rest of the handshake neither.
      this.#failure = new Closed(undefined, "the handshake was called off")
      this.#forget()
    })
  }

  /**
   * Section 7.5. A server can already when its Finished is out (`halfRttWritable`), for what goes with 0.5-RTT data: the value
   * is that of later, but nobody has shown yet who the client is, or that it is there at all.
   * @param length bytes, 1 to 255 times the suite's Hash.length. @throws Misuse before that, and after the end
   */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    const { connected } = this.#machine
    if (connected !== undefined) return exportFrom(connected, label, context, length)
    if (!this.halfRttWritable) throw new Misuse("keying material can be exported once the handshake is complete")
    return this.link.halfRttExporter!.exportKeyingMaterial(label, context, length)
  }

  /**
   * The same from early_exporter_secret, for what goes with 0-RTT data: not of this connection alone, as a replay has the
   * same, and without forward secrecy (section 7.5, appendix F.5.1). A client can from `start` on, a server once it takes
   * the data. @throws Misuse when there is no 0-RTT data, or it was refused
   */
  exportEarlyKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    const { earlyData } = this.link
    if (earlyData === undefined) throw new Misuse("early keying material is that of 0-RTT data, and there is none")
    return earlyData.exportKeyingMaterial(label, context, length)
  }

  /** Forgets every key, and what has not been taken yet. The connection is not used afterwards; callbacks may call this. */
  destroy(): void {
    this.#destroyed = true
    this.#forget()
    this.link.dropOutput()
  }

  /* ------------------------------------------------------------ the machine */

  /** Begins the handshake: it runs until it waits for something. */
  protected begin(handshake: Steps<State>, after: PostHandshake<State>): Outcome {
    return this.#run(this.link.now, () => this.#machine.begin(handshake, after))
  }

  /** One thing done by a connected state. @throws Misuse before the handshake is complete and after the end */
  protected perform(work: (connected: State) => void): Outcome {
    const connected = this.#requireConnected()
    return this.#run(this.link.now, () => work(connected), "is thrown")
  }

  /**
   * Runs one call: what is thrown in it, for the peer's sake or by a callback, becomes a failure, with its alert.
   * @param misuse a `Misuse` in it is that of the caller, or that of a callback
   */
  #run(now: number, work: () => void, misuse: "is thrown" | "fails" = "fails"): Outcome {
    this.#refuseReentry()
    this.link.now = now
    if (!this.#isOver) {
      this.#running = true
      try {
        this.#checkDeadline()
        work()
        this.link.reader.settle()
        this.#finishOutput()
      } catch (error) {
        if (error instanceof Misuse && misuse === "is thrown") throw error
        if (!this.#isOver) this.#fail(asFailure(error))
      } finally {
        this.#running = false
        // By a callback: what was made since then is forgotten too.
        if (this.#destroyed) this.destroy()
      }
    }
    return this.#outcome()
  }

  #refuseReentry(): void {
    if (this.#running) throw new Misuse("a callback calls the connection that waits for it; it may only destroy it")
  }

  #finishOutput(): void {
    // Section 6.1: close_notify is the last: an answer to what the peer still asks would come after it.
    if (this.#sentClose) this.link.dropHandshake()
    if (!this.#holdsOutput) this.link.finishOutput()
  }

  /** A flight leaves in one write: while the machine waits for a signature, say, the rest of it is still to come. */
  get #holdsOutput(): boolean {
    const isMidFlight = this.info === undefined && !this.halfRttWritable
    return !this.#isOver && this.#machine.waiting !== undefined && isMidFlight
  }

  #outcome(): Outcome {
    const waiting = !this.#isOver ? this.#machine.waiting : undefined
    return {
      output: this.#holdsOutput ? nothing : this.link.takeOutput(),
      events: this.link.takeEvents(),
      waitsFor: waiting
        ? { name: waiting.decision, pause: waiting.pause }
        : this.#isOver || (this.#sentClose && this.link.receivedClose)
          ? "nothing"
          : "bytes",
    }
  }

  #checkDeadline(): void {
    if (this.info === undefined && this.link.now >= this.#deadline) {
      throw new LimitExceeded(
        "user_canceled",
        "handshakeTime",
        `the handshake took longer than ${this.#options.limits.handshakeTime} ms (in state ${this.#machine.stateName})`,
      )
    }
  }

  /* ------------------------------------------------------------ alerts (section 6) */

  #sendAlert(name: AlertName, level: number): void {
    this.#options.trace?.({ type: "alert", direction: "sent", level, description: name })
    this.link.flushHandshake()
    this.link.write(ContentType.alert, Uint8Array.of(level, AlertDescription[name]))
  }

  /** "both parties MUST immediately close the connection", and forget its keys. */
  #fail(error: TlsError): void {
    this.#failure = error
    this.link.dropHandshake()
    if (error.alert !== undefined && !this.#sentClose) {
      try {
        this.#sendAlert(error.alert, error.alert === "user_canceled" ? AlertLevel.warning : AlertLevel.fatal)
        if (error.alert === "user_canceled") this.#sendAlert("close_notify", AlertLevel.warning)
      } catch {
        // The key is used up (section 5.5): the connection ends without an alert.
      }
    }
    this.link.emit({ type: "failed", error })
    this.#forget()
  }

  /** Erases every key, and lets go of the state with its messages: nothing can be sent or exported from here on. */
  #forget(): void {
    this.#machine.forget()
    this.link.wipe()
  }

  #requireConnected(): State {
    if (this.failure !== undefined) throw new Misuse(`the connection is over: ${this.failure.message}`)
    if (this.#sentClose) throw new Misuse("the connection was closed")
    const { connected } = this.#machine
    if (connected === undefined) throw new Misuse("the handshake is not complete")
    return connected
  }
}

/** A sink that has thrown is told nothing more: not of the alert either, which it would hold up. */
function untilItThrows(trace: TraceSink): TraceSink {
  let isBroken = false
  return (event) => {
    if (isBroken) return
    try {
      trace(event)
    } catch (error) {
      isBroken = true
      throw error
    }
  }
}

function isErrorAlert(alert: string): boolean {
  return Object.hasOwn(AlertDescription, alert) && alert !== "close_notify" && alert !== "user_canceled"
}

/** A defect, of ours or of a callback, is told to the application whole, and to the peer as internal_error. */
function asFailure(cause: unknown): TlsError {
  if (cause instanceof TlsError && !(cause instanceof Misuse)) return cause
  return internalError(`internal error: ${messageOf(cause)}`, cause)
}

function internalError(reason: string, cause: unknown): Closed {
  const error = new Closed("internal_error", reason)
  if (cause !== undefined) error.cause = cause
  return error
}
