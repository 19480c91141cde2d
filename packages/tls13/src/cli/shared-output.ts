// One output for what comes from many connections, at the pace of its reader: nothing is kept for a reader that is slow but what
// each connection has in its hands.

import type { Writable } from "node:stream"

/** Bytes that wait, if they have not gone already, and who is told when they have. */
export interface Turn {
  readonly bytes: Uint8Array | string | undefined
  readonly goOn: () => void
}

export class SharedOutput {
  readonly #output: Writable
  /** In the order in which they came. */
  readonly #waiting = new Set<Turn>()

  constructor(output: Writable) {
    this.#output = output
    for (const event of ["drain", "error", "close"]) output.on(event, () => this.#goOn())
  }

  /**
   * Undefined: it was taken, or nobody will read any more. Else give no more until `goOn` is called; once `forget` is, it is not,
   * and what has not gone never goes.
   */
  write(bytes: Uint8Array | string, goOn: () => void): Turn | undefined {
    const output = this.#output
    if (!output.writable) return undefined
    const isFull = this.#waiting.size > 0 || output.writableNeedDrain
    if (!isFull && output.write(bytes)) return undefined
    const turn = { bytes: isFull ? bytes : undefined, goOn }
    this.#waiting.add(turn)
    return turn
  }

  forget(turn: Turn): void {
    this.#waiting.delete(turn)
  }

  #goOn(): void {
    const output = this.#output
    for (const turn of this.#waiting) {
      if (turn.bytes !== undefined && output.writable) {
        if (output.writableNeedDrain) return
        output.write(turn.bytes)
      }
      this.#waiting.delete(turn)
      turn.goOn()
    }
  }
}
