// Bytes to records: RFC 9846 section 5.1 (framing), sections 5.2 to 5.4 (opening, nonce, padding), RFC 8449 (our own
// record_size_limit), and the two ways of section 4.3.10 to skip early data that the server does not accept.
// legacy_record_version is ignored for all purposes, as section 5.1 demands.
// Not decided here: whether a change_cipher_spec may come now (section 5), whether a record may come between the fragments
// of a handshake message (section 5.1), what an alert means.

import { alertName } from "../bytes/alerts.ts"
import { ContentType } from "../bytes/code-points.ts"
import { InvalidMessage, LimitExceeded, PeerMisbehaved, type TlsError } from "../bytes/errors.ts"
import { nothing } from "../bytes/nothing.ts"
import { checkRange } from "../bytes/range.ts"
import { InputBuffer } from "./input-buffer.ts"
import { doesNotSpeakTls } from "./not-tls.ts"
import { headerLength, maxCiphertextLength, maxContentLength, maxInnerLength } from "./protection.ts"
import { RecordSide, type RecordSideOptions } from "./record-side.ts"
import type { SkippedEarlyData } from "./skipped-early-data.ts"

export interface InboundRecord {
  /** The content type: the inner one when the record was protected. One of `ContentType`. */
  readonly type: number
  /**
   * The content without padding. Of a protected record: memory that is never written again, so it may be kept (at most
   * 64 KiB stay with it). Of an unprotected one: a view of the input, valid until the next call of the reader.
   */
  readonly content: Uint8Array
  /** False for an alert in the clear though there are keys: it may be that of a peer which does not use its own yet. */
  readonly wasProtected: boolean
}

/** Bytes that records of one receive share for their plaintext: four full ones, and the type behind the last. */
const sharedPlaintext = 65_537

export interface RecordReaderOptions extends RecordSideOptions {
  /** Records without content that may come in a row (section 5.1 allows them, an attacker lives on them). Default 32. */
  readonly maxEmptyRecords?: number
  /** Says what a peer speaks instead of TLS, by the first five bytes. */
  readonly notTls?: ((header: Uint8Array) => TlsError) | undefined
}

/**
 * Takes the bytes of a transport and gives records, one a call. An error is final: the reader is not used afterwards.
 * Between receives it keeps the unfinished record only, and no buffer at all when there is none.
 */
export class RecordReader extends RecordSide {
  /** Bytes that wait: an unfinished record, or whole ones that were not asked for yet. */
  readonly input: InputBuffer = new InputBuffer()
  readonly #maxEmptyRecords: number
  readonly #notTls: RecordReaderOptions["notTls"]
  /** Where the records of this receive are opened to: its bytes before `#plaintextAt` were given away. */
  #plaintext: Uint8Array = nothing
  #plaintextAt = 0
  #isFirstRecord = true
  /** A record was opened: the peer has keys, and uses them. */
  #hasOpened = false
  #emptyRecords = 0
  #isGiven: boolean | undefined
  #skipped: SkippedEarlyData | undefined

  constructor(options: RecordReaderOptions = {}) {
    super(options)
    this.#maxEmptyRecords = options.maxEmptyRecords ?? 32
    this.#notTls = options.notTls
  }

  /** Bytes received: used as a view until `settle`. @param given they are the reader's from now on, which may write to them */
  push(bytes: Uint8Array, given?: boolean): void {
    this.input.push(bytes)
    this.#isGiven = given
  }

  /** Copies what is left of the input, so that the caller may reuse its buffer: called once at the end of a receive. */
  settle(): void {
    this.input.settle()
    this.#plaintext = nothing
    this.#plaintextAt = 0
  }

  /**
   * The record_size_limit that we sent (RFC 8449 section 4): the most bytes of a TLSInnerPlaintext, type and padding
   * included, 64 to 2^14 + 1. Unprotected records are not subject to it.
   */
  set recordSizeLimit(limit: number) {
    checkRange(limit, [64, maxInnerLength], "record_size_limit")
    this.maxInner = limit
  }

  /** Drops those records from now on; undefined: none any more. */
  set skipped(early: SkippedEarlyData | undefined) {
    this.#skipped = early
  }

