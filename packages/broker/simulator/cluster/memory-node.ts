// One node's connection to the servers in memory.

import type {
  Append,
  Appended,
  Failed,
  Fetched,
  Following,
  Headers,
  StreamMessage,
  StreamSequence,
  Streams,
} from "../../src/cluster/streams.ts"
import { Pause } from "../../src/ports/pause.ts"
import type { Line } from "./clock.ts"
import { MemoryFollower } from "./memory-follower.ts"
import type { MemoryServers, Replicated } from "./memory-servers.ts"
import { given, subjectMatcher } from "./memory-stream.ts"
import { Process } from "./process.ts"

/** Milliseconds: until an answer is not waited for any more, and until a connection that says nothing is given up. */
const [timeout, patience] = [5000, 7000]
const away: Failed = { failed: "no server can be reached: it is tried again until one can" }

interface Listener {
  readonly stand: () => () => void
  stop: (() => void) | undefined
  ended: boolean
}

export class MemoryNode implements Streams {
  readonly partitions: number
  readonly largest: number
  readonly batch: number
  reachable = true
  full: string | undefined = undefined
  onReachable: (reachable: boolean) => void = () => {}
  readonly servers: MemoryServers
  readonly process = new Process()
  readonly up: Line
  readonly down: Line
  readonly #waiting = new Set<() => void>()
  readonly #followers: MemoryFollower[] = []
  readonly #listeners = new Set<Listener>()
  /** Those that were lost. */
  #connections = 0
  #whole = true
  #closed = false

  constructor(servers: MemoryServers) {
    this.servers = servers
    this.partitions = servers.partitions.length
    this.batch = servers.batch
    this.largest = servers.largest
    this.up = servers.line()
    this.down = servers.line((run) => this.process.comes(run))
  }

  /* ------------------------------------------------ what may befall it */

