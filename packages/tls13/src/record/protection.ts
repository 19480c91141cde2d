// One direction's record protection: RFC 9846 section 5.2 (AEAD over the record), section 5.3 (nonce), section 7.3 (keys).

import { copyOf } from "../bytes/copy.ts"
import { LimitExceeded } from "../bytes/errors.ts"
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

/**
 * The sequence number is 64 bits wide and never wraps (section 5.3). It is counted here in a number, which is exact up
 * to 2^53 - 1; a connection ends long before that.
 */
const lastSequenceNumber = Number.MAX_SAFE_INTEGER

export class RecordProtection {
  readonly suite: CipherSuiteAlgorithms
  readonly #key: AeadKey
  readonly #iv: Uint8Array
  readonly #nonce: Uint8Array
  #sequenceNumber: number

  /** @param sequenceNumber of the first record: 0 for every new key (section 5.3); another one only in tests */
  constructor(suite: CipherSuiteAlgorithms, secret: Uint8Array, observer?: KeysObserver, sequenceNumber = 0) {
    const { key, iv } = trafficKeys(suite, secret)
    this.suite = suite
    try {
      observer?.(key, iv)
      this.#key = suite.aead.key(key)
    } catch (error) {
      iv.fill(0)
      throw error
    } finally {
      key.fill(0)
    }
    this.#iv = iv
    this.#nonce = copyOf(iv)
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
    this.#iv.fill(0)
    this.#nonce.fill(0)
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
    const nonce = this.#nonce
    const iv = this.#iv
    const end = nonce.length
    const high = Math.floor(sequenceNumber / 0x1_0000_0000)
    nonce[end - 8] = iv[end - 8]! ^ (high >>> 24)
    nonce[end - 7] = iv[end - 7]! ^ (high >>> 16)
    nonce[end - 6] = iv[end - 6]! ^ (high >>> 8)
    nonce[end - 5] = iv[end - 5]! ^ high
    const low = sequenceNumber >>> 0
    nonce[end - 4] = iv[end - 4]! ^ (low >>> 24)
    nonce[end - 3] = iv[end - 3]! ^ (low >>> 16)
    nonce[end - 2] = iv[end - 2]! ^ (low >>> 8)
    nonce[end - 1] = iv[end - 1]! ^ low
    return nonce
  }
}
