// As much of MQTT 3.1.1 as a load needs, in bytes: a client of a library's would be measured too.

import { once } from "node:events"
import net, { type Socket } from "node:net"
import nodeTls from "node:tls"
import type { Pems } from "./contestants.ts"

export type Qos = 0 | 1 | 2

/** Where a broker listens; with TLS when there are certificates. */
export interface Address {
  readonly port: number
  readonly pems?: Pems | undefined
  /** The one suite that is offered; default: what OpenSSL offers. */
  readonly suite?: string | undefined
}

export interface ClientOptions {
  readonly clientId: string
  /** Its session outlives the connection. */
  readonly kept?: boolean
  /** Seconds; 0: none. */
  readonly keepAlive?: number
}

/** A client that has its CONNACK. Rejects when the broker does not let it in. */
export async function connectMqtt({ port, pems, suite }: Address, options: ClientOptions): Promise<Socket> {
  const socket =
    pems === undefined
      ? net.connect({ host: "127.0.0.1", port })
      : nodeTls.connect({
          host: "127.0.0.1",
          port,
          ca: pems.ca,
          servername: "localhost",
          ...(suite && { ciphers: suite }),
        })
  await once(socket, pems === undefined ? "connect" : "secureConnect")
  socket.setNoDelay(true)
  socket.write(connectPacket(options))
  const [answer] = (await once(socket, "data")) as [Uint8Array]
  if (answer[0] !== 0x20 || answer[3] !== 0)
    throw new Error(`CONNACK expected, got ${Buffer.from(answer).toString("hex")}`)
  return socket
}

export function connectPacket({ clientId, kept = false, keepAlive = 60 }: ClientOptions): Uint8Array {
  return packet(0x10, [...text("MQTT"), 4, kept ? 0 : 2, keepAlive >> 8, keepAlive & 0xff, ...text(clientId)])
}

export function subscribePacket(filter: string, qos: Qos): Uint8Array {
  return packet(0x82, [0, 1, ...text(filter), qos])
}

export async function subscribe(client: Socket, filter: string, qos: Qos): Promise<void> {
  client.write(subscribePacket(filter, qos))
  await once(client, "data")
}

export interface Publish {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain?: boolean
  /** Packet Identifier, for QoS 1 and 2. */
  readonly id?: number
}

export function publishPacket({ topic, payload, qos, retain = false, id = 1 }: Publish): Uint8Array {
  const head = [...text(topic), ...(qos === 0 ? [] : identifier(id))]
  const first = 0x30 | (qos << 1) | (retain ? 1 : 0)
  return Buffer.concat([Uint8Array.of(first, ...length(head.length + payload.length), ...head), payload])
}

export function pubackPacket(id: number): Uint8Array {
  return acknowledgementPacket("puback", id)
}

/** What answers a PUBLISH of QoS 1, and what the steps of QoS 2 are, by the first byte of the packet (3.4 to 3.7). */
export const acknowledgements = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 } as const

export function acknowledgementPacket(kind: keyof typeof acknowledgements, id: number): Uint8Array {
  return packet(acknowledgements[kind], identifier(id))
}

export const disconnectPacket: Uint8Array = Uint8Array.of(0xe0, 0)

function packet(first: number, rest: readonly number[]): Uint8Array {
  return Uint8Array.of(first, ...length(rest.length), ...rest)
}

function length(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}

function identifier(id: number): number[] {
  return [(id >>> 8) & 0xff, id & 0xff]
}

function text(value: string): number[] {
  const bytes = Buffer.from(value)
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes]
}

/** Takes packets out of what arrives; bytes are views. */
export class PacketReader {
  #rest: Buffer = Buffer.alloc(0)

  /** Calls `each` with the first byte and the body of each whole packet. */
  read(data: Uint8Array, each: (first: number, body: Buffer) => void): void {
    const bytes =
      this.#rest.length === 0
        ? Buffer.from(data.buffer, data.byteOffset, data.length)
        : Buffer.concat([this.#rest, data])
    let at = 0
    for (;;) {
      let end = at + 1
      let size = 0
      let scale = 1
      for (; end < bytes.length; end++, scale *= 0x80) {
        size += (bytes[end]! & 0x7f) * scale
        if (bytes[end]! < 0x80) break
      }
      const body = end + 1
      if (end >= bytes.length || body + size > bytes.length) break
      each(bytes[at]!, bytes.subarray(body, body + size))
      at = body + size
    }
    this.#rest = bytes.subarray(at)
  }
}
