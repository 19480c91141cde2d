// The process of a node, which may stand still (SIGSTOP, a virtual machine that is paused): what would happen in it happens when it
// runs again.

export class Process {
  #still = false
  readonly #timers: (() => void)[] = []
  readonly #came: (() => void)[] = []

  get still(): boolean {
    return this.#still
  }

  /** A timer of it is due. */
  due(work: () => void): void {
    if (this.#still) this.#timers.push(work)
    else work()
  }

  /** Something has come to it. */
  comes(work: () => void): void {
    if (this.#still) this.#came.push(work)
    else work()
  }

  stand(): void {
    this.#still = true
  }

  goOn(timersFirst: boolean): void {
    this.#still = false
    const queues = timersFirst ? [this.#timers, this.#came] : [this.#came, this.#timers]
    for (const queue of queues) for (const work of queue.splice(0)) work()
  }
}
