// One record's protection, and one digest: by a provider, and by the calls of node:crypto that come to the same.

import * as nodeCrypto from "node:crypto"
import { createCipheriv, createDecipheriv, createHash, createSecretKey, randomBytes } from "node:crypto"
import type { CryptoProvider } from "@puremq/tls13"
import type { HashWork, RecordWork } from "./work.ts"

/** The header of a record, which is what is authenticated beside it. */
const aad = Uint8Array.of(23, 3, 3, 0, 0)
const tag = 16

export function ourRecords({ type, suite, bytes }: RecordWork, provider: CryptoProvider): () => void {
  const { aead } = provider.cipherSuites.find(({ name }) => name === suite)!
  const key = aead.key(randomBytes(aead.keyLength))
  const nonce = new Uint8Array(randomBytes(12))
  const record = new Uint8Array(5 + bytes + tag)
  const plaintext = record.subarray(5, 5 + bytes)
  if (type === "seal") {
    return () => {
      nextNonce(nonce)
      key.seal(nonce, aad, plaintext, record, 5)
    }
  }
  const sealed = new Uint8Array(bytes + tag)
  key.seal(nonce, aad, plaintext, sealed, 0)
  return () => {
    if (key.open(nonce, aad, sealed, record, 5) !== bytes) throw new Error("the record does not open")
  }
}

type GcmName = "aes-128-gcm"
const ciphers: Readonly<Record<string, readonly [string, number]>> = {
  TLS_AES_128_GCM_SHA256: ["aes-128-gcm", 16],
  TLS_AES_256_GCM_SHA384: ["aes-256-gcm", 32],
  TLS_CHACHA20_POLY1305_SHA256: ["chacha20-poly1305", 32],
}

export function nodeRecords({ type, suite, bytes }: RecordWork): () => void {
  const [cipherName, keyLength] = ciphers[suite]!
  const key = createSecretKey(randomBytes(keyLength))
  const nonce = new Uint8Array(randomBytes(12))
  const plaintext = new Uint8Array(bytes)
  const options = { authTagLength: tag }
  const seal = (): readonly [Buffer, Buffer] => {
    const cipher = createCipheriv(cipherName as GcmName, key, nonce, options)
    cipher.setAAD(aad, { plaintextLength: bytes })
    const sealed = cipher.update(plaintext)
    cipher.final()
    return [sealed, cipher.getAuthTag()]
  }
  if (type === "seal") {
    return () => {
      nextNonce(nonce)
      seal()
    }
  }
  const [sealed, tagBytes] = seal()
  return () => {
    const decipher = createDecipheriv(cipherName as GcmName, key, nonce, options)
    decipher.setAAD(aad, { plaintextLength: bytes })
    decipher.setAuthTag(tagBytes)
    decipher.update(sealed)
    decipher.final()
  }
}

export function ourHash({ hash, bytes }: HashWork, provider: CryptoProvider): () => void {
  const { hash: algorithm } = provider.cipherSuites.find(({ hash: { name } }) => name === hash)!
  const message = new Uint8Array(randomBytes(bytes))
  return () => void algorithm.digest(message)
}

/** Its quickest call where there is one. */
export function nodeHash({ hash, bytes }: HashWork): () => void {
  const message = new Uint8Array(randomBytes(bytes))
  const oneShot = (nodeCrypto as { hash?: (name: string, data: Uint8Array, encoding: "buffer") => Buffer }).hash
  if (oneShot !== undefined) return () => void oneShot(hash, message, "buffer")
  return () => void createHash(hash).update(message).digest()
}

/** As a record's: no two are sealed with the same. */
function nextNonce(nonce: Uint8Array): void {
  for (let i = nonce.length - 1; i >= 0; i--) {
    nonce[i] = nonce[i]! + 1
    if (nonce[i] !== 0) return
  }
}