  /** The connection is cut: at once with a word about it, or silently, which it finds out by itself. */
  cut(how: "at once" | "silently"): void {
    if (!this.#whole) return
    this.#whole = false
    // While there is no connection there is nothing to be cut.
    if (!this.reachable) return
    if (how === "at once") {
      this.#lost()
      return
    }
    this.up.hold()
    this.down.hold()
    this.servers.clock.after(patience, () => {
      if (!this.#whole) this.#lost()
    })
  }

  /** There is a way to the servers again. */
  heal(): void {
    if (this.#whole || this.#closed) return
    this.#whole = true
    if (this.reachable) {
      this.up.letGo()
      this.down.letGo()
      return
    }
    this.servers.clock.after(this.servers.random.integer(300), () => {
      if (!this.#whole || this.reachable || this.#closed) return
      this.reachable = true
      for (const listener of this.#listeners) this.#stand(listener)
      for (const follower of this.#followers) follower.again()
      this.onReachable(true)
    })
  }

  /** The process is gone: what it had under way is with the servers, or not, and it hears nothing more. */
  kill(): void {
    this.#end()
    this.#waiting.clear()
    this.up.break(this.servers.random.integer(this.up.size + 1), this.servers.random.integer(50))
    this.down.break(0, 0)
  }

  #lost(): void {
    const { random } = this.servers
    this.#whole = false
    this.#connections++
    this.up.break(random.integer(this.up.size + 1), random.oneIn(2) ? 0 : random.integer(3000))
    this.down.break(0, 0)
    this.#unlisten()
    for (const follower of this.#followers) follower.lost()
    if (!this.reachable) return
    this.reachable = false
    for (const each of [...this.#waiting]) each()
    this.#waiting.clear()
    if (!this.#closed) this.onReachable(false)
  }

  /* ------------------------------------------------ the port */

  append(partition: number, batch: readonly Append[]): Pause<Appended> {
    const problem = this.#problem(batch)
    if (problem !== undefined) return answeredNow<Appended>({ failed: problem })
    const copies = batch.map((append) => ({ ...append, data: new Uint8Array(append.data) }))
    return this.request<Appended>((reply) => this.#stream(partition).propose(copies, reply))
  }

  last(partition: number, subject: string): Pause<StreamMessage | undefined | Failed> {
    return this.#read(partition, ({ content }) => {
      const message = content.lastOf(subject)
      return message && given(message)
    })
  }

  all(partition: number, subject: string): Pause<readonly StreamMessage[] | Failed> {
    return this.#read<readonly StreamMessage[]>(partition, ({ content }) => content.allOf(subject).map(given))
  }

  at(partition: number, sequence: StreamSequence): Pause<StreamMessage | undefined | Failed> {
    return this.#read(partition, ({ content }) => {
      const message = content.at(sequence)
      return message && given(message)
    })
  }

  fetch(partition: number, subjects: readonly string[], after: StreamSequence, most: number): Pause<Fetched | Failed> {
    const read = ({ content }: Replicated): Fetched => {
      const matches = subjectMatcher(subjects)
      const messages: StreamMessage[] = []
      let through = after
      while (messages.length < most) {
        const message = content.next(through + 1, matches)
        if (message === undefined) return { messages, through: content.last, more: false }
        messages.push(given(message))
        through = message.sequence
      }
      return { messages, through, more: true }
    }
    return this.request<Fetched>((reply) => {
      const stream = this.#stream(partition)
      const answer = stream.led ? read(stream) : { failed: "nobody there answers: the leader is being chosen" }
      // It comes by a consumer of its own: what comes live may be ahead of it.
      this.servers.clock.after(this.servers.random.integer(6), () => reply(answer))
    })
  }

  follow(partition: number, arrived: (message: StreamMessage) => void): Following {
    const follower = new MemoryFollower(this, this.#stream(partition), undefined, arrived)
    this.#followers.push(follower)
    return follower
  }

  followRetained(arrived: (message: StreamMessage | undefined) => void): void {
    let [through, position, complete] = [Number.POSITIVE_INFINITY, 0, false]
    const moved = (to: StreamSequence) => {
      position = to
      if (complete || position < through) return
      complete = true
      arrived(undefined)
    }
    const follower = new MemoryFollower(this, this.servers.retained, 0, arrived, moved)
    this.#followers.push(follower)
    const stand = () => {
      follower.subjects([">"]).onAnswer((answer) => {
        if (this.#closed) return
        if ("failed" in answer) {
          this.after(500, stand)
          return
        }
        through = answer.through
        moved(position)
      })
    }
    stand()
  }

  tell(subject: string, headers: Headers, data: Uint8Array): void {
    if (!this.reachable || this.#closed) return
    const message = { subject, headers: { ...headers }, data: new Uint8Array(data) }
    this.up.send(() => this.servers.tell(this, message))
  }

  listen(subject: string, told: (message: Omit<StreamMessage, "sequence">) => void): { stop(): void } {
    const listener: Listener = {
      stand: () => this.servers.listen(this, subject, (message) => listener.ended || told(message)),
      stop: undefined,
      ended: false,
    }
    this.#listeners.add(listener)
    if (this.reachable) this.#stand(listener)
    const stop = () => {
      listener.ended = true
      this.#listeners.delete(listener)
      if (this.reachable) this.up.send(() => listener.stop?.())
    }
    return { stop }
  }

  settled(): Pause<undefined | Failed> {
    return this.request((reply) => reply(undefined))
  }

  ask(subject: string, data: Uint8Array, time: number): Pause<Uint8Array | Failed> {
    const bytes = new Uint8Array(data)
    return this.request((reply) => {
      this.servers.ask(this, subject, bytes, (answer) => reply(answer ?? { failed: "nobody there answers" }))
    }, time)
  }

  answer(subject: string, asked: (data: Uint8Array, answer: (data: Uint8Array) => void) => void): void {
    const stand = () => this.servers.answer(this, subject, asked)
    const listener: Listener = { stand, stop: undefined, ended: false }
    this.#listeners.add(listener)
    if (this.reachable) this.#stand(listener)
  }

  close(): Pause<void> {
    const pause = new Pause<void>()
    const end = () => {
      // What is under way is answered first.
      if (this.#waiting.size > 0) {
        this.servers.clock.after(1, end)
        return
      }
      this.#end()
      pause.answer()
    }
    end()
    return pause
  }

  /* ------------------------------------------------ */

  /** What comes to the servers asks there, and is answered once: with what they reply, or that it failed. */
  request<Answer>(
    ask: (reply: (answer: Answer | Failed) => void) => void,
    time: number = timeout,
  ): Pause<Answer | Failed> {
    if (!this.reachable || this.#closed) return answeredNow<Answer | Failed>(away)
    const pause = new Pause<Answer | Failed>()
    const lost = () => finish({ failed: "the connection was lost: whether it was done is not known" })
    const cancel = this.after(time, () => finish({ failed: `no answer within ${time} ms` }))
    const finish = (answer: Answer | Failed) => {
      cancel()
      this.#waiting.delete(lost)
      pause.answer(answer)
    }
    this.#waiting.add(lost)
    // A reply goes down the connection that it was asked by.
    const connection = this.#connections
    this.up.send(() =>
      ask((answer) => {
        if (this.#connections === connection) this.down.send(() => finish(answer))
      }),
    )
    return pause
  }

  /** A timer of the node's, in so many milliseconds. @returns what takes it back */
  after(time: number, work: () => void): () => void {
    let gone = false
    const cancel = this.servers.clock.after(time, () => this.process.due(() => gone || work()))
    return () => {
      gone = true
      cancel()
    }
  }

  #read<Answer>(partition: number, read: (stream: Replicated) => Answer): Pause<Answer | Failed> {
    return this.request<Answer>((reply) => {
      const stream = this.#stream(partition)
      reply(stream.led ? read(stream) : { failed: "nobody there answers: the leader is being chosen" })
    })
  }

  #problem(batch: readonly Append[]): string | undefined {
    if (batch.length === 0) return "it has no message"
    if (batch.length > this.batch) return `a batch has ${batch.length} messages, and ${this.batch} is most`
    const large = batch.find(({ data }) => data.length > this.largest)
    return large && `a message has ${large.data.length} bytes, and ${this.largest} is most`
  }

  #stream(partition: number): Replicated {
    const stream = this.servers.partitions[partition]
    if (stream === undefined) throw new Error(`there is no partition ${partition} of ${this.partitions}`)
    return stream
  }

  #stand(listener: Listener): void {
    const connection = this.#connections
    this.up.send(() => {
      if (!listener.ended && this.#connections === connection) listener.stop = listener.stand()
    })
  }

  #unlisten(): void {
    for (const listener of this.#listeners) {
      listener.stop?.()
      listener.stop = undefined
    }
  }

  #end(): void {
    this.#closed = true
    this.#connections++
    this.reachable = false
    for (const follower of this.#followers) follower.end()
    this.#unlisten()
    this.servers.nodes.delete(this)
  }
}

function answeredNow<Answer>(answer: Answer): Pause<Answer> {
  const pause = new Pause<Answer>()
  pause.answer(answer)
  return pause
}
