// Takes everything, acknowledges it, and remembers what it was in its order.

import { acknowledge, packetType, type Received, readPublish, subscribe, type Version } from "../hostile/wire/mqtt.ts"
import { identifierOf, KeptClient, payloadOf } from "./clients.ts"
import type { Publisher } from "./publisher.ts"
import { isRetained, qosOf, saidIn } from "./said.ts"

export class Subscriber extends KeptClient {
  /** By publisher and QoS: counts in the order in which they came. */
  readonly got: Map<string, number[]> = new Map()
  /** Payloads that are no counts: wills. How often each came. */
  readonly others: Map<string, number> = new Map()
  /** When the last message came, in milliseconds of the process. */
  lastAt = 0
  readonly #received: Set<number> = new Set()
  readonly #filters: readonly string[]
  #subscribed = false

  constructor(id: string, version: Version, filters: readonly string[] = ["messages/#", "wills/#"]) {
    super(id, version)
    this.#filters = filters
  }

  protected begin(): void {
    if (this.#subscribed) return
    const requests = this.#filters.map((filter) => ({ filter, options: 2 }))
    this.send(subscribe(this.version, 1, requests))
  }

  get subscribed(): boolean {
    return this.#subscribed
  }

  protected heard(packet: Received): void {
    const { type, body } = packet
    if (type === packetType.suback) {
      const code = body.at(-1) ?? 0
      if (code >= 0x80) this.wrong.push(`${this.id}: SUBACK with code ${code}`)
      this.#subscribed = true
    } else if (type === packetType.pubrel) {
      const packetId = identifierOf(body)
      this.#received.delete(packetId)
      this.send(acknowledge(this.version, packetType.pubcomp, packetId))
    } else if (type === packetType.publish) this.#take(packet)
    else if (type === packetType.disconnect) this.ended(body[0] ?? 0)
  }

  #take(packet: Received): void {
    const { topic, qos, packetId } = readPublish(packet)
    const payload = payloadOf(packet, this.version)
    this.lastAt = performance.now()
    if (qos !== 2 || !this.#received.has(packetId)) this.took(topic, qos, payload)
    if (qos === 2) this.#received.add(packetId)
    if (qos > 0) this.send(acknowledge(this.version, qos === 1 ? packetType.puback : packetType.pubrec, packetId))
  }

  /** A message, of QoS 2 only once as long as its identifier is held. */
  protected took(topic: string, qos: number, payload: string): void {
    const said = saidIn(payload)
    if (said === undefined) {
      this.others.set(payload, (this.others.get(payload) ?? 0) + 1)
      return
    }
    const key = `${said.by}/${qosOf(said.count)}`
    if (topic !== `messages/${key}` || qos !== qosOf(said.count))
      this.wrong.push(`${this.id}: "${payload.trim()}" came to ${topic} with QoS ${qos}`)
    const counts = this.got.get(key)
    if (counts === undefined) this.got.set(key, [said.count])
    else counts.push(said.count)
  }

  /** What of that publisher's it has too little, too often, too early or too much of: one line each. */
  *missed(publisher: Publisher): Generator<string> {
    for (const qos of [1, 2] as const) {
      const got = this.got.get(`${publisher.id}/${qos}`) ?? []
      const first = new Set(got)
      const what = `${this.id}: QoS ${qos} of ${publisher.id}`
      const lost = [...publisher.acknowledged[qos]].filter((count) => !isRetained(count) && !first.has(count))
      if (lost.length > 0) yield `${what}: ${lost.length} acknowledged and lost, the first is ${lost[0]}`
      if (qos === 2 && first.size !== got.length) yield `${what}: ${got.length - first.size} doubled`
      const unwanted = [...first].filter((count) => publisher.refused.has(count))
      if (unwanted.length > 0) yield `${what}: ${unwanted.length} refused and delivered, the first is ${unwanted[0]}`
      // What was refused, and the refusal lost, is said again after what came behind it.
      if (publisher.refusals > 0) continue
      let last = 0
      for (const count of first) {
        if (count < last) yield `${what}: ${count} came after ${last}`
        if (count < last) break
        last = count
      }
    }
  }
}
