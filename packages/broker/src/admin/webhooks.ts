// Tells HTTP servers what happens: who connects and goes, who is refused, which handshakes fail. Events go in batches, in their
// order, one request at a time; what is not taken is sent again, with pauses that grow; what there is no room for is dropped,
// the oldest first, and counted. The broker waits for none of it. docs/hooks.md has the form, for those who write a receiver.

import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { encodeText } from "../packet/bytes.ts"
import type { HttpCaller, HttpOutcome } from "../ports/http.ts"
import type { LogEvent } from "./log.ts"
import { type WebhookEventName, webhookEvent } from "./webhook-events.ts"

export interface WebhookOptions {
  readonly events: readonly WebhookEventName[]
  /** Key of the signatures; undefined: there are none. */
  readonly secret: Uint8Array | undefined
  /** Milliseconds for an answer. */
  readonly timeout: number
  /** Events that wait; more push out the oldest. */
  readonly maximumWaiting: number
}

export interface WebhookMeans {
  /** Milliseconds, of a clock that does not run backwards. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wall: () => number
  /** From 0 to 1. */
  readonly chance: () => number
  /** What no other process of this broker has had. */
  readonly runId: string
  /** Does `work` so many milliseconds later; returns what calls it off. */
  readonly after: (milliseconds: number, work: () => void) => () => void
  /** Gets a sentence that somebody should read. */
  readonly warn: (text: string) => void
  readonly fault: (error: unknown) => void
}

/** Of one webhook: events. */
export interface WebhookCounts {
  delivered: number
  /** There was no room for them. */
  dropped: number
  /** The receiver does not want them. */
  refused: number
}

/** Events of one request, and bytes of them beyond which no other joins. */
export const batchEvents = 100
const batchBytes = 262_144
/** Bytes of the events that wait. */
export const maximumWaitingBytes = 4_194_304
/** Milliseconds for which the first event waits for others. */
const linger = 100
/** Milliseconds of the first pause after a failure, and of the longest. */
const firstPause = 1000
const longestPause = 60_000
/** Milliseconds between two lines about what was dropped. */
const toldEvery = 60_000
/** Bytes of an answer, which nobody reads. */
const longestAnswer = 65_536

interface Entry {
  readonly text: string
  readonly bytes: number
}

interface Batch {
  readonly id: string
  readonly entries: readonly Entry[]
  readonly body: Uint8Array
  /** How many it says were dropped. */
  readonly dropped: number
}

export class Webhook {
  readonly counts: WebhookCounts = { delivered: 0, dropped: 0, refused: 0 }
  readonly #caller: HttpCaller
  readonly #options: WebhookOptions
  readonly #means: WebhookMeans
  readonly #wanted: ReadonlySet<WebhookEventName>
  /** The oldest first. */
  #queue: Entry[] = []
  #queueBytes = 0
  #number = 0
  /** On its way, or waits to be sent again. */
  #batch: Batch | undefined
  #isCalling = false
  #cancelTimer: (() => void) | undefined
  #failures = 0
  /** Dropped, and no receiver was told yet. */
  #untold = 0
  #warnedAt = Number.NEGATIVE_INFINITY
  #ended = false
  #emptied: (() => void) | undefined

  constructor(caller: HttpCaller, options: WebhookOptions, means: WebhookMeans) {
    this.#caller = caller
    this.#options = options
    this.#means = means
    this.#wanted = new Set(options.events)
  }

  /** Events that wait or are on their way. */
  get waiting(): number {
    return this.#queue.length + (this.#batch?.entries.length ?? 0)
  }

