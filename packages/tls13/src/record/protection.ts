// One direction's record protection: RFC 9846 section 5.2 (AEAD over the record), section 5.3 (nonce), section 7.3 (keys).

import { LimitExceeded, Misuse } from "../bytes/errors.ts"
import type { AeadKey, CipherSuiteAlgorithms } from "../crypto/provider.ts"
import { trafficKeys } from "../schedule/traffic.ts"

/** Told of the key and iv when protection changes: views, valid during the call. */
export type KeysObserver = (key: Uint8Array, iv: Uint8Array) => void

/**
 * Told of every record: the type on the wire, the inner type, the whole record as on the wire, the content without
 * padding, and whether it was protected. Both arrays are views, valid during the call.
 */
export type RecordObserver = (
  contentType: number,
  innerType: number,
  record: Uint8Array,
  content: Uint8Array,
  wasProtected: boolean,
) => void

/** TLSPlaintext and TLSCiphertext headers: type, legacy_record_version, length. */
export const headerLength = 5
/** Section 5.1: the most bytes of content in a record. */
export const maxContentLength: number = 2 ** 14
/** Section 5.4: the most bytes of a TLSInnerPlaintext: content, type and padding. */
export const maxInnerLength: number = 2 ** 14 + 1
/** Section 5.2: the most bytes of a TLSCiphertext.encrypted_record. */
export const maxCiphertextLength: number = 2 ** 14 + 256

/** Section 5.3: iv_length of every AEAD of appendix B.4. */
const ivLength = 12

/** What one record needs while it is sealed or opened: the connections of a configuration share it, as none needs it afterwards. */
export interface RecordScratch {
  readonly header: Uint8Array
  readonly nonce: Uint8Array
  /** Gives at least so many bytes of memory, for output and for plaintext, to an adapter that knows when it is free again. */
  output?: (length: number) => Uint8Array
  plaintext?: (length: number) => Uint8Array
}

export function recordScratch(): RecordScratch {
  return { header: new Uint8Array(headerLength), nonce: new Uint8Array(ivLength) }
}

/**
 * The sequence number is 64 bits wide and never wraps (section 5.3). It is counted here in a number, which is exact up
 * to 2^53 - 1; a connection ends long before that.
 */
const lastSequenceNumber = Number.MAX_SAFE_INTEGER

export class RecordProtection {
  readonly suite: CipherSuiteAlgorithms
  readonly #key: AeadKey
  /** The iv as three words: as an array it would take nine times the room, which idle connections pay for. */
  #iv0: number
  #iv1: number
  #iv2: number
  readonly #scratch: RecordScratch
  #sequenceNumber: number

  /** @param sequenceNumber of the first record: 0 for every new key (section 5.3); another one where a connection is handed over */
  constructor(
    suite: CipherSuiteAlgorithms,
    secret: Uint8Array,
    observer?: KeysObserver,
    sequenceNumber = 0,
    scratch: RecordScratch = recordScratch(),
  ) {
    const { key, iv } = trafficKeys(suite, secret)
    this.suite = suite
    try {
      observer?.(key, iv)
      if (iv.length !== ivLength) throw new Misuse(`an AEAD with an iv of ${iv.length} bytes; TLS 1.3 has ${ivLength}`)
      this.#key = suite.aead.key(key)
      this.#iv0 = word(iv, 0)
      this.#iv1 = word(iv, 4)
      this.#iv2 = word(iv, 8)
    } finally {
      key.fill(0)
      iv.fill(0)
    }
    this.#scratch = scratch
    this.#sequenceNumber = sequenceNumber
  }

  /** Records sealed or opened with this key. */
  get sequenceNumber(): number {
    return this.#sequenceNumber
  }

  /** Seals `plaintext` to `out` from `at` on, in place or not, and counts the record. */
  seal(header: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    this.#key.seal(this.#nextNonce(), header, plaintext, out, at)
    this.#sequenceNumber++
  }

  /** Opens `ciphertext` to `out` from `at` on: the plaintext's length, or -1, and then the record does not count. */
  open(header: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = this.#key.open(this.#nextNonce(), header, ciphertext, out, at)
    if (length >= 0) this.#sequenceNumber++
    return length
  }

  wipe(): void {
    this.#iv0 = 0
    this.#iv1 = 0
    this.#iv2 = 0
    this.#scratch.nonce.fill(0)
    this.#key.wipe()
  }

  /** Section 5.3: the sequence number in network byte order, padded to iv_length, exclusive-or the iv. */
  #nextNonce(): Uint8Array {
    const sequenceNumber = this.#sequenceNumber
    // Section 5.3: "it MUST either rekey or terminate the connection".
    if (sequenceNumber >= lastSequenceNumber) {
      throw new LimitExceeded(
        "internal_error",
        "sequenceNumber",
        "the record sequence number is used up: no key update came",
      )
    }
    const { nonce } = this.#scratch
    putWord(nonce, 0, this.#iv0)
    putWord(nonce, 4, this.#iv1 ^ Math.floor(sequenceNumber / 0x1_0000_0000))
    putWord(nonce, 8, this.#iv2 ^ (sequenceNumber >>> 0))
    return nonce
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}
