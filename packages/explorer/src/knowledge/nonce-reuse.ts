// What a nonce that is used twice gives away (RFC 9846 section 5.3, RFC 5116 section 5.1.1), shown on two real records.

import { copyOf, equalBytes } from "@puremq/tls13/explore"
import { sealUnder, xor } from "./protection.ts"
import type { ProtectedRecord } from "./records.ts"

export interface NonceReuse {
  readonly nonce: Uint8Array
  /** The plaintexts (content, type, padding) as far as both go. */
  readonly plaintexts: readonly [Uint8Array, Uint8Array]
  /** The two ciphertexts of these bytes, the second one sealed again under the first one's key and nonce. */
  readonly ciphertexts: readonly [Uint8Array, Uint8Array]
  readonly tags: readonly [Uint8Array, Uint8Array]
  /** What who listens can compute. */
  readonly xorOfCiphertexts: Uint8Array
  readonly xorOfPlaintexts: Uint8Array
  /** The second plaintext, by one who knows or guesses the first: ciphertexts and first plaintext, exclusive-or. */
  readonly recovered: Uint8Array
  /** Under one nonce the same plaintext is the same ciphertext, tag included. */
  readonly areEqual: boolean
  /** What else is lost, in words. */
  readonly forgery: string
}

/** The last two of one sender that are not the same inside, of its application data where there are such; of all, if need be. */
export function usualPair(
  records: readonly ProtectedRecord[],
): readonly [ProtectedRecord, ProtectedRecord] | undefined {
  const sender = records.at(-1)?.from
  const data = records.filter(({ inner, from }) => inner.type === 23 && from === sender)
  for (const some of [data, records.filter(({ from }) => from === sender), records]) {
    for (const second of some.toReversed()) {
      const differs = (other: ProtectedRecord) => !equalBytes(other.innerPlaintext, second.innerPlaintext)
      const first = some.slice(0, some.indexOf(second)).findLast(differs)
      if (first !== undefined) return [first, second]
    }
  }
  const [first, second] = records.slice(-2)
  return first && second && [first, second]
}

/** @param second sealed once more, under the key and the nonce of the first */
export function nonceReuse(first: ProtectedRecord, second: ProtectedRecord): NonceReuse {
  const { suite, nonce } = first
  const again = sealUnder(first, nonce, second.innerPlaintext)
  const { tagLength } = suite.aead
  const length = Math.min(first.innerPlaintext.length, second.innerPlaintext.length)
  const bodyOf = (record: Uint8Array) => copyOf(record.subarray(5, 5 + length))
  const tagOf = (record: Uint8Array) => copyOf(record.subarray(record.length - tagLength))
  const ciphertexts = [bodyOf(first.record), bodyOf(again)] as const
  const plaintexts = [
    copyOf(first.innerPlaintext.subarray(0, length)),
    copyOf(second.innerPlaintext.subarray(0, length)),
  ] as const
  const xorOfCiphertexts = xor(...ciphertexts)
  const areEqual = equalBytes(first.innerPlaintext, second.innerPlaintext)
  return {
    nonce,
    plaintexts,
    ciphertexts,
    tags: [tagOf(first.record), tagOf(again)],
    xorOfCiphertexts,
    xorOfPlaintexts: xor(...plaintexts),
    recovered: xor(xorOfCiphertexts, plaintexts[0]),
    areEqual,
    forgery: areEqual ? same : suite.name.includes("CHACHA") ? poly1305 : ghash,
  }
}

const same =
  "The two have the same inside, so they are the same bytes here, tag included: two records under one nonce tell everybody at " +
  "once that they say the same. The tags give nothing else away: choose two that differ to see what such tags do."

const ghash =
  "AES-GCM's tag is a polynomial in a secret value H, with the ciphertext as its coefficients, and a mask that depends on the " +
  "nonce alone. Two tags under one nonce have the same mask: exclusive-or takes it away and leaves a polynomial equation whose " +
  "only unknown is H. It has few roots, and they are found quickly. H serves all records of the key: with it anybody can make " +
  "tags for ciphertexts of his own."

const poly1305 =
  "ChaCha20-Poly1305 takes a fresh Poly1305 key from each nonce. Two tags under one nonce have the same key, which the two " +
  "equations give away: anybody can make tags for this nonce. Other nonces keep theirs."
