// Time that passes when it is told to, and lines on which things arrive in their order, late, or not at all.

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
  gone: boolean
}

export class Clock {
  /** Milliseconds since 1970. */
  now: number
  /** A heap: the first that is due on top. */
  readonly #due: Due[] = []
  #order = 0

  constructor(now: number) {
    this.now = now
  }

  /** @returns what takes it back */
  at(time: number, run: () => void): () => void {
    const due: Due = { at: Math.max(time, this.now), order: this.#order++, run, gone: false }
    this.#push(due)
    return () => {
      due.gone = true
    }
  }

  /** @param time milliseconds from now */
  after(time: number, run: () => void): () => void {
    return this.at(this.now + time, run)
  }

  /** What is due runs, each at its time. */
  advance(time: number): void {
    const until = this.now + time
    for (let first = this.#due[0]; first !== undefined && first.at <= until; first = this.#due[0]) {
      this.#pop()
      if (first.gone) continue
      this.now = first.at
      first.run()
    }
    this.now = until
  }

  #push(due: Due): void {
    const heap = this.#due
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(due, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = due
  }

  #pop(): void {
    const heap = this.#due
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function before(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

interface Item {
  readonly run: () => void
  arrived: boolean
  gone: boolean
}

/** One direction of a connection. */
export class Line {
  readonly #clock: Clock
  readonly #delay: () => number
  readonly #comes: (run: () => void) => void
  readonly #underWay = new Set<Item>()
  #last = 0
  #held = false

  /**
   * @param delay milliseconds, of each that is sent
   * @param comes what happens where it arrives
   */
  constructor(clock: Clock, delay: () => number, comes: (run: () => void) => void = (run) => run()) {
    this.#clock = clock
    this.#delay = delay
    this.#comes = comes
  }

  get size(): number {
    return this.#underWay.size
  }

  send(run: () => void): void {
    const item: Item = { run, arrived: false, gone: false }
    this.#underWay.add(item)
    this.#last = Math.max(this.#last, this.#clock.now + this.#delay())
    this.#clock.at(this.#last, () => this.#arrive(item))
  }

  /** Nothing arrives until it is let go. */
  hold(): void {
    this.#held = true
  }

  letGo(): void {
    this.#held = false
    for (const item of [...this.#underWay]) if (item.arrived) this.#arrive(item)
  }

  /** It breaks: the first that are under way arrive all the same, so much later; the others never. */
  break(keeps: number, late: number): void {
    let left = keeps
    for (const item of this.#underWay) {
      item.gone = true
      if (left-- > 0) this.#clock.after(late, item.run)
    }
    this.#underWay.clear()
    this.#held = false
    this.#last = 0
  }

  #arrive(item: Item): void {
    if (item.gone) return
    item.arrived = true
    if (this.#held) return
    this.#underWay.delete(item)
    this.#comes(item.run)
  }
}
