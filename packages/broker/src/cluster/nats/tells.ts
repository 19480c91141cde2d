// What is told to other nodes, and kept by nobody: while no server is reached, or one does not read, it is thrown away.

import type { Headers } from "../streams.ts"
import { away, type Link } from "./link.ts"
import { subjectProblem, toHeaders } from "./messages.ts"

/** Bytes that may be on their way to the server; it is asked each so many whether it has them. */
const [most, between] = [16 * 2 ** 20, 2 ** 20]
/** What a message costs beside its data. */
const overhead = 200

export class Tells {
  readonly #link: Link
  readonly #prefix: string
  #underWay = 0
  /** Since the server was last asked. */
  #since = 0

  constructor(link: Link, prefix: string) {
    this.#link = link
    this.#prefix = prefix
  }

  tell(subject: string, headers: Headers, data: Uint8Array): void {
    const full = `${this.#prefix}${subject}`
    if (!this.#link.reachable || this.#link.closed || this.#underWay >= most) return
    const problem = subjectProblem(full)
    if (problem !== undefined) {
      this.#link.trouble(`A message to other nodes: ${problem}`)
      return
    }
    const given = Object.keys(headers).length === 0 ? {} : { headers: toHeaders(headers, this.#prefix) }
    try {
      this.#link.nats.publish(full, new Uint8Array(data), given)
    } catch (error) {
      this.#link.trouble(`A message to other nodes: ${error instanceof Error ? error.message : String(error)}`)
      return
    }
    this.#underWay += data.length + overhead
    this.#since += data.length + overhead
    if (this.#since >= between) this.#ask()
  }

  /** When the server has all that was handed over before. */
  async settled(): Promise<undefined> {
    if (!this.#link.reachable) throw new Error(away)
    await this.#link.nats.flush()
    return undefined
  }

  /** A lost connection answers, too: nothing is on its way then. */
  #ask(): void {
    const bytes = this.#since
    this.#since = 0
    const heard = () => {
      this.#underWay -= bytes
    }
    this.#link.nats.flush().then(heard, heard)
  }
}
