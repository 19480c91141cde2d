// A broker of MQTT 5.0 that does wrong what it is told to: for tests of who should notice. It forwards each message to all
// subscribers, whatever they subscribed to, in QoS 0.

import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { Framer } from "../src/packet/framer.ts"
import { PacketType } from "../src/packet/packets.ts"

/** Each is asked with the number of the message, from 0; `connack` with that of the connection. */
export interface Tampering {
  readonly lose?: (n: number) => boolean
  /** Comes twice. */
  readonly double?: (n: number) => boolean
  /** Comes after the next one that is not lost. */
  readonly swap?: (n: number) => boolean
  /** Milliseconds after which a subscriber gets it, numbered from 0 by SUBSCRIBE; what comes after it waits for nothing. */
  readonly late?: (n: number, subscriber: number) => number
  /** Is refused by its PUBACK: quota exceeded. */
  readonly refuse?: (n: number) => boolean
  /** Another one comes before it. */
  readonly add?: (n: number) => boolean
  /** The publisher's connection ends in its place. */
  readonly end?: (n: number) => boolean
  /** Nothing is read for as many milliseconds after it. */
  readonly stall?: (n: number) => number
  /** Reason Code. */
  readonly connack?: (n: number) => number
}

const foreign = [0x30, 6, 0, 1, 0x78, 0, 1, 2]

export class TamperingBroker {
  readonly #tampering: Tampering
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #subscribers = new Set<Socket>()
  #connections = 0
  #messages = 0
  #held: Uint8Array[] = []

  constructor(tampering: Tampering) {
    this.#tampering = tampering
    this.#server = createServer((socket) => this.#connected(socket))
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #connected(socket: Socket): void {
    const framer = new Framer(1_000_000)
    framer.connectOnly = false
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on("error", () => undefined)
    socket.on("close", () => {
      this.#sockets.delete(socket)
      this.#subscribers.delete(socket)
    })
    const read = () => {
      while (!socket.writableEnded && framer.next()) {
        const { bytes, start, bodyStart, end, header } = framer
        const stall = this.#packet(socket, header, Uint8Array.from(bytes.subarray(start, end)), bodyStart - start)
        if (stall === 0) continue
        framer.settle()
        socket.pause()
        setTimeout(() => {
          read()
          socket.resume()
        }, stall)
        return
      }
    }
    socket.on("data", (chunk) => {
      if (socket.writableEnded) return
      framer.push(chunk)
      read()
    })
  }

  /** Milliseconds for which nothing more is read. */
  #packet(socket: Socket, header: number, packet: Uint8Array, body: number): number {
    const { connack = () => 0 } = this.#tampering
    switch (header >> 4) {
      case PacketType.Connect: {
        const code = connack(this.#connections++)
        socket.write(Uint8Array.of(0x20, 3, 0, code, 0))
        if (code !== 0) socket.end()
        return 0
      }
      case PacketType.Subscribe:
        this.#subscribers.add(socket)
        socket.write(Uint8Array.of(0x90, 4, packet[body]!, packet[body + 1]!, 0, (packet[packet.length - 1] ?? 0) & 3))
        return 0
      case PacketType.Pingreq:
        // What was held back for the next message comes now, as there may be none.
        this.#release()
        socket.write(Uint8Array.of(0xd0, 0))
        return 0
      case PacketType.Publish:
        return this.#publish(socket, header, packet, body)
      default:
        if (header >> 4 === PacketType.Disconnect) socket.end()
        return 0
    }
  }

  #publish(socket: Socket, header: number, packet: Uint8Array, body: number): number {
    const n = this.#messages++
    const is = (what: "lose" | "double" | "swap" | "refuse" | "add" | "end") => this.#tampering[what]?.(n) === true
    if (is("end")) {
      // What comes yet is read: with bytes that nobody read, the system would send a reset in place of an end.
      socket.end()
      return 0
    }
    const topicEnd = body + 2 + ((packet[body]! << 8) | packet[body + 1]!)
    const isQos1 = (header & 6) === 2
    const refused = is("refuse")
    if (isQos1) {
      const id = [packet[topicEnd]!, packet[topicEnd + 1]!] as const
      socket.write(refused ? Uint8Array.of(0x40, 3, ...id, 0x97) : Uint8Array.of(0x40, 2, ...id))
    }
    if (refused || is("lose")) return 0
    const message = isQos1 ? withoutId(packet, body, topicEnd) : packet
    const copies = is("double") ? [message, message] : [message]
    if (is("add")) this.#send(Uint8Array.from(foreign))
    if (is("swap")) this.#held.push(...copies)
    else {
      for (const each of copies) this.#send(each, n)
      this.#release()
    }
    return this.#tampering.stall?.(n) ?? 0
  }

  #release(): void {
    for (const held of this.#held.splice(0)) this.#send(held)
  }

  #send(message: Uint8Array, n: number = Number.NaN): void {
    for (const [i, subscriber] of [...this.#subscribers].entries()) {
      const late = this.#tampering.late?.(n, i) ?? 0
      if (late === 0) subscriber.write(message)
      else setTimeout(() => subscriber.write(message), late)
    }
  }
}

/** The same message in QoS 0. */
function withoutId(packet: Uint8Array, body: number, topicEnd: number): Uint8Array {
  const rest = [...packet.subarray(body, topicEnd), ...packet.subarray(topicEnd + 2)]
  const length: number[] = []
  let left = rest.length
  for (; left >= 0x80; left >>>= 7) length.push((left & 0x7f) | 0x80)
  return Uint8Array.of(0x30, ...length, left, ...rest)
}
