// The handshake's view of the record layer: queues of outgoing handshake messages, key changes, events and traces.

import { ContentType, type HandshakeTypeName } from "../bytes/code-points.ts"
import { concatBytes } from "../bytes/concat.ts"
import { copyOf } from "../bytes/copy.ts"
import { nothing } from "../bytes/nothing.ts"
import { Writer } from "../bytes/writer.ts"
import type { CipherSuiteAlgorithms, RandomSource } from "../crypto/provider.ts"
import type { EarlyData } from "../handshake/early-data.ts"
import type { HandshakeInfo, Offer } from "../handshake/info.ts"
import type { Exporter, Link } from "../handshake/link.ts"
import { AtRecordBoundary } from "../handshake/proofs.ts"
import type { CommonSettings } from "../handshake/settings.ts"
import { HandshakeJoiner } from "../record/handshake-joiner.ts"
import { RecordReader } from "../record/record-reader.ts"
import { RecordWriter } from "../record/record-writer.ts"
import type { SkippedEarlyData } from "../record/skipped-early-data.ts"
import type { SecretObserver } from "../schedule/key-schedule.ts"
import type { ClientSession } from "../session/session.ts"
import type { Direction, SecretName } from "../trace/events.ts"
import type { ConnectionEvent } from "./events.ts"

/** What a connection is told whatever its role. */
export type LinkOptions = Pick<
  CommonSettings,
  "limits" | "random" | "scratch" | "trace" | "padding" | "maxFragment" | "rewriteMessage" | "explanations"
>

const noEvents: readonly ConnectionEvent[] = /* @__PURE__ */ Object.freeze([])

export class RecordLink implements Link {
  now = 0
  readonly random: RandomSource
  readonly reader: RecordReader
  readonly writer: RecordWriter
  readonly joiner: HandshakeJoiner
  earlyData: EarlyData | undefined
  readonly observeSecret: SecretObserver | undefined
  /** Set from a server's Finished to the client's. */
  halfRttExporter: Exporter | undefined
  /** What was agreed; undefined until CONNECTED. */
  info: HandshakeInfo | undefined
  /** The first ClientHello was sent or received. */
  offerSeen = false
  /** The peer has sent close_notify: nothing of what follows is read. */
  receivedClose = false
  readonly #options: LinkOptions
  /** Of the call under way; its outcome takes the list along. */
  #events: ConnectionEvent[] | undefined
  #out: Writer | undefined
  #handshakeQueue: Uint8Array[] = []
  #changeCipherSpec: "unsent" | "due" | "sent" = "unsent"
  #clientRandom: Uint8Array = nothing

