// RFC 9846 section 7.1: HKDF-Expand-Label and Derive-Secret, over HKDF (RFC 5869) of the cipher suite's hash.

import { copyOf } from "../bytes/copy.ts"
import { Misuse } from "../bytes/errors.ts"
import { nothing } from "../bytes/nothing.ts"
import type { Hash, HmacKey } from "../crypto/provider.ts"

/** Hash(""): the Transcript-Hash of no messages, `Hash.length` bytes. */
export function emptyHash(hash: Hash): Uint8Array {
  return hash.digest(nothing)
}

/** HKDF-Extract (RFC 5869 section 2.2): `Hash.length` bytes. */
export function hkdfExtract(hash: Hash, salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  const key = hash.hmac(salt)
  const secret = key.mac(ikm)
  key.wipe()
  return secret
}

/**
 * HKDF-Expand-Label(Secret, Label, Context, Length), section 7.1.
 * @param label without its "tls13 " prefix: ASCII, 1 to 249 characters
 * @param context 0 to 255 bytes
 * @param length bytes wanted, at most 255 * Hash.length
 * @throws Misuse when one of them is out of range; RangeError when the label is not ASCII
 */
export function hkdfExpandLabel(
  hash: Hash,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const key = hash.hmac(secret)
  try {
    return expandLabel(hash, key, label, context, length)
  } finally {
    key.wipe()
  }
}

/** Derive-Secret(Secret, Label, Messages), section 7.1, given Transcript-Hash(Messages): `Hash.length` bytes. */
export function deriveSecret(hash: Hash, secret: Uint8Array, label: string, transcriptHash: Uint8Array): Uint8Array {
  return hkdfExpandLabel(hash, secret, label, transcriptHash, hash.length)
}

/** HKDF-Expand-Label with the secret as an HMAC key that its owner keeps: one key gives several values. */
export function expandLabel(
  hash: Hash,
  secret: HmacKey,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const info = hkdfLabel(label, context, length)
  // HKDF-Expand (RFC 5869 section 2.3). Nearly every value of TLS is one block.
  if (length <= hash.length) {
    const block = secret.mac(info, firstCounter)
    if (block.length === length) return block
    const cut = new Uint8Array(length)
    for (let i = 0; i < length; i++) cut[i] = block[i]!
    block.fill(0)
    return cut
  }
  if (length > 255 * hash.length) {
    throw new Misuse(`HKDF of ${hash.name} gives at most ${255 * hash.length} bytes; ${length} were asked for`)
  }
  const counter = copyOf(firstCounter)
  const expanded = new Uint8Array(length)
  let block: Uint8Array = nothing
  for (let at = 0; at < length; at += hash.length, counter[0]!++) {
    const next = secret.mac(block, info, counter)
    block.fill(0)
    block = next
    expanded.set(block.subarray(0, Math.min(hash.length, length - at)), at)
  }
  block.fill(0)
  return expanded
}

/** Of nearly every call: never written to. */
const firstCounter = /* @__PURE__ */ Uint8Array.of(1)

const prefix = "tls13 "

/** struct HkdfLabel: uint16 length, opaque label<7..255>, opaque context<0..255>. */
export function hkdfLabel(label: string, context: Uint8Array, length: number): Uint8Array {
  const size = prefix.length + label.length
  if (size < 7 || size > 255) {
    throw new Misuse(`a label has 1 to 249 characters, not ${label.length}`)
  }
  if (context.length > 255) throw new Misuse(`a context has 0 to 255 bytes, not ${context.length}`)
  if (!Number.isInteger(length) || length < 0) throw new Misuse(`${length} is not a length in bytes`)
  const info = new Uint8Array(4 + size + context.length)
  info[0] = length >>> 8
  info[1] = length
  info[2] = size
  // Byte by byte: a handshake makes twenty of these, and for so few bytes an array in between or a call of `set` costs more.
  for (let i = 0; i < prefix.length; i++) info[3 + i] = prefix.charCodeAt(i)
  for (let i = 0; i < label.length; i++) {
    const code = label.charCodeAt(i)
    if (code > 0x7f) throw new RangeError(`the label ${label} is not ASCII`)
    info[3 + prefix.length + i] = code
  }
  info[3 + size] = context.length
  for (let i = 0; i < context.length; i++) info[4 + size + i] = context[i]!
  return info
}
