// Content to records: RFC 9846 section 5.1 (fragments, legacy_record_version), sections 5.2 to 5.4 (sealing, nonce,
// padding), section 5.5 (limits on key usage), RFC 8449 (the peer's record_size_limit).

import { ContentType, HandshakeType, ProtocolVersion } from "../bytes/code-points.ts"
import { LimitExceeded, Misuse } from "../bytes/errors.ts"
import { checkRange } from "../bytes/range.ts"
import type { Writer } from "../bytes/writer.ts"
import type { PaddingPolicy } from "./padding.ts"
import { headerLength, maxContentLength, type RecordProtection } from "./protection.ts"
import { RecordSide, type RecordSideOptions } from "./record-side.ts"

export interface RecordWriterOptions extends RecordSideOptions {
  /** The most bytes of content in a record, 64 to 2^14, the default. */
  readonly maxFragment?: number
  /** Padding of protected records. Default: none. */
  readonly padding?: PaddingPolicy | undefined
  /** Records that one key may seal, when that is to be less than the AEAD's own limit. 4 or more. */
  readonly recordLimit?: number | undefined
}

export class RecordWriter extends RecordSide {
  readonly #padding: PaddingPolicy | undefined
  #maxFragment = maxContentLength
  #recordLimit = Number.POSITIVE_INFINITY
  #isFirst = true
  #isWiped = false

  constructor(options: RecordWriterOptions = {}) {
    super(options)
    this.#padding = options.padding
    if (options.maxFragment !== undefined) this.maxFragment = options.maxFragment
    if (options.recordLimit !== undefined) this.recordLimit = options.recordLimit
  }

  /** The most bytes of content in a record, protected or not, by configuration: 64 to 2^14. */
  set maxFragment(length: number) {
    checkRange(length, [64, maxContentLength], "maxFragment")
    this.#maxFragment = length
  }

  /**
   * The record_size_limit that the peer sent (RFC 8449 section 4): the most bytes of a protected record's content, type
   * and padding together. 64 or more; a value above 2^14 + 1 means 2^14 + 1.
   */
  set recordSizeLimit(limit: number) {
    checkRange(limit, [64, 0xffff], "record_size_limit")
    this.maxInner = Math.min(limit, maxContentLength + 1)
  }

  /** Records that one key may seal: the AEAD's limit (section 5.5), or less than it. 4 or more. */
  set recordLimit(records: number) {
    checkRange(records, [4, Number.MAX_SAFE_INTEGER], "recordLimit")
    this.#recordLimit = records
  }

  /** Whether the next record to write is a KeyUpdate (section 5.5: "prior to reaching these limits"). */
  get needsKeyUpdate(): boolean {
    return this.#recordsUntilKeyUpdate() <= 0
  }

  /** Bytes of content that may be written before a KeyUpdate is needed: where to split a long application write. */
  get contentUntilKeyUpdate(): number {
    return Math.max(0, this.#recordsUntilKeyUpdate()) * this.#maxContent()
  }

  /**
   * Appends `content` to `out` as records of `type`: as many as it takes, and one for empty application data.
   * @throws Misuse for a record that section 5.1 forbids; LimitExceeded when the key is used up (section 5.5)
   */
  write(type: number, content: Uint8Array, out: Writer): void {
    const protection = this.protection
    this.#check(type, content.length)
    // Section 5.1: 0x0303, but 0x0301 for an initial ClientHello.
    const isInitial = this.#isFirst && type === ContentType.handshake && content[0] === HandshakeType.client_hello
    const version = isInitial ? ProtocolVersion.tls10 : ProtocolVersion.tls12
    this.#isFirst = false

    const most = this.#maxContent()
    let at = 0
    do {
      const fragment = content.length <= most ? content : content.subarray(at, at + most)
      // Section 5: change_cipher_spec is never protected.
      if (protection && type !== ContentType.change_cipher_spec) this.#seal(protection, type, fragment, out)
      else this.#writeInTheClear(type, version, fragment, out)
      at += fragment.length
    } while (at < content.length)
  }

  /** Erases the keys: nothing is written afterwards, protected or not. */
  wipe(): void {
    this.#isWiped = true
    this.replace()
  }

  #check(type: number, length: number): void {
    if (this.#isWiped) throw new Misuse("the connection is over: nothing more can be sent")
    if (type === ContentType.application_data) {
      // Section 5.1: Application Data records MUST NOT be written to the wire unprotected.
      if (!this.protection) throw new Misuse("application data is never sent unprotected")
    } else if (length === 0) {
      // Section 5.1: no zero-length fragments of Handshake types; section 5.4: nor of alerts.
      throw new Misuse("only application data may be empty")
    }
  }

  #writeInTheClear(type: number, version: number, fragment: Uint8Array, out: Writer): void {
    const { buffer, at } = out.reserve(headerLength + fragment.length)
    this.#writeHeader(type, version, fragment.length, buffer, at)
    buffer.set(fragment, at + headerLength)
    if (this.observer) {
      const record = buffer.subarray(at, at + headerLength + fragment.length)
      this.observer(type, type, record, record.subarray(headerLength), false)
    }
  }

