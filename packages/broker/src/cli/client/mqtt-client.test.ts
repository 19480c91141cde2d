// The commands' client beside a broker that does what the test says.

import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { writeServerPacket } from "../../codecs/mqtt-packet.ts"
import type { Received } from "../../mqtt-client/received.ts"
import { Framer } from "../../packet/framer.ts"
import { type ConnackPacket, PacketType } from "../../packet/packets.ts"
import { PropertyId } from "../../packet/properties.ts"
import type { PropertyValue } from "../../packet/property-values.ts"
import { openClient } from "./connection-error.ts"
import type { ConnectRequest, PublishRequest, StreamClient } from "./mqtt-client.ts"

interface Packet {
  readonly type: number
  readonly bytes: Buffer
}

/** The broker's side of a connection. */
class Puppet {
  readonly packets: Packet[] = []
  readonly #socket: Socket
  readonly #framer = new Framer(0x1000_0004)

  constructor(socket: Socket) {
    this.#socket = socket
    this.#framer.connectOnly = false
    socket.on("error", () => undefined)
    socket.on("data", (data) => {
      this.#framer.push(data)
      while (this.#framer.next()) {
        const { header, bytes, start, end } = this.#framer
        this.packets.push({ type: header >> 4, bytes: Buffer.from(bytes.subarray(start, end)) })
      }
    })
  }

  of(type: number): Packet[] {
    return this.packets.filter((packet) => packet.type === type)
  }