  take(event: LogEvent): void {
    if (this.#ended) return
    const told = webhookEvent(event)
    if (told === undefined || !this.#wanted.has(told.event)) return
    const id = `${this.#means.runId}-${++this.#number}`
    const text = JSON.stringify({ id, time: new Date(this.#means.wall()).toISOString(), ...told })
    // At most three bytes a UTF-16 unit: an upper bound is good enough here, and costs nothing.
    const entry = { text, bytes: 3 * text.length }
    this.#queue.push(entry)
    this.#queueBytes += entry.bytes
    this.#dropOldest()
    if (!this.#isCalling && this.#cancelTimer === undefined) this.#wait(linger)
  }

  #dropOldest(): void {
    let drop = 0
    let bytes = this.#queueBytes
    const over = () => this.#queue.length - drop > this.#options.maximumWaiting || bytes > maximumWaitingBytes
    while (over() && drop < this.#queue.length) bytes -= this.#queue[drop++]?.bytes ?? 0
    if (drop === 0) return
    this.#queue.splice(0, drop)
    this.#queueBytes = bytes
    this.counts.dropped += drop
    this.#untold += drop
    if (this.#means.now() - this.#warnedAt < toldEvery) return
    this.#warnedAt = this.#means.now()
    this.#means.warn(
      `the webhook ${this.#caller.place} is behind: ${this.counts.dropped} events were dropped so far, as ${this.#options.maximumWaiting} wait already, or ${maximumWaitingBytes} bytes of them`,
    )
  }

  #wait(milliseconds: number): void {
    this.#cancelTimer = this.#means.after(milliseconds, () => {
      this.#cancelTimer = undefined
      this.#send()
    })
  }

  #send(): void {
    if (this.#isCalling) return
    this.#batch ??= this.#nextBatch()
    const batch = this.#batch
    if (batch === undefined) {
      this.#emptied?.()
      return
    }
    this.#isCalling = true
    const headers = {
      "content-type": "application/json",
      "user-agent": "puremq",
      "puremq-batch": batch.id,
      ...this.#signature(batch.body),
    }
    const limits = { timeout: this.#options.timeout, maximumBody: longestAnswer }
    this.#caller.call({ method: "POST", headers, body: batch.body, ...limits }, (outcome) => {
      this.#isCalling = false
      try {
        this.#took(batch, outcome)
      } catch (error) {
        this.#means.fault(error)
        this.#later("an error inside the broker")
      }
    })
  }

  #nextBatch(): Batch | undefined {
    const entries: Entry[] = []
    let bytes = 0
    for (const entry of this.#queue) {
      if (entries.length >= batchEvents || (entries.length > 0 && bytes + entry.bytes > batchBytes)) break
      entries.push(entry)
      bytes += entry.bytes
    }
    if (entries.length === 0) return undefined
    this.#queue.splice(0, entries.length)
    this.#queueBytes -= bytes
    const id = `${this.#means.runId}-batch-${this.#number}-${entries.length}`
    const events = entries.map(({ text }) => text).join(",")
    const body = encodeText(
      `{"version":1,"batch":${JSON.stringify(id)},"dropped":${this.#untold},"events":[${events}]}`,
    )
    return { id, entries, body, dropped: this.#untold }
  }

  /** Made anew for each try, as receivers look at how old it is. */
  #signature(body: Uint8Array): Readonly<Record<string, string>> {
    const { secret } = this.#options
    if (secret === undefined) return {}
    const time = Math.floor(this.#means.wall() / 1000)
    const code = hmac
      .create(sha256, secret)
      .update(encodeText(`${time}.`))
      .update(body)
      .digest()
    return { "puremq-signature": `t=${time},v1=${bytesToHex(code)}` }
  }

  #took(batch: Batch, outcome: HttpOutcome): void {
    const { place } = this.#caller
    const status = "failed" in outcome ? 0 : outcome.status
    const isTaken = status >= 200 && status < 300
    const why = "failed" in outcome ? outcome.failed : `it answers with status ${status}`
    // What a receiver does not want it does not want later either.
    const isRefused = status >= 300 && status < 500 && status !== 408 && status !== 429
    if (!isTaken && !isRefused) {
      this.#later(why)
      return
    }
    this.#batch = undefined
    this.#untold -= batch.dropped
    if (isTaken) {
      this.counts.delivered += batch.entries.length
      if (this.#failures > 0) this.#means.warn(`the webhook ${place} takes events again`)
    } else {
      this.counts.refused += batch.entries.length
      this.#means.warn(`the webhook ${place} refuses ${batch.entries.length} events, which are lost to it: ${why}`)
    }
    this.#failures = 0
    if (this.#queue.length > 0 || this.#emptied !== undefined) this.#send()
  }

  #later(why: string): void {
    if (this.#failures === 0)
      this.#means.warn(`the webhook ${this.#caller.place} takes no events: ${why}; it is tried again`)
    this.#failures++
    if (this.#ended) {
      this.#emptied?.()
      return
    }
    const pause = Math.min(longestPause, firstPause * 2 ** Math.min(this.#failures - 1, 10))
    this.#wait(pause * (0.5 + 0.5 * this.#means.chance()))
  }

  /** What waits is sent now if it can be, and `done` called when it has been, or a try has failed. Nothing is taken any more. */
  end(done: () => void): void {
    this.#ended = true
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#emptied = () => {
      this.#emptied = undefined
      this.#caller.close()
      done()
    }
    this.#send()
  }
}
