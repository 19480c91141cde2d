// The MQTT client without I/O beside a broker that sends anything. Nothing is thrown, all that the client sends is MQTT and within
// what the broker takes, and what it tells of is true: an answer for what was asked, once; a message of QoS 2 once.

import { mutateBytes } from "../../tls13/fuzz/mutate-messages.ts"
import type { Random } from "../../tls13/fuzz/random.ts"
import { type Outcome, type Target, Violation, wordsOf } from "../../tls13/fuzz/target.ts"
import { packetType } from "../hostile/wire/mqtt.ts"
import { plainCodec } from "../src/codecs/plain.ts"
import { MqttClient } from "../src/mqtt-client/client.ts"
import { MqttClientError } from "../src/mqtt-client/errors.ts"
import type { ClientEvent } from "../src/mqtt-client/events.ts"
import { packetIdOf, readAcknowledgement } from "../src/packet/acknowledgements.ts"
import { Framer } from "../src/packet/framer.ts"
import { PropertyId } from "../src/packet/properties.ts"
import { PublishReader } from "../src/packet/publish.ts"
import { TopicTable } from "../src/packet/topic.ts"
import { content } from "./packets.ts"
import { anyConnack, authenticationMethod, serverPacket, welcome } from "./server-packets.ts"

export const mqttClient: Target = {
  name: "mqtt-client",
  run: (random) => new Conversation(random).run(),
}

/** What the client sends, as a broker reads it. */
class Listener {
  readonly #framer = new Framer(0x1000_0004)
  readonly #publish = new PublishReader(new TopicTable(0x1_0000, 16))
  readonly #version: 4 | 5
  #left = false
  largest = Number.POSITIVE_INFINITY
  /** Messages of QoS 2 that the client has acknowledged by PUBREC, and not by PUBCOMP. */
  readonly received: Set<number> = new Set()

  constructor(version: 4 | 5) {
    this.#version = version
  }

