// The broker without I/O, with the codec for any engine: sequences of packets by one link after the other, to one broker. Nothing is
// thrown, no fault is counted, what it sends is MQTT, and a neighbour is answered.

import type { Random } from "../../tls13/fuzz/random.ts"
import { type Outcome, type Target, Violation } from "../../tls13/fuzz/target.ts"
import { connect, packetType, pingreq, subscribe } from "../hostile/wire/mqtt.ts"
import { createSimpleAccess } from "../src/access/simple.ts"
import { readServerPacket } from "../src/codecs/plain-answers.ts"
import type { ByteLink } from "../src/embed/byte-link.ts"
import { EmbeddedBroker } from "../src/embed/embedded.ts"
import { readAcknowledgement } from "../src/packet/acknowledgements.ts"
import { Framer } from "../src/packet/framer.ts"
import { PublishReader } from "../src/packet/publish.ts"
import { TopicTable } from "../src/packet/topic.ts"
import { makeSequence } from "./sequence.ts"

/** Executions on one broker: what one leaves behind meets the next, and one alone begins with a new one. */
const lifetime = 200

export function brokerCore(): Target {
  let world: World | undefined
  let executions = 0
  return {
    name: "broker-core",
    run(random) {
      if (executions++ % lifetime === 0) world = undefined
      world ??= new World(random)
      return world.execute(random)
    },
  }
}

class World {
  readonly #broker: EmbeddedBroker
  readonly #neighbour: ByteLink
  readonly #neighbourEar = new Ear()
  #now = 0

  constructor(random: Random) {
    const host = { passed: () => this.#now, random: (length: number) => random.bytes(length) }
    this.#broker = new EmbeddedBroker(host, { access: createSimpleAccess({ anonymous: true }) })
    this.#neighbour = this.#open()
    this.#neighbour.receive(connect({ clientId: "neighbour" }))
    this.#neighbour.receive(subscribe(5, 1, [{ filter: "t/#" }]))
    this.#turns()
    this.#neighbourEar.hear(this.#neighbour.take())
  }

  execute(random: Random): Outcome {
    const { state, version, chunks, frozen, ending } = makeSequence(random)
    const link = this.#open()
    const ear = new Ear()
    for (const chunk of chunks) {
      const own = Uint8Array.from(chunk)
      link.receive(own)
      own.fill(0xee)
      this.#turns()
      if (!frozen) ear.hear(link.take())
      if (random.oneIn(10)) this.#now += random.pick([1, 1000, 20_000])
    }
    if (ending === "end") ear.hear(link.take())
    link.lost()
    this.#turns()
    if (link.waiting > 0) throw new Violation("something is to be sent when the link is lost")
    this.#neighbour.receive(pingreq())
    do {
      this.#turns()
      this.#neighbourEar.hear(this.#neighbour.take())
    } while (this.#neighbour.waiting > 0)
    if (!this.#neighbourEar.pinged) throw new Violation(`the neighbour gets no PINGRESP (${this.#neighbour.state})`)
    this.#neighbourEar.pinged = false
    if (this.#broker.broker.faults.total > 0) throw new Violation("a fault was counted")
    return { words: `${state} ${version} ${ear.heard}` }
  }

  #open(): ByteLink {
    const link = this.#broker.open({ address: "192.0.2.1:1" })
    if (link === undefined) throw new Violation("a link is refused")
    return link
  }

  #turns(): void {
    for (let turns = 0; this.#broker.turn() === 0; turns++) {
      if (turns > 1000) throw new Violation("it never has enough")
    }
  }
}

/** What the broker sends, as a client reads it. */
class Ear {
  readonly #framer = new Framer(0x1000_0004)
  readonly #publish = new PublishReader(new TopicTable(0x1_0000, 16))
  /** Which the broker speaks is to be seen by its CONNACK: of MQTT 3.1.1 it has no properties. */
  #version: 4 | 5 = 5
  /** What it refuses, in words. */
  heard = ""
  pinged = false

  constructor() {
    this.#framer.connectOnly = false
  }

  hear(bytes: Uint8Array): void {
    this.#framer.push(bytes)
    while (this.#framer.next()) {
      const { bytes, start, bodyStart, end, header, owned } = this.#framer
      const type = header >> 4
      if (type === packetType.connack) this.#version = end - bodyStart === 2 ? 4 : 5
      if (type === packetType.publish) this.#publish.read(bytes, start, bodyStart, end, owned, this.#version, true)
      else if (type >= packetType.puback && type <= packetType.pubcomp)
        readAcknowledgement(type, bytes, bodyStart, end, this.#version, "server")
      else if (type === packetType.pingresp) this.pinged = true
      else {
        const packet = readServerPacket(type, bytes, bodyStart, end, this.#version)
        if ("reasonCode" in packet && packet.reasonCode !== 0) this.heard += ` ${packet.type} ${packet.reasonCode}`
      }
    }
  }
}
