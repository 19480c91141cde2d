// The host's PBKDF2, which computes in its thread pool, as scrypt does.

import * as crypto from "node:crypto"
import { noblePbkdf2Sha512, type Pbkdf2Sha512 } from "../access/password-hash.ts"
import { noblePbkdf2, type Pbkdf2 } from "../access/scram-keys.ts"

const hostOf =
  (digest: string, length: number): Pbkdf2 =>
  (password, salt, iterations) =>
    new Promise((resolve, reject) => {
      crypto.pbkdf2(password, salt, iterations, length, digest, (error, key) => (error ? reject(error) : resolve(key)))
    })

const hasOwn = typeof crypto.pbkdf2 === "function"

/** The host's PBKDF2, or the one in JavaScript where the host has none. */
export const pbkdf2: Pbkdf2 = hasOwn ? hostOf("sha256", 32) : noblePbkdf2
export const pbkdf2Sha512: Pbkdf2Sha512 = hasOwn ? hostOf("sha512", 64) : noblePbkdf2Sha512
