// How many handshakes may be in flight: what an unproven peer can cost is bounded by this times the limits of one.

export interface HandshakeLimits {
  /** Handshakes in flight. */
  readonly total: number
  /** Those of one address. */
  readonly perAddress: number
}

export class HandshakeGate {
  readonly #limits: HandshakeLimits
  readonly #byAddress = new Map<string, number>()
  #total = 0

  constructor(limits: HandshakeLimits) {
    this.#limits = limits
  }

  get pending(): number {
    return this.#total
  }

  /** What gives the place back, when called; or the limit that is reached. */
  enter(address: string): (() => void) | "total" | "perAddress" {
    const ofAddress = this.#byAddress.get(address) ?? 0
    if (this.#total >= this.#limits.total) return "total"
    if (ofAddress >= this.#limits.perAddress) return "perAddress"
    this.#total++
    this.#byAddress.set(address, ofAddress + 1)
    let inside = true
    return () => {
      if (!inside) return
      inside = false
      this.#total--
      const left = this.#byAddress.get(address)! - 1
      if (left > 0) this.#byAddress.set(address, left)
      else this.#byAddress.delete(address)
    }
  }
}
