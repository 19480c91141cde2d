// What mosquitto_passwd writes behind the name of a user: `$7$ITERATIONS$SALT$HASH` (PBKDF2-SHA-512, of 1.6 to 2.0, and of 2.1 with
// -H sha512-pbkdf2), `$argon2id$v=19$m=..,t=..,p=..$SALT$HASH` (2.1) and `$6$SALT$HASH` (SHA-512, of 1.x).

import { fromBase64 } from "./base64.ts"
import type { PasswordCost } from "./password-hash.ts"

export interface MosquittoPassword {
  readonly cost: PasswordCost
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** Bounds on what one login costs: 128 MiB, as scrypt has, and some seconds. */
const mostMemory = 131_072
const mostWork = 524_288
const mostIterations = 2_000_000

export function isMosquittoPassword(text: string): boolean {
  return /^\$(6|7|argon2id)\$/.test(text)
}

/** Returns what is wrong with the text where it is none. */
export function readMosquittoPassword(text: string): MosquittoPassword | string {
  const [, kind, ...fields] = text.split("$")
  const cost = readCost(kind, fields)
  if (typeof cost === "string") return cost
  const padded = kind !== "argon2id"
  const [salt, hash] = fields.slice(-2).map((field) => fromBase64(padded ? field : withPadding(field)))
  if (salt === undefined || hash === undefined) return "salt or hash is not in base64"
  if (kind === "argon2id" ? salt.length < 8 || salt.length > 64 : salt.length !== 12 && salt.length !== 64)
    return `the salt has ${salt.length} bytes`
  if (kind === "argon2id" ? hash.length < 16 || hash.length > 64 : hash.length !== 64)
    return `the hash has ${hash.length} bytes`
  return { cost, salt, hash }
}

function readCost(kind: string | undefined, fields: readonly string[]): PasswordCost | string {
  switch (kind) {
    case "6":
      return fields.length === 2 ? { kind: "sha512" } : "expected $6$SALT$HASH"
    case "7": {
      const [count = ""] = fields
      if (fields.length !== 3 || !/^\d{1,9}$/.test(count)) return "expected $7$ITERATIONS$SALT$HASH"
      const iterations = Number(count)
      if (iterations < 1 || iterations > mostIterations) return `iterations out of range (1 to ${mostIterations})`
      return { kind: "pbkdf2-sha512", iterations }
    }
    default: {
      const [version, parameters = ""] = fields
      const match = /^m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})$/.exec(parameters)
      if (fields.length !== 4 || version !== "v=19" || match === null)
        return "expected $argon2id$v=19$m=..,t=..,p=..$SALT$HASH"
      const [memory = 0, passes = 0, lanes = 0] = match.slice(1).map(Number)
      if (
        passes < 1 ||
        lanes < 1 ||
        lanes > 4 ||
        memory < 8 * lanes ||
        memory > mostMemory ||
        memory * passes > mostWork
      )
        return `argon2id costs out of range (m up to ${mostMemory}, p 1 to 4, m times t up to ${mostWork})`
      return { kind: "argon2id", memory, passes, lanes }
    }
  }
}

function withPadding(text: string): string {
  return text.length % 4 === 0 ? text : text.padEnd(text.length + 4 - (text.length % 4), "=")
}
