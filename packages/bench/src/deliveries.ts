// Messages through a broker over TLS, from some publishers to some subscribers, as fast as they go through: in a closed loop, so
// that no broker has more of them waiting than it holds.

import type { Socket } from "node:net"
import {
  type Address,
  acknowledgementPacket,
  acknowledgements,
  connectMqtt,
  PacketReader,
  publishPacket,
  type Qos,
  subscribe,
} from "./mqtt.ts"

export interface Shape {
  readonly publishers: number
  readonly subscribers: number
  readonly qos: Qos
  /** Of payload. */
  readonly bytes: number
  /** Messages of one run, each to all subscribers. */
  readonly messages: number
  /** Messages that are under way at most. */
  readonly window: number
}

export interface DeliveryLoad {
  /** Until all of a run's messages have come to all subscribers. */
  run(): Promise<void>
  stop(): void
}

const topic = "bench/topic"
/** Milliseconds without a delivery, after which messages are lost. */
const patience = 15_000

export async function connectDeliveries(address: Address, shape: Shape): Promise<DeliveryLoad> {
  const { qos, bytes, messages, window } = shape
  const clients = (role: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => connectMqtt(address, { clientId: `${role}-${i}` })))
  const subscribers = await clients(`subscriber-${address.suite ?? "default"}`, shape.subscribers)
  for (const subscriber of subscribers) await subscribe(subscriber, topic, qos)
  const publishers = await clients(`publisher-${address.suite ?? "default"}`, shape.publishers)
  const payload = new Uint8Array(bytes).fill(0x61)
  const length = publishPacket({ topic, payload, qos }).length
  let [sent, received, due, nextId] = [0, 0, 0, 0]
  let [over, fail]: (((error?: Error) => void) | undefined)[] = []
  let isStopped = false
  const lost = (error?: Error) => {
    if (!isStopped)
      fail?.(new Error(`the broker closed a connection${error === undefined ? "" : `: ${error.message}`}`))
  }
  for (const client of [...publishers, ...subscribers]) client.on("error", lost).on("close", () => lost())

  const pump = (): void => {
    const batches = publishers.map((): Uint8Array[] => [])
    for (; sent < due && sent - received / subscribers.length < window; sent++) {
      // Each publisher's identifiers come around after 65,535 of its messages.
      batches[sent % publishers.length]!.push(publishPacket({ topic, payload, qos, id: (nextId++ % 65_535) + 1 }))
    }
    for (const [i, batch] of batches.entries()) if (batch.length > 0) publishers[i]!.write(Buffer.concat(batch))
  }
  const arrived = (count: number): void => {
    received += count
    if (received === due * subscribers.length) over?.()
    else pump()
  }
  // Of QoS 0 and 1 what a publisher gets back is read and not looked at.
  for (const publisher of publishers) qos === 2 ? release(publisher) : publisher.resume()
  for (const subscriber of subscribers) receive(subscriber, qos, length, arrived)

  return {
    run() {
      due += messages
      return new Promise<void>((resolve, reject) => {
        let before = -1
        const watch = setInterval(() => {
          if (received === before) {
            clearInterval(watch)
            reject(new Error(`${received} of ${due * subscribers.length} deliveries have come, and no more come`))
          }
          before = received
        }, patience)
        over = () => {
          clearInterval(watch)
          resolve()
        }
        fail = (error) => {
          clearInterval(watch)
          reject(error)
        }
        pump()
      })
    },
    stop: () => {
      isStopped = true
      for (const client of [...publishers, ...subscribers]) client.destroy()
    },
  }
}

/** Counts messages; all are of `length` bytes. */
function receive(subscriber: Socket, qos: Qos, length: number, arrived: (count: number) => void): void {
  if (qos === 0) {
    let rest = 0
    subscriber.on("data", (data: Uint8Array) => {
      rest += data.length
      const count = Math.floor(rest / length)
      rest -= count * length
      arrived(count)
    })
    return
  }
  const reader = new PacketReader()
  subscriber.on("data", (data: Uint8Array) => {
    const answers: Uint8Array[] = []
    let count = 0
    reader.read(data, (first, body) => {
      const isPublish = first >> 4 === 3
      if (!isPublish && first !== acknowledgements.pubrel) return
      // A message of QoS 2 has come when it is released (4.3.3).
      if (isPublish === (qos === 1)) count++
      const kind = qos === 1 ? "puback" : isPublish ? "pubrec" : "pubcomp"
      answers.push(acknowledgementPacket(kind, body.readUInt16BE(isPublish ? 2 + topic.length : 0)))
    })
    if (answers.length > 0) subscriber.write(Buffer.concat(answers))
    arrived(count)
  })
}

/** Answers each PUBREC. */
function release(publisher: Socket): void {
  const reader = new PacketReader()
  publisher.on("data", (data: Uint8Array) => {
    const answers: Uint8Array[] = []
    reader.read(data, (first, body) => {
      if (first === acknowledgements.pubrec) answers.push(acknowledgementPacket("pubrel", body.readUInt16BE(0)))
    })
    if (answers.length > 0) publisher.write(Buffer.concat(answers))
  })
}