  constructor(options: LinkOptions) {
    const { limits, scratch, trace } = options
    this.#options = options
    this.random = options.random
    const observer = (direction: Direction) =>
      trace &&
      ((contentType: number, innerType: number, record: Uint8Array, content: Uint8Array, isProtected: boolean) =>
        trace({ type: "record", direction, contentType, innerType, record, content, protected: isProtected }))
    this.reader = new RecordReader({
      maxEmptyRecords: limits.emptyRecords,
      scratch,
      observer: observer("received"),
      notTls: options.explanations?.notTls,
    })
    this.writer = new RecordWriter({
      padding: options.padding,
      maxFragment: options.maxFragment,
      recordLimit: limits.recordsPerKey,
      scratch,
      observer: observer("sent"),
    })
    this.joiner = new HandshakeJoiner(limits.handshakeMessageSize)
    this.observeSecret =
      trace &&
      ((name, secret, generation) => {
        trace({ type: "secret", name, secret, clientRandom: this.#clientRandom, generation })
      })
  }

  /* ------------------------------------------------------------ sending */

  send(name: HandshakeTypeName | "hello_retry_request", message: Uint8Array): Uint8Array {
    const bytes = this.compose(name, message)
    this.queue(bytes)
    return bytes
  }

  compose(name: HandshakeTypeName | "hello_retry_request", message: Uint8Array): Uint8Array {
    const { rewriteMessage, trace } = this.#options
    // A ClientHello was rewritten before its binders were made.
    const bytes = name === "client_hello" ? message : (rewriteMessage?.(name, message) ?? message)
    trace?.({ type: "message", direction: "sent", name, message: bytes })
    if (name === "client_hello") this.noteClientRandom(bytes.subarray(6, 38))
    return bytes
  }

  queue(...messages: readonly Uint8Array[]): void {
    this.#handshakeQueue.push(...messages)
  }

  sendChangeCipherSpec(): void {
    if (this.#changeCipherSpec !== "unsent") return
    this.flushHandshake()
    this.#changeCipherSpec = "due"
  }

  protectSending(suite: CipherSuiteAlgorithms, secret: Uint8Array, name: SecretName): void {
    this.flushHandshake()
    this.earlyData?.end()
    this.writer.protect(suite, secret, this.#keysObserver("sent", name))
  }

  sendInClear(): void {
    this.flushHandshake()
    this.earlyData?.end()
    this.writer.replace()
  }

  /** Handshake messages of one key share their records (section 5.1), so they are written when the key or the turn ends. */
  flushHandshake(): void {
    const queue = this.#handshakeQueue.splice(0)
    if (queue.length > 0) this.write(ContentType.handshake, concatBytes(...queue))
  }

  /** Drops handshake messages that have not been written: the connection failed. */
  dropHandshake(): void {
    this.#handshakeQueue = []
  }

  write(contentType: number, content: Uint8Array): void {
    // For its records, each of 22 bytes more, and for the rest of a flight: a buffer that is too short is made again, and copied.
    const capacity = content.length + (content.length >> 9) + (this.info ? 64 : 768)
    this.#out ??= new Writer(capacity, this.#options.scratch.output?.(capacity))
    this.#writeChangeCipherSpec(this.#out)
    this.writer.write(contentType, content, this.#out)
  }

  /** Appendix E.4. It goes with what is sent before or after it: a lone six-byte packet would wait for an acknowledgement. */
  #writeChangeCipherSpec(out: Writer): void {
    if (this.#changeCipherSpec !== "due") return
    this.#changeCipherSpec = "sent"
    this.writer.write(ContentType.change_cipher_spec, Uint8Array.of(1), out)
  }

  /** Writes what is due: `takeOutput` itself writes nothing, so it cannot fail. */
  finishOutput(): void {
    this.flushHandshake()
    if (this.#out !== undefined) this.#writeChangeCipherSpec(this.#out)
  }

  takeOutput(): Uint8Array {
    const output = this.#out?.finish() ?? nothing
    this.#out = undefined
    return output
  }

  /** Drops what has not been taken. */
  dropOutput(): void {
    this.#out = undefined
    this.#events = undefined
  }

  /* ------------------------------------------------------------ receiving */

  atRecordBoundary(): AtRecordBoundary {
    return AtRecordBoundary.check(this.joiner)
  }

  protectReceiving(suite: CipherSuiteAlgorithms, secret: Uint8Array, name: SecretName, _: AtRecordBoundary): void {
    this.reader.protect(suite, secret, this.#keysObserver("received", name))
  }

  limitSentRecords(limit: number): void {
    this.writer.recordSizeLimit = limit
  }

  limitReceivedRecords(limit: number): void {
    this.reader.recordSizeLimit = limit
  }

  skipEarlyData(early: SkippedEarlyData | undefined): void {
    this.reader.skipped = early
  }

  /* ------------------------------------------------------------ telling */

  /** ClientHello.random of the message just received, for the key log. */
  noteClientRandom(random: Uint8Array): void {
    // A stateless server keeps nothing of a client (section 4.3.2), and without a sink nobody asks.
    if (this.#options.trace !== undefined) this.#clientRandom = copyOf(random)
  }

  offered(offer: Offer): void {
    this.offerSeen = true
    this.emit({ type: "offered", offer })
  }

  connected(info: HandshakeInfo): void {
    this.info = info
    this.halfRttExporter = undefined
    this.emit({ type: "connected", info })
  }

  ticketReceived(session: ClientSession): void {
    this.emit({ type: "ticket", session })
  }

  earlyDataDecided(accepted: boolean): void {
    // Accepted early data may go on until EndOfEarlyData (section 4.6), whose keys come after it.
    if (!accepted) this.earlyData?.refuse()
    this.emit({ type: "early-data-decided", accepted })
  }

  emit(event: ConnectionEvent): void {
    this.#events ??= []
    this.#events.push(event)
  }

  takeEvents(): readonly ConnectionEvent[] {
    const events = this.#events ?? noEvents
    this.#events = undefined
    return events
  }

  /** Never throws, as `Erasure.end` never does: a key that cannot be erased keeps the others from nothing. */
  wipe(): void {
    // Nothing is written without a writer, not even what was due.
    if (this.#changeCipherSpec === "due") this.#changeCipherSpec = "sent"
    for (const part of [this.reader, this.writer, this.joiner, this.earlyData]) {
      try {
        part?.wipe()
      } catch {
        // The connection is over, and the reason for its end is another.
      }
    }
    this.halfRttExporter = undefined
    this.#handshakeQueue = []
  }

  #keysObserver(direction: Direction, secretName: SecretName) {
    const { trace } = this.#options
    return trace && ((key: Uint8Array, iv: Uint8Array) => trace({ type: "keys", direction, secretName, key, iv }))
  }
}