  /** Content, type and zeros are written where the ciphertext will be, and sealed in place. */
  #seal(protection: RecordProtection, type: number, fragment: Uint8Array, out: Writer): void {
    // Section 5.5: MUST close or update the key before the limit.
    if (protection.sequenceNumber >= this.#keyLimit(protection)) {
      throw new LimitExceeded(
        "internal_error",
        "recordsPerKey",
        "this key has sealed as many records as its AEAD allows",
      )
    }
    const padding = this.#paddingOf(type, fragment.length)
    const innerLength = fragment.length + 1 + padding
    const length = innerLength + protection.suite.aead.tagLength
    const { buffer, at } = out.reserve(headerLength + length)
    this.#writeHeader(ContentType.application_data, ProtocolVersion.tls12, length, buffer, at)
    const body = at + headerLength
    buffer.set(fragment, body)
    buffer[body + fragment.length] = type
    // Section 5.4: padding octets MUST be zeros.
    if (padding > 0) buffer.fill(0, body + fragment.length + 1, body + innerLength)
    try {
      protection.seal(this.scratch.header, buffer.subarray(body, body + innerLength), buffer, body)
    } catch (error) {
      // It may still be plaintext: nothing of it leaves.
      out.truncate(at)
      throw error
    }
    this.observer?.(ContentType.application_data, type, buffer.subarray(at, body + length), fragment, true)
  }

  #writeHeader(type: number, version: number, length: number, buffer: Uint8Array, at: number): void {
    const { header } = this.scratch
    header[0] = type
    header[1] = version >>> 8
    header[2] = version
    header[3] = length >>> 8
    header[4] = length
    buffer.set(header, at)
  }

  #paddingOf(type: number, length: number): number {
    if (!this.#padding) return 0
    // Section 5.4: padding does not change the limit of the whole TLSInnerPlaintext.
    const room = this.maxInner - length - 1
    const padding = this.#padding(type, length, room)
    if (!Number.isInteger(padding) || padding < 0) throw new Misuse(`a padding policy asked for ${padding} bytes`)
    return Math.min(padding, room)
  }

  #maxContent(): number {
    return this.protection ? Math.min(this.#maxFragment, this.maxInner - 1) : this.#maxFragment
  }

  #keyLimit(protection: RecordProtection): number {
    return Math.min(this.#recordLimit, protection.suite.aead.confidentialityLimit)
  }

  /** The KeyUpdate comes an eighth before the limit, at most 2^16 records and at least 2: itself, and an alert. */
  #recordsUntilKeyUpdate(): number {
    const protection = this.protection
    if (!protection) return Number.POSITIVE_INFINITY
    const limit = this.#keyLimit(protection)
    return limit - Math.max(2, Math.min(2 ** 16, Math.floor(limit / 8))) - protection.sequenceNumber
  }
}
