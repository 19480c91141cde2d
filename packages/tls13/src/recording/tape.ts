// The recording side: writes a line for everything that happens to one connection, up to a limit.

import { messageOf } from "../bytes/errors.ts"
import { Pause } from "../bytes/pause.ts"
import type { Connection } from "../connection/connection.ts"
import type { Outcome } from "../connection/events.ts"
import type { DecisionName } from "../handshake/coroutine.ts"
import { type Asker, asItIs, type Form } from "./asker.ts"
import { type Ask, type Call, type CallName, gaveOf, type Line, madeBy, thrownOf } from "./lines.ts"
import { toPlain } from "./plain.ts"
import { longestRecording } from "./read.ts"

/** Where the lines go. What it throws ends the recording, not the connection. */
export interface RecordingSink {
  /** @param text one line or more with their line ends; ASCII */
  write(text: string): void
  /** Called once, when nothing more will come: the connection was destroyed, or the recording has ended. */
  close?(): void
}

/** Characters that the line at the end takes. */
const endLength = 200

export class Tape implements Asker {
  readonly replays = false
  readonly #sink: RecordingSink
  readonly #limit: number
  readonly #payload: boolean
  #written = 0
  #made = 0
  #isOver = false
  /** A call is under way; a callback in it is. */
  #calling = false
  #asking = false
  #destroyedByCallback = false
  #decision: DecisionName | undefined

  /** @param limit characters @param payload whether the application's bytes are written, or their number alone */
  constructor(sink: RecordingSink, limit: number, payload: boolean) {
    this.#sink = sink
    this.#limit = limit
    this.#payload = payload
  }

  /** The decision that the connection waits for. */
  get decision(): DecisionName | undefined {
    return this.#decision
  }

  /** A line of the file. @param made bytes that a replay makes of it beside those in it */
  write(line: Line | object, made = 0): void {
    if (this.#isOver) return
    let text: string
    try {
      text = ascii(JSON.stringify(line))
    } catch (error) {
      this.#end(`what came next cannot be written: ${messageOf(error)}`)
      return
    }
    this.#made += made
    if (this.#made > longestRecording) this.#end("more payload and padding was left out than a replay makes")
    else if (this.#written + text.length + 1 > this.#limit - endLength)
      this.#end(`the limit of ${this.#limit} characters was reached`)
    else this.#append(text)
  }

  #append(text: string): void {
    this.#written += text.length + 1
    try {
      this.#sink.write(`${text}\n`)
    } catch {
      this.#close()
    }
  }

  #close(): void {
    if (this.#isOver) return
    this.#isOver = true
    try {
      this.#sink.close?.()
    } catch {
      // As for `write`: the connection does not suffer from it.
    }
  }

  #end(reason: string): void {
    if (this.#isOver) return
    this.#append(JSON.stringify({ end: reason.replace(/[^ -~]|["\\]/g, "?").slice(0, endLength / 2) }))
    this.#close()
  }

  /** One call on the connection. @param isPayload it sends bytes of the application, which may stay out of the file */
  call<Given extends Outcome | undefined>(
    connection: Connection,
    call: () => Call,
    work: () => Given,
    isPayload = false,
  ): Given {
    if (this.#calling) {
      if (this.#asking && call().do === "destroy") this.#destroyedByCallback = true
      return work()
    }
    this.#calling = true
    let name: CallName | undefined
    try {
      if (!this.#isOver) {
        const line = this.#callLine(call)
        name = line?.do
        if (line !== undefined) this.write(line, madeBy(line))
      }
      const given = work()
      const waitsFor = given?.waitsFor
      this.#decision = typeof waitsFor === "object" ? waitsFor.name : undefined
      if (!this.#isOver) this.write({ gave: gaveOf(given, connection.failure, this.#payload || !isPayload) })
      return given
    } catch (error) {
      this.write({ gave: { threw: thrownOf(error) } })
      throw error
    } finally {
      this.#calling = false
      if (name === "destroy") this.#close()
    }
  }

  #callLine(call: () => Call): Call | undefined {
    try {
      return call()
    } catch (error) {
      this.#end(messageOf(error))
      return undefined
    }
  }

  ask<Answer>(what: string, work: () => Answer | Pause<Answer>, form: Form<Answer> = asItIs()): Answer | Pause<Answer> {
    // What a callback asks in its turn is part of its answer.
    if (this.#asking || this.#isOver) return this.#isOver ? this.#unrecorded(work, form) : work()
    this.#asking = true
    let answer: Answer | Pause<Answer>
    try {
      answer = work()
    } catch (error) {
      this.write({ ask: what, threw: thrownOf(error), ...this.#destroys() })
      throw error
    } finally {
      this.#asking = false
    }
    if (answer instanceof Pause) {
      this.write({ ask: what, pause: true, ...this.#destroys() })
      return answer
    }
    try {
      const line: Ask = { ask: what, answer: toPlain(form.plain(answer)), ...this.#destroys() }
      this.write(line, madeBy(line))
    } catch (error) {
      this.#end(`${what}: ${messageOf(error)}`)
    }
    return form.live(answer)
  }

  #unrecorded<Answer>(work: () => Answer | Pause<Answer>, form: Form<Answer>): Answer | Pause<Answer> {
    const answer = work()
    return answer instanceof Pause ? answer : form.live(answer)
  }

  #destroys(): { readonly destroys?: true } {
    const was = this.#destroyedByCallback
    this.#destroyedByCallback = false
    return was ? { destroys: true } : {}
  }
}

/** JSON in ASCII alone: a file of it has as many bytes as characters. */
function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)
}
