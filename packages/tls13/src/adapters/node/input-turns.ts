// What the sockets of a server do with the bytes that come in, a little in each turn of the event loop: a crowd of handshakes,
// or of clients with much in a few bytes, does not hold up the rest of the process. Those that are connected have a line of
// their own, so they do not stand behind handshakes.

/** Milliseconds of work for each line in one turn. */
const workPerTurn = 20

export type Line = "handshakes" | "connected"

interface Waiting {
  readonly queue: (() => void)[]
  /** Milliseconds of this turn. */
  spent: number
}

export class InputTurns {
  readonly #lines: Readonly<Record<Line, Waiting>> = {
    connected: { queue: [], spent: 0 },
    handshakes: { queue: [], spent: 0 },
  }
  #turnEnds = false

  /** Whether work of this line would have to wait for another turn. */
  isOver(line: Line): boolean {
    const { queue, spent } = this.#lines[line]
    return queue.length > 0 || spent >= workPerTurn
  }

  /** Does it now. It may not throw. */
  now(line: Line, work: () => void): void {
    const began = performance.now()
    work()
    this.#lines[line].spent += performance.now() - began
    this.#awaitEnd()
  }

  /** Does it in a later turn, after what waits already. It may not throw. */
  later(line: Line, work: () => void): void {
    this.#lines[line].queue.push(work)
    this.#awaitEnd()
  }

  #awaitEnd(): void {
    if (this.#turnEnds) return
    this.#turnEnds = true
    setImmediate(() => {
      this.#turnEnds = false
      for (const line of ["connected", "handshakes"] as const) {
        const waiting = this.#lines[line]
        waiting.spent = 0
        while (waiting.spent < workPerTurn) {
          const work = waiting.queue.shift()
          if (work === undefined) break
          this.now(line, work)
        }
      }
    })
  }
}