  async saw(type: number, count = 1): Promise<Packet[]> {
    for (const end = Date.now() + 30_000; Date.now() < end; ) {
      if (this.of(type).length >= count) return this.of(type)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    throw new Error(`${this.of(type).length} packets of type ${type} instead of ${count}`)
  }

  send(...bytes: (number | Uint8Array)[]): void {
    this.#socket.write(Buffer.concat(bytes.map((each) => (typeof each === "number" ? Uint8Array.of(each) : each))))
  }
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

interface Setting {
  readonly connack?: Partial<ConnackPacket>
  readonly request?: Partial<ConnectRequest>
  readonly onMessage?: (message: Received) => boolean
}

async function pair({ connack = {}, request = {}, onMessage = () => true }: Setting = {}): Promise<{
  readonly client: StreamClient
  readonly puppet: Puppet
  readonly connected: Promise<ConnackPacket>
}> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const stream = connect({ host: "127.0.0.1", port })
  const [socket] = (await once(server, "connection")) as [Socket]
  closing.push(() => {
    stream.destroy()
    socket.destroy()
    server.close()
  })
  const puppet = new Puppet(socket)
  const whole: ConnectRequest = {
    ...{ version: 5, mqtt31: false, clientId: "", cleanStart: true, keepAlive: 0 },
    ...{ username: undefined, password: undefined, will: undefined, properties: [], ...request },
  }
  const place = { transport: "tcp", host: "127.0.0.1", port, path: "" } as const
  const client = openClient({ stream, place }, { request: whole, onMessage })
  const connected = client.connect()
  connected.catch(() => undefined)
  await puppet.saw(PacketType.Connect)
  const sent: ConnackPacket = { type: "connack", sessionPresent: false, reasonCode: 0, ...connack }
  puppet.send(writeServerPacket(sent, whole.version))
  return { client, puppet, connected }
}

const message = (more: Partial<PublishRequest> = {}): PublishRequest => ({
  ...{ topic: "t", payload: Buffer.from("x"), qos: 1, retain: false, properties: [], ...more },
})
const idOf = ({ bytes }: Packet): number => bytes.readUInt16BE(2 + 2 + 1)
const subscription = (filter: string) =>
  ({ filter, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const
/** Property Length, Reason String and its length. */
const why = Buffer.concat([Uint8Array.of(6, 0x1f, 0, 3), Buffer.from("why")])

describe("a refusal is told with its Reason Code by name, and its Reason String", () => {
  it("of CONNACK", async () => {
    const { connected } = await pair({
      connack: { reasonCode: 0x9c, serverReference: "other:8883", reasonString: "why" },
    })
    await expect(connected).rejects.toThrow("the broker refused the connection: use another server: other:8883 (why)")
  })

  it("of PUBACK and PUBREC", async () => {
    const { client, puppet, connected } = await pair()
    await connected
    const first = client.publish(message())
    const [publish] = await puppet.saw(PacketType.Publish)
    puppet.send(0x40, 3 + why.length, 0, idOf(publish!), 0x97, why)
    await expect(first).rejects.toThrow("the broker refused the message: quota exceeded (why)")
    const second = client.publish(message({ qos: 2 }))
    const [, other] = await puppet.saw(PacketType.Publish, 2)
    puppet.send(0x50, 3, 0, idOf(other!), 0x87)
    await expect(second).rejects.toThrow("the broker refused the message: not authorized")
    expect(puppet.of(PacketType.Pubrel)).toEqual([])
  })

  it("of SUBACK, UNSUBACK and DISCONNECT", async () => {
    const { client, puppet, connected } = await pair()
    await connected
    const subscribed = client.subscribe([subscription("a")])
    const [subscribe] = await puppet.saw(PacketType.Subscribe)
    puppet.send(0x90, 3 + why.length, subscribe!.bytes.subarray(2, 4), why, 0x87)
    expect(await subscribed).toMatchObject({ reasonCodes: [0x87], reasonString: "why" })
    const left = client.unsubscribe(["a", "b"])
    const [unsubscribe] = await puppet.saw(PacketType.Unsubscribe)
    puppet.send(0xb0, 4 + why.length, unsubscribe!.bytes.subarray(2, 4), why, 0x11, 0x83)
    expect(await left).toEqual({ reasonCodes: [0x11, 0x83], reasonString: "why" })
    puppet.send(0xe0, 1 + why.length, 0x98, why)
    await expect(client.closed).rejects.toThrow("the broker disconnected: administrative action (why)")
  })

  it("of what was sent at QoS 0, also when it comes after our DISCONNECT", async () => {
    const { client, puppet, connected } = await pair()
    await connected
    await client.publish(message({ qos: 0 }))
    client.end()
    await puppet.saw(PacketType.Disconnect)
    puppet.send(0xe0, 1, 0x99)
    await expect(client.closed).rejects.toThrow("the broker disconnected: payload format invalid")
  })

  it("of AUTH, which nobody has asked for", async () => {
    const { client, puppet, connected } = await pair()
    await connected
    puppet.send(0xf0, 0)
    await expect(client.closed).rejects.toThrow("the broker asks for enhanced authentication (AUTH)")
  })
})

describe("what the broker says it takes (section 3.2.2.3)", () => {
  it("MQTT-4.9.0-2: not more messages are unacknowledged than Receive Maximum", async () => {
    const { client, puppet, connected } = await pair({ connack: { receiveMaximum: 2 } })
    await connected
    const all = Array.from({ length: 5 }, (_, i) => client.publish(message({ payload: Buffer.from(`${i}`) })))
    await puppet.saw(PacketType.Publish, 2)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(puppet.of(PacketType.Publish)).toHaveLength(2)
    for (let i = 0; i < 5; i++) {
      const publishes = await puppet.saw(PacketType.Publish, i + 1)
      expect(publishes.length).toBeLessThanOrEqual(i + 2)
      puppet.send(0x40, 2, 0, idOf(publishes[i]!))
    }
    await Promise.all(all)
    expect(
      puppet
        .of(PacketType.Publish)
        .map(({ bytes }) => bytes.subarray(-1).toString())
        .join(""),
    ).toBe("01234")
  })

  it.each<[string, Partial<ConnackPacket>, (client: StreamClient) => Promise<unknown>, string]>([
    [
      "Maximum Packet Size",
      { maximumPacketSize: 12 },
      (client) => client.subscribe([subscription("abcde")]),
      "packet of 13 bytes; the broker takes 12",
    ],
    [
      "the same",
      { maximumPacketSize: 12 },
      (client) => client.unsubscribe(["abcdef"]),
      "packet of 13 bytes; the broker takes 12",
    ],
    [
      "the same",
      { maximumPacketSize: 9 },
      (client) => client.publish(message({ payload: Buffer.from("xy") })),
      "packet of 10 bytes; the broker takes 9",
    ],
    [
      "wildcards",
      { wildcardSubscriptionAvailable: false },
      (client) => client.subscribe([subscription("a/+")]),
      "the broker takes no wildcards in subscriptions, such as a/+",
    ],
    [
      "sharing",
      { sharedSubscriptionAvailable: false },
      (client) => client.subscribe([subscription("$share/a/b")]),
      "takes no shared subscriptions, such as $share/a/b",
    ],
    [
      "identifiers",
      { subscriptionIdentifierAvailable: false },
      (client) => client.subscribe([subscription("a")], [{ id: PropertyId.SubscriptionIdentifier, value: 1 }]),
      "takes no Subscription Identifier",
    ],
  ])("%s", async (_what, connack, work, said) => {
    const { client, puppet, connected } = await pair({ connack })
    await connected
    await expect(work(client)).rejects.toThrow(said)
    expect(puppet.packets).toHaveLength(1)
  })

  it("MQTT-3.2.2-21: Server Keep Alive goes before ours; a PINGREQ that is not answered is the end", async () => {
    const { client, puppet, connected } = await pair({ connack: { serverKeepAlive: 1 }, request: { keepAlive: 1000 } })
    await connected
    await puppet.saw(PacketType.Pingreq)
    puppet.send(0xd0, 0)
    await puppet.saw(PacketType.Pingreq, 2)
    await expect(client.closed).rejects.toThrow("the broker has not answered for 1 s")
  })
})

describe("messages", () => {
  const publish = (
    first: number,
    id: number,
    properties: readonly number[],
    topic: string,
    payload = "x",
  ): Uint8Array => {
    const body = [
      Uint8Array.of(0, topic.length),
      Buffer.from(topic),
      Uint8Array.of(0, id, properties.length, ...properties),
      Buffer.from(payload),
    ]
    const whole = Buffer.concat(body)
    return Buffer.concat([Uint8Array.of(first, whole.length), whole])
  }

  it("are acknowledged when they are taken, and stay with the broker when not", async () => {
    const taken = ["a", "b"]
    const came: string[] = []
    const onMessage = ({ topic }: Received) => came.push(topic) > 0 && taken.includes(topic)
    const { puppet, connected } = await pair({ onMessage })
    await connected
    puppet.send(
      publish(0x32, 1, [], "a"),
      publish(0x32, 2, [], "c"),
      publish(0x34, 3, [], "b"),
      publish(0x34, 4, [], "d"),
    )
    // One that comes again is not another message.
    puppet.send(publish(0x3c, 3, [], "b"), 0x62, 2, 0, 3)
    await puppet.saw(PacketType.Pubcomp)
    expect(puppet.of(PacketType.Puback).map(({ bytes }) => bytes[3])).toEqual([1])
    expect(puppet.of(PacketType.Pubrec).map(({ bytes }) => bytes[3])).toEqual([3, 3])
    expect(came).toEqual(["a", "c", "b", "d"])
  })

  it("MQTT-3.1.2-26: have their topic by an alias, if CONNECT allowed it", async () => {
    const topics: string[] = []
    const properties: PropertyValue[] = [{ id: PropertyId.TopicAliasMaximum, value: 2 }]
    const onMessage = ({ topic }: Received) => topics.push(topic) > 0
    const { client, puppet, connected } = await pair({ request: { properties }, onMessage })
    await connected
    puppet.send(publish(0x32, 1, [0x23, 0, 2], "long"), publish(0x32, 2, [0x23, 0, 2], ""))
    await puppet.saw(PacketType.Puback, 2)
    expect(topics).toEqual(["long", "long"])
    puppet.send(publish(0x32, 3, [0x23, 0, 3], "other"))
    await expect(client.closed).rejects.toThrow("the broker sends what is not MQTT: Topic Alias 3 was not allowed")
  })

  it("MQTT-3.1.2-24: are not longer than CONNECT allowed", async () => {
    const properties: PropertyValue[] = [{ id: PropertyId.MaximumPacketSize, value: 20 }]
    const { client, puppet, connected } = await pair({ request: { properties } })
    await connected
    puppet.send(publish(0x32, 1, [], "a", "x".repeat(12)))
    await puppet.saw(PacketType.Puback)
    puppet.send(publish(0x32, 2, [], "a", "x".repeat(13)))
    await expect(client.closed).rejects.toThrow("a packet of 21 bytes is above the limit of 20")
  })
})

it("a broker that does not close its side is not waited for", { timeout: 60_000 }, async () => {
  const { client, puppet, connected } = await pair()
  await connected
  client.end()
  await puppet.saw(PacketType.Disconnect)
  await client.closed
})
