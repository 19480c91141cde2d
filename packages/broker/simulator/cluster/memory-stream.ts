// One stream of the servers in memory: sequences, batches that are taken whole or not at all, fences, rollups and lifetimes.

import type { Append, Appended, Headers, StreamMessage, StreamSequence } from "../../src/cluster/streams.ts"
import type { Clock } from "./clock.ts"

export interface Stored {
  readonly sequence: StreamSequence
  readonly subject: string
  readonly headers: Headers
  readonly data: Uint8Array
  /** Of a copy: where it was copied from. */
  readonly origin?: StreamMessage["origin"]
}

/** NATS's wildcards: `*` is one level, `>` at the end one or more. */
export function subjectMatcher(patterns: readonly string[]): (subject: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !/(^|\.)[*>](\.|$)/.test(pattern)))
  const wild = patterns.filter((pattern) => !exact.has(pattern)).map((pattern) => pattern.split("."))
  return (subject) => {
    if (exact.has(subject)) return true
    if (wild.length === 0) return false
    const levels = subject.split(".")
    return wild.some((pattern) => levelsMatch(pattern, levels))
  }
}

function levelsMatch(pattern: readonly string[], levels: readonly string[]): boolean {
  for (const [index, level] of pattern.entries()) {
    if (level === ">") return levels.length > index
    if (index >= levels.length || (level !== "*" && level !== levels[index])) return false
  }
  return pattern.length === levels.length
}

const emptyBytes = new Uint8Array(0)

export class MemoryStream {
  /** On NATS a partition has a mark of the servers' from its beginning, and one behind what is retained. */
  last: StreamSequence
  /** Called with each message when it is there. */
  onStored: (message: Stored) => void = () => {}
  readonly #clock: Clock
  /** Of a stream of last messages: one of each subject. */
  readonly #onlyLast: boolean
  readonly #messages = new Map<StreamSequence, Stored>()
  readonly #bySubject = new Map<string, StreamSequence[]>()

  constructor(clock: Clock, onlyLast: boolean) {
    this.#clock = clock
    this.#onlyLast = onlyLast
    this.last = onlyLast ? 0 : 1
  }

  get size(): number {
    return this.#messages.size
  }

  /** A message of another stream. */
  copy({ subject, headers, data, origin }: Omit<Stored, "sequence">): void {
    this.#store({ subject, headers, data }, origin)
  }

  append(batch: readonly Append[]): Appended {
    // Before any of it is there, as the servers have it: what it writes itself is not what it expects.
    for (const { subject, expected } of batch) {
      const last = this.#bySubject.get(subject)?.at(-1) ?? 0
      if (expected !== undefined && expected !== last) return { refused: `wrong last sequence: ${last}` }
    }
    for (const append of batch) this.#store(append)
    const { last } = this
    if (!this.#onlyLast && batch.some(({ subject }) => subject.startsWith("r."))) this.last++
    return { last }
  }

  at(sequence: StreamSequence): Stored | undefined {
    return this.#messages.get(sequence)
  }

  lastOf(subject: string): Stored | undefined {
    const sequence = this.#bySubject.get(subject)?.at(-1)
    return sequence === undefined ? undefined : this.#messages.get(sequence)
  }

  allOf(subject: string): readonly Stored[] {
    return (this.#bySubject.get(subject) ?? []).flatMap((sequence) => this.#messages.get(sequence) ?? [])
  }

  /** The first that matches, from a sequence on. */
  next(from: StreamSequence, matches: (subject: string) => boolean): Stored | undefined {
    for (let sequence = from; sequence <= this.last; sequence++) {
      const message = this.#messages.get(sequence)
      if (message !== undefined && matches(message.subject)) return message
    }
    return undefined
  }

  #store({ subject, headers, data, rollup, lifetime }: Append, origin?: StreamMessage["origin"]): void {
    if (rollup === true || this.#onlyLast) for (const { sequence } of this.allOf(subject)) this.#remove(sequence)
    const sequence = ++this.last
    const message: Stored = {
      sequence,
      subject,
      headers: told(headers),
      data: new Uint8Array(data),
      ...(origin && { origin }),
    }
    this.#messages.set(sequence, message)
    const sequences = this.#bySubject.get(subject)
    if (sequences === undefined) this.#bySubject.set(subject, [sequence])
    else sequences.push(sequence)
    // The servers count in seconds.
    if (lifetime !== undefined) this.#clock.after(1000 * Math.ceil(lifetime), () => this.#remove(sequence))
    this.#schedule(message, headers)
    this.onStored(message)
  }

  /** `@at` with a target: if it is still there then, the message goes to the target instead. */
  #schedule({ sequence, data }: Stored, headers: Headers): void {
    const [schedule, subject] = [headers["Nats-Schedule"], headers["Nats-Schedule-Target"]]
    if (schedule === undefined || subject === undefined) return
    const time = Date.parse(schedule.replace("@at ", ""))
    this.#clock.at(time, () => {
      if (!this.#remove(sequence)) return
      this.#store({ subject, headers: told(headers), data })
    })
  }

  #remove(sequence: StreamSequence): boolean {
    const message = this.#messages.get(sequence)
    if (message === undefined) return false
    this.#messages.delete(sequence)
    const sequences = this.#bySubject.get(message.subject) ?? []
    const left = sequences.filter((each) => each !== sequence)
    if (left.length === 0) this.#bySubject.delete(message.subject)
    else this.#bySubject.set(message.subject, left)
    return true
  }
}

/** The servers' own are not told. */
function told(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("Nats-")))
}

/** What a receiver gets: its own. */
export function given({ sequence, subject, headers, data, origin }: Stored): Stored {
  return {
    sequence,
    subject,
    headers: { ...headers },
    data: data.length === 0 ? emptyBytes : new Uint8Array(data),
    ...(origin && { origin }),
  }
}
