// What SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677) makes of a password, and how both sides prove that they have it. The
// server keeps StoredKey and ServerKey: with them it recognises the client and proves itself, but cannot log in as the client.

import { hmac } from "@noble/hashes/hmac.js"
import { pbkdf2Async } from "@noble/hashes/pbkdf2.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { encodeText } from "../packet/bytes.ts"
import { fromBase64, toBase64 } from "./base64.ts"

export interface ScramKeys {
  readonly iterations: number
  readonly salt: Uint8Array
  /** 32 bytes, as is the next. */
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** PBKDF2 with HMAC-SHA-256, 32 bytes of it: Hi() of RFC 5802 section 2.2. */
export type Pbkdf2 = (password: Uint8Array, salt: Uint8Array, iterations: number) => Promise<Uint8Array>

/** In JavaScript, for runtimes without one. On the event loop, which it gives a turn at least every 10 milliseconds. */
export const noblePbkdf2: Pbkdf2 = (password, salt, iterations) =>
  pbkdf2Async(sha256, password, salt, { c: iterations, dkLen: 32, asyncTick: 10 })

/** RFC 7677 section 4: SHOULD be at least this. */
export const leastIterations = 4096
/** Beyond it a client would be busy for minutes. */
export const mostIterations = 10_000_000
/**
 * Of new keys: what OWASP asks of PBKDF2 with HMAC-SHA-256. The 4096 and the 15,000 of RFC 7677 section 4 are measured by
 * telephones of 2015; who gets hold of the file tries passwords on the graphics cards of today.
 */
export const defaultIterations = 600_000

/** Bytes. */
export const leastSalt = 8
export const mostSalt = 64

/** A SaltedPassword is worth as much as the password: only the client, and `puremq passwd`, ever have it. */
export function keysOf(saltedPassword: Uint8Array, salt: Uint8Array, iterations: number): ScramKeys {
  return {
    iterations,
    salt,
    storedKey: sha256(clientKeyOf(saltedPassword)),
    serverKey: serverKeyOf(saltedPassword),
  }
}

export function clientKeyOf(saltedPassword: Uint8Array): Uint8Array {
  return hmac(sha256, saltedPassword, encodeText("Client Key"))
}

export function serverKeyOf(saltedPassword: Uint8Array): Uint8Array {
  return hmac(sha256, saltedPassword, encodeText("Server Key"))
}

/** ClientSignature, or of the ServerKey ServerSignature. */
export function signatureOf(key: Uint8Array, authMessage: string): Uint8Array {
  return hmac(sha256, key, encodeText(authMessage))
}

export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ b[i]!)
}

/** In the form of RFC 5803: `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY`, in base64 with padding. */
export function writeScramKeys({ iterations, salt, storedKey, serverKey }: ScramKeys): string {
  return `SCRAM-SHA-256$${iterations}:${toBase64(salt)}$${toBase64(storedKey)}:${toBase64(serverKey)}`
}

/** Returns what is wrong with the text where it is none. */
export function readScramKeys(text: string): ScramKeys | string {
  const match = /^SCRAM-SHA-256\$(\d{1,9}):([^$:]+)\$([^$:]+):([^$:]+)$/.exec(text)
  if (match === null) return "expected SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY after the scrypt hash"
  const iterations = Number(match[1])
  if (iterations < leastIterations || iterations > mostIterations)
    return `SCRAM iterations out of range (${leastIterations} to ${mostIterations})`
  const [salt, storedKey, serverKey] = [match[2]!, match[3]!, match[4]!].map(fromBase64)
  if (salt === undefined || storedKey === undefined || serverKey === undefined)
    return "salt or keys of SCRAM are not in base64"
  if (salt.length < leastSalt || salt.length > mostSalt)
    return `the salt of SCRAM has ${salt.length} bytes (${leastSalt} to ${mostSalt})`
  if (storedKey.length !== 32 || serverKey.length !== 32) return "a key of SCRAM has not 32 bytes"
  return { iterations, salt, storedKey, serverKey }
}
