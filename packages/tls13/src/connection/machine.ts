// What a peer sends, on its way from records to states: records are told apart (RFC 9846 section 5), alerts are read
// (section 6), handshake messages drive the state machine (appendix A), and everything is counted against its limit.

import { AlertDescription, AlertLevel, alertName } from "../bytes/alerts.ts"
import { ContentType, codePointName, HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"
import { Closed, InvalidMessage, LimitExceeded, PeerMisbehaved } from "../bytes/errors.ts"
import { type HandshakeMessage, handshakeMessage } from "../codec/message.ts"
import { isHelloRetryRequest } from "../codec/server-hello.ts"
import { Connected } from "../handshake/connected.ts"
import { expectHeader, type State, step, type Transition, Waiting } from "../handshake/state.ts"
import { alertInTheClear, type InboundRecord } from "../record/record-reader.ts"
import { peerAlert, peerAlertInTheClear } from "./peer-alert.ts"
import type { LinkOptions, RecordLink } from "./record-link.ts"

/** Reads for a connection: every method may throw what is to become the connection's failure. */
export class Machine {
  readonly #role: "client" | "server"
  readonly #options: LinkOptions
  readonly #link: RecordLink
  #state: State | undefined
  #waiting: Waiting | undefined
  #receivedClose = false
  #inputEnded = false
  #changeCipherSpecs = 0
  #warningAlerts = 0
  #postHandshakeMessages = 0

  constructor(role: "client" | "server", options: LinkOptions, link: RecordLink) {
    this.#role = role
    this.#options = options
    this.#link = link
  }

  /** The state of appendix A; undefined before the start and after the end. */
  get state(): State | undefined {
    return this.#state
  }

  /** The state's name, for the words of errors. */
  get stateName(): State["name"] {
    return this.#state?.name ?? "START"
  }

  /** The decision that is due. */
  get waiting(): Waiting | undefined {
    return this.#waiting
  }

  /** Whether the peer has sent close_notify: nothing of what follows is read. */
  get receivedClose(): boolean {
    return this.#receivedClose
  }

  /** Takes the next state, or stands still for a decision. */
  enter(next: Transition): void {
    if (next instanceof Waiting) {
      this.#waiting = next
      return
    }
    if (next !== this.#state) {
      this.#options.trace?.({ type: "state", role: this.#role, from: this.stateName, to: next.name })
    }
    this.#state = next
  }

  /** Goes on with the answer to the decision that was due. */
  answer(waiting: Waiting, value: unknown): void {
    this.#waiting = undefined
    this.enter(waiting.resume(value))
    this.drain()
  }

  /** No more bytes will come: what came before the end is read first, and while a decision is due it waits. */
  endInput(): void {
    this.#inputEnded = true
    this.drain()
  }

  /** Erases the secrets, and lets go of the state with its messages. */
  forget(): void {
    if (this.#state instanceof Connected) this.#state.wipe()
    this.#state = undefined
    this.#waiting = undefined
  }

  /** Reads all records that are there, unless a decision is due first. */
  drain(): void {
    this.#drainMessages()
    while (this.#waiting === undefined && !this.#receivedClose) {
      const record = this.#link.reader.next()
      if (record === undefined) break
      this.#receiveRecord(record)
    }
    if (this.#waiting !== undefined && this.#link.reader.buffered > this.#options.limits.bufferedInput) {
      throw new LimitExceeded("internal_error", "bufferedInput", "peer sent more than is held while a decision is due")
    }
    if (this.#inputEnded && this.#waiting === undefined && !this.#receivedClose) {
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
        if (this.#link.reader.protected && !wasProtected) this.#receiveAlertInTheClear(content)
        this.#receiveAlert(content)
        break
      default:
        this.#receiveChangeCipherSpec()
    }
  }

  #drainMessages(): void {
    while (this.#waiting === undefined) {
      const bytes = this.#link.joiner.next((header) => {
        if (this.#state !== undefined) expectHeader(this.#state, header)
      })
      if (bytes === undefined) return
      this.#receiveMessage(handshakeMessage(bytes))
    }
  }

  #receiveMessage(message: HandshakeMessage): void {
    const state = this.#state
    if (state === undefined) throw new PeerMisbehaved("unexpected_message", "peer sent a handshake message before ours")
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
    this.enter(step(state, message))
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
      if (this.#state instanceof Connected && this.#state.isMidAnswer) {
        throw new PeerMisbehaved("unexpected_message", "peer interrupts its authentication with application data")
      }
      // Only data counts as progress: empty records between key updates would let both limits be passed for ever.
      if (data.length === 0) return
      this.#postHandshakeMessages = 0
      this.#link.emit({ type: "data", data })
      return
    }
    const left = this.#role === "server" ? this.#link.earlyDataLeft : undefined
    if (left === undefined) {
      throw new PeerMisbehaved("unexpected_message", `peer sent application data in state ${this.stateName}`)
    }
    // Section 4.7.1: "A server receiving more than max_early_data_size bytes of 0-RTT data SHOULD terminate the
    // connection with an "unexpected_message" alert."
    if (data.length > left)
      throw new LimitExceeded("unexpected_message", "earlyData", "client sent more early data than it may")
    this.#link.earlyDataLeft = left - data.length
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
      this.#receivedClose = true
      this.#link.emit({ type: "end" })
      return
    }
    // "user_canceled should be ignored": a close_notify follows it.
    if (description === AlertDescription.user_canceled) {
      if (++this.#warningAlerts <= this.#options.limits.warningAlerts) return
      throw new LimitExceeded("unexpected_message", "warningAlerts", "too many user_canceled alerts")
    }
    throw peerAlert(this.#role, name)
  }

  /** A server has keys from ServerHello on; a client may use its own with its second flight only. */
  #receiveAlertInTheClear(content: Uint8Array): never {
    const [level, description] = [content[0]!, content[1]!]
    const name = alertName(description)
    this.#options.trace?.({ type: "alert", direction: "received", level, description: name })
    const endsIt = description !== AlertDescription.close_notify && description !== AlertDescription.user_canceled
    const isAlert = level === AlertLevel.warning || level === AlertLevel.fatal
    throw this.#role === "server" && endsIt && isAlert
      ? peerAlertInTheClear(this.#role, name)
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
