// How `puremq sub` and `puremq rr` print a message: the payload, with -v the topic before it, or what -F says.

import type { Arguments } from "@puremq/tls13/command-line"
import { visible } from "../../admin/visible.ts"
import type { Received } from "../../mqtt-client/received.ts"
import { type Format, type Printed, parseFormat, printFormat } from "./format.ts"

export class MessageOutput {
  readonly #format: Format | undefined
  readonly #verbose: boolean
  readonly #end: string
  readonly #pretty: boolean
  readonly #terminal: boolean
  readonly #complain: (text: string) => void

  /**
   * Throws UsageError.
   * @param terminal what a terminal would obey is shown instead; raw bytes are for files and pipes
   * @param complain told in a sentence of what cannot be printed
   */
  constructor(options: Arguments, terminal: boolean, complain: (text: string) => void) {
    const format = options.text("format")
    this.#format = format === undefined ? undefined : parseFormat(format)
    this.#verbose = options.flag("verbose")
    this.#end = options.flag("no-newline") ? "" : "\n"
    this.#pretty = options.flag("pretty")
    this.#terminal = terminal
    this.#complain = complain
  }

  /** The bytes to write; undefined: nothing. */
  print(message: Received, at: Date): Uint8Array | undefined {
    const parts = this.#parts(message, at)
    if (parts.length === 0) return undefined
    return Buffer.concat([...parts, { part: this.#end, literal: true }].map((each) => this.#bytes(each)))
  }

  /** Mosquitto's tools print nothing of a message without payload, and "(null)" with -v. */
  #parts(message: Received, at: Date): readonly Printed[] {
    if (this.#format !== undefined) return printFormat(this.#format, message, at, this.#pretty, this.#complain)
    const empty = message.payload.length === 0
    if (empty && (!this.#verbose || this.#end === "")) return []
    const payload = { part: empty ? "(null)" : message.payload, literal: false }
    return this.#verbose ? [{ part: `${message.topic} `, literal: false }, payload] : [payload]
  }

  #bytes({ part, literal }: Printed): Uint8Array {
    if (!this.#terminal || literal) return typeof part === "string" ? Buffer.from(part) : part
    return Buffer.from(forTerminal(part))
  }
}

/** A message can be anything; what a terminal would obey is shown instead. */
export function forTerminal(part: string | Uint8Array): string {
  return visible(typeof part === "string" ? part : new TextDecoder().decode(part), "\n\t")
}
