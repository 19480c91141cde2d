// Record protection by hand (RFC 9846 sections 5.2 to 5.4): nonces, and records sealed and opened with the provider's AEAD.

import { copyOf } from "@puremq/tls13/explore"
import type { CipherSuiteAlgorithms } from "./suites.ts"

/** What protects a record: key and iv of a traffic secret, and how many records they have sealed before. */
export interface Protection {
  readonly suite: CipherSuiteAlgorithms
  readonly key: Uint8Array
  readonly iv: Uint8Array
  readonly sequenceNumber: number
}

/** TLSInnerPlaintext: content, its type, and zeros. */
export interface InnerPlaintext {
  readonly content: Uint8Array
  readonly type: number
  /** Bytes of zero behind the type. */
  readonly padding: number
}

/** Bytes. */
export const headerLength = 5

/** Section 5.3: the sequence number in network byte order, as long as the iv, exclusive-or the iv. */
export function nonceOf(iv: Uint8Array, sequenceNumber: number): Uint8Array {
  return xor(iv, sequenceBytes(iv.length, sequenceNumber))
}

/** @param length bytes: 64 bits of number, with zeros in front */
export function sequenceBytes(length: number, sequenceNumber: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let rest = sequenceNumber
  for (let at = length - 1; at >= Math.max(0, length - 8); at--) {
    bytes[at] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}

export function innerBytes({ content, type, padding }: InnerPlaintext): Uint8Array {
  return Uint8Array.of(...content, type, ...new Uint8Array(padding))
}

/** The opaque record that goes over the wire. @param inner at most 2^14 bytes of content */
export function sealRecord(protection: Protection, inner: InnerPlaintext): Uint8Array {
  return sealUnder(protection, nonceOf(protection.iv, protection.sequenceNumber), innerBytes(inner))
}

/** The same with a nonce that somebody chooses: what no implementation must do. */
export function sealUnder({ suite, key }: Protection, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const length = plaintext.length + suite.aead.tagLength
  const record = new Uint8Array(headerLength + length)
  // opaque_type application_data, legacy_record_version, length: section 5.2.
  record.set([23, 3, 3, length >>> 8, length])
  const aead = suite.aead.key(key)
  aead.seal(nonce, copyOf(record.subarray(0, headerLength)), plaintext, record, headerLength)
  aead.wipe()
  return record
}

export type Opened =
  | { readonly opened: true; readonly inner: InnerPlaintext }
  /** Why not, in a sentence. */
  | { readonly opened: false; readonly why: string }

/** Opens a record as a receiver does, with its key, iv and number: any bytes may be given. */
export function openRecord({ suite, key, iv, sequenceNumber }: Protection, record: Uint8Array): Opened {
  const ciphertext = record.subarray(headerLength)
  if (ciphertext.length <= suite.aead.tagLength)
    return { opened: false, why: "It is too short to have a tag and a type." }
  const plaintext = new Uint8Array(ciphertext.length)
  const aead = suite.aead.key(key)
  const length = aead.open(nonceOf(iv, sequenceNumber), record.subarray(0, headerLength), ciphertext, plaintext, 0)
  aead.wipe()
  if (length < 0) {
    const why =
      "The tag is wrong: key, nonce, header or ciphertext is another than it was sealed with (bad_record_mac)."
    return { opened: false, why }
  }
  // Section 5.4: the last byte that is not zero is the type.
  let at = length - 1
  while (at >= 0 && plaintext[at] === 0) at--
  if (at < 0)
    return { opened: false, why: "There is nothing but zeros in it, and no content type (unexpected_message)." }
  const inner = { content: copyOf(plaintext.subarray(0, at)), type: plaintext[at]!, padding: length - 1 - at }
  return { opened: true, inner }
}

/** Byte by byte; as long as the shorter one. */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: Math.min(a.length, b.length) }, (_, at) => a[at]! ^ b[at]!)
}
