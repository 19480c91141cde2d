// Publishers and subscribers that outlive a broker: they remember what they were told, say again what was not answered, and
// know in the end what has to be there. They write and read packets with code of their own.

import {
  acknowledge,
  connect,
  PacketReader,
  packetType,
  property,
  publish,
  type Received,
  readPublish,
  subscribe,
  uint32,
} from "../hostile/wire/mqtt.ts"
import { openWire, type Wire } from "../hostile/wire/wire.ts"

const version = 5
const week = 604_800

/** What a PUBLISH of ours says: who, at which QoS, and the how manieth. */
export interface Said {
  readonly by: string
  readonly qos: number
  readonly count: number
}

export function textOf({ by, qos, count }: Said): string {
  return `${by} ${qos} ${count}`
}

function saidIn(text: string): Said | undefined {
  const match = /^(\S+) (\d) (\d+)$/.exec(text)
  return match === null ? undefined : { by: match[1]!, qos: Number(match[2]), count: Number(match[3]) }
}

/** A client with a session that is kept. */
abstract class KeptClient {
  readonly id: string
  /** What the broker did that it must not. */
  readonly wrong: string[] = []
  /** CONNACK has come once: from then on there is a session. */
  #known = false
  #wire: Wire | undefined

  constructor(id: string) {
    this.id = id
  }

  get connected(): boolean {
    return this.#wire !== undefined && !this.#wire.isClosed
  }

  async connect(port: number): Promise<void> {
    const wire = await openWire("tcp", port)
    const reader = new PacketReader()
    await new Promise<void>((resolve, reject) => {
      let open = false
      wire.onBytes = (bytes) => {
        for (const packet of reader.push(bytes)) {
          if (open) this.heard(packet)
          else {
            open = true
            const [flags = 0, code = 0xff] = packet.body
            if (packet.type !== packetType.connack || code !== 0) reject(new Error(`${this.id}: CONNACK ${code}`))
            if (this.#known && (flags & 1) === 0) this.wrong.push(`${this.id}: its session was lost`)
            this.#known = true
            this.#wire = wire
            this.begin()
            resolve()
          }
        }
      }
      void wire.closed.then(() => {
        if (this.#wire === wire) this.#wire = undefined
        reject(new Error(`${this.id}: closed`))
      })
      const properties = [Buffer.concat([Uint8Array.of(property.sessionExpiry), uint32(week)])]
      wire.send(connect({ clientId: this.id, cleanStart: false, properties }))
    })
  }

  leave(): void {
    this.#wire?.destroy()
    this.#wire = undefined
  }

  protected send(bytes: Uint8Array): void {
    this.#wire?.send(bytes)
  }

  protected abstract begin(): void
  protected abstract heard(packet: Received): void
}

interface Unanswered {
  readonly said: Said
  readonly retain: boolean
  /** PUBREC has come: PUBREL is what is unanswered. */
  released: boolean
}

/** Always has some messages under way, of QoS 1 and 2 in turn; each tenth of QoS 1 is retained. */
export class Publisher extends KeptClient {
  /** Counts that were acknowledged, by QoS. */
  readonly acknowledged: Readonly<Record<number, Set<number>>> = { 1: new Set(), 2: new Set() }
  /** The last that was acknowledged as a retained message. */
  lastRetained = 0
  /** No new messages. */
  stopped = false
  readonly #width: number
  readonly #unanswered: Map<number, Unanswered> = new Map()
  #nextId = 1
  #nextCount = 1

  constructor(id: string, width: number) {
    super(id)
    this.#width = width
  }

  get idle(): boolean {
    return this.#unanswered.size === 0
  }

  protected begin(): void {
    for (const [packetId, { said, retain, released }] of this.#unanswered) {
      if (released) this.send(acknowledge(version, packetType.pubrel, packetId))
      else this.#publish(packetId, said, retain, true)
    }
    this.#more()
  }

  #publish(packetId: number, said: Said, retain: boolean, dup: boolean): void {
    const qos = said.qos === 1 ? 1 : 2
    const topic = retain ? `retained/${this.id}` : `messages/${this.id}/${qos}`
    this.send(publish(version, topic, textOf(said), { qos, retain, dup, packetId }))
  }

  #more(): void {
    while (!this.stopped && this.#unanswered.size < this.#width) {
      const count = this.#nextCount++
      const said = { by: this.id, qos: count % 2 === 0 ? 2 : 1, count }
      const retain = count % 20 === 1
      const packetId = this.#nextId
      this.#nextId = packetId === 65_535 ? 1 : packetId + 1
      this.#unanswered.set(packetId, { said, retain, released: false })
      this.#publish(packetId, said, retain, false)
    }
  }