  hear(bytes: Uint8Array): void {
    this.#framer.push(bytes)
    while (this.#framer.next()) {
      const { bytes, start, bodyStart, end, header, owned } = this.#framer
      const type = header >> 4
      const version = this.#version
      if (this.#left) throw new Violation(`packet type ${type} comes after DISCONNECT`)
      switch (type) {
        case packetType.connect:
          if (!this.#framer.connectOnly) throw new Violation("CONNECT comes twice")
          plainCodec.readConnect(bytes, start, bodyStart, end)
          this.#framer.connectOnly = false
          break
        case packetType.publish:
          if (end - start > this.largest) throw new Violation("a PUBLISH is larger than the broker takes")
          this.#publish.read(bytes, start, bodyStart, end, owned, version)
          break
        case packetType.puback:
        case packetType.pubrec:
        case packetType.pubrel:
        case packetType.pubcomp: {
          const packetId = packetIdOf(readAcknowledgement(type, bytes, bodyStart, end, version, "client"))
          if (type === packetType.pubrec) this.received.add(packetId)
          if (type === packetType.pubcomp) this.received.delete(packetId)
          break
        }
        case packetType.pingreq:
          break
        default:
          if (end - start > this.largest && end - start > 3)
            throw new Violation(`packet type ${type} is larger than the broker takes`)
          plainCodec.readClientPacket(type, bytes, start, bodyStart, end, version, 1000)
          this.#left = type === packetType.disconnect
      }
    }
    if (this.#framer.buffered > 0) throw new Violation("the client sends part of a packet")
  }
}

class Conversation {
  readonly #random: Random
  readonly #version: 4 | 5
  readonly #client: MqttClient
  readonly #listener: Listener
  readonly #maximumPacketSize: number
  readonly #inFlight: number
  /** By Packet Identifier. */
  readonly #published = new Set<number>()
  readonly #asked = new Map<number, number>()
  #now = 0
  #closed: ClientEvent | undefined
  #told = ""

  constructor(random: Random) {
    this.#random = random
    this.#version = random.pick([4, 5, 5])
    this.#listener = new Listener(this.#version)
    this.#maximumPacketSize = random.pick([40, 300, 65_536])
    this.#inFlight = random.pick([1, 3, 20])
    const five = this.#version === 5
    this.#client = new MqttClient(
      {
        clientId: "c",
        version: this.#version,
        cleanStart: random.oneIn(2),
        keepAlive: random.pick([0, 1, 60]),
        maximumPacketSize: this.#maximumPacketSize,
        receiveMaximum: random.pick([1, 3, 100]),
        maximumInFlight: this.#inFlight,
        maximumWaiting: random.pick([100, 65_536]),
        firstPacketId: random.pick([1, 65_534]),
        properties: five
          ? [
              ...(random.oneIn(2) ? [{ id: PropertyId.TopicAliasMaximum, value: random.pick([1, 3]) }] : []),
              ...(random.oneIn(3) ? [{ id: PropertyId.AuthenticationMethod, value: authenticationMethod }] : []),
            ]
          : [],
      },
      (event) => this.#took(event),
    )
  }

  run(): Outcome {
    const random = this.#random
    this.#client.connect(this.#now)
    this.#hear()
    const late = random.oneIn(8)
    const sessionPresent = random.oneIn(4)
    if (!late)
      this.#say(random.oneIn(6) ? anyConnack(random, this.#version) : welcome(random, this.#version, sessionPresent))
    for (let steps = 1 + random.integer(24); steps > 0; steps--) {
      if (random.oneIn(3)) this.#act()
      else this.#say(...Array.from({ length: 1 + random.integer(4) }, () => this.#packet()))
      if (!random.oneIn(4)) this.#hear()
      this.#check()
    }
    this.#hear()
    this.#client.lost()
    if (this.#closed?.event !== "closed") throw new Violation("the end was not told")
    const { error } = this.#closed
    return { words: `${this.#told} ${error === undefined ? "done" : `${error.kind} ${wordsOf(error)}`}` }
  }

  #packet(): Uint8Array {
    const random = this.#random
    const bytes = serverPacket(random, this.#version, [...this.#published, ...this.#asked.keys()])
    return random.oneIn(12) ? mutateBytes(bytes, random) : bytes
  }

  /** In any pieces; the memory is somebody else's after that. */
  #say(...packets: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(packets)
    const random = this.#random
    for (let at = 0; at < bytes.length; ) {
      const length = random.oneIn(3) ? 1 + random.integer(bytes.length) : bytes.length
      const piece = Uint8Array.from(bytes.subarray(at, at + length))
      this.#client.receive(piece, this.#now)
      piece.fill(0xee)
      at += length
    }
  }

  #hear(): void {
    this.#listener.hear(this.#client.take())
    if (this.#client.waiting !== 0) throw new Violation("something is left after take")
  }

  #check(): void {
    const { room, waiting, state } = this.#client
    if (room < 0 || room > this.#inFlight) throw new Violation(`room for ${room}`)
    if (waiting > 2 ** 20) throw new Violation("a MiB waits")
    if ((state === "closed") !== (this.#closed !== undefined)) throw new Violation("the state is not what was told")
  }

  #took(event: ClientEvent): unknown {
    const random = this.#random
    if (this.#closed !== undefined) throw new Violation(`${event.event} comes after the end`)
    this.#told = event.event
    switch (event.event) {
      case "closed":
        this.#closed = event
        return
      case "connected":
        this.#listener.largest = event.connack.maximumPacketSize ?? Number.POSITIVE_INFINITY
        break
      case "acknowledged":
        if (!this.#published.delete(event.packetId)) throw new Violation("an answer for nothing that was published")
        break
      case "subscribed":
      case "unsubscribed": {
        const filters = this.#asked.get(event.packetId)
        if (filters === undefined) throw new Violation("an answer for nothing that was asked")
        this.#asked.delete(event.packetId)
        const codes = event.reasonCodes.length
        if (codes !== filters && !(this.#version === 4 && event.event === "unsubscribed" && codes === 0))
          throw new Violation(`another number of Reason Codes (${event.event})`)
        break
      }
      case "message": {
        const { topic, payload, qos, packetId, properties } = event
        if (topic === "" || /[+#\0]/.test(topic)) throw new Violation("a topic that is none")
        if (payload.length > this.#maximumPacketSize) throw new Violation("a payload larger than was allowed")
        if (qos > 0 !== packetId > 0 || qos > 2) throw new Violation("QoS and Packet Identifier")
        if (this.#version === 4 && properties.length > 0) throw new Violation("properties in MQTT 3.1.1")
        if (qos === 2) {
          this.#hear()
          if (this.#listener.received.has(packetId)) throw new Violation("a message of QoS 2 comes twice")
        }
        if (random.oneIn(6)) return false
      }
    }
    if (random.oneIn(6)) this.#act()
    return undefined
  }

  /** What a program does, right or not. */
  #act(): void {
    const random = this.#random
    const client = this.#client
    const text = () => new TextDecoder().decode(content(random))
    try {
      switch (random.integer(12)) {
        case 0:
        case 1:
        case 2:
        case 3: {
          const qos = random.pick([0, 1, 2] as const)
          const properties = random.oneIn(4) ? [{ id: random.pick(someProperties), value: random.pick([0, 1, 3]) }] : []
          const message = { topic: random.oneIn(6) ? text() : "t", payload: text(), qos, properties }
          const again = qos > 0 && random.oneIn(8) ? 1 + random.integer(6) : undefined
          if (random.oneIn(4)) {
            const payload = content(random)
            const { packetId, head } = client.publishHead({ ...message, payload, again })
            if (qos > 0) this.#published.add(packetId)
            this.#listener.hear(Buffer.concat([client.take(), head, payload]))
          } else {
            const packetId = client.publish({ ...message, retain: random.oneIn(4), again })
            if (qos > 0) this.#published.add(packetId)
          }
          return
        }
        case 4:
        case 5: {
          const filters = Array.from({ length: random.integer(4) }, () => (random.oneIn(4) ? text() : "t/#"))
          const packetId = client.subscribe(filters.map((filter) => ({ filter, qos: random.pick([0, 1, 2]) })))
          this.#asked.set(packetId, filters.length)
          return
        }
        case 6: {
          const filters = Array.from({ length: random.integer(4) }, () => (random.oneIn(4) ? text() : "t/#"))
          this.#asked.set(client.unsubscribe(filters), filters.length)
          return
        }
        case 7:
          client.authenticate(random.bytes(random.integer(20)))
          return
        case 8:
          if (random.oneIn(6)) client.disconnect(random.pick([0, 4, 0x81, 0x10]))
          return
        case 9:
          if (random.oneIn(10)) client.lost()
          return
        default:
          this.#now += random.pick([1, 799, 48_000, 100_000])
          client.tick(this.#now)
      }
    } catch (error) {
      if (!(error instanceof MqttClientError)) throw error
      if (error.kind !== "misuse" && error.kind !== "limit") throw new Violation(`a call fails by ${error.kind}`)
    }
  }
}

const someProperties = [
  PropertyId.TopicAlias,
  PropertyId.PayloadFormatIndicator,
  PropertyId.MessageExpiryInterval,
  PropertyId.SubscriptionIdentifier,
]
