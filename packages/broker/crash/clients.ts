// A client with a session that is kept: it outlives brokers. It writes and reads packets with code of its own.

import {
  connect,
  PacketReader,
  packetType,
  property,
  type Received,
  readPublish,
  uint32,
  type Version,
} from "../hostile/wire/mqtt.ts"
import { openWire, type Wire } from "../hostile/wire/wire.ts"

/** Seconds. */
const week = 604_800

/** A connection that has CONNACK. */
export interface Opened {
  /** Of this client, from 1. */
  readonly number: number
  readonly port: number
  /** CONNACK says that there is a session. */
  readonly present: boolean
  readonly wire: Wire
}

export abstract class KeptClient {
  readonly id: string
  readonly version: Version
  /** What the broker did that it must not. */
  readonly wrong: string[] = []
  /** The broker may say that there is no room: its disk is full. */
  mayBeRefused = false
  /** CONNACK has come once: from then on there is a session. */
  #known = false
  #wire: Wire | undefined
  #connections = 0

  constructor(id: string, version: Version) {
    this.id = id
    this.version = version
  }

  get connected(): boolean {
    return this.#wire !== undefined && !this.#wire.isClosed
  }

  /**
   * Resolves when CONNACK has come; rejects when it does not, as the broker is killed, say. A connection that there is already stays
   * as it is: it is the broker that has to end it.
   * @param patience milliseconds; default: as long as it takes
   */
  async connect(port: number, patience?: number): Promise<void> {
    const wire = await openWire("tcp", port)
    const reader = new PacketReader()
    await new Promise<void>((resolve, reject) => {
      let number = 0
      const timer = patience === undefined ? undefined : setTimeout(() => number === 0 && wire.destroy(), patience)
      const read = (bytes: Uint8Array) => {
        for (const packet of reader.push(bytes)) {
          if (wire === this.#wire) this.heard(packet)
          else if (number > 0) this.replaced(packet, number)
          else if (this.#accepted(packet)) {
            number = ++this.#connections
            this.#wire = wire
            this.opened({ number, port, present: (packet.body[0]! & 1) === 1, wire })
            this.begin()
            resolve()
          } else wire.destroy()
        }
      }
      wire.onBytes = (bytes) => {
        try {
          read(bytes)
        } catch (error) {
          this.wrong.push(`${this.id}: cannot be read: ${error instanceof Error ? error.message : error}`)
          wire.destroy()
        }
      }
      void wire.closed.then(() => {
        clearTimeout(timer)
        if (this.#wire === wire) this.#wire = undefined
        if (number > 0) this.closed(number)
        reject(new Error(`${this.id}: closed`))
      })
      wire.send(connect({ clientId: this.id, version: this.version, cleanStart: false, properties: [expiresIn(week)] }))
    })
  }

  #accepted({ type, body }: Received): boolean {
    const [flags = 0, code = 0xff] = body
    if (type !== packetType.connack || code !== 0) {
      const refused = type === packetType.connack && cannotBeKept(code) && this.mayBeRefused
      if (!refused) this.wrong.push(`${this.id}: packet ${type} with code ${code} in the place of CONNACK`)
      return false
    }
    if (this.#known && (flags & 1) === 0) this.wrong.push(`${this.id}: its session was lost`)
    this.#known = true
    return true
  }

  leave(): void {
    this.#wire?.destroy()
    this.#wire = undefined
  }

  protected send(bytes: Uint8Array): void {
    this.#wire?.send(bytes)
  }

  /** Of the connection that has CONNACK now, from 1; 0: there was none. */
  protected get connection(): number {
    return this.#connections
  }

  protected abstract begin(): void
  protected abstract heard(packet: Received): void

  /** DISCONNECT has come. */
  protected ended(code: number): void {
    this.wrong.push(`${this.id}: DISCONNECT ${code}`)
  }

  /** CONNACK has come. */
  protected opened(_opened: Opened): void {}

  protected closed(_connection: number): void {}

  /** A packet on a connection that is no more the newest. */
  protected replaced(_packet: Received, _connection: number): void {}
}

/** 0x97, Quota exceeded: what the broker says when nothing can be kept. */
export const noRoom = 0x97

/** CONNACK for a session that cannot be kept: Server unavailable, of MQTT 5.0 or 3.1.1. */
export function cannotBeKept(code: number): boolean {
  return code === 0x88 || code === 3
}

/** A Session Expiry Interval, in seconds. */
export function expiresIn(seconds: number): Uint8Array {
  return Buffer.concat([Uint8Array.of(property.sessionExpiry), uint32(seconds)])
}

/** The Packet Identifier at the beginning of a body. */
export function identifierOf(body: Uint8Array): number {
  return body[0]! * 256 + body[1]!
}

/** The payload of a PUBLISH whose properties are shorter than 128 bytes. */
export function payloadOf(packet: Received, version: Version): string {
  const { topic, qos } = readPublish(packet)
  const at = 2 + Buffer.byteLength(topic) + (qos > 0 ? 2 : 0)
  return Buffer.from(packet.body.subarray(version === 5 ? at + 1 + packet.body[at]! : at)).toString("utf8")
}
