// Whether a partition has room. The servers are asked each second, so it may have a second's more than it may.

import type { Link } from "./link.ts"

export class Room {
  readonly #link: Link
  readonly #streams: readonly string[]
  readonly #most: number
  readonly #full = new Map<string, string>()
  readonly #timer: ReturnType<typeof setInterval>
  #asking = false

  /** @param most bytes of a stream on each of its servers */
  constructor(link: Link, streams: readonly string[], most: number) {
    this.#link = link
    this.#streams = streams
    this.#most = most
    this.#timer = setInterval(() => void this.ask(), 1000)
  }

  /** Why there should be no more messages; undefined: each stream has room. */
  get full(): string | undefined {
    const [first] = this.#full.values()
    return first
  }

  /** Answers when the servers have. */
  async ask(): Promise<void> {
    if (this.#asking || !this.#link.reachable) return
    this.#asking = true
    for (const stream of this.#streams) {
      const answer = await this.#link.api(`STREAM.INFO.${stream}`, {}).catch(() => undefined)
      const bytes = (answer?.["state"] as { bytes?: number } | undefined)?.bytes
      if (bytes === undefined) continue
      if (bytes < this.#most) this.#full.delete(stream)
      else {
        this.#full.set(
          stream,
          `the stream ${stream} has ${bytes} bytes of the ${this.#most} that it may have: raise maximumBytes of the cluster; messages go when their time (retention) is over, not when they were consumed, and a shorter one counts for what is published from then on only`,
        )
      }
    }
    this.#asking = false
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
