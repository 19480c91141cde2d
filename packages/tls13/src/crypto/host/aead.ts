import { createCipheriv, createDecipheriv } from "node:crypto"
import { copyOf } from "../../bytes/copy.ts"
import { checkKeyLength, checkNonceAndRoom, wipedKey } from "../aead-arguments.ts"
import type { Aead, AeadKey } from "../provider.ts"
import { AES_GCM_CONFIDENTIALITY_LIMIT, CHACHA20_POLY1305_CONFIDENTIALITY_LIMIT } from "../suites.ts"

// AEADs of node:crypto. Its cipher objects serve one message each, so the key is handed over with every record.

export type CipherName = "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305"

export const TAG_LENGTH = 16
/** Bytes: shorter ones may be part of a pool of the host's, and cost a collection little. */
const leastReleased = 1024
const options = { authTagLength: TAG_LENGTH }

/** As `AeadKey.seal`, of lengths that were checked. */
export function sealByHost(
  name: CipherName,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  out: Uint8Array,
  at: number,
): void {
  const { length } = plaintext
  // `aes-128-gcm` stands for all three in the types of node:crypto; the options are the same.
  const cipher = createCipheriv(name as "aes-128-gcm", key, nonce, options)
  cipher.setAAD(aad, { plaintextLength: length })
  const ciphertext = cipher.update(plaintext)
  out.set(ciphertext, at)
  release(ciphertext)
  cipher.final()
  out.set(cipher.getAuthTag(), at + length)
}

/** As `AeadKey.open`, of lengths that were checked: a tag is there. */
export function openByHost(
  name: CipherName,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  const length = ciphertext.length - TAG_LENGTH
  const decipher = createDecipheriv(name as "aes-128-gcm", key, nonce, options)
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
  release(plaintext)
  return length
}

/** Since ES2024, which not every engine has. */
interface MayTransfer {
  transfer?: (newByteLength: number) => unknown
}

/**
 * Gives memory back that the host has made for one call, where an engine can do so before its next collection, and makes fewer of
 * those needed: a fifth of the time of a record of 16 KiB on Node 26.
 */
function release({ buffer, length }: Uint8Array): void {
  if (length >= leastReleased && length === buffer.byteLength) (buffer as MayTransfer).transfer?.(0)
}

class HostAeadKey implements AeadKey {
  readonly #cipher: CipherName
  #key: Uint8Array | undefined

  constructor(cipher: CipherName, key: Uint8Array) {
    this.#cipher = cipher
    this.#key = copyOf(key)
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    checkNonceAndRoom(nonce, out, at, plaintext.length + TAG_LENGTH)
    if (!this.#key) throw wipedKey()
    sealByHost(this.#cipher, this.#key, nonce, aad, plaintext, out, at)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    if (!this.#key) throw wipedKey()
    return openByHost(this.#cipher, this.#key, nonce, aad, ciphertext, out, at)
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
