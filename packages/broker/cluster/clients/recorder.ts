// Writes down what clients see, with the time and the node.

import { emptyHistory, type Fault, type History } from "../history.ts"

export class Recorder {
  readonly history: History = emptyHistory()
  /** Nodes by the ports that they have, and had. */
  readonly #nodes = new Map<number, string>()
  readonly #begun = performance.now()

  /** Milliseconds from the beginning. */
  get now(): number {
    return performance.now() - this.#begun
  }

  listens(node: string, port: number): void {
    this.#nodes.set(port, node)
  }

  nodeAt(port: number): string {
    return this.#nodes.get(port) ?? `port ${port}`
  }

  /** @returns what ends it */
  fault(fault: Omit<Fault, "from" | "to">): () => void {
    const begun: Fault = { ...fault, from: this.now }
    this.history.faults.push(begun)
    return () => {
      begun.to ??= this.now
    }
  }
}
