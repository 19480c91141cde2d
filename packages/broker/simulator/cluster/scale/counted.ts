// What a node asks of its servers and gets of them, counted: messages and their bytes, and the node's own time.

import type {
  Append,
  Failed,
  Fetched,
  Following,
  Headers,
  StreamMessage,
  Streams,
} from "../../../src/cluster/streams.ts"
import { Pause } from "../../../src/ports/pause.ts"

export interface Costs {
  /** Batches that were appended, the messages in them, and their bytes. */
  batches: number
  appended: number
  appendedBytes: number
  /** Single records, and ranges, that were read, and the messages in them. */
  reads: number
  read: number
  /** Messages that came as the node follows the streams, or listens. */
  followed: number
  heard: number
  /** What was told to all. */
  told: number
  /** Milliseconds in the node's own code. */
  time: number
}

export function noCosts(): Costs {
  return {
    ...{ batches: 0, appended: 0, appendedBytes: 0, reads: 0, read: 0 },
    ...{ followed: 0, heard: 0, told: 0, time: 0 },
  }
}

/** What it cost since `before`. */
export function since(before: Costs, now: Costs): Costs {
  const costs = noCosts()
  for (const key of Object.keys(costs) as (keyof Costs)[]) costs[key] = now[key] - before[key]
  return costs
}

/** Measures what is done in a node; what one call does within another counts once. */
export class Meter {
  readonly costs: Costs = noCosts()
  #inside = false

  run<Result>(work: () => Result): Result {
    if (this.#inside) return work()
    this.#inside = true
    const begin = performance.now()
    try {
      return work()
    } finally {
      this.costs.time += performance.now() - begin
      this.#inside = false
    }
  }

  /** The servers' work is not the node's. */
  #outside<Result>(work: () => Result): Result {
    const begin = performance.now()
    const inside = this.#inside
    this.#inside = false
    try {
      return work()
    } finally {
      if (inside) this.costs.time -= performance.now() - begin
      this.#inside = inside
    }
  }

  #answer<Answer>(pause: Pause<Answer>, count: (answer: Answer) => void): Pause<Answer> {
    const answer = new Pause<Answer>()
    pause.onAnswer((value) => {
      count(value)
      this.run(() => answer.answer(value))
    })
    return answer
  }

  between(streams: Streams): Streams {
    const { costs } = this
    const read = (messages: readonly StreamMessage[]) => {
      costs.reads++
      costs.read += messages.length
    }
    const one = (message: StreamMessage | undefined | Failed) => {
      read(message === undefined || "failed" in message ? [] : [message])
    }
    const meter = this
    return {
      partitions: streams.partitions,
      largest: streams.largest,
      batch: streams.batch,
      get reachable() {
        return streams.reachable
      },
      get full() {
        return streams.full
      },
      set onReachable(told: (reachable: boolean) => void) {
        streams.onReachable = (reachable) => meter.run(() => told(reachable))
      },
      append(partition: number, batch: readonly Append[]) {
        costs.batches++
        costs.appended += batch.length
        for (const message of batch) costs.appendedBytes += bytesOf(message)
        return meter.#answer(
          meter.#outside(() => streams.append(partition, batch)),
          () => undefined,
        )
      },
      last: (partition, subject) =>
        meter.#answer(
          meter.#outside(() => streams.last(partition, subject)),
          one,
        ),
      at: (partition, sequence) =>
        meter.#answer(
          meter.#outside(() => streams.at(partition, sequence)),
          one,
        ),
      all: (partition, subject) =>
        meter.#answer(
          meter.#outside(() => streams.all(partition, subject)),
          (answer) => {
            read("failed" in answer ? [] : answer)
          },
        ),
      fetch: (partition, subjects, after, most) =>
        meter.#answer<Fetched | Failed>(
          meter.#outside(() => streams.fetch(partition, subjects, after, most)),
          (answer) => read("failed" in answer ? [] : answer.messages),
        ),
      follow(partition: number, arrived: (message: StreamMessage) => void): Following {
        return streams.follow(partition, (message) => {
          costs.followed++
          meter.run(() => arrived(message))
        })
      },
      followRetained: (arrived) => streams.followRetained((message) => meter.run(() => arrived(message))),
      tell(subject: string, headers: Headers, data: Uint8Array) {
        costs.told++
        meter.#outside(() => streams.tell(subject, headers, data))
      },
      listen: (subject, told) =>
        streams.listen(subject, (message) => {
          costs.heard++
          meter.run(() => told(message))
        }),
      settled: () => meter.#answer(streams.settled(), () => undefined),
      ask(subject: string, data: Uint8Array, timeout: number) {
        return meter.#answer(
          meter.#outside(() => streams.ask(subject, data, timeout)),
          () => undefined,
        )
      },
      answer: (subject, asked) => streams.answer(subject, (data, answer) => meter.run(() => asked(data, answer))),
      close: () => streams.close(),
    }
  }
}

/** Of a message with its headers. */
export function bytesOf({ subject, headers, data }: Pick<StreamMessage, "subject" | "headers" | "data">): number {
  let bytes = subject.length + data.length
  for (const [name, value] of Object.entries(headers)) bytes += name.length + value.length + 4
  return bytes
}
