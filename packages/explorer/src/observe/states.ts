// Through which states the two ends of a connection went, as far as its messages tell: the rows are those of the transition tables.

import { type Role, type StateName, transitions } from "@puremq/tls13/explore"
import { otherEnd } from "../run/meddling.ts"
import type { End } from "../run/step.ts"

type Told = (end: End, from: StateName, message: string | undefined, to: StateName) => void

export class StatesSeen {
  pskSelected = false
  earlyDataAccepted = false
  readonly #told: Told
  readonly #at: Record<Role, StateName> = { client: "START", server: "START" }
  #certificateAsked = false
  /** The server's way on from a ClientHello is known only when its answer is. */
  #helloUnanswered = false

  constructor(told: Told) {
    this.#told = told
  }

  saw(from: End, name: string, message: Uint8Array): void {
    if (from === "client" && name === "client_hello") {
      if (this.#at.client === "START") this.#go("client", undefined, "WAIT_SH")
      this.#helloUnanswered = true
      return
    }
    if (from === "server") {
      if (name === "certificate_request") this.#certificateAsked = true
      if (this.#helloUnanswered && (name === "hello_retry_request" || name === "finished")) {
        this.#helloUnanswered = false
        this.#go("server", "client_hello", this.#afterHello(name))
      }
    }
    const end = otherEnd(from)
    const heard = name === "hello_retry_request" ? "server_hello" : name
    const rows = transitions[end].filter((row) => row.from === this.#at[end] && row.message === heard)
    const to = rows.length > 1 ? this.#chosen(name, message) : rows[0]?.to
    if (to !== undefined) this.#go(end, heard, to)
  }

  #afterHello(answer: string): StateName {
    if (answer === "hello_retry_request") return "START"
    if (this.earlyDataAccepted) return "WAIT_EOED"
    return this.#certificateAsked ? "WAIT_CERT" : "WAIT_FINISHED"
  }

  /** Where a message leads that leads to more than one state. */
  #chosen(name: string, message: Uint8Array): StateName {
    switch (name) {
      case "hello_retry_request":
        return "WAIT_SH"
      case "server_hello":
        return "WAIT_EE"
      case "encrypted_extensions":
        return this.pskSelected ? "WAIT_FINISHED" : "WAIT_CERT_CR"
      default:
        // A client's Certificate: header, an empty context, and three bytes of the length of its list.
        return message.length <= 8 ? "WAIT_FINISHED" : "WAIT_CV"
    }
  }

  #go(end: End, message: string | undefined, to: StateName): void {
    this.#told(end, this.#at[end], message, to)
    this.#at[end] = to
  }
}
