import { gcm } from "@noble/ciphers/aes.js"
import { chacha20poly1305 } from "@noble/ciphers/chacha.js"
import { copyOf } from "../../bytes/copy.ts"
import { checkKeyLength, checkNonceAndRoom, wipedKey } from "../aead-arguments.ts"
import type { Aead, AeadKey } from "../provider.ts"
import { AES_GCM_CONFIDENTIALITY_LIMIT, CHACHA20_POLY1305_CONFIDENTIALITY_LIMIT } from "../suites.ts"

// AES-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) of @noble/ciphers behind key objects.
// noble expands the key for each message; `crypto/fast` keeps it expanded.
// Side channels: noble's AES reads tables by secret indexes, so a neighbour on the same core can learn from the cache;
// ChaCha20-Poly1305 does not. This is why it comes first in the default order.

interface NobleCipher {
  encrypt(plaintext: Uint8Array, output?: Uint8Array): Uint8Array
  decrypt(ciphertext: Uint8Array, output?: Uint8Array): Uint8Array
}

const TAG_LENGTH = 16

class AesGcmKey implements AeadKey {
  #key: Uint8Array | undefined

  constructor(key: Uint8Array) {
    this.#key = copyOf(key)
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    checkNonceAndRoom(nonce, out, at, plaintext.length + TAG_LENGTH)
    if (!this.#key) throw wipedKey()
    out.set(gcm(this.#key, nonce, aad).encrypt(plaintext), at)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    if (!this.#key) throw wipedKey()
    const plaintext = decryptOrNothing(gcm(this.#key, nonce, aad), ciphertext)
    if (!plaintext) return -1
    out.set(plaintext, at)
    plaintext.fill(0)
    return length
  }

  wipe(): void {
    this.#key?.fill(0)
    this.#key = undefined
  }
}

class ChaCha20Poly1305Key implements AeadKey {
  #key: Uint8Array | undefined

  constructor(key: Uint8Array) {
    this.#key = copyOf(key)
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const length = plaintext.length + TAG_LENGTH
    checkNonceAndRoom(nonce, out, at, length)
    if (!this.#key) throw wipedKey()
    chacha20poly1305(this.#key, nonce, aad).encrypt(plaintext, out.subarray(at, at + length))
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    if (!this.#key) throw wipedKey()
    const cipher = chacha20poly1305(this.#key, nonce, aad)
    return decryptOrNothing(cipher, ciphertext, out.subarray(at, at + length)) ? length : -1
  }

  wipe(): void {
    this.#key?.fill(0)
    this.#key = undefined
  }
}

/** noble reports a wrong tag by an exception, before it writes plaintext; whatever it throws, nothing is accepted. */
function decryptOrNothing(cipher: NobleCipher, ciphertext: Uint8Array, output?: Uint8Array): Uint8Array | undefined {
  try {
    return output ? cipher.decrypt(ciphertext, output) : cipher.decrypt(ciphertext)
  } catch {
    return undefined
  }
}

function aesGcm(name: string, keyLength: number): Aead {
  return {
    name,
    keyLength,
    nonceLength: 12,
    tagLength: TAG_LENGTH,
    confidentialityLimit: AES_GCM_CONFIDENTIALITY_LIMIT,
    key(key) {
      checkKeyLength(key, keyLength, name)
      return new AesGcmKey(key)
    },
  }
}

export const aes128Gcm: Aead = /* @__PURE__ */ aesGcm("AES-128-GCM", 16)
export const aes256Gcm: Aead = /* @__PURE__ */ aesGcm("AES-256-GCM", 32)

export const chacha20Poly1305: Aead = {
  name: "ChaCha20-Poly1305",
  keyLength: 32,
  nonceLength: 12,
  tagLength: TAG_LENGTH,
  confidentialityLimit: CHACHA20_POLY1305_CONFIDENTIALITY_LIMIT,
  key(key) {
    checkKeyLength(key, 32, "ChaCha20-Poly1305")
    return new ChaCha20Poly1305Key(key)
  },
}
