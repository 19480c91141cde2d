// A session that reconnects to another node finds everything: subscriptions, what was queued, what is in flight, both halves of QoS 2.

import { expiresIn, identifierOf } from "../../crash/clients.ts"
import { pause } from "../../crash/world.ts"
import { Client } from "../../hostile/wire/client.ts"
import { acknowledge, packetType, publish, type Received, readPublish } from "../../hostile/wire/mqtt.ts"
import { openWire } from "../../hostile/wire/wire.ts"
import type { Node } from "../servers/node.ts"
import type { Row } from "./rows.ts"

/** Milliseconds in which something must come; and in which nothing more must. */
const patience = 10_000
const quiet = 1000

export const elsewhere: Row = {
  title: "a session that reconnects to another node finds everything",

  async run({ nodes }) {
    const wrong: string[] = []
    // A node alone is not there when it is killed.
    const hows: readonly How[] = nodes.length > 1 ? ["left", "beside", "killed"] : ["left", "beside"]
    for (const how of hows) {
      const [from, to] = [nodes[0]!, nodes[1 % nodes.length]!]
      for (const line of await moved(from, to, how)) wrong.push(`${how}: ${line}`)
    }
    return { wrong, seen: hows.join(", ") }
  },
}

/** How it leaves the first node: it closes its connection, leaves it open, or the node is killed. */
type How = "left" | "beside" | "killed"

/** A client with what came to it, and nothing that it does by itself. */
class Quiet {
  readonly client: Client
  readonly heard: Received[] = []

  constructor(client: Client) {
    this.client = client
    client.acknowledges = false
    client.onPacket = (packet) => this.heard.push(packet)
  }

  static async connect(node: Node, clientId: string): Promise<Quiet> {
    // What comes with CONNACK is heard, too.
    const quiet = new Quiet(new Client(await openWire("tcp", node.port ?? 0)))
    const options = { clientId, cleanStart: false, properties: [expiresIn(600)] }
    const code = await quiet.client.login(options, patience)
    if (code !== 0) throw new Error(`${clientId} on ${node.name}: CONNACK ${code ?? "does not come"}`)
    return quiet
  }

  of(type: number): readonly Received[] {
    return this.heard.filter((packet) => packet.type === type)
  }

  /** Topic, QoS, DUP of what was published to it. */
  get published(): readonly string[] {
    return this.of(packetType.publish).map((packet) => {
      const { topic, qos, packetId } = readPublish(packet)
      return `${topic} ${qos} ${packetId}${(packet.flags & 8) === 0 ? "" : " DUP"}`
    })
  }

  /** @returns whether so many of a type came */
  async has(type: number, count: number): Promise<boolean> {
    const end = performance.now() + patience
    while (this.of(type).length < count && performance.now() < end && !this.client.wire.isClosed) await pause(5)
    return this.of(type).length >= count
  }

  send(bytes: Uint8Array): void {
    this.client.wire.send(bytes)
  }
}

async function moved(from: Node, to: Node, how: How): Promise<readonly string[]> {
  const wrong: string[] = []
  const expect = (what: string, seen: unknown, wanted: unknown) => {
    const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)]
    if (a !== b) wrong.push(`${what}: ${a}, not ${b}`)
  }
  const [id, topic] = [`moves-${how}`, `elsewhere/${how}`]
  const other = await Quiet.connect(to, `speaks-${how}`)
  const first = await Quiet.connect(from, id)
  expect("SUBACK", await first.client.subscribe([`${topic}/+`], 2, patience), [2])
  other.client.acknowledges = true
  const say = async (name: string, qos: 1 | 2) => {
    const packetId = other.client.packetId()
    other.send(publish(5, `${topic}/${name}`, name, { qos, packetId }))
    const last = qos === 1 ? packetType.puback : packetType.pubcomp
    await other.client.next((one) => one.type === last && identifierOf(one.body) === packetId, patience)
  }

  // In flight: QoS 1, QoS 2 before PUBREC, QoS 2 of which PUBREL came.
  await say("one", 1)
  await say("two", 2)
  await say("released", 2)
  if (!(await first.has(packetType.publish, 3)))
    return [...wrong, `${first.published.length} of 3 messages come before`]
  const [one, two, released] = first.of(packetType.publish).map((packet) => readPublish(packet).packetId)
  first.send(acknowledge(5, packetType.pubrec, released!))
  if (!(await first.has(packetType.pubrel, 1))) return [...wrong, "no PUBREL comes"]
  // The other half: it has published QoS 2, has PUBREC and has not sent PUBREL.
  first.send(publish(5, `other/${how}`, "half", { qos: 2, packetId: 77 }))
  if (!(await first.has(packetType.pubrec, 1))) return [...wrong, "no PUBREC comes"]
  if (how === "left") first.client.wire.destroy()
  if (how === "killed") await from.kill()
  if (how !== "beside") await say("queued", 1)

  const second = await Quiet.connect(to, id)
  const messages = how === "beside" ? 2 : 3
  const came = (await second.has(packetType.publish, messages)) && (await second.has(packetType.pubrel, 1))
  if (!came) wrong.push(`${messages} messages and a PUBREL are missed`)
  if (how === "beside") {
    if (!(await closed(first.client))) wrong.push("the old connection stays open")
    await say("queued", 1)
    await second.has(packetType.publish, 3)
  }
  await pause(quiet)
  const published = second.published
  expect("in flight", published.slice(0, 2), [`${topic}/one 1 ${one} DUP`, `${topic}/two 2 ${two} DUP`])
  expect(
    "queued",
    published.slice(2).map((text) => text.split(" ").slice(0, 2).join(" ")),
    [`${topic}/queued 1`],
  )
  expect(
    "PUBREL",
    second.of(packetType.pubrel).map(({ body }) => identifierOf(body)),
    [released],
  )

  // What it said and nobody released is not said twice.
  const listener = await Quiet.connect(to, `listens-${how}`)
  listener.client.acknowledges = true
  await listener.client.subscribe([`other/${how}`], 2, patience)
  second.send(publish(5, `other/${how}`, "half", { qos: 2, packetId: 77, dup: true }))
  if (!(await second.has(packetType.pubrec, 1))) wrong.push("no PUBREC comes for what is said again")
  second.send(acknowledge(5, packetType.pubrel, 77))
  if (!(await second.has(packetType.pubcomp, 1))) wrong.push("no PUBCOMP comes")
  await pause(quiet)
  expect("a message of QoS 2 that was said before", listener.published, [])

  // The subscription is there.
  await say("later", 1)
  if (!(await second.has(packetType.publish, 4))) wrong.push("its subscription is gone")
  for (const { client } of [first, second, other, listener]) client.wire.destroy()
  if (how === "killed") await from.start()
  return wrong
}

async function closed(client: Client): Promise<boolean> {
  await Promise.race([client.wire.closed, pause(patience)])
  return client.wire.isClosed
}
