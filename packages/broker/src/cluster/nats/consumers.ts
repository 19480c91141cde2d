// Consumers of a stream that belong to one connection: nobody acknowledges, and the servers keep nothing of them on disk.

import { createInbox, type Msg, nuid, type Subscription } from "@nats-io/nats-core"
import type { Link } from "./link.ts"

export interface Pull {
  readonly batch: number
  readonly max_bytes: number
  /** Milliseconds until it ends. */
  readonly expires: number
  /** Milliseconds between signs of life, less than half of `expires`. */
  readonly heartbeat: number
}

export class Consumer {
  readonly #link: Link
  readonly #stream: string
  readonly #name = nuid.next()
  readonly #inbox = createInbox()
  readonly #subscription: Subscription
  #pulls = 0

  private constructor(link: Link, stream: string, arrived: (message: Msg) => void) {
    this.#link = link
    this.#stream = stream
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) arrived(message)
    }
    this.#subscription = link.nats.subscribe(`${this.#inbox}.*`, { callback })
  }

  /** @param idle milliseconds without a pull after which the servers end it */
  static async make(
    link: Link,
    stream: string,
    subjects: readonly string[],
    from: number,
    idle: number,
    arrived: (message: Msg) => void,
  ): Promise<Consumer> {
    const consumer = new Consumer(link, stream, arrived)
    const config = {
      name: consumer.#name,
      ack_policy: "none",
      deliver_policy: "by_start_sequence",
      opt_start_seq: from,
      filter_subjects: subjects,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: idle * 1e6,
    }
    try {
      await link.api(`CONSUMER.CREATE.${stream}.${consumer.#name}`, { stream_name: stream, config, action: "create" })
    } catch (error) {
      consumer.end()
      throw error
    }
    return consumer
  }

  /** The number of the pull: `endOf` says it. */
  pull({ batch, max_bytes, expires, heartbeat }: Pull): number {
    const body = { batch, max_bytes, expires: expires * 1e6, idle_heartbeat: heartbeat * 1e6 }
    const number = this.#pulls++
    const reply = `${this.#inbox}.${number}`
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${this.#name}`
    // It may be called by what was under way when the connection was closed.
    if (!this.#link.nats.isClosed()) this.#link.nats.publish(subject, JSON.stringify(body), { reply })
    return number
  }

  /** Of a status of the servers: the pull that it is about. */
  static pullOf(message: Msg): number {
    return Number(message.subject.slice(message.subject.lastIndexOf(".") + 1))
  }

  end(): void {
    if (this.#link.nats.isClosed()) return
    this.#subscription.unsubscribe()
    // If this is not heard, the servers end it when nobody has pulled for a while.
    if (this.#link.reachable) this.#link.nats.publish(`$JS.API.CONSUMER.DELETE.${this.#stream}.${this.#name}`)
  }
}

/** The last sequence of a stream, as its leader knows it. */
export async function lastOf(link: Link, stream: string): Promise<number> {
  return (await endOf(link, stream)).last
}

/** With when it was made, who its leader is, and since when: a server alone is it always; undefined: it does not say. */
export async function endOf(
  link: Link,
  stream: string,
): Promise<{ readonly last: number; readonly made: string | undefined; readonly leader: string | undefined }> {
  const { created, state, cluster } = (await link.api(`STREAM.INFO.${stream}`, {})) as {
    readonly created?: string
    readonly state: { readonly last_seq: number }
    readonly cluster?: {
      readonly leader?: string
      readonly leader_since?: string
      readonly replicas?: readonly unknown[]
    }
  }
  const { leader, leader_since: since } = cluster ?? {}
  const alone = cluster === undefined || (cluster.replicas ?? []).length === 0
  return { last: state.last_seq, made: created, leader: alone ? "alone" : since && `${leader} since ${since}` }
}
