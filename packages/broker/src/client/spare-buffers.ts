// Memory for what is written to clients, used again and again: an array for each turn of each client would be most of what the
// engine collects.

/** As much as one write to a transport has at most of what is copied. */
export const spareBytes = 65_536
/** That are there at once. */
const most = 16

export class SpareBuffers {
  readonly #free: Uint8Array[] = []
  #lent = 0

  /** @returns undefined: they are all in use, and whoever asks makes its own */
  take(): Uint8Array | undefined {
    const free = this.#free.pop()
    if (free === undefined && this.#lent >= most) return undefined
    this.#lent++
    return free ?? new Uint8Array(spareBytes)
  }

  /** Nobody refers to it any more. */
  give(buffer: Uint8Array): void {
    this.#lent--
    this.#free.push(buffer)
  }

  /** A transport still refers to one, and does not say for how long: it is the transport's. */
  lose(): void {
    this.#lent--
  }
}
