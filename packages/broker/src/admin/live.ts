// Events as they happen, for those who read them as server-sent events (the HTML standard, section 9.2). A reader costs what waits
// for it, and no more than so much; one that does not keep up is cut. Without readers nothing is made.

import { formatEvent, type LogEvent } from "./log.ts"

/** At a time. */
export const mostReaders = 16
/** Bytes that wait for one reader. */
export const mostWaiting = 262_144
/** Events that are told in a second; of more their number. */
export const mostEvents = 500

/** What a reader's stream ends with that was cut. */
export class ReaderTooSlow extends Error {}

interface Reader {
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  /** Names of events; undefined: all. */
  readonly wanted: ReadonlySet<string> | undefined
  readonly mayRead: () => boolean
}

export class LiveEvents {
  readonly #readers = new Set<Reader>()
  readonly #encoder = new TextEncoder()
  #id = 0
  /** The second that is counted, and what was told and left out in it. */
  #second = 0
  #told = 0
  #omitted = 0

  get readers(): number {
    return this.#readers.size
  }

  /** A stream of what happens from now on; undefined: there are too many readers. @param mayRead asked again by `recheck` */
  open(wanted?: ReadonlySet<string>, mayRead: () => boolean = () => true): ReadableStream<Uint8Array> | undefined {
    if (this.#readers.size >= mostReaders) return undefined
    let reader: Reader | undefined
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          reader = { controller, wanted, mayRead }
          this.#readers.add(reader)
          // So that whoever reads knows that it has begun.
          this.#send(reader, this.#encoder.encode(": events of the broker\n\n"))
        },
        cancel: () => {
          if (reader !== undefined) this.#readers.delete(reader)
        },
      },
      { highWaterMark: mostWaiting, size: (chunk) => chunk.length },
    )
  }

  /** @param now milliseconds since 1970 */
  take(event: LogEvent, now: number): void {
    if (this.#readers.size === 0) return
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#tellOmitted(now)
      this.#second = second
      this.#told = 0
    }
    this.#id++
    if (this.#told === mostEvents) {
      this.#omitted++
      return
    }
    this.#told++
    const frame = this.#encoder.encode(
      `id: ${this.#id}\nevent: ${event.event}\ndata: ${formatEvent(event, "json", now)}\n\n`,
    )
    for (const reader of this.#readers) if (reader.wanted?.has(event.event) ?? true) this.#send(reader, frame)
  }

  /** To be called every few seconds: shows that the connection is alive. */
  beat(now: number): void {
    this.#tellOmitted(now)
    const frame = this.#encoder.encode(": beat\n\n")
    for (const reader of this.#readers) this.#send(reader, frame)
  }

  #tellOmitted(now: number): void {
    if (this.#omitted === 0) return
    const data = JSON.stringify({ time: new Date(now).toISOString(), event: "omitted", events: this.#omitted })
    this.#omitted = 0
    const frame = this.#encoder.encode(`event: omitted\ndata: ${data}\n\n`)
    for (const reader of this.#readers) this.#send(reader, frame)
  }

  #send(reader: Reader, frame: Uint8Array): void {
    const { controller } = reader
    if ((controller.desiredSize ?? 0) < frame.length) {
      this.#readers.delete(reader)
      controller.error(new ReaderTooSlow("the reader does not keep up"))
      return
    }
    controller.enqueue(frame)
  }

  /** Who may read no more has come to the end. */
  recheck(): void {
    for (const reader of this.#readers) {
      if (reader.mayRead()) continue
      this.#readers.delete(reader)
      reader.controller.close()
    }
  }

  /** No reader is left. */
  close(): void {
    for (const { controller } of this.#readers) controller.close()
    this.#readers.clear()
  }
}
