// Stands between clients and a broker, and meddles: each packet goes through a plant, which may change, drop, double or answer it.

import { connect, createServer, type Server, type Socket } from "node:net"
import { PacketReader, packet, packetType, type Received } from "../../hostile/wire/mqtt.ts"
import { portOf } from "../servers/ports.ts"

export interface Passing {
  readonly clientId: string
  readonly version: 4 | 5
  /** From 1, over all connections. */
  readonly number: number
  toClient(bytes: Uint8Array): void
  toBroker(bytes: Uint8Array): void
}

export interface Plant {
  /** A packet of a client. @returns whether it goes on as it is */
  fromClient?(packet: Received, passing: Passing, all: readonly Passing[]): boolean
  /** A packet of the broker. @returns whether it goes on as it is */
  fromBroker?(packet: Received, passing: Passing, all: readonly Passing[]): boolean
  /** The client has closed. */
  clientCloses?(passing: Passing): void
  /** The broker has closed. @returns whether the connection to the client stays open */
  brokerCloses?(passing: Passing): boolean
}

export class Front {
  /** The broker's; undefined: it does not listen. */
  to: number | undefined
  readonly #server: Server
  readonly #plant: Plant
  readonly #all: Passing[] = []
  #count = 0
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, plant: Plant) {
    this.#server = server
    this.#plant = plant
    server.on("connection", (socket) => this.#came(socket))
  }

  static open(plant: Plant): Promise<Front> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true })
      server.once("error", reject).listen(0, "127.0.0.1", () => resolve(new Front(server, plant)))
    })
  }

  get port(): number {
    return portOf(this.#server)
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #came(client: Socket): void {
    client.on("error", () => undefined)
    if (this.to === undefined) {
      client.destroy()
      return
    }
    const broker = connect({ host: "127.0.0.1", port: this.to, noDelay: true })
    for (const socket of [client, broker]) this.#sockets.add(socket)
    broker.on("error", () => undefined)
    const plant = this.#plant
    let passing: Passing | undefined
    const [fromClient, fromBroker] = [new PacketReader(), new PacketReader()]
    client.on("data", (data: Buffer) => {
      for (const one of fromClient.push(data)) {
        passing ??= this.#passing(one, client, broker)
        if (plant.fromClient?.(one, passing, this.#all) ?? true) broker.write(bytesOf(one))
      }
    })
    broker.on("data", (data: Buffer) => {
      for (const one of fromBroker.push(data))
        if (passing === undefined || (plant.fromBroker?.(one, passing, this.#all) ?? true)) client.write(bytesOf(one))
    })
    client.once("close", () => {
      this.#sockets.delete(client)
      if (passing !== undefined) this.#all.splice(this.#all.indexOf(passing), 1)
      if (passing !== undefined) plant.clientCloses?.(passing)
      broker.end()
    })
    broker.once("close", () => {
      this.#sockets.delete(broker)
      if (passing === undefined || !(plant.brokerCloses?.(passing) ?? false)) client.destroy()
    })
  }

  #passing(first: Received, client: Socket, broker: Socket): Passing {
    const version = first.body[6] === 5 ? 5 : 4
    // Protocol name and level, flags, keep alive; properties, of less than 128 bytes; then the Client Identifier.
    const at = version === 5 ? 11 + first.body[10]! : 10
    const length = first.body[at]! * 256 + first.body[at + 1]!
    const passing: Passing = {
      clientId: Buffer.from(first.body.subarray(at + 2, at + 2 + length)).toString("utf8"),
      version,
      number: ++this.#count,
      toClient: (bytes) => void client.write(bytes),
      toBroker: (bytes) => void broker.write(bytes),
    }
    this.#all.push(passing)
    return passing
  }
}

export function bytesOf({ type, flags, body }: Received): Uint8Array {
  return packet((type << 4) | flags, body)
}

/** QoS of a PUBLISH. */
export function qosIn({ flags }: Received): number {
  return (flags >> 1) & 3
}

export function isPublish({ type }: Received): boolean {
  return type === packetType.publish
}
