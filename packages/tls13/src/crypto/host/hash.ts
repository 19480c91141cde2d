import { createHash, createHmac, type Hash as NodeHash } from "node:crypto"
import { copyOf } from "../../bytes/copy.ts"
import type { Hash, HashState, HmacKey } from "../provider.ts"

// SHA-2 and HMAC of node:crypto.

class State implements HashState {
  readonly #hash: NodeHash

  constructor(hash: NodeHash) {
    this.#hash = hash
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  digest(): Uint8Array {
    return plain(this.#hash.copy().digest())
  }

  clone(): HashState {
    return new State(this.#hash.copy())
  }
}

/** node:crypto cannot clone an HMAC, so the key is padded and hashed for each MAC. */
class MacKey implements HmacKey {
  readonly #hash: string
  #key: Uint8Array | undefined

  constructor(hash: string, key: Uint8Array) {
    this.#hash = hash
    this.#key = copyOf(key)
  }

  mac(...parts: readonly Uint8Array[]): Uint8Array {
    if (!this.#key) throw new Error("the HMAC key was wiped and cannot be used any more")
    const hmac = createHmac(this.#hash, this.#key)
    for (const part of parts) hmac.update(part)
    return plain(hmac.digest())
  }

  wipe(): void {
    this.#key?.fill(0)
    this.#key = undefined
  }
}

/** A Buffer's `slice` shares memory where a Uint8Array's copies; nobody above expects the former. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer)
}

function hash(name: Hash["name"], length: number): Hash {
  return {
    name,
    length,
    digest: (message) => plain(createHash(name).update(message).digest()),
    start: () => new State(createHash(name)),
    hmac: (key) => new MacKey(name, key),
  }
}

export const sha256: Hash = /* @__PURE__ */ hash("sha256", 32)
export const sha384: Hash = /* @__PURE__ */ hash("sha384", 48)
export const sha512: Hash = /* @__PURE__ */ hash("sha512", 64)
