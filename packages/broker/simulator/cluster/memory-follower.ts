// How a node follows a stream of the servers in memory, by one consumer after the other, as with NATS.

import type { Failed, Following, StreamMessage, StreamSequence } from "../../src/cluster/streams.ts"
import { Pause } from "../../src/ports/pause.ts"
import type { MemoryNode } from "./memory-node.ts"
import type { MemoryConsumer, Replicated } from "./memory-servers.ts"
import { given, type Stored, subjectMatcher } from "./memory-stream.ts"

/** Messages that are under way at most. */
const window = 512

type Through = { readonly through: StreamSequence } | Failed

interface Standing {
  readonly last: StreamSequence
  /** The consumer begins behind this one. */
  readonly began: StreamSequence
  readonly consumer: MemoryConsumer | undefined
}

export class MemoryFollower implements Following {
  readonly #node: MemoryNode
  readonly #stream: Replicated
  readonly #after: StreamSequence | undefined
  readonly #arrived: (message: StreamMessage) => void
  readonly #moved: ((position: StreamSequence) => void) | undefined
  #wanted: readonly string[] = []
  #stands: readonly string[] | undefined = []
  #consumer: MemoryConsumer | undefined
  /** At the servers, also those of which no answer came. */
  readonly #made = new Set<MemoryConsumer>()
  /** Of the consumer: messages that were taken, and how many it may send that it was not told of. */
  #taken = 0
  #owed = 0
  #position: StreamSequence | undefined
  #waiting: Pause<Through>[] = []
  #working = false
  #paused = false
  #ended = false

  /** @param after undefined: from the end on, whenever it has no subjects */
  constructor(
    node: MemoryNode,
    stream: Replicated,
    after: StreamSequence | undefined,
    arrived: (message: StreamMessage) => void,
    moved?: (position: StreamSequence) => void,
  ) {
    this.#node = node
    this.#stream = stream
    this.#after = after
    this.#position = after
    this.#arrived = arrived
    this.#moved = moved
  }

  subjects(subjects: readonly string[]): Pause<Through> {
    const pause = new Pause<Through>()
    this.#wanted = [...subjects]
    this.#waiting.push(pause)
    this.#work()
    return pause
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#repay()
  }

  /** The connection is lost, and its consumer with it. */
  lost(): void {
    this.#drop()
    if (this.#wanted.length > 0) this.#stands = undefined
  }

  /** There is a connection again. */
  again(): void {
    this.#work()
  }

  end(): void {
    this.#ended = true
    this.#drop()
    this.#answer({ failed: "the cluster's connection is closed" })
  }

  #work(): void {
    if (this.#working || this.#ended || (this.#stands === this.#wanted && this.#waiting.length === 0)) return
    this.#working = true
    const wanted = this.#wanted
    const standing = this.#node.request<Standing>((reply) => reply(this.#stand(wanted)))
    standing.onAnswer((answer) => {
      this.#working = false
      if ("failed" in answer) {
        this.#answer(answer)
        this.#node.after(500, () => this.#work())
        return
      }
      this.#drop(answer.consumer)
      this.#consumer = answer.consumer
      this.#stands = wanted
      this.#taken = 0
      this.#owed = window
      const fromItsEnd = answer.consumer === undefined && this.#after === undefined
      this.#position = fromItsEnd ? undefined : Math.max(this.#position ?? 0, answer.began)
      if (this.#wanted === wanted) this.#answer({ through: Math.max(answer.last, this.#position ?? 0) })
      this.#repay()
      this.#work()
    })
  }

  /** At the servers. */
  #stand(wanted: readonly string[]): Standing | Failed {
    const stream = this.#stream
    if (!stream.led) return { failed: "nobody there answers: the leader is being chosen" }
    const { last } = stream.content
    if (wanted.length === 0) return { last, began: 0, consumer: undefined }
    const before = this.#consumer
    const scanned = before !== undefined && before.sent === this.#taken ? before.cursor - 1 : 0
    const began = Math.max(this.#position ?? last, scanned)
    const consumer: MemoryConsumer = {
      stream,
      matches: subjectMatcher(wanted),
      cursor: began + 1,
      sent: 0,
      credit: 0,
      alive: true,
      deliver: (message) => this.#node.down.send(() => this.#take(consumer, message)),
    }
    this.#made.add(consumer)
    stream.consume(consumer)
    return { last, began, consumer }
  }

  #take(consumer: MemoryConsumer, message: Stored): void {
    if (this.#consumer !== consumer || this.#ended) return
    this.#taken++
    this.#owed++
    if (message.sequence > (this.#position ?? 0)) {
      this.#position = message.sequence
      this.#arrived(given(message))
    }
    if (this.#consumer !== consumer) return
    this.#moved?.(this.#position ?? 0)
    if (this.#owed >= window / 4) this.#repay()
  }

  #repay(): void {
    const [consumer, owed] = [this.#consumer, this.#owed]
    if (this.#paused || owed === 0 || consumer === undefined || !this.#node.reachable) return
    this.#owed = 0
    this.#node.up.send(() => this.#stream.credit(consumer, owed))
  }

  /** All consumers but one end. */
  #drop(but?: MemoryConsumer): void {
    this.#consumer = undefined
    for (const consumer of this.#made) {
      if (consumer === but) continue
      this.#stream.end(consumer)
      this.#made.delete(consumer)
    }
  }

  #answer(through: Through): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const pause of waiting) pause.answer(through)
  }
}