  /** The next whole record, or undefined until more bytes come. @throws TlsError for what the peer must not send */
  next(): InboundRecord | undefined {
    for (;;) {
      if (!this.input.ensure(headerLength)) return undefined
      const type = this.input.byte(0)
      const length = (this.input.byte(3) << 8) | this.input.byte(4)
      this.#checkHeader(type, length)
      if (!this.input.ensure(headerLength + length)) return undefined
      this.#isFirstRecord = false
      const record = this.input.take(headerLength + length)
      const inbound =
        type === ContentType.application_data ? this.#opened(record, length) : this.#inTheClear(type, record)
      if (inbound) return inbound
    }
  }

  /** Erases the keys and gives up what is buffered. */
  wipe(): void {
    this.input.wipe()
    this.settle()
    this.replace()
  }

  /** All that can be refused before the record's body is buffered. */
  #checkHeader(type: number, length: number): void {
    switch (type) {
      case ContentType.application_data:
        if (this.protection === undefined && this.#skipped?.which !== "application_data") {
          // Section 5.1: Application Data is always protected.
          throw new PeerMisbehaved("unexpected_message", "peer sent application data before there were keys for it")
        }
        if (length > this.#maxCiphertext()) {
          // Sections 5.2 and 5.4, RFC 8449 section 4.
          const most = this.#maxCiphertext()
          throw new PeerMisbehaved("record_overflow", `a protected record of ${length} bytes; ${most} are allowed`)
        }
        return
      case ContentType.handshake:
        if (this.protection) {
          // Section 5.2: once protection has started, every record but change_cipher_spec is protected.
          throw new PeerMisbehaved(
            "unexpected_message",
            "peer sent a handshake record in the clear after keys were set",
          )
        }
        break
      case ContentType.alert:
        if (this.protection && length !== 2) throw new PeerMisbehaved("unexpected_message", clearAlert)
        break
      case ContentType.change_cipher_spec:
        // Section 5: "the single byte value 0x01"; anything else is unexpected_message.
        if (length !== 1)
          throw new PeerMisbehaved("unexpected_message", `a change_cipher_spec of ${length} bytes, not 1`)
        return
      default:
        if (this.#isFirstRecord && !this.protection) throw this.#notTls?.(this.#headerBytes()) ?? doesNotSpeakTls(type)
        // Section 5: an unexpected record type.
        throw new PeerMisbehaved("unexpected_message", `a record of unknown content type ${type}`)
    }
    if (length > maxContentLength) {
      // Section 5.1.
      throw new PeerMisbehaved("record_overflow", `a record of ${length} bytes; ${maxContentLength} are allowed`)
    }
    this.#checkContent(type, length)
  }

