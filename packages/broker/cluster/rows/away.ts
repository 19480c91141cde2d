// Without any server: QoS 0 flows between clients of a node, QoS 1 waits, nothing acknowledged is lost, and it recovers by itself.

import { expiresIn, identifierOf, noRoom } from "../../crash/clients.ts"
import { pause } from "../../crash/world.ts"
import { Client } from "../../hostile/wire/client.ts"
import { packetType, publish, readPublish } from "../../hostile/wire/mqtt.ts"
import { withoutServers } from "../faults.ts"
import type { Node } from "../servers/node.ts"
import type { Row } from "./rows.ts"

/** Milliseconds that a message of QoS 0 may take; and until all is as before when the servers are there again. */
const soon = 2000
const patience = 60_000
/** Milliseconds from one message to the next. */
const step = 100

export const away: Row = {
  title: "without any nats-server",

  async run({ nodes, servers, away }) {
    const pairs = await Promise.all(nodes.map((node) => Pair.at(node)))
    await pause(1000)
    const before = pairs.map(({ acknowledged }) => acknowledged.size)
    const gone = withoutServers(servers, away)
    // What was on its way is answered.
    await pause(1500)
    const begun = pairs.map(({ acknowledged }) => acknowledged.size)
    await pause(Math.max(0, away - 3000))
    const wrong: string[] = []
    for (const [i, pair] of pairs.entries()) {
      const { node, acknowledged, longest } = pair
      if (before[i] === 0) wrong.push(`${node.name} acknowledges nothing with all servers`)
      const more = acknowledged.size - begun[i]!
      if (more > 0) wrong.push(`${node.name} acknowledges ${more} messages of QoS 1 without any server`)
      if (!pair.connected) wrong.push(`${node.name} ends connections`)
      if (longest > soon) wrong.push(`QoS 0 took ${Math.round(longest)} ms on ${node.name}`)
    }
    await gone
    const whole = performance.now()
    const after = pairs.map(({ acknowledged }) => acknowledged.size)
    const recovered = () => pairs.every(({ acknowledged }, i) => acknowledged.size > after[i]! + 5)
    while (!recovered() && performance.now() < whole + patience) await pause(50)
    const seconds = ((performance.now() - whole) / 1000).toFixed(1)
    if (!recovered()) wrong.push(`a node acknowledges nothing ${patience / 1000} s after the servers are there again`)
    for (const pair of pairs) wrong.push(...(await pair.end()))
    const counts = pairs.map(({ node, acknowledged, refused, zeros }) => {
      return `${node.name} ${acknowledged.size} acknowledged, ${refused} refused, ${zeros} of QoS 0`
    })
    return { wrong, seen: `${away / 1000} s; recovered ${seconds} s later; ${counts.join("; ")}` }
  },
}

/** One speaks and one listens, on one node, with sessions that are kept. */
class Pair {
  readonly node: Node
  readonly acknowledged: Set<number> = new Set()
  refused = 0
  zeros = 0
  /** Milliseconds that a message of QoS 0 took, at most. */
  longest = 0
  readonly #speaker: Client
  readonly #listener: Client
  readonly #got = new Set<number>()
  readonly #waiting = new Map<number, number>()
  readonly #timer: NodeJS.Timeout
  readonly #lastZero = { sent: 0, sentAt: 0, got: 0 }
  #count = 0

  private constructor(node: Node, speaker: Client, listener: Client) {
    this.node = node
    this.#speaker = speaker
    this.#listener = listener
    listener.onPacket = (packet) => {
      if (packet.type !== packetType.publish) return
      const { topic, qos } = readPublish(packet)
      const count = Number(topic.split("/").at(-1))
      if (qos === 1) this.#got.add(count)
      else if (count === this.#lastZero.sent) this.#arrived()
    }
    speaker.onPacket = ({ type, body }) => {
      if (type !== packetType.puback) return
      const count = this.#waiting.get(identifierOf(body))
      if (count === undefined) return
      this.#waiting.delete(identifierOf(body))
      const code = body[2] ?? 0
      if (code < 0x80) this.acknowledged.add(count)
      else if (code === noRoom) this.refused++
    }
    this.#timer = setInterval(() => this.#speak(), step)
  }

  static async at(node: Node): Promise<Pair> {
    const options = { cleanStart: false, properties: [expiresIn(600)] }
    const connect = (name: string) =>
      Client.connect("tcp", node.port ?? 0, { ...options, clientId: `${name}-${node.name}` })
    const [speaker, listener] = [await connect("alone-speaks"), await connect("alone-listens")]
    await listener.subscribe([`alone/${node.name}/#`], 1)
    return new Pair(node, speaker, listener)
  }

  get connected(): boolean {
    return !this.#speaker.wire.isClosed && !this.#listener.wire.isClosed
  }

  #speak(): void {
    const zero = this.#lastZero
    if (zero.got === zero.sent) {
      zero.sent++
      zero.sentAt = performance.now()
      this.#speaker.wire.send(publish(5, `alone/${this.node.name}/zero/${zero.sent}`, ""))
    } else this.longest = Math.max(this.longest, performance.now() - zero.sentAt)
    if (this.#waiting.size >= 20) return
    const packetId = this.#speaker.packetId()
    this.#waiting.set(packetId, ++this.#count)
    this.#speaker.wire.send(publish(5, `alone/${this.node.name}/one/${this.#count}`, "", { qos: 1, packetId }))
  }

  #arrived(): void {
    const zero = this.#lastZero
    zero.got = zero.sent
    this.zeros++
    this.longest = Math.max(this.longest, performance.now() - zero.sentAt)
  }

  /** @returns what is missing */
  async end(): Promise<readonly string[]> {
    clearInterval(this.#timer)
    const missing = () => [...this.acknowledged].filter((count) => !this.#got.has(count))
    const end = performance.now() + patience
    while ((missing().length > 0 || this.#waiting.size > 0) && performance.now() < end && this.connected)
      await pause(50)
    this.#speaker.wire.destroy()
    this.#listener.wire.destroy()
    const wrong =
      missing().length === 0 ? [] : [`${missing().length} acknowledged and lost, the first is ${missing()[0]}`]
    if (this.#waiting.size > 0) wrong.push(`${this.#waiting.size} are not answered`)
    return wrong.map((line) => `${this.node.name}: ${line}`)
  }
}
