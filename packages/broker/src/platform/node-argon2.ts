// The host's Argon2id (Node from 24.7 on), which computes in its thread pool, as scrypt does.

import * as crypto from "node:crypto"
import { type Argon2id, nobleArgon2id } from "../access/password-hash.ts"

/** What Node has, and its types do not know yet. */
type HostArgon2 = (
  algorithm: "argon2id",
  parameters: {
    readonly message: Uint8Array
    readonly nonce: Uint8Array
    readonly parallelism: number
    readonly tagLength: number
    readonly memory: number
    readonly passes: number
  },
  done: (error: Error | null, key: Uint8Array) => void,
) => void

const { argon2 } = crypto as { readonly argon2?: HostArgon2 }

/** The host's Argon2id, or the one in JavaScript where the host has none. */
export const argon2id: Argon2id =
  argon2 === undefined
    ? nobleArgon2id
    : (message, nonce, { memory, passes, lanes }, length) =>
        new Promise((resolve, reject) => {
          const parameters = { message, nonce, parallelism: lanes, tagLength: length, memory, passes }
          argon2("argon2id", parameters, (error, key) => (error ? reject(error) : resolve(key)))
        })
