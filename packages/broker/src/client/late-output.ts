// What was written for a client and depends on Changes that are not committed yet. It stays behind; what depends on nothing
// passes it by (MQTT orders one topic and QoS only: section 4.6), except before CONNACK.

/** Packets in the outbox that depend on a turn: its bytes [start, end). */
interface Mark {
  readonly start: number
  end: number
  readonly turn: number
}

/** Packets that would have left, had their turn been committed. */
interface Late {
  readonly chunks: readonly Uint8Array[]
  readonly size: number
  readonly turn: number
}

export class LateOutput {
  /** Of what is in the outbox, in the order of its bytes; what depends on nothing has none. */
  #marks: Mark[] = []
  /** In their order. */
  #late: Late[] = []
  /** [MQTT-3.2.0-1] The turn that CONNACK depends on: nothing leaves before it. */
  #connack = 0
  /** Bytes that are not in the outbox any more. */
  size = 0

  /** Bytes [start, end) of the outbox depend on this turn. */
  mark(start: number, end: number, turn: number, connack: boolean): void {
    const last = this.#marks.at(-1)
    // In their order: what depends on an earlier turn leaves behind what depends on a later one.
    const after = Math.max(turn, last?.turn ?? 0)
    if (last !== undefined && last.end === start && last.turn === after) last.end = end
    else this.#marks.push({ start, end, turn: after })
    if (connack) this.#connack = after
  }

  /** Of the outbox only its first `size` bytes are left. */
  cut(size: number): void {
    while ((this.#marks.at(-1)?.start ?? -1) >= size) this.#marks.pop()
  }

  /** The last turn that something of it depends on; 0: nothing is there. */
  get last(): number {
    return Math.max(this.#late.at(-1)?.turn ?? 0, this.#marks.at(-1)?.turn ?? 0)
  }

  /** Something waits, with all turns up to this one committed. */
  waits(committed: number): boolean {
    return this.#late.length > 0 || (this.#marks.at(-1)?.turn ?? 0) > committed
  }

  clear(): void {
    this.#marks = []
    this.#late = []
    this.#connack = 0
    this.size = 0
  }

  /** The turn with which the last of it leaves that is not in the outbox any more; 0: there is none. */
  get lastTurn(): number {
    return this.#late.at(-1)?.turn ?? 0
  }

  /** CONNACK is among what waits. */
  holdsConnack(committed: number): boolean {
    return this.#connack > committed
  }

  /** Takes all bytes of the outbox, and gives those, here and there, that may leave. */
  take(outbox: readonly Uint8Array[], committed: number): Uint8Array[] {
    const leaving: Uint8Array[] = []
    while (this.#late.length > 0 && this.#late[0]!.turn <= committed) {
      const { chunks, size } = this.#late.shift()!
      leaving.push(...chunks)
      this.size -= size
    }
    const cursor = new Cursor(outbox)
    let at = 0
    let turn = this.#late.at(-1)?.turn ?? 0
    const pass = (end: number, aside: boolean) => {
      const chunks = cursor.take(end - at)
      if (aside) {
        this.#late.push({ chunks, size: end - at, turn })
        this.size += end - at
      } else leaving.push(...chunks)
      at = end
    }
    const free = (end: number) => {
      if (end > at) pass(end, this.#connack > committed && this.#late.length > 0)
    }
    for (const mark of this.#marks) {
      free(mark.start)
      turn = Math.max(turn, mark.turn)
      pass(mark.end, turn > committed)
    }
    free(at + cursor.left)
    this.#marks = []
    return leaving
  }
}

/** Bytes in chunks, read from the front. */
class Cursor {
  readonly #chunks: readonly Uint8Array[]
  #chunk = 0
  #at = 0
  left = 0

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks
    for (const chunk of chunks) this.left += chunk.length
  }

  /** The next `count` bytes, as views. */
  take(count: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    this.left -= count
    while (count > 0) {
      const chunk = this.#chunks[this.#chunk]!
      const end = Math.min(chunk.length, this.#at + count)
      taken.push(chunk.subarray(this.#at, end))
      count -= end - this.#at
      this.#at = end
      if (end < chunk.length) continue
      this.#chunk++
      this.#at = 0
    }
    return taken
  }
}