  protected heard({ type, body }: Received): void {
    const packetId = body[0]! * 256 + body[1]!
    const code = body[2] ?? 0
    const unanswered = this.#unanswered.get(packetId)
    if (type === packetType.pubrec) {
      // Whatever became of it: an identifier that is not known any more is released.
      if (unanswered !== undefined && code >= 0x80) this.wrong.push(`${this.id}: PUBREC ${code}`)
      if (unanswered !== undefined) this.#kept(unanswered)
      this.send(acknowledge(version, packetType.pubrel, packetId))
    } else if (type === packetType.puback || type === packetType.pubcomp) {
      if (unanswered === undefined) return
      if (type === packetType.puback && code >= 0x80) this.wrong.push(`${this.id}: PUBACK ${code}`)
      this.#kept(unanswered)
      this.#unanswered.delete(packetId)
      this.#more()
    }
  }

  #kept(unanswered: Unanswered): void {
    const { qos, count } = unanswered.said
    unanswered.released = qos === 2
    this.acknowledged[qos]?.add(count)
    if (unanswered.retain) this.lastRetained = Math.max(this.lastRetained, count)
  }
}

/** Takes everything, acknowledges it, and remembers what it was in its order. */
export class Subscriber extends KeptClient {
  /** By publisher and QoS: counts in the order in which they came. */
  readonly got: Map<string, number[]> = new Map()
  /** Payloads that are no counts. */
  readonly others: string[] = []
  /** When the last message came, in milliseconds of the process. */
  lastAt = 0
  readonly #received: Set<number> = new Set()
  #subscribed = false

  protected begin(): void {
    if (this.#subscribed) return
    this.send(
      subscribe(version, 1, [
        { filter: "messages/#", options: 2 },
        { filter: "wills/#", options: 1 },
      ]),
    )
  }

  get subscribed(): boolean {
    return this.#subscribed
  }

  protected heard(packet: Received): void {
    const { type, body } = packet
    if (type === packetType.suback) this.#subscribed = true
    else if (type === packetType.pubrel) {
      const packetId = body[0]! * 256 + body[1]!
      this.#received.delete(packetId)
      this.send(acknowledge(version, packetType.pubcomp, packetId))
    } else if (type === packetType.publish) this.#take(packet)
  }

  #take(packet: Received): void {
    const { topic, qos, packetId } = readPublish(packet)
    const at = 2 + Buffer.byteLength(topic) + (qos > 0 ? 2 : 0)
    const payload = Buffer.from(packet.body.subarray(at + 1 + packet.body[at]!)).toString("utf8")
    this.lastAt = performance.now()
    if (qos === 2) {
      if (!this.#received.has(packetId)) this.#keep(payload)
      this.#received.add(packetId)
      this.send(acknowledge(version, packetType.pubrec, packetId))
      return
    }
    this.#keep(payload)
    if (qos === 1) this.send(acknowledge(version, packetType.puback, packetId))
  }

  #keep(payload: string): void {
    const said = saidIn(payload)
    if (said === undefined) {
      this.others.push(payload)
      return
    }
    const key = `${said.by} ${said.qos}`
    const counts = this.got.get(key)
    if (counts === undefined) this.got.set(key, [said.count])
    else counts.push(said.count)
  }
}
