// What a password file keeps of a password, and how it is compared: scrypt (RFC 7914), which is ours, and what mosquitto_passwd
// writes: Argon2id (RFC 9106), PBKDF2 with HMAC-SHA-512 (RFC 8018) and, of Mosquitto 1.x, SHA-512 of the password and the salt.

import { sha512 } from "@noble/hashes/sha2.js"
import { memoryOf, type Scrypt, type ScryptCost } from "./scrypt.ts"

export type PasswordCost = (ScryptCost & { readonly kind?: never }) | Argon2Cost | Pbkdf2Cost | Sha512Cost

export interface Argon2Cost {
  readonly kind: "argon2id"
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly lanes: number
}

export interface Pbkdf2Cost {
  readonly kind: "pbkdf2-sha512"
  readonly iterations: number
}

export interface Sha512Cost {
  readonly kind: "sha512"
}

/** Derives `length` bytes. Rejects when the memory for it cannot be had. */
export type Argon2id = (password: Uint8Array, salt: Uint8Array, cost: Argon2Cost, length: number) => Promise<Uint8Array>

/** 64 bytes. */
export type Pbkdf2Sha512 = (password: Uint8Array, salt: Uint8Array, iterations: number) => Promise<Uint8Array>

/** A runtime's own, which compute beside the event loop; those that are left out are computed in JavaScript. */
export interface PasswordHashes {
  readonly scrypt: Scrypt
  readonly argon2id?: Argon2id | undefined
  readonly pbkdf2Sha512?: Pbkdf2Sha512 | undefined
}

/** On the event loop, which it gives a turn at least every 10 milliseconds. */
export const nobleArgon2id: Argon2id = async (password, salt, { memory, passes, lanes }, length) => {
  const { argon2idAsync } = await import("@noble/hashes/argon2.js")
  return argon2idAsync(password, salt, { m: memory, t: passes, p: lanes, dkLen: length, asyncTick: 10 })
}

/** On the event loop, which it gives a turn at least every 10 milliseconds. */
export const noblePbkdf2Sha512: Pbkdf2Sha512 = async (password, salt, iterations) => {
  const { pbkdf2Async } = await import("@noble/hashes/pbkdf2.js")
  return pbkdf2Async(sha512, password, salt, { c: iterations, dkLen: 64, asyncTick: 10 })
}

export function hashPassword(
  hashes: PasswordHashes,
  password: Uint8Array,
  salt: Uint8Array,
  cost: PasswordCost,
  length: number,
): Promise<Uint8Array> {
  switch (cost.kind) {
    case "argon2id":
      return (hashes.argon2id ?? nobleArgon2id)(password, salt, cost, length)
    case "pbkdf2-sha512":
      return (hashes.pbkdf2Sha512 ?? noblePbkdf2Sha512)(password, salt, cost.iterations)
    case "sha512":
      return Promise.resolve(sha512.create().update(password).update(salt).digest())
    default:
      return hashes.scrypt(password, salt, cost, length)
  }
}

/** Bytes of memory that one computation takes. */
export function hashMemory(cost: PasswordCost): number {
  switch (cost.kind) {
    case "argon2id":
      return 1024 * cost.memory
    case "pbkdf2-sha512":
    case "sha512":
      return 1024
    default:
      return memoryOf(cost)
  }
}

/** About how much work one computation is: blocks of SHA-512 or of 1 KiB. */
export function workOf(cost: PasswordCost): number {
  switch (cost.kind) {
    case "argon2id":
      return cost.memory * cost.passes
    case "pbkdf2-sha512":
      return cost.iterations
    case "sha512":
      return 1
    default:
      return 2 ** cost.ln * cost.r * cost.p
  }
}

export function sameCost(a: PasswordCost, b: PasswordCost): boolean {
  return costKey(a) === costKey(b)
}

function costKey(cost: PasswordCost): string {
  switch (cost.kind) {
    case "argon2id":
      return `argon2id ${cost.memory} ${cost.passes} ${cost.lanes}`
    case "pbkdf2-sha512":
      return `pbkdf2 ${cost.iterations}`
    case "sha512":
      return cost.kind
    default:
      return `scrypt ${cost.ln} ${cost.r} ${cost.p}`
  }
}

/** Of PBKDF2 with SHA-512, what OWASP asks for; less is tried fast on graphics cards by who gets hold of the file. */
const strongIterations = 210_000

export function isWeak(cost: PasswordCost): boolean {
  return cost.kind === "sha512" || (cost.kind === "pbkdf2-sha512" && cost.iterations < strongIterations)
}
