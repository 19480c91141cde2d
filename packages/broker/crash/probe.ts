// Clients with clean sessions beside the others, for what holds while the disk is full.

import { Client } from "../hostile/wire/client.ts"
import { packetType, pingreq, publish, type Received, readPublish } from "../hostile/wire/mqtt.ts"
import { expiresIn, identifierOf, noRoom } from "./clients.ts"

/** Milliseconds in which an answer is missed. */
const silence = 300

export class Probe {
  readonly #subscriber: Client
  readonly #number: number
  readonly #clients: Client[]
  /** Of MQTT 3.1.1, with a message that waits; what it was sent meanwhile. */
  #waiting: { readonly client: Client; readonly heard: Received[] } | undefined

  private constructor(subscriber: Client, number: number) {
    this.#subscriber = subscriber
    this.#number = number
    this.#clients = [subscriber]
  }

  /** @param number of the life: Client Identifiers have it */
  static async connect(port: number, number: number): Promise<Probe> {
    const subscriber = await Client.connect("tcp", port, { clientId: `probe-${number}` })
    await subscriber.subscribe(["calm/#"])
    return new Probe(subscriber, number)
  }

  /**
   * What is wrong while the disk is full.
   * @param strict it stays full
   */
  async whileFull(port: number, strict: boolean): Promise<readonly string[]> {
    const wrong = await this.#calm(port)
    if (!strict) return wrong
    return [...wrong, ...(await this.#refused(port)), ...(await this.#waits(port))]
  }

  async #connect(port: number, name: string, version: 4 | 5): Promise<Client> {
    const client = await Client.connect("tcp", port, { clientId: `${name}-${this.#number}`, version })
    this.#clients.push(client)
    return client
  }

  /** A clean session is opened, and QoS 0 goes from one to the other. */
  async #calm(port: number): Promise<readonly string[]> {
    for (const version of [4, 5] as const) {
      const client = await this.#connect(port, `calm-${version}`, version)
      const topic = `calm/${version}`
      const coming = this.#subscriber.next((one) => one.type === packetType.publish && readPublish(one).topic === topic)
      client.wire.send(publish(version, topic, "calm"))
      if ((await coming) === undefined) return [`QoS 0 of version ${version} does not go on while the disk is full`]
    }
    return []
  }

  /** MQTT 5.0: 0x97 for QoS 1, QoS 2 and a session that would have to be kept. */
  async #refused(port: number): Promise<readonly string[]> {
    const wrong: string[] = []
    const client = await this.#connect(port, "refused", 5)
    for (const qos of [1, 2] as const) {
      const type = qos === 1 ? packetType.puback : packetType.pubrec
      const answer = client.next((packet) => packet.type === type && identifierOf(packet.body) === qos)
      client.wire.send(publish(5, `messages/refused/${qos}`, "refused", { qos, packetId: qos }))
      const code = (await answer)?.body[2] ?? 0
      if (code !== noRoom) wrong.push(`a PUBLISH of QoS ${qos} is answered with ${code} while the disk is full`)
    }
    try {
      await Client.connect("tcp", port, {
        clientId: `new-${this.#number}`,
        cleanStart: false,
        properties: [expiresIn(60)],
      })
      wrong.push("a session that has to be kept is opened while the disk is full")
    } catch (error) {
      if (!/CONNACK 0x88/.test(String(error)))
        wrong.push(`a session that has to be kept, while the disk is full: ${error}`)
    }
    return wrong
  }

  /** MQTT 3.1.1 has no such word: its PUBLISH waits, and what comes behind it has its turn. */
  async #waits(port: number): Promise<readonly string[]> {
    const client = await this.#connect(port, "waiting", 4)
    const heard: Received[] = []
    client.onPacket = (packet) => heard.push(packet)
    client.wire.send(publish(4, "calm/waiting", "waited", { qos: 1, packetId: 1 }))
    client.wire.send(pingreq())
    this.#waiting = { client, heard }
    await new Promise((resolve) => setTimeout(resolve, silence))
    if (client.wire.isClosed) return ["a client of MQTT 3.1.1 is disconnected while the disk is full"]
    const types = heard.map(({ type }) => type).join(", ")
    if (types === `${packetType.pingresp}`) return []
    return [`MQTT 3.1.1 gets packets ${types || "none"}, not ${packetType.pingresp}, while the disk is full`]
  }

  /** There is room: who waited is served. */
  async recovered(): Promise<readonly string[]> {
    if (this.#waiting === undefined) return []
    const { client, heard } = this.#waiting
    const isServed = () => heard.some(({ type }) => type === packetType.puback)
    if (!isServed()) await client.next((packet) => packet.type === packetType.puback)
    const types = heard.map(({ type }) => type).join(", ")
    const expected = `${packetType.pingresp}, ${packetType.puback}`
    return types === expected ? [] : [`MQTT 3.1.1 gets packets ${types || "none"}, not ${expected}, when there is room`]
  }

  leave(): void {
    for (const { wire } of this.#clients) wire.destroy()
  }
}
