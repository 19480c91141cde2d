// One boundary around everything that a connection's socket, request or timer calls: what is thrown there ends that
// connection, is counted and told once, and goes no further.

import { addressOf } from "../ports/peer.ts"

/** Told of a defect that ended the connection of `peer`. */
export type OnFault = (error: unknown, peer: string) => void

export class Boundary {
  readonly #onFault: OnFault
  readonly #peer: string | (() => string)
  readonly #end: () => void
  #told = false

  /**
   * @param peer its address, or what finds it when it is needed
   * @param end ends the connection at once
   */
  constructor(onFault: OnFault, peer: string | (() => string), end: () => void) {
    this.#onFault = onFault
    this.#peer = peer
    this.#end = end
  }

  /** The same as `work`, but never throws. */
  handler<Args extends readonly unknown[]>(work: (...args: Args) => void): (...args: Args) => void {
    return (...args) => this.run(() => work(...args), undefined)
  }

  /** Does the work; `otherwise` is the answer when it throws. */
  run<Result>(work: () => Result, otherwise: Result): Result {
    try {
      return work()
    } catch (error) {
      this.#fault(error)
      return otherwise
    }
  }

  #fault(error: unknown): void {
    for (const step of [this.#end, () => this.#tell(error)]) {
      try {
        step()
      } catch {
        // The connection is given up either way, and whoever is told has failed.
      }
    }
  }

  #tell(error: unknown): void {
    if (this.#told) return
    this.#told = true
    this.#onFault(error, typeof this.#peer === "string" ? this.#peer : this.#peer())
  }
}

/** What has addresses and can be ended: a socket. */
interface Ends {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  destroy(): unknown
}

/** Does the first work for a socket inside a boundary of its own, which ends that socket. */
export function inside(onFault: OnFault, socket: Ends, work: (boundary: Boundary) => void): void {
  const boundary = new Boundary(
    onFault,
    () => addressOf(socket),
    () => socket.destroy(),
  )
  boundary.run(() => work(boundary), undefined)
}
