// The host's PBKDF2, which computes in its thread pool, as scrypt does.

import * as crypto from "node:crypto"
import { noblePbkdf2, type Pbkdf2 } from "../access/scram-keys.ts"

const host: Pbkdf2 = (password, salt, iterations) =>
  new Promise((resolve, reject) => {
    crypto.pbkdf2(password, salt, iterations, 32, "sha256", (error, key) => (error ? reject(error) : resolve(key)))
  })

/** The host's PBKDF2, or the one in JavaScript where the host has none. */
export const pbkdf2: Pbkdf2 = typeof crypto.pbkdf2 === "function" ? host : noblePbkdf2
