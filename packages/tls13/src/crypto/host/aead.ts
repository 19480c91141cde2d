import { createCipheriv, createDecipheriv } from "node:crypto"
import { copyOf } from "../../bytes/copy.ts"
import { checkKeyLength, checkNonceAndRoom, wipedKey } from "../aead-arguments.ts"
import type { Aead, AeadKey } from "../provider.ts"
import { AES_GCM_CONFIDENTIALITY_LIMIT, CHACHA20_POLY1305_CONFIDENTIALITY_LIMIT } from "../suites.ts"

// AEADs of node:crypto. Its cipher objects serve one message each, so the key is handed over with every record.

type CipherName = "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305"

const TAG_LENGTH = 16
const options = { authTagLength: TAG_LENGTH }

class HostAeadKey implements AeadKey {
  readonly #cipher: CipherName
  #key: Uint8Array | undefined

  constructor(cipher: CipherName, key: Uint8Array) {
    this.#cipher = cipher
    this.#key = copyOf(key)
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const length = plaintext.length
    checkNonceAndRoom(nonce, out, at, length + TAG_LENGTH)
    if (!this.#key) throw wipedKey()
    // `aes-128-gcm` stands for all three in the types of node:crypto; the options are the same.
    const cipher = createCipheriv(this.#cipher as "aes-128-gcm", this.#key, nonce, options)
    cipher.setAAD(aad, { plaintextLength: length })
    out.set(cipher.update(plaintext), at)
    cipher.final()
    out.set(cipher.getAuthTag(), at + length)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    if (!this.#key) throw wipedKey()
    const decipher = createDecipheriv(this.#cipher as "aes-128-gcm", this.#key, nonce, options)
    decipher.setAAD(aad, { plaintextLength: length })
    decipher.setAuthTag(ciphertext.subarray(length))
    const plaintext = decipher.update(ciphertext.subarray(0, length))
    try {
      decipher.final()
    } catch {
      plaintext.fill(0)
      return -1
    }
    out.set(plaintext, at)
    plaintext.fill(0)
    return length
  }

  wipe(): void {
    this.#key?.fill(0)
    this.#key = undefined
  }
}

function aead(name: string, cipher: CipherName, keyLength: number, confidentialityLimit: number): Aead {
  return {
    name,
    keyLength,
    nonceLength: 12,
    tagLength: TAG_LENGTH,
    confidentialityLimit,
    key(key) {
      checkKeyLength(key, keyLength, name)
      return new HostAeadKey(cipher, key)
    },
  }
}

export const aes128Gcm: Aead = /* @__PURE__ */ aead("AES-128-GCM", "aes-128-gcm", 16, AES_GCM_CONFIDENTIALITY_LIMIT)
export const aes256Gcm: Aead = /* @__PURE__ */ aead("AES-256-GCM", "aes-256-gcm", 32, AES_GCM_CONFIDENTIALITY_LIMIT)
export const chacha20Poly1305: Aead = /* @__PURE__ */ aead(
  "ChaCha20-Poly1305",
  "chacha20-poly1305",
  32,
  CHACHA20_POLY1305_CONFIDENTIALITY_LIMIT,
)
