// The host's scrypt, which computes in its thread pool, so that the event loop goes on meanwhile.

import * as crypto from "node:crypto"
import { availableParallelism } from "node:os"
import { memoryOf, nobleScrypt, type Scrypt } from "../access/scrypt.ts"

const host: Scrypt = (password, salt, cost, length) => {
  const { ln, r, p } = cost
  return new Promise((resolve, reject) => {
    const options = { N: 2 ** ln, r, p, maxmem: 2 * memoryOf(cost) }
    // Bun says undefined where Node says null.
    crypto.scrypt(password, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

const hasOwn = typeof crypto.scrypt === "function"

/** The host's scrypt, or the one in JavaScript where the host has none. */
export const scrypt: Scrypt = hasOwn ? host : nobleScrypt

/**
 * How many to compute at once: one core stays with the event loop, and one of the pool's four threads with files and
 * names. In JavaScript they would only take turns.
 */
export function scryptsAtOnce(): number {
  return hasOwn ? Math.max(1, Math.min(3, availableParallelism() - 1)) : 1
}
