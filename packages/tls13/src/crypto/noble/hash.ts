import { hmac } from "@noble/hashes/hmac.js"
import { sha256 as nobleSha256, sha384 as nobleSha384, sha512 as nobleSha512 } from "@noble/hashes/sha2.js"
import type { Hash, HashState, HmacKey } from "../provider.ts"

// SHA-2 (FIPS 180-4) and HMAC (RFC 2104) of @noble/hashes.

type NobleHash = typeof nobleSha256 | typeof nobleSha384 | typeof nobleSha512
type NobleHashState = ReturnType<NobleHash["create"]>
type NobleHmacState = ReturnType<typeof hmac.create>

class State implements HashState {
  readonly #state: NobleHashState

  constructor(state: NobleHashState) {
    this.#state = state
  }

  update(bytes: Uint8Array): void {
    this.#state.update(bytes)
  }

  digest(): Uint8Array {
    return this.#state.clone().digest()
  }

  clone(): HashState {
    return new State(this.#state.clone())
  }
}

class MacKey implements HmacKey {
  /** The state after the padded key: RFC 2104 section 4 saves it for every MAC of the same key. */
  #keyed: NobleHmacState | undefined

  constructor(keyed: NobleHmacState) {
    this.#keyed = keyed
  }

  mac(...parts: readonly Uint8Array[]): Uint8Array {
    if (!this.#keyed) throw new Error("the HMAC key was wiped and cannot be used any more")
    const state = this.#keyed.clone()
    for (const part of parts) state.update(part)
    return state.digest()
  }

  wipe(): void {
    this.#keyed?.destroy()
    this.#keyed = undefined
  }
}

function hash(name: Hash["name"], length: number, noble: NobleHash): Hash {
  return {
    name,
    length,
    digest: (message) => noble(message),
    start: () => new State(noble.create()),
    hmac: (key) => new MacKey(hmac.create(noble, key)),
  }
}

export const sha256: Hash = /* @__PURE__ */ hash("sha256", 32, nobleSha256)
export const sha384: Hash = /* @__PURE__ */ hash("sha384", 48, nobleSha384)
export const sha512: Hash = /* @__PURE__ */ hash("sha512", 64, nobleSha512)
