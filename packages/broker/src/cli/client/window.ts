// How many messages are unacknowledged at once: those that come past that wait until one is acknowledged (section 4.9).

export class Window {
  #maximum: number
  #inside = 0
  readonly #waiting: (() => void)[] = []

  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** Not more than `maximum` from now on. */
  limit(maximum: number): void {
    this.#maximum = Math.min(this.#maximum, maximum)
  }

  /** Resolves when there is a place, which is taken then. */
  async enter(): Promise<void> {
    while (this.#inside >= this.#maximum) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#inside++
  }

  leave(): void {
    this.#inside--
    this.#waiting.shift()?.()
  }

  /** Lets everybody in who waits: nothing will be acknowledged any more. */
  open(): void {
    this.#maximum = Number.POSITIVE_INFINITY
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
