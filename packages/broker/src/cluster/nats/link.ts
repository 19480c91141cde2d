// One connection to the servers: what is asked is answered, fails with a line, or fails when the connection is lost.

import { type Msg, type MsgHdrs, type NatsConnection, NoRespondersError, TimeoutError } from "@nats-io/nats-core"
import { Pause } from "../../ports/pause.ts"
import type { Failed } from "../streams.ts"

/** An answer of JetStream's API that is an error. */
export class ApiError extends Error {
  readonly number: number

  /** @param number its `err_code` */
  constructor(number: number, line: string) {
    super(line)
    this.number = number
  }
}

/** https://docs.nats.io/reference/reference-protocols/nats_api_reference: those that are told apart here. */
export const apiErrors = {
  messageNotFound: 10037,
  streamNotFound: 10059,
  nameInUse: 10058,
  wrongSequence: 10071,
} as const

export class Link {
  readonly nats: NatsConnection
  reachable = true
  onReachable: (reachable: boolean) => void = () => {}
  /** What does not belong to an answer. */
  readonly trouble: (line: string) => void
  readonly #waiting = new Set<() => void>()
  #closed = false

  constructor(nats: NatsConnection, trouble: (line: string) => void) {
    this.nats = nats
    this.trouble = trouble
    void this.#watch()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** @param timeout milliseconds */
  request(subject: string, data: Uint8Array | string, timeout: number, headers?: MsgHdrs): Promise<Msg> {
    if (!this.reachable) return Promise.reject(new Error(away))
    return new Promise((resolve, reject) => {
      const lost = () => reject(new Error("the connection to the servers was lost: whether it was done is not known"))
      const heard = () => this.#waiting.delete(lost)
      this.#waiting.add(lost)
      this.nats.request(subject, data, { timeout, ...(headers === undefined ? {} : { headers }) }).then(
        (message) => {
          heard()
          resolve(message)
        },
        (error: unknown) => {
          heard()
          reject(new Error(lineOf(error, timeout)))
        },
      )
    })
  }

  /** A request of JetStream's API. @param timeout milliseconds */
  async api(name: string, body: object | undefined, timeout = 5000): Promise<Record<string, unknown>> {
    const message = await this.request(`$JS.API.${name}`, body === undefined ? "" : JSON.stringify(body), timeout)
    return answerOf(message)
  }

  /** A callback of who uses it that throws does not end the reading of what the servers send. */
  tell<Values extends readonly unknown[]>(callback: (...values: Values) => void, ...values: Values): void {
    try {
      callback(...values)
    } catch (error) {
      this.trouble(`What came from the servers was not taken: ${lineOf(error, 0)}`)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.nats.flush().catch(() => {})
    await this.nats.close().catch(() => {})
    this.#lost()
  }

  async #watch(): Promise<void> {
    for await (const status of this.nats.status()) {
      if (status.type === "disconnect") this.#lost()
      else if (status.type === "reconnect" && !this.#closed) {
        this.reachable = true
        this.tell(this.onReachable, true)
      } else if (status.type === "error") this.trouble(`nats-server: ${status.error.message}`)
    }
    this.#lost()
  }

  #lost(): void {
    const was = this.reachable
    this.reachable = false
    for (const each of [...this.#waiting]) each()
    this.#waiting.clear()
    if (was && !this.#closed) this.tell(this.onReachable, false)
  }
}

export const away: string = "no server of the cluster can be reached: it is tried again until one can"

export function answerOf(message: Msg): Record<string, unknown> {
  const answer = message.json<Record<string, unknown>>()
  const error = answer["error"] as { err_code?: number; description?: string } | undefined
  if (error !== undefined) throw new ApiError(error.err_code ?? 0, error.description ?? "an error without a text")
  return answer
}

function lineOf(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof TimeoutError) return `no answer within ${timeout} ms`
  if (error instanceof NoRespondersError || error.cause instanceof NoRespondersError) {
    return "nobody there answers: the leader is being chosen, or JetStream is not enabled on the servers"
  }
  return error.message
}

/** A promise of the client library as the answer of a call, which never throws. Nor does what is done with the answer. */
export function answered<Answer>(link: Link, what: string, promise: Promise<Answer>): Pause<Answer | Failed> {
  const pause = new Pause<Answer | Failed>()
  const tell = (answer: Answer | Failed) => link.tell(() => pause.answer(answer))
  promise.then(tell, (error: unknown) => tell({ failed: `${what}: ${lineOf(error, 0)}` }))
  return pause
}

/** Milliseconds. */
export function later(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time))
}
