// The broker's core by its bytes, as they stand in the standard (MQTT 5.0): a subscriber over TLS, and a publisher in the clear.

import { type ByteLink, createSimpleAccess, EmbeddedBroker } from "@puremq/broker/core"
import { type Pair, received } from "@puremq/tls13/testing"
import type { Host, Scenario } from "./host.ts"
import { bytes, connected, equal, pairOf } from "./world.ts"

const field = (value: string): number[] => [0, value.length, ...bytes(value)]
const packet = (type: number, ...body: number[]): Uint8Array => Uint8Array.of(type, body.length, ...body)
/** CONNECT with a clean start; Keep Alive 60 seconds. */
const connect = (name: string): Uint8Array => packet(0x10, ...field("MQTT"), 5, 2, 0, 60, 0, ...field(name))
const hex = (octets: Uint8Array): string => [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("")

export const broker: Scenario = {
  name: "broker's core",
  run(host) {
    let passed = 0
    const broker = new EmbeddedBroker(
      { passed: () => passed, random: host.random },
      { access: createSimpleAccess({ anonymous: true }) },
    )
    const turns = (): void => {
      passed += 10
      for (let times = 0; times < 100 && broker.turn() === 0; times++);
    }
    const told = (link: ByteLink, sent: Uint8Array): Uint8Array => {
      link.receive(sent)
      turns()
      return link.take()
    }

    const subscriber = overTls(host, opened(broker), turns)
    equal([...subscriber(connect("subscriber"))].slice(0, 1), [0x20])
    // SUBSCRIBE with QoS 1, and SUBACK.
    equal([...subscriber(packet(0x82, 0, 1, 0, ...field("news/#"), 1))], [0x90, 4, 0, 1, 0, 1])

    const publisher = opened(broker)
    equal([...told(publisher, connect("publisher"))].slice(0, 1), [0x20])
    // PUBLISH with QoS 1, retained, and PUBACK: Success, which the end of the packet may say.
    const publish = packet(0x33, ...field("news/today"), 0, 7, 0, ...bytes("hello"))
    equal(hex(told(publisher, publish)), "40020007")
    equal(hex(subscriber()), hex(packet(0x32, ...field("news/today"), 0, 1, 0, ...bytes("hello"))))
    subscriber(packet(0x40, 0, 1))

    // Who comes later is told of it, too: RETAIN is set.
    const late = overTls(host, opened(broker), turns)
    late(connect("late"))
    const answer = late(packet(0x82, 0, 1, 0, ...field("news/today"), 0))
    equal(
      hex(answer),
      hex(Uint8Array.of(0x90, 4, 0, 1, 0, 0, ...packet(0x31, ...field("news/today"), 0, ...bytes("hello")))),
    )

    // A packet that is none: DISCONNECT with Malformed Packet.
    const last = told(publisher, packet(0xf7))
    equal([last[0], last[2]], [0xe0, 0x81])
    equal(publisher.state, "closed")
    return undefined
  },
}

function opened(broker: EmbeddedBroker): ByteLink {
  const link = broker.open({ address: "memory" })
  if (link === undefined) throw new Error("the broker refuses a connection")
  return link
}

/** A TLS connection whose server hands on to the link. @returns what sends to the broker, and gives what came since the last time */
function overTls(host: Host, link: ByteLink, turns: () => void): (sent?: Uint8Array) => Uint8Array {
  const pair: Pair = pairOf(host)
  connected(pair)
  const { client, server } = pair
  let atServer = received(server).length
  let atClient = received(client).length
  return (sent) => {
    if (sent !== undefined) pair.take(client, client.connection.send(sent))
    pair.run()
    const plaintext = received(server)
    link.receive(plaintext.subarray(atServer))
    atServer = plaintext.length
    turns()
    const answer = link.take()
    if (answer.length > 0) pair.take(server, server.connection.send(answer))
    pair.run()
    const all = received(client)
    const news = all.subarray(atClient)
    atClient = all.length
    return news
  }
}
