// Single messages and ranges of a partition. A server that is behind answers direct gets, too: where that would be seen, its leader is
// asked first, or the consumer how far it has looked.

import { createInbox, type Msg } from "@nats-io/nats-core"
import type { Fetched, StreamMessage, StreamSequence } from "../streams.ts"
import { Consumer, endOf } from "./consumers.ts"
import { ApiError, apiErrors, type Link, later } from "./link.ts"
import { deliveryOf, directMessage, headersIn, leaderMessage, plainMessage, scannedOf } from "./messages.ts"

/** Milliseconds. */
const [timeout, heartbeat] = [5000, 10]
const pageMessages = 256
const pageBytes = 4 * 2 ** 20
/** The status of a request to which nobody listens, and milliseconds after which it is made once more. */
const [noResponders, soon] = [503, 10]
/** Subjects of each of which the leader is asked for one message, before a consumer is made for all. */
const few = 4

interface Found {
  readonly messages: readonly StreamMessage[]
  readonly complete: StreamSequence | undefined
}

export class Reads {
  readonly #link: Link
  readonly #stream: string
  readonly #prefix: string
  readonly #largest: () => number

  /** @param largest bytes of a message with its headers */
  constructor(link: Link, stream: string, prefix: string, largest: () => number) {
    this.#link = link
    this.#stream = stream
    this.#prefix = prefix
    this.#largest = largest
  }

  last(subject: string): Promise<StreamMessage | undefined> {
    return this.#fromLeader({ last_by_subj: `${this.#prefix}${subject}` })
  }

  async at(sequence: StreamSequence): Promise<StreamMessage | undefined> {
    const answer = await this.#link.request(
      `$JS.API.DIRECT.GET.${this.#stream}`,
      JSON.stringify({ seq: sequence }),
      timeout,
    )
    // One that does not have it may be behind.
    return directMessage(answer, this.#prefix) ?? this.#fromLeader({ seq: sequence })
  }

  async all(subject: string): Promise<readonly StreamMessage[]> {
    const until = performance.now() + timeout
    const last = await this.last(subject)
    if (last === undefined) return []
    for (;;) {
      const messages = await this.#history(subject)
      if ((messages.at(-1)?.sequence ?? 0) >= last.sequence) return messages
      if (performance.now() > until) throw new Error(`a server is behind for ${timeout} ms`)
      await later(20)
    }
  }

