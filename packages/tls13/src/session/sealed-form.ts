// The form of what a server seals for itself: that of RFC 5077 section 4, the key's name, a nonce, and the AEAD's ciphertext.

import { concatBytes } from "../bytes/concat.ts"
import { asciiToBytes } from "../bytes/text.ts"
import { Writer } from "../bytes/writer.ts"
import { draw } from "../crypto/draw.ts"
import type { Aead, AeadKey, RandomSource } from "../crypto/provider.ts"

/** Bytes of a key's name. */
export const nameLength = 16

/** What seals and opens, by keys that are others as time goes on. `now` is in milliseconds since 1970. */
export interface Sealer {
  seal(plaintext: Uint8Array, now: number): Uint8Array
  /** What was sealed, or undefined when it was changed, was sealed as something else, or its key is gone. */
  open(sealed: Uint8Array, now: number): Uint8Array | undefined
}

export class SealedForm {
  readonly #aead: Aead
  readonly #random: RandomSource
  readonly #purpose: Uint8Array

  /** @param purpose what the values are, ASCII: one sealed as something else does not open, though the key is the same */
  constructor(aead: Aead, random: RandomSource, purpose: string) {
    this.#aead = aead
    this.#random = random
    this.#purpose = asciiToBytes(purpose)
  }

  /** @param name 16 bytes */
  seal(name: Uint8Array, key: AeadKey, plaintext: Uint8Array): Uint8Array {
    const nonce = draw(this.#random, this.#aead.nonceLength)
    const sealed = new Writer(nameLength + nonce.length + plaintext.length + this.#aead.tagLength)
    sealed.bytes(name).bytes(nonce)
    const { buffer, at } = sealed.reserve(plaintext.length + this.#aead.tagLength)
    key.seal(nonce, concatBytes(this.#purpose, name), plaintext, buffer, at)
    return sealed.finish()
  }

  /** @param keyOf the key of this name, if it is known */
  open(sealed: Uint8Array, keyOf: (name: Uint8Array) => AeadKey | undefined): Uint8Array | undefined {
    const { nonceLength, tagLength } = this.#aead
    if (sealed.length < nameLength + nonceLength + tagLength) return undefined
    const name = sealed.subarray(0, nameLength)
    const key = keyOf(name)
    if (key === undefined) return undefined
    const nonce = sealed.subarray(nameLength, nameLength + nonceLength)
    const ciphertext = sealed.subarray(nameLength + nonceLength)
    const plaintext = new Uint8Array(ciphertext.length - tagLength)
    const length = key.open(nonce, concatBytes(this.#purpose, name), ciphertext, plaintext, 0)
    return length < 0 ? undefined : plaintext
  }
}
