// What a handshake has to erase at its end, however it ends: done, failed, called off or given up.

export interface Erasable {
  wipe(): void
}

export class Erasure {
  readonly #held: Set<Uint8Array | Erasable> = new Set()

  /** Is erased at the end, unless it is let go before. */
  hold<Secret extends Uint8Array | Erasable>(secret: Secret): Secret {
    this.#held.add(secret)
    return secret
  }

  /** They belong to somebody else from now on, who erases them. */
  release(...secrets: readonly (Uint8Array | Erasable)[]): void {
    for (const secret of secrets) this.#held.delete(secret)
  }

  /** Is not needed any more. */
  erase(secret: Uint8Array | Erasable): void {
    this.#held.delete(secret)
    if (secret instanceof Uint8Array) secret.fill(0)
    else secret.wipe()
  }

  /** Erases all that is held. Never throws: the handshake is over, and the reason for its end is another. */
  end(): void {
    for (const secret of this.#held) {
      try {
        this.erase(secret)
      } catch {
        // A key in a device that is away, say: it keeps the others from nothing.
      }
    }
  }
}
