// Where the commands write. A reader that goes away (`| head`) ends a tool quietly, and a server goes on without its log.

import type { Writable } from "node:stream"
import { formatEvent, type LogEvent, type LogFormat } from "../admin/log.ts"
import { visible } from "../admin/visible.ts"

/** Bytes that wait for a slow reader at most: lines beyond are left out, as a broker holds no log in memory. */
export const mostWaiting: number = 1024 * 1024

/** Lines for whoever reads them. */
export class LineOutput {
  readonly #stream: Writable
  #ended = false

  /** @param ended told once, with the system's word, when nothing can be written any more */
  constructor(stream: Writable, ended: (why: string) => void) {
    this.#stream = stream
    stream.on("error", (error) => {
      if (this.#ended) return
      this.#ended = true
      ended(wordOf(error))
    })
  }

  /** Whether a line would be written, or nobody will ever read again. */
  get takes(): boolean {
    return this.#ended || this.#stream.writableLength <= mostWaiting
  }

  /** Without its line end. */
  line(text: string): void {
    if (!this.#ended) this.#stream.write(`${text}\n`)
  }
}

/** A line an event; while nobody reads, they are counted instead of kept. */
export function logTo(output: LineOutput, format: LogFormat): (event: LogEvent) => void {
  let leftOut = 0
  return (event) => {
    if (!output.takes) {
      leftOut++
      return
    }
    if (leftOut > 0) {
      const text = `${leftOut} lines of the log were left out: its reader was too slow`
      output.line(formatEvent({ event: "warning", text }, format, Date.now()))
      leftOut = 0
    }
    output.line(formatEvent(event, format, Date.now()))
  }
}

/** A reader that has seen enough is no failure; a full disk is one. */
export function endQuietly(stream: Writable, fail: (why: string) => void): void {
  stream.on("error", (error) => {
    if (wordOf(error) === "EPIPE") process.exit(0)
    fail(wordOf(error))
    process.exit(1)
  })
}

/** Nobody is left to tell it. */
export function ignoreErrors(stream: Writable): void {
  stream.on("error", () => undefined)
}

export function wordOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.message
}

/** A line to whoever watches. */
export function tell(text: string): void {
  process.stderr.write(`puremq: ${visible(text)}\n`)
}
