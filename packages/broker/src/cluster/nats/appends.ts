// Batches of a partition's messages, all or none.
//
// What was handed to the client library when the connection is lost may be with a server already, or be sent when there is one again:
// `failed` says only that nobody knows. It may even come after what was handed over later, by another connection. So nothing here is
// sent twice, and who calls has a fence in each batch: `expected` of a subject that the batch itself writes. If the late one comes first,
// the repetition is refused; if the repetition comes first, the late one is.

import { type MsgHdrs, nuid } from "@nats-io/nats-core"
import { Pause } from "../../ports/pause.ts"
import type { Append, Appended } from "../streams.ts"
import { markSubject } from "./layout.ts"
import { ApiError, answerOf, apiErrors, away, type Link } from "./link.ts"
import { headersOf, subjectProblem } from "./messages.ts"

/** Of nats-server: 1,000; one is a mark (layout.ts). */
export const largestBatch = 999

export interface AppendsOptions {
  readonly stream: string
  readonly prefix: string
  /** Bytes of data of one message. */
  readonly largest: () => number
  /** Seconds, of messages that have none: not of records. Undefined: they stay. */
  readonly age: number | undefined
  /** Milliseconds until an append that is not answered has failed. */
  readonly timeout: number
}

/** Errors of servers that come each time: a message, or its headers, are too large for them. */
const never: readonly number[] = [10054, 10097]

/** Subjects of messages; the others are records, which stay. */
const isMessage = (subject: string): boolean => subject.startsWith("m.") || subject.startsWith("r.")

const mark: Append = { subject: markSubject, headers: {}, data: new Uint8Array(0), rollup: true }

interface Prepared {
  readonly subject: string
  readonly headers: MsgHdrs
  readonly data: Uint8Array
}

export class Appends {
  readonly #link: Link
  readonly #options: AppendsOptions
  readonly #underWay = new Set<Promise<void>>()

  constructor(link: Link, options: AppendsOptions) {
    this.#link = link
    this.#options = options
  }

  append(batch: readonly Append[]): Pause<Appended> {
    const pause = new Pause<Appended>()
    const tell = (appended: Appended) => this.#link.tell(() => pause.answer(appended))
    const fail = (line: string, final?: true) => tell({ failed: `Append to ${this.#options.stream}: ${line}`, final })
    const problem = this.#problem(batch)
    if (problem !== undefined || !this.#link.reachable) {
      fail(problem ?? away, problem === undefined ? undefined : true)
      return pause
    }
    const sending = this.#send(batch).then(
      (last) => tell({ last }),
      (error: unknown) => {
        const line = error instanceof Error ? error.message : String(error)
        if (error instanceof ApiError && error.number === apiErrors.wrongSequence) tell({ refused: line })
        else fail(line, error instanceof ApiError && never.includes(error.number) ? true : undefined)
      },
    )
    this.#underWay.add(sending)
    void sending.then(() => this.#underWay.delete(sending))
    return pause
  }

  /** When all that is under way is answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  #problem(batch: readonly Append[]): string | undefined {
    const largest = this.#options.largest()
    if (batch.length === 0) return "it has no message"
    if (batch.length > largestBatch) return `a batch has ${batch.length} messages, and ${largestBatch} is most`
    for (const { subject, data } of batch) {
      const problem = subjectProblem(`${this.#options.prefix}${subject}`)
      if (problem !== undefined) return problem
      if (data.length > largest) {
        return `a message has ${data.length} bytes, and ${largest} is most: raise max_payload of nats-server`
      }
    }
    return undefined
  }

  /** All is handed to the library before it returns: so batches keep their order. */
  async #send(batch: readonly Append[]): Promise<number> {
    const isRetained = batch.some(({ subject }) => subject.startsWith("r."))
    const prepared = (isRetained ? [...batch, mark] : batch).map((append) => this.#prepare(append))
    const last = prepared.length - 1
    if (last > 0) {
      const id = nuid.next()
      for (const [index, { headers }] of prepared.entries()) {
        headers.set("Nats-Batch-Id", id)
        headers.set("Nats-Batch-Sequence", String(index + 1))
      }
      prepared[last]?.headers.set("Nats-Batch-Commit", "1")
    }
    for (const { subject, headers, data } of prepared.slice(0, last))
      this.#link.nats.publish(subject, data, { headers })
    const { subject, headers, data } = prepared[last] as Prepared
    const answer = answerOf(await this.#link.request(subject, data, this.#options.timeout, headers))
    const sequence = answer["seq"]
    if (typeof sequence !== "number" || sequence < 1) throw new Error("an answer without a sequence")
    return isRetained ? sequence - 1 : sequence
  }

  #prepare(append: Append): Prepared {
    const { prefix, age } = this.#options
    const lifetime = append.lifetime ?? (isMessage(append.subject) ? age : undefined)
    const headers = headersOf(append, prefix, lifetime)
    // A copy: the library has it until the socket takes it, and the caller's bytes are the caller's.
    return { subject: `${prefix}${append.subject}`, headers, data: new Uint8Array(append.data) }
  }
}
