// A client that speaks MQTT well enough to be answered: what it sends beyond that is the caller's business.

import {
  acknowledge,
  type Connect,
  connect,
  PacketReader,
  packetType,
  pingreq,
  type Received,
  readPublish,
  subscribe,
  type Version,
} from "./mqtt.ts"
import { openWire, type Transport, type Wire, type WireOptions } from "./wire.ts"

/** How long an answer may take, in milliseconds, where nothing else is said. */
const patience = 20_000

interface Waiting {
  readonly wants: (packet: Received) => boolean
  readonly found: (packet: Received | undefined) => void
}

export class Client {
  readonly wire: Wire
  readonly version: Version
  /** Acknowledges what comes with QoS 1 and 2; a frozen client does not. */
  acknowledges = true
  /** Sees every packet. */
  onPacket: (packet: Received) => void = () => undefined
  /** PUBLISH packets so far. */
  published = 0
  readonly #reader = new PacketReader()
  readonly #waiting = new Set<Waiting>()
  #nextId = 1

  constructor(wire: Wire, version: Version = 5) {
    this.wire = wire
    this.version = version
    wire.onBytes = (bytes) => {
      for (const packet of this.#reader.push(bytes)) this.#heard(packet)
    }
    void wire.closed.then(() => {
      for (const { found } of this.#waiting) found(undefined)
      this.#waiting.clear()
    })
  }

  /** Opens a wire and logs in. @throws Error with the code when it is refused, or when no answer comes */
  static async connect(
    transport: Transport,
    port: number,
    options: Connect & { readonly wire?: WireOptions; readonly patience?: number } = {},
  ): Promise<Client> {
    const client = new Client(await openWire(transport, port, options.wire), options.version ?? 5)
    const code = await client.login(options, options.patience)
    if (code === 0) return client
    client.wire.destroy()
    throw new Error(code === undefined ? "closed without CONNACK" : `CONNACK 0x${code.toString(16).padStart(2, "0")}`)
  }

  /** Sends CONNECT. @returns the code of CONNACK; undefined when the connection ended or stayed silent instead */
  async login(options: Connect = {}, milliseconds = patience): Promise<number | undefined> {
    const answer = this.next((packet) => packet.type === packetType.connack, milliseconds)
    this.wire.send(connect({ ...options, version: this.version }))
    return (await answer)?.body[1]
  }

  /** The next packet of a kind; undefined when the connection ends, or time is over, before. */
  next(wants: (packet: Received) => boolean, milliseconds = patience): Promise<Received | undefined> {
    if (this.wire.isClosed) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const waiting: Waiting = {
        wants,
        found: (packet) => {
          clearTimeout(timer)
          this.#waiting.delete(waiting)
          resolve(packet)
        },
      }
      const timer = setTimeout(() => waiting.found(undefined), milliseconds)
      this.#waiting.add(waiting)
    })
  }

  /** @returns whether PINGRESP came */
  async ping(milliseconds?: number): Promise<boolean> {
    const answer = this.next((packet) => packet.type === packetType.pingresp, milliseconds)
    this.wire.send(pingreq())
    return (await answer) !== undefined
  }

  /** @returns the reason codes of SUBACK; undefined when none came */
  async subscribe(
    filters: readonly string[],
    options = 0,
    milliseconds = patience,
  ): Promise<readonly number[] | undefined> {
    const answer = this.next((packet) => packet.type === packetType.suback, milliseconds)
    this.wire.send(
      subscribe(
        this.version,
        this.packetId(),
        filters.map((filter) => ({ filter, options })),
      ),
    )
    const body = (await answer)?.body
    return body && [...body.subarray(this.version === 5 ? afterProperties(body, 2) : 2)]
  }

  packetId(): number {
    const id = this.#nextId
    this.#nextId = id === 65_535 ? 1 : id + 1
    return id
  }

  /** Waits until all that was sent is on its way, or the connection ended. */
  async flushed(milliseconds = 60_000): Promise<void> {
    const end = performance.now() + milliseconds
    while (this.wire.unsent > 0 && !this.wire.isClosed && performance.now() < end) await pause(5)
  }

  #heard(packet: Received): void {
    if (packet.type === packetType.publish) {
      this.published++
      if (this.acknowledges) {
        const { qos, packetId } = readPublish(packet)
        if (qos > 0) this.wire.send(acknowledge(this.version, qos === 1 ? 4 : 5, packetId))
      }
    } else if (packet.type === packetType.pubrec && this.acknowledges) {
      this.wire.send(acknowledge(this.version, 6, packet.body[0]! * 256 + packet.body[1]!))
    } else if (packet.type === packetType.pubrel && this.acknowledges) {
      this.wire.send(acknowledge(this.version, 7, packet.body[0]! * 256 + packet.body[1]!))
    }
    this.onPacket(packet)
    for (const waiting of this.#waiting) if (waiting.wants(packet)) waiting.found(packet)
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Runs `work` for each item, `width` at a time. */
export async function each<T>(items: Iterable<T>, width: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const worker = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

/** Waits until all that was given to these is on its way, or they ended, or time is over. */
export async function allSent(
  wires: readonly { readonly unsent: number; readonly isClosed: boolean }[],
  milliseconds: number,
): Promise<void> {
  const end = performance.now() + milliseconds
  while (wires.some(({ unsent, isClosed }) => unsent > 0 && !isClosed) && performance.now() < end) await pause(20)
}

/** Where client number `i` comes from: one of 1,000 addresses, where the system has them. */
export function fromOneOfMany(i: number): { readonly from?: string } {
  return process.platform === "linux" ? { from: `127.0.${4 + (Math.floor(i / 250) % 4)}.${1 + (i % 250)}` } : {}
}

/** The offset after the properties, a Reason String say, whose length stands at `at`. */
function afterProperties(body: Uint8Array, at: number): number {
  let length = 0
  let end = at
  for (let shift = 0; ; shift += 7) {
    const byte = body[end++] ?? 0
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) return end + length
  }
}
