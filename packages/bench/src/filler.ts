// Fills a store as clients would, without a network between: sessions with a subscription each, retained messages, and as many
// messages for each session.

import { Duplex } from "node:stream"
import { createBroker, type PureMqBroker } from "@puremq/broker"
import { connectPacket, disconnectPacket, PacketReader, publishPacket, subscribePacket } from "./mqtt.ts"
import type { Amounts } from "./peers.ts"

const payload = new Uint8Array(100).fill(0x61)
const most = Number.MAX_SAFE_INTEGER
/** PUBLISH packets that are under way at the same time. */
const window = 1000

/** Returns when all of it is acknowledged. The broker stays: its process is to be killed. */
export async function fill(directory: string, { sessions, retained, queued }: Amounts): Promise<void> {
  const broker = createBroker({
    sysInterval: 0,
    store: { directory },
    limits: {
      maximumSessions: sessions + 2,
      maximumSessionsPerOwner: sessions + 2,
      maximumTotalQueuedBytes: most,
      maximumTotalSubscriptionBytes: most,
      maximumRetainedBytes: most,
      maximumTotalBytes: most,
    },
  })
  await broker.listen()
  for (let i = 0; i < sessions; i++) {
    const client = new Client(broker)
    await client.ask(connectPacket({ clientId: `session-${i}`, kept: true }))
    await client.ask(subscribePacket(`queued/${i}`, 1))
    client.leave()
  }
  const publisher = new Client(broker)
  await publisher.ask(connectPacket({ clientId: "publisher" }))
  await publisher.publish(retained, (i) => ({ topic: `retained/${i}`, retain: true }))
  await publisher.publish(queued, (i) => ({ topic: `queued/${i % sessions}`, retain: false }))
  publisher.leave()
}

class Client {
  readonly #reader = new PacketReader()
  readonly #stream: Duplex
  #packets = 0
  #waiting: { readonly from: number; readonly go: () => void } | undefined

  constructor(broker: PureMqBroker) {
    this.#stream = new Duplex({
      read() {},
      write: (bytes: Uint8Array, _encoding, done) => {
        this.#reader.read(bytes, () => this.#packets++)
        const waiting = this.#waiting
        if (waiting !== undefined && this.#packets >= waiting.from) {
          this.#waiting = undefined
          waiting.go()
        }
        done()
      },
    })
    broker.attach(this.#stream)
  }

  /** Until that many packets have come back. */
  ask(bytes: Uint8Array, answers = 1): Promise<void> {
    return new Promise((go) => {
      this.#waiting = { from: this.#packets + answers, go }
      this.#stream.push(bytes)
    })
  }

  async publish(count: number, what: (i: number) => { topic: string; retain: boolean }): Promise<void> {
    for (let from = 0; from < count; from += window) {
      const some = Array.from({ length: Math.min(window, count - from) }, (_, i) =>
        publishPacket({ ...what(from + i), payload, qos: 1, id: i + 1 }),
      )
      await this.ask(Buffer.concat(some), some.length)
    }
  }

  leave(): void {
    this.#stream.push(disconnectPacket)
    this.#stream.push(null)
  }
}
