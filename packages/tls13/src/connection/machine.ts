// What a peer sends, on its way from records to states: records are told apart (RFC 9846 section 5), alerts are read
// (section 6), handshake messages drive the state machine (appendix A), and everything is counted against its limit.

import { AlertDescription, AlertLevel, alertName } from "../bytes/alerts.ts"
import { ContentType, codePointName, HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"
import { Closed, InvalidMessage, LimitExceeded, PeerMisbehaved } from "../bytes/errors.ts"
import { type HandshakeMessage, handshakeMessage } from "../codec/message.ts"
import { isHelloRetryRequest } from "../codec/server-hello.ts"
import { type Connected, eraseConnected } from "../handshake/connected.ts"
import { type Awaited, expectHeader, expectMessage, type Steps, type Undecided } from "../handshake/coroutine.ts"
import { peerAlert } from "../handshake/peer-alert.ts"
import type { PostHandshake } from "../handshake/post-handshake.ts"
import { checkTransition, type Role, type StateName, type TransitionRow } from "../handshake/transitions.ts"
import { alertInTheClear, type InboundRecord } from "../record/record-reader.ts"
import type { LinkOptions, RecordLink } from "./record-link.ts"

/** Reads for a connection: every method may throw what is to become the connection's failure. */
export class Machine<State extends Connected> {
  readonly #role: Role
  readonly #transitions: readonly TransitionRow[]
  readonly #options: LinkOptions
  readonly #link: RecordLink
  /** What is under way: the handshake, or a message after it. */
  #steps: Steps<State | undefined> | undefined
  /** It runs at this moment: what calls us is a callback of the application. */
  #running = false
  #isForgotten = false
  /** What the handshake waits for, or waited for last. */
  #awaited: Awaited | undefined
  #connected: State | undefined
  #after: PostHandshake<State> | undefined
  /** The message that was handed over last. */
  #lastMessage: number | undefined
  #waiting: Undecided | undefined
  /** Erases an answer that comes after the end. */
  #discard: Undecided["discard"]
  #inputEnded = false
  #changeCipherSpecs = 0
  #warningAlerts = 0
  #postHandshakeMessages = 0

  constructor(role: Role, transitions: readonly TransitionRow[], options: LinkOptions, link: RecordLink) {
    this.#role = role
    this.#transitions = transitions
    this.#options = options
    this.#link = link
  }

  /** What the handshake has brought; undefined before it has, and after the end. */
  get connected(): State | undefined {
    return this.#connected
  }

  /** The state of appendix A. */
  get stateName(): StateName {
    return this.#connected === undefined ? (this.#awaited?.state ?? "START") : "CONNECTED"
  }

  /** The decision that is due. */
  get waiting(): Undecided | undefined {
    return this.#waiting
  }

  /** Begins the handshake: it runs until it waits for something. @param after what may come when it is complete */
  begin(handshake: Steps<State>, after: PostHandshake<State>): void {
    this.#steps = handshake
    this.#after = after
    this.#advance(undefined)
  }

  /** Goes on with the answer to the decision that was due. */
  answer(value: unknown): void {
    this.#waiting = undefined
    this.#advance(value)
    this.drain()
  }

  /** Goes on with what was thrown instead of an answer. */
  reject(error: unknown): void {
    this.#waiting = undefined
    this.#advance(error, "is thrown")
    this.drain()
  }

  /** After the end: an answer that nobody waits for any more. */
  discard(late: unknown): void {
    const discard = this.#discard
    this.#discard = undefined
    try {
      discard?.(late)
    } catch {
      // No answer at all: there is nothing to erase.
    }
  }

  /** Lets what is under way go on with what it waited for, until it waits again or is done. */
  #advance(input: unknown, it: "is given" | "is thrown" = "is given"): void {
    const steps = this.#steps
    if (steps === undefined) return
    this.#running = true
    let result: IteratorResult<Awaited | Undecided, State | undefined>
    try {
      result = it === "is given" ? steps.next(input) : steps.throw(input)
    } finally {
      this.#running = false
    }
    const from = this.stateName
    if (result.done === true) {
      this.#steps = undefined
      // Kept ahead of everything that could end this: what is kept is erased.
      if (result.value !== undefined) this.#connected = result.value
      this.#awaited = undefined
      this.#arrive(from, "CONNECTED")
    } else if ("decision" in result.value) this.#waiting = result.value
    else {
      this.#arrive(from, result.value.state)
      this.#awaited = result.value
    }
  }

  /** Every step that is taken is told, and stands in the table (appendix A). */
  #arrive(from: StateName, to: StateName): void {
    const [role, type] = [this.#role, this.#lastMessage]
    // A server begins where it waits; a connection that a callback has ended meanwhile takes no step.
    if ((type === undefined && to === "START") || this.#isForgotten) return
    this.#options.trace?.({
      type: "state",
      role,
      from,
      // Looked up for whoever looks, and for nobody else.
      message: type === undefined ? undefined : (codePointName(HandshakeType, type) as HandshakeTypeName),
      to,
    })
    checkTransition(role, this.#transitions, from, type, to)
  }

  /** No more bytes will come: what came before the end is read first, and while a decision is due it waits. */
  endInput(): void {
    this.#inputEnded = true
    this.drain()
  }

  /**
   * Erases the secrets, and lets go of the handshake with its messages. A generator that is only dropped never comes to its
   * `finally`; one that runs comes there by itself, or is ended by whoever calls this again when it has stopped.
   */
  forget(): void {
    this.#isForgotten = true
    if (this.#connected !== undefined) eraseConnected(this.#connected)
    this.#connected = undefined
    this.#awaited = undefined
    this.#discard ??= this.#waiting?.discard
    this.#waiting = undefined
    if (this.#running) return
    const steps = this.#steps
    this.#steps = undefined
    steps?.return(undefined)
  }

  /** Reads all records that are there, unless a decision is due first. */
  drain(): void {
    this.#drainMessages()
    while (this.#waiting === undefined && !this.#link.receivedClose) {
      const record = this.#link.reader.next()
      if (record === undefined) break
      this.#receiveRecord(record)
    }
    if (this.#waiting !== undefined && this.#link.reader.input.length > this.#options.limits.bufferedInput) {
      throw new LimitExceeded("internal_error", "bufferedInput", "peer sent more than is held while a decision is due")
    }
    if (this.#inputEnded && this.#waiting === undefined && !this.#link.receivedClose) {
      // Section 6.1: without close_notify nobody can tell whether that was all.
      throw new Closed(
        undefined,
        this.#link.info === undefined
          ? "peer closed the connection during the handshake"
          : "peer closed the stream without close_notify: data may be missing",
      )
    }
  }

  #receiveRecord({ type, content, wasProtected }: InboundRecord): void {
    // Section 5.1: "Handshake messages MUST NOT be interleaved with other record types." An alert ends it all, but for one.
    const interleaves = type !== ContentType.handshake && !this.#link.joiner.isEmpty
    if (interleaves && (type !== ContentType.alert || content[1] === AlertDescription.user_canceled)) {
      throw new PeerMisbehaved("unexpected_message", "peer interleaves a handshake message with another record type")
    }
    switch (type) {
      case ContentType.handshake:
        this.#link.joiner.push(content)
        this.#drainMessages()
        break
      case ContentType.application_data:
        this.#receiveApplicationData(content)
        break
      case ContentType.alert:
        if (this.#link.reader.protection && !wasProtected) this.#receiveAlertInTheClear(content)
        this.#receiveAlert(content)
        break
      default:
        this.#receiveChangeCipherSpec()
    }
  }

  #drainMessages(): void {
    while (this.#waiting === undefined) {
      const bytes = this.#link.joiner.next((header) => {
        const expected = this.#expected
        if (expected !== undefined) expectHeader(expected, header)
      })
      if (bytes === undefined) return
      this.#receiveMessage(handshakeMessage(bytes))
    }
  }

  /** The messages that may come now; undefined before the start and after the end. */
  get #expected(): Awaited | undefined {
    if (this.#connected === undefined) return this.#awaited
    return { state: "CONNECTED", accepts: this.#after?.accepts(this.#connected) ?? [] }
  }

  #receiveMessage(message: HandshakeMessage): void {
    const expected = this.#expected
    if (expected === undefined) {
      throw new PeerMisbehaved("unexpected_message", "peer sent a handshake message before ours")
    }
    this.#traceMessage(message)
    // What we asked for is no flood: requests have a limit of their own.
    const isFlood = this.#link.info !== undefined && !answersToRequests.has(message.type)
    if (isFlood && ++this.#postHandshakeMessages > this.#options.limits.postHandshakeMessages) {
      const most = this.#options.limits.postHandshakeMessages
      throw new LimitExceeded(
        "unexpected_message",
        "postHandshakeMessages",
        `more than ${most} handshake messages in a row after the handshake`,
      )
    }
    if (message.type === HandshakeType.client_hello && message.bytes.length >= 38) {
      this.#link.noteClientRandom(message.bytes.subarray(6, 38))
    }
    expectMessage(expected, message.type)
    this.#lastMessage = message.type
    if (this.#connected === undefined) this.#advance(message)
    else this.#receivePostHandshake(this.#connected, message)
  }

  /** Section 4.7. */
  #receivePostHandshake(connected: State, message: HandshakeMessage): void {
    this.#steps = this.#after?.take(connected, message)
    if (this.#steps === undefined) this.#arrive("CONNECTED", "CONNECTED")
    else this.#advance(undefined)
  }

  /** Section 5: dropped between the first ClientHello and the peer's Finished, out of place elsewhere. */
  #receiveChangeCipherSpec(): void {
    if (!this.#link.offerSeen || this.#link.info !== undefined)
      throw new PeerMisbehaved("unexpected_message", "change_cipher_spec outside of the handshake")
    if (++this.#changeCipherSpecs > this.#options.limits.changeCipherSpecs) {
      throw new LimitExceeded("unexpected_message", "changeCipherSpecs", "too many change_cipher_spec records")
    }
  }

  #receiveApplicationData(data: Uint8Array): void {
    if (this.#link.info !== undefined) {
      // Section 4.7.2: nothing comes between the messages of a post-handshake authentication.
      if (this.#connected?.answer !== undefined) {
        throw new PeerMisbehaved("unexpected_message", "peer interrupts its authentication with application data")
      }
      // Only data counts as progress: empty records between key updates would let both limits be passed for ever.
      if (data.length === 0) return
      this.#postHandshakeMessages = 0
      this.#link.emit({ type: "data", data })
      return
    }
    const { earlyData } = this.#link
    if (this.#role !== "server" || earlyData?.isOpen !== true) {
      throw new PeerMisbehaved("unexpected_message", `peer sent application data in state ${this.stateName}`)
    }
    earlyData.received(data.length)
    if (data.length > 0) this.#link.emit({ type: "early-data", data })
  }

  /* ------------------------------------------------------------ alerts (section 6) */

  #receiveAlert(content: Uint8Array): void {
    const [level, description] = [content[0]!, content[1]!]
    const name = alertName(description)
    this.#options.trace?.({ type: "alert", direction: "received", level, description: name })
    if (level !== AlertLevel.warning && level !== AlertLevel.fatal) {
      throw new InvalidMessage(`alert level ${level} is neither warning nor fatal`, "illegal_parameter")
    }
    if (description === AlertDescription.close_notify) {
      if (this.#link.info === undefined) throw new Closed(undefined, "peer closed the connection during the handshake")
      this.#link.receivedClose = true
      this.#link.emit({ type: "end" })
      return
    }
    // "user_canceled should be ignored": a close_notify follows it.
    if (description === AlertDescription.user_canceled) {
      if (++this.#warningAlerts <= this.#options.limits.warningAlerts) return
      throw new LimitExceeded("unexpected_message", "warningAlerts", "too many user_canceled alerts")
    }
    throw peerAlert(this.#role, name, this.#options.explanations)
  }

  /** A server has keys from ServerHello on; a client may use its own with its second flight only. */
  #receiveAlertInTheClear(content: Uint8Array): never {
    const [level, description] = [content[0]!, content[1]!]
    const name = alertName(description)
    this.#options.trace?.({ type: "alert", direction: "received", level, description: name })
    const endsIt = description !== AlertDescription.close_notify && description !== AlertDescription.user_canceled
    const isAlert = level === AlertLevel.warning || level === AlertLevel.fatal
    const { explanations } = this.#options
    throw this.#role === "server" && endsIt && isAlert && explanations !== undefined
      ? explanations.alertInTheClear(name)
      : alertInTheClear(content)
  }

  #traceMessage(message: HandshakeMessage): void {
    const { trace } = this.#options
    if (trace === undefined) return
    const name = codePointName(HandshakeType, message.type) as HandshakeTypeName
    const isRetry = message.type === HandshakeType.server_hello && isHelloRetryRequest(message)
    trace({
      type: "message",
      direction: "received",
      name: isRetry ? "hello_retry_request" : name,
      message: message.bytes,
    })
  }
}

/** Of a client's authentication after the handshake (section 4.7.2): refused unless a CertificateRequest is open. */
const answersToRequests: ReadonlySet<number> = /* @__PURE__ */ new Set([
  HandshakeType.certificate,
  HandshakeType.compressed_certificate,
  HandshakeType.certificate_verify,
  HandshakeType.finished,
])