  /** Handshake and alert content, protected or not. */
  #checkContent(type: number, length: number): void {
    if (type === ContentType.application_data) return
    if (length === 0) {
      // Sections 5.1 and 5.4: no zero-length fragments of these types, even with padding.
      throw new PeerMisbehaved("unexpected_message", `${typeName(type)} record without content`)
    }
    if (type === ContentType.alert && length !== 2) {
      // Section 5.1: a record with an Alert type contains exactly one message.
      throw new InvalidMessage(`an alert record has ${length} bytes of content; an alert is 2`)
    }
  }

  #inTheClear(type: number, record: Uint8Array): InboundRecord {
    const content = record.subarray(headerLength)
    this.observer?.(type, type, record, content, false)
    if (type === ContentType.change_cipher_spec) {
      // Section 5: any other value is unexpected_message.
      if (content[0] !== 1) {
        throw new PeerMisbehaved("unexpected_message", `a change_cipher_spec of value ${content[0]}, not 1`)
      }
    } else if (this.protection) {
      // Handed on while the peer may not have taken its keys into use: who it can be of is decided there.
      if (this.#hasOpened) throw alertInTheClear(content)
    } else if (this.#skipped?.which === "application_data" && type === ContentType.handshake) {
      // Section 4.3.10: the second ClientHello ends the early data.
      this.#skipped = undefined
    }
    return { type, content, wasProtected: false }
  }

  /** A protected record, or undefined when it is one of those to skip. */
  #opened(record: Uint8Array, length: number): InboundRecord | undefined {
    const protection = this.protection
    if (!protection) {
      this.#skipped?.drop(length, 16)
      return undefined
    }
    const tagLength = protection.suite.aead.tagLength
    const { header } = this.scratch
    for (let i = 0; i < headerLength; i++) header[i] = record[i]!
    // What was held is ours too. A trace shows the record as it came; memory that is lent costs nothing.
    const inPlace = this.#isGiven && length >= shortestInPlace && !this.observer && !this.scratch.plaintext
    const plaintext = inPlace ? record : this.#room(length - tagLength)
    const start = inPlace ? headerLength : this.#plaintextAt
    const innerLength = protection.open(header, record.subarray(headerLength), plaintext, start)
    if (innerLength < 0) {
      if (this.#skipped?.which === "undecryptable") {
        this.#skipped.drop(length, tagLength)
        return undefined
      }
      // Section 5.2.
      throw new PeerMisbehaved("bad_record_mac", "a record could not be decrypted: its authentication tag is wrong")
    }
    this.#hasOpened = true
    // Section 4.3.10: the first record that opens is the start of the client's second flight.
    this.#skipped = undefined
    if (innerLength > this.maxInner) {
      // Section 5.4.
      throw new PeerMisbehaved(
        "record_overflow",
        `a record of ${innerLength} bytes with padding; ${this.maxInner} are allowed`,
      )
    }
    // Section 5.4: from the end of the cleartext, the first octet that is not zero is the type.
    let end = start + innerLength - 1
    while (end >= start && plaintext[end] === 0) end--
    if (end < start)
      throw new PeerMisbehaved("unexpected_message", "a protected record of zeros only has no content type")
    const type = plaintext[end]!
    const content = plaintext.subarray(start, end)
    if (!inPlace) this.#plaintextAt = end
    this.observer?.(ContentType.application_data, type, record, content, true)
    if (type !== ContentType.application_data && type !== ContentType.handshake && type !== ContentType.alert) {
      // Section 5: a protected change_cipher_spec, or an unexpected record type.
      throw new PeerMisbehaved(
        "unexpected_message",
        `a protected record has ${typeName(type)} as its inner content type`,
      )
    }
    this.#checkContent(type, content.length)
    if (content.length > 0) this.#emptyRecords = 0
    else this.#countEmpty()
    return { type, content, wasProtected: true }
  }

  /**
   * Room for `length` bytes of plaintext. New memory is sized for what else has come, up to 64 KiB: an allocation costs
   * more than a short record, and the contents of one receive lie behind each other.
   */
  #room(length: number): Uint8Array {
    if (this.#plaintextAt + length > this.#plaintext.length) {
      const wanted = Math.max(length, Math.min(length + this.input.length, sharedPlaintext))
      this.#plaintext = this.scratch.plaintext?.(wanted) ?? new Uint8Array(wanted)
      this.#plaintextAt = 0
    }
    return this.#plaintext
  }

  #countEmpty(): void {
    this.#emptyRecords++
    if (this.#emptyRecords > this.#maxEmptyRecords) {
      throw new LimitExceeded(
        "unexpected_message",
        "emptyRecords",
        `more than ${this.#maxEmptyRecords} records without content in a row`,
      )
    }
  }

  #maxCiphertext(): number {
    const protection = this.protection
    // Early data was sent before the client could know of a limit: what opens is held to it all the same.
    if (protection === undefined || this.#skipped?.which === "undecryptable") return maxCiphertextLength
    return this.maxInner === maxInnerLength ? maxCiphertextLength : this.maxInner + protection.suite.aead.tagLength
  }

  #headerBytes(): Uint8Array {
    const header = new Uint8Array(headerLength)
    for (let i = 0; i < headerLength; i++) header[i] = this.input.byte(i)
    return header
  }
}

/** Bytes of a record that is opened where it lies, when that memory is ours: all that came with it stays with its content. */
const shortestInPlace = 8192

const clearAlert = "peer sent an alert in the clear after keys were set"

/** Section 5.2: once protection has started, every record but change_cipher_spec is protected. */
export function alertInTheClear(content: Uint8Array): PeerMisbehaved {
  return new PeerMisbehaved("unexpected_message", `${clearAlert}: ${alertName(content[1]!)}`)
}

function typeName(type: number): string {
  if (type === ContentType.alert) return "an alert"
  if (type === ContentType.handshake) return "a handshake"
  return type === ContentType.change_cipher_spec ? "change_cipher_spec" : `the unknown type ${type}`
}
