// What the sockets of a server do with the bytes that come in, a little in each turn of the event loop: a crowd of handshakes,
// or of clients with much in a few bytes, does not hold up the rest of the process. Those that are connected have a line of
// their own, so they do not stand behind handshakes.

/** Milliseconds of work for each line in one turn. */
const workPerTurn = 20

export type Line = "handshakes" | "connected" | "dear"

interface Waiting {
  readonly queue: (() => void)[]
  /** Milliseconds of this turn. */
  spent: number
}

export class InputTurns {
  readonly #lines: Readonly<Record<Line, Waiting>> = {
    connected: { queue: [], spent: 0 },
    handshakes: { queue: [], spent: 0 },
    dear: { queue: [], spent: 0 },
  }
  readonly #all: readonly Waiting[] = Object.values(this.#lines)
  #turnEnds = false
  readonly #fault: (cause: unknown) => void
  readonly #nextTurn: (work: () => void) => void

  /** @param fault gets what is thrown in here: a defect of ours */
  constructor(fault: (cause: unknown) => void, nextTurn: (work: () => void) => void) {
    this.#fault = fault
    this.#nextTurn = nextTurn
  }

  /** Whether work of this line would have to wait for another turn. */
  isOver(line: Line): boolean {
    const { queue, spent } = this.#lines[line]
    return queue.length > 0 || spent >= workPerTurn
  }

  /** Work of this line was done at once, as its turn was not over. */
  spend(line: Line, milliseconds: number): void {
    this.#lines[line].spent += milliseconds
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
    this.#nextTurn(() => {
      try {
        this.#beginTurn()
      } catch (cause) {
        this.#fault(cause)
      }
      this.#turnEnds = false
      if (this.#all.some(({ queue, spent }) => queue.length > 0 || spent > 0)) this.#awaitEnd()
    })
  }

  #beginTurn(): void {
    for (const waiting of this.#all) {
      waiting.spent = 0
      while (waiting.spent < workPerTurn) {
        const work = waiting.queue.shift()
        if (work === undefined) break
        const began = performance.now()
        work()
        waiting.spent += performance.now() - began
      }
    }
  }
}