  async fetch(subjects: readonly string[], after: StreamSequence, most: number): Promise<Fetched> {
    const { last, leader } = await endOf(this.#link, this.#stream)
    const nothing = { messages: [], through: last, more: false }
    if (subjects.length === 0 || last <= after) return nothing
    if (leader !== undefined && subjects.length <= few && (await this.#hasNone(subjects, after, leader))) return nothing
    const found = await this.#consume(subjects, after, most, last)
    const through = found.complete ?? found.messages.at(-1)?.sequence
    if (through === undefined) throw new Error(`no answer within ${timeout} ms`)
    return { messages: found.messages, through, more: found.complete === undefined }
  }

  /** Until there are so many, or all up to `last`: then `complete` says how far it has looked. */
  async #consume(
    subjects: readonly string[],
    after: StreamSequence,
    most: number,
    last: StreamSequence,
  ): Promise<Found> {
    const messages: StreamMessage[] = []
    let [delivered, over, end] = [0, false, (_complete: StreamSequence | undefined) => {}]
    const ended = new Promise<StreamSequence | undefined>((resolve) => {
      end = (complete) => {
        over = true
        resolve(complete)
      }
    })
    const pull = () => {
      if (over) return
      consumer.pull({ batch: most, max_bytes: Math.max(pageBytes, this.#largest()), expires: timeout, heartbeat })
    }
    const arrived = (message: Msg) => {
      // What comes in the same breath is behind what has been looked at: it is the next one's.
      if (over) return
      if (headersIn(message)?.code === noResponders && delivered === 0) {
        // The consumer is at another server, of which this one has not heard yet.
        // And the connection may be closed by then.
        later(soon)
          .then(pull)
          .catch(() => end(undefined))
        return
      }
      const [delivery, scanned] = [deliveryOf(message), scannedOf(message)]
      if (scanned !== undefined) {
        if (scanned.delivered === delivered && scanned.sequence >= last) end(scanned.sequence)
      } else if (delivery === undefined || delivery.delivered !== ++delivered) end(undefined)
      // A server that is behind begins earlier.
      else if (delivery.sequence > after) {
        messages.push({ sequence: delivery.sequence, ...plainMessage(message, this.#prefix) })
        if (delivered === most) end(undefined)
      }
    }
    const filters = subjects.map((subject) => `${this.#prefix}${subject}`)
    const consumer = await Consumer.make(this.#link, this.#stream, filters, after + 1, 2 * timeout, arrived)
    pull()
    // The connection may be lost: then nobody says that it has ended.
    const timer = setTimeout(() => end(undefined), timeout + 1000)
    const complete = await ended
    clearTimeout(timer)
    consumer.end()
    return { messages: [...messages], complete }
  }

  /**
   * For most sessions that come back there is nothing in most partitions, and a consumer costs several times as much. A new leader may
   * not have all yet that the one before had: then this is not known.
   */
  async #hasNone(subjects: readonly string[], after: StreamSequence, leader: string): Promise<boolean> {
    const next = (subject: string) => this.#fromLeader({ next_by_subj: `${this.#prefix}${subject}`, seq: after + 1 })
    const found = await Promise.all(subjects.map(next))
    if (found.some((message) => message !== undefined)) return false
    return (await endOf(this.#link, this.#stream)).leader === leader
  }

  async #fromLeader(query: object): Promise<StreamMessage | undefined> {
    try {
      return leaderMessage(await this.#link.api(`STREAM.MSG.GET.${this.#stream}`, query), this.#prefix)
    } catch (error) {
      if (error instanceof ApiError && error.number === apiErrors.messageNotFound) return undefined
      throw error
    }
  }

  /** All of a subject that the server has that answers. */
  async #history(subject: string): Promise<StreamMessage[]> {
    const messages: StreamMessage[] = []
    for (let pending = 1; pending > 0; ) {
      const page = await this.#page(subject, (messages.at(-1)?.sequence ?? 0) + 1)
      messages.push(...page.messages)
      pending = page.messages.length === 0 ? 0 : page.pending
    }
    return messages
  }

  #page(
    subject: string,
    seq: StreamSequence,
  ): Promise<{ readonly messages: StreamMessage[]; readonly pending: number }> {
    const query = { seq, batch: pageMessages, max_bytes: pageBytes, next_by_subj: `${this.#prefix}${subject}` }
    return new Promise((resolve, reject) => {
      if (!this.#link.reachable) return reject(new Error("no server can be reached"))
      const messages: StreamMessage[] = []
      const inbox = createInbox()
      const end = (work: () => void) => {
        clearTimeout(timer)
        subscription.unsubscribe()
        work()
      }
      const callback = (error: Error | null, message: Msg) => {
        const found = error === null ? directMessage(message, this.#prefix) : undefined
        const status = headersIn(message)
        if (found !== undefined) messages.push(found)
        else if (status?.code === 204 || status?.code === 404) {
          const pending = Number(status.get("Nats-Num-Pending") || 0)
          end(() => resolve({ messages, pending }))
        } else end(() => reject(new Error(status?.description || "nobody there answers")))
      }
      // Either throws when the connection has been closed meanwhile: then there is nothing to end, or all of it is ended.
      const subscription = this.#link.nats.subscribe(inbox, { callback })
      const timer = setTimeout(() => end(() => reject(new Error(`no answer within ${timeout} ms`))), timeout)
      try {
        this.#link.nats.publish(`$JS.API.DIRECT.GET.${this.#stream}`, JSON.stringify(query), { reply: inbox })
      } catch (error) {
        end(() => reject(error))
      }
    })
  }
}
