// Operations on a broker, and its drain.

import type { Connection } from "../client/connection.ts"
import type { Redirect } from "../client/hub.ts"
import { PacketError } from "../packet/errors.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Broker } from "./broker.ts"
import type { Chore } from "./chores.ts"
import type { DrainView, Operate, OwnPublish } from "./operate.ts"

/** What it costs to end a connection, in the units of routing. */
const endCost = 60

interface Drain {
  readonly server: string
  readonly since: number
  readonly until: number
  /** Where clients were sent before. */
  readonly before: Redirect | undefined
  /** Who was here when it began; nobody else comes in. */
  readonly clients: Connection[]
}

export class Operations implements Operate {
  readonly #broker: Broker
  #drain: Drain | undefined

  constructor(broker: Broker) {
    this.#broker = broker
  }

  disconnect(clientId: string, reason: string): boolean {
    const connection = this.#broker.connectionOf(clientId)
    if (connection === undefined) return false
    connection.disconnect(this.#broker.now(), ReasonCode.AdministrativeAction, reason)
    return true
  }

  endSession(clientId: string, reason: string): boolean {
    return this.#broker.endSession(clientId, reason, this.#broker.now())
  }

  publish({ topic, payload, qos, retain }: OwnPublish): string | undefined {
    const broker = this.#broker
    const problem = this.#problemOf(topic)
    if (problem !== undefined) return problem
    const { maximumPayloadSize } = broker.limits
    if (payload.length > maximumPayloadSize) return `its payload is above the maximum of ${maximumPayloadSize} bytes`
    if (retain && !broker.features.retainAvailable) return "retained messages are turned off; see features"
    const kept = broker.publishOwn(topic, payload, qos, retain)
    return retain && payload.length > 0 && !kept ? "there is no room for another retained message" : undefined
  }

  deleteRetained(topic: string): boolean {
    if (this.#broker.retainedOn(topic) === undefined || topic.startsWith("$")) return false
    this.#broker.publishOwn(topic, new Uint8Array(0), 0, true)
    return true
  }

  /** Why nobody may publish on it. */
  #problemOf(topic: string): string | undefined {
    if (topic.startsWith("$")) return "topics that begin with $ are the broker's"
    try {
      this.#broker.topics.of(topic)
    } catch (error) {
      if (error instanceof PacketError) return error.message
      throw error
    }
    return undefined
  }

  drain(server: string, milliseconds: number): DrainView {
    const broker = this.#broker
    const now = broker.now()
    const before = this.#drain === undefined ? broker.redirect : this.#drain.before
    const drain: Drain = { server, since: now, until: now + milliseconds, before, clients: broker.clients() }
    this.#drain = drain
    broker.redirect = { server, when: "always" }
    return this.#view(drain)
  }

  undrain(): boolean {
    if (this.#drain === undefined) return false
    this.#broker.redirect = this.#drain.before
    this.#drain = undefined
    return true
  }

  get draining(): DrainView | undefined {
    return this.#drain && this.#view(this.#drain)
  }

  #view({ server, since, until }: Drain): DrainView {
    return { server, since, until, left: this.#broker.connectionCount }
  }

  /** To be called once a second: sends away who is due. */
  tick(now: number): void {
    const drain = this.#drain
    if (drain === undefined || drain.clients.length === 0) return
    const secondsLeft = Math.max(1, Math.ceil((drain.until - now) / 1000))
    this.#broker.later(this.#sendAway(drain, Math.ceil(drain.clients.length / secondsLeft)))
  }

  /** In turns: many may be due at once. */
  *#sendAway(drain: Drain, count: number): Chore {
    for (let i = 0; i < count && this.#drain === drain; i++) {
      const connection = drain.clients.pop()
      if (connection === undefined) return
      connection.disconnect(this.#broker.now(), ReasonCode.UseAnotherServer, "this broker sends its clients elsewhere")
      yield endCost
    }
  }
}
