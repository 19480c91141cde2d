// External PSKs that a server has in memory.

import { Misuse } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { checkedPsk, type ExternalPsk, type ExternalPskStore } from "./session.ts"

/** Looks keys up by identity. A server with more of them than it wants in memory implements `ExternalPskStore` itself. */
export class MemoryPskStore implements ExternalPskStore {
  readonly #psks = new Map<string, ExternalPsk>()

  /** @throws Misuse for two keys of one identity, and for a key that `add` refuses */
  constructor(psks: Iterable<ExternalPsk> = []) {
    for (const psk of psks) this.add(psk)
  }

  get size(): number {
    return this.#psks.size
  }

  /**
   * Keeps a copy of the key.
   * @throws Misuse for an identity that is there already: nobody could tell which key is meant; for a key of fewer than 16 bytes
   */
  add(psk: ExternalPsk): void {
    const name = toHex(psk.identity)
    if (this.#psks.has(name)) throw new Misuse(`the PSK identity ${name} is given twice`)
    this.#psks.set(name, checkedPsk(psk))
  }

  remove(identity: Uint8Array): void {
    this.#psks.delete(toHex(identity))
  }

  lookup(identity: Uint8Array): ExternalPsk | undefined {
    return this.#psks.get(toHex(identity))
  }
}
