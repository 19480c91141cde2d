// The columns of MQTT: what each does with a client and a broker, and what must come of it. All cells of a row share a
// broker, so that every topic and Client Identifier is the cell's own. That nothing more came is shown by a last message.

import {
  brokerLimits,
  type Connect,
  type Message,
  type MqttBroker,
  type MqttClient,
  type Publish,
  type Qos,
  type RunningBroker,
  type Subscribe,
  type Subscriber,
} from "./mqtt-client.ts"
import type { Run } from "./program.ts"

/** What a broker can show with any client. */
export const basicFeatures = ["QoS 0", "QoS 1", "QoS 2", "retained", "will", "client certificate"] as const

export const mqttFeatures = [
  "QoS 0",
  "QoS 1",
  "QoS 2",
  "kept session, QoS 0",
  "kept session, QoS 1",
  "kept session, QoS 2",
  "session discarded",
  "session expired",
  "message expired",
  "shared subscription",
  "retained",
  "will",
  "will delay",
  "topic alias",
  "Receive Maximum",
  "packet size",
  "client certificate",
] as const
export type MqttFeature = (typeof mqttFeatures)[number]

/** What MQTT 3.1.1 has no word for. */
export const only5: readonly MqttFeature[] = [
  "session expired",
  "message expired",
  "will delay",
  "topic alias",
  "Receive Maximum",
]

export interface Setting {
  readonly mqtt: "5.0" | "3.1.1"
  readonly client: MqttClient
  /** The broker of the row. */
  readonly broker: RunningBroker
  /** For a cell that needs another. */
  readonly newBroker: MqttBroker
}

const levels = [0, 1, 2] as const
const last = "the last one"

/** A cell: a client on a broker, with names that no other cell has. */
class Scene {
  readonly mqtt: Setting["mqtt"]
  readonly client: MqttClient
  readonly #run: Run
  readonly #name: string
  #broker: RunningBroker
  #clients = 0

  constructor(run: Run, { mqtt, client, broker }: Setting, feature: MqttFeature) {
    this.#run = run
    this.client = client
    this.#broker = broker
    this.#name = feature.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")
    this.mqtt = mqtt
  }

  useBroker(broker: RunningBroker): void {
    this.#broker = broker
  }

  topic(rest = "topic"): string {
    return `interop/${this.#name}/${rest}`
  }

  id(name = `client-${++this.#clients}`): string {
    return `${this.#name}-${name}`
  }

  subscribe(options: Partial<Subscribe>): Promise<Subscriber> {
    return this.client.subscribe(this.#run, this.#broker, { id: this.id(), qos: 2, ...options })
  }

  /** To the cell's topic, at QoS 1, where nothing else is said. */
  publish(payloads: string | readonly string[], options: Partial<Publish> = {}): Promise<void> {
    return this.client.publish(this.#run, this.#broker, {
      ...{ id: this.id(), topic: this.topic(), qos: 1, ...options },
      payloads: typeof payloads === "string" ? [payloads] : payloads,
    })
  }
}

type Wanted = Partial<Message>

/** Sends the last message, and compares all that came to one who has `topic`. */
async function nothingMore(scene: Scene, subscriber: Subscriber, wanted: readonly Wanted[], topic = scene.topic()) {
  await scene.publish(last, { topic, qos: 1 })
  expectMessages(await subscriber.messages(wanted.length + 1), [...wanted, { payload: last, qos: 1 }])
  await subscriber.leave()
}

/** What a client does not tell is left out of the comparison. */
function expectMessages(got: readonly Message[], wanted: readonly Wanted[]): void {
  const agrees = ({ qos, retain, ...message }: Message, want: Wanted) =>
    message.payload === want.payload &&
    (want.topic === undefined || message.topic === want.topic) &&
    (want.qos === undefined || qos === undefined || qos === want.qos) &&
    (want.retain === undefined || retain === undefined || retain === want.retain)
  if (got.length === wanted.length && got.every((message, i) => agrees(message, wanted[i]!))) return
  throw new Error(`expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`)
}

function expect(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem)
}

function byTopic(messages: readonly Message[]): readonly Message[] {
  return messages.toSorted((a, b) => (a.topic < b.topic ? -1 : 1))
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000))
}

/* ------------------------------------------------------------ messages */

async function delivers(scene: Scene, qos: Qos, options: Partial<Connect> = {}): Promise<void> {
  const topic = scene.topic()
  const subscriber = await scene.subscribe({ filter: topic, qos, ...options })
  for (const payload of ["first message", "second message"]) await scene.publish(payload, { qos, ...options })
  const wanted = ["first message", "second message"].map((payload) => ({ topic, payload, qos, retain: false }))
  expectMessages(await subscriber.messages(2), wanted)
  await subscriber.leave()
}

/** At each QoS: three that are there at SUBSCRIBE, told as retained, and as nothing special while subscribed. */
async function retained(scene: Scene): Promise<void> {
  const topicOf = (qos: Qos) => scene.topic(`of-qos-${qos}`)
  const publish = (qos: Qos, payload: string) => scene.publish(payload, { topic: topicOf(qos), qos, retain: true })
  await Promise.all(levels.map((qos) => publish(qos, `kept at ${qos}`)))
  const subscriber = await scene.subscribe({ filter: scene.topic("#") })
  const there = levels.map((qos) => ({ topic: topicOf(qos), payload: `kept at ${qos}`, qos, retain: true }))
  expectMessages(byTopic(await subscriber.messages(3)), there)
  await publish(1, "newer")
  expectMessages((await subscriber.messages(4)).slice(3), [{ topic: topicOf(1), payload: "newer", retain: false }])
  await subscriber.leave()
  await Promise.all(levels.map((qos) => publish(qos, "")))
  await nothingMore(scene, await scene.subscribe({ filter: scene.topic("#") }), [], topicOf(0))
}

/** With two members every message goes to one of them. */
async function shared(scene: Scene): Promise<void> {
  const filter = `$share/members/${scene.topic()}`
  const members = [await scene.subscribe({ filter }), await scene.subscribe({ filter })]
  const payloads = levels.flatMap((qos) => [1, 2, 3, 4].map((n) => `message ${n} at ${qos}`))
  for (const qos of levels) {
    await scene.publish(
      payloads.filter((payload) => payload.endsWith(`at ${qos}`)),
      { qos },
    )
  }
  let got: (readonly Message[])[] = []
  do {
    await seconds(0.05)
    got = await Promise.all(members.map((member) => member.messages(0)))
  } while (got.flat().length < payloads.length)
  // A doubled one would be on its way by now: the answer to DISCONNECT is the end of the connection.
  await Promise.all(members.map((member) => member.leave()))
  got = await Promise.all(members.map((member) => member.messages(0)))
  const all = got.flat().map(({ payload }) => payload)
  expect(all.toSorted().join() === payloads.toSorted().join(), `${payloads.length} were sent, got ${all.join()}`)
  expect(
    got.every(({ length }) => length > 0),
    "one member has all of them",
  )
}

/** Short and long, sent to a session that is away for longer than the short one lives. */
async function messageExpired(scene: Scene): Promise<void> {
  const id = scene.id("away")
  const first = await scene.subscribe({ id, filter: scene.topic(), resume: true, expiry: 60 })
  await first.leave()
  await scene.publish("short", { messageExpiry: 1 })
  await scene.publish("long", { messageExpiry: 100 })
  await seconds(2.1)
  const again = await scene.subscribe({ id, resume: true, expiry: 60 })
  const [message] = await again.messages(1)
  const { expiry = 98 } = message ?? {}
  expect(expiry > 0 && expiry <= 98, `Message Expiry Interval 100 is ${expiry} after 2 s`)
  await nothingMore(scene, again, [{ payload: "long", qos: 1 }])
}

/* ------------------------------------------------------------ sessions */

/** What was subscribed is still so after a time away, and what came meanwhile is there, but for QoS 0. */
async function keptSession(scene: Scene, qos: Qos): Promise<void> {
  const id = scene.id("away")
  const topic = scene.topic()
  const first = await scene.subscribe({ id, filter: topic, qos, resume: true, expiry: 60 })
  expect(first.sessionPresent !== true, "a session is present that nobody has begun")
  await scene.publish("before", { qos })
  expectMessages(await first.messages(1), [{ topic, payload: "before", qos }])
  await first.leave()
  const meanwhile = qos === 0 ? [] : ["meanwhile 1", "meanwhile 2"]
  if (qos > 0) await scene.publish(meanwhile, { qos })
  const again = await scene.subscribe({ id, resume: true, expiry: 60 })
  expect(again.sessionPresent !== false, "the session is not present")
  await scene.publish("after", { qos })
  const payloads = [...meanwhile, "after"]
  const got = await again.messages(payloads.length)
  expectMessages(
    got,
    payloads.map((payload) => ({ topic, payload, qos, retain: false })),
  )
  await again.leave()
}

/** Clean Start, or Clean Session, ends a session that is there. */
async function sessionDiscarded(scene: Scene): Promise<void> {
  const id = scene.id("away")
  const first = await scene.subscribe({ id, filter: scene.topic("old"), resume: true, expiry: 60 })
  await first.leave()
  await scene.publish("lost", { topic: scene.topic("old") })
  const again = await scene.subscribe({ id, filter: scene.topic() })
  expect(again.sessionPresent !== true, "the session is present")
  await scene.publish("lost too", { topic: scene.topic("old") })
  await nothingMore(scene, again, [])
}

async function sessionExpired(scene: Scene): Promise<void> {
  const id = scene.id("away")
  const first = await scene.subscribe({ id, filter: scene.topic("old"), resume: true, expiry: 1 })
  await first.leave()
  await scene.publish("lost", { topic: scene.topic("old") })
  await seconds(2.1)
  const again = await scene.subscribe({ id, filter: scene.topic(), resume: true, expiry: 60 })
  expect(again.sessionPresent !== true, "the session is present")
  await scene.publish("lost too", { topic: scene.topic("old") })
  await nothingMore(scene, again, [])
}

/* ------------------------------------------------------------ wills */

/** Of those who vanish, at each QoS, and not of one who leaves, unless it wants so. */
async function will(scene: Scene): Promise<void> {
  const topic = scene.topic()
  const subscriber = await scene.subscribe({ filter: topic })
  const wanted: Wanted[] = []
  for (const qos of levels) {
    const payload = `gone at ${qos}`
    await (await scene.subscribe({ will: { topic, payload, qos } })).vanish()
    wanted.push({ topic, payload, qos, retain: false })
    await subscriber.messages(wanted.length)
  }
  await (await scene.subscribe({ will: { topic, payload: "left", qos: 1 } })).leave()
  if (scene.client.leavesWithWill) wanted.push({ topic, payload: "left", qos: 1 })
  await nothingMore(scene, subscriber, wanted)
}

/** Not before its delay, at once when the session ends, and never when its client has come back. */
async function willDelay(scene: Scene): Promise<void> {
  const topic = scene.topic()
  const subscriber = await scene.subscribe({ filter: topic })
  const willOf = (payload: string, delay: number) => ({ topic, payload, qos: 1, delay }) as const
  const late = await scene.subscribe({ resume: true, expiry: 60, will: willOf("late", 1) })
  const begun = performance.now()
  await late.vanish()
  await subscriber.messages(1)
  const waited = performance.now() - begun
  expect(waited > 950, `a will with a delay of 1 s came after ${Math.round(waited)} ms`)
  await (await scene.subscribe({ will: willOf("its session has ended", 600) })).vanish()
  await subscriber.messages(2)
  // If it was still there, it would come at the latest when this session ends, which is at its DISCONNECT.
  const id = scene.id("back")
  await (await scene.subscribe({ id, resume: true, expiry: 60, will: willOf("of one who is back", 600) })).vanish()
  await (await scene.subscribe({ id, resume: true })).leave()
  await nothingMore(scene, subscriber, [
    { topic, payload: "late", qos: 1 },
    { topic, payload: "its session has ended", qos: 1 },
  ])
}

/* ------------------------------------------------------------ limits */

/** Both ways: the publisher names the topic once, and so does the broker. */
async function topicAlias(scene: Scene): Promise<void> {
  const topic = scene.topic()
  const { resolvesAliases = levels } = scene.client
  const plain = await scene.subscribe({ filter: topic })
  const aliasing =
    resolvesAliases.length > 0 ? await scene.subscribe({ filter: topic, topicAliasMaximum: 5 }) : undefined
  const wanted: (Wanted & { readonly qos: Qos })[] = []
  for (const qos of levels) {
    const payloads = [1, 2, 3].map((n) => `message ${n} at ${qos}`)
    await scene.publish(payloads, { qos, alias: true })
    wanted.push(...payloads.map((payload) => ({ topic, payload, qos })))
    // MQTT orders messages of one QoS only (section 4.6).
    await plain.messages(wanted.length)
    await aliasing?.messages(wanted.length)
  }
  await nothingMore(scene, plain, wanted)
  if (aliasing === undefined) return
  const got = (await aliasing.messages(wanted.length + 1)).slice(0, -1)
  const again = got.slice(1).filter(({ aliased }) => aliased === false)
  expect(again.length === 0, `a topic came again: ${JSON.stringify(again)}`)
  const resolved = wanted.map(({ topic: _, ...rest }) =>
    resolvesAliases.includes(rest.qos) ? { topic, ...rest } : rest,
  )
  expectMessages(got, resolved)
  await aliasing.leave()
}

/** The broker keeps to the subscriber's, whom QoS 0 passes; the publisher to the broker's. */
async function receiveMaximum(scene: Scene): Promise<void> {
  const topic = scene.topic()
  const { holds = false } = scene.client
  const subscriber = await scene.subscribe({ filter: topic, receiveMaximum: 2, hold: holds })
  const many = Array.from({ length: 5 * brokerLimits.receiveMaximum }, (_, n) => `message ${n}`)
  await scene.publish(many, { qos: 1 })
  if (holds) {
    await scene.publish("meanwhile", { qos: 0 })
    const held = ["message 0", "message 1", "meanwhile"].map((payload) => ({ topic, payload }))
    expectMessages(await subscriber.messages(3), held)
    subscriber.acknowledge()
  }
  const came = many.map((payload) => ({ topic, payload, qos: 1 }))
  const wanted = holds ? came.toSpliced(2, 0, { topic, payload: "meanwhile", qos: 0 }) : came
  await subscriber.messages(wanted.length)
  await scene.publish(many, { qos: 2, topic: scene.topic("of-qos-2") })
  await nothingMore(scene, subscriber, wanted)
}

/** What is larger than the subscriber takes is left out; what is larger than the broker takes is refused. */
async function packetSize(scene: Scene): Promise<void> {
  const topic = scene.topic()
  const [small, large, tooLarge] = [100, 1000, brokerLimits.maximumPacketSize].map((length) => "x".repeat(length))
  const subscriber = await scene.subscribe({ filter: topic, maximumPacketSize: 300 })
  for (const payload of [small!, large!, small!]) await scene.publish(payload)
  const refused = await scene.publish(tooLarge!).then(
    () => false,
    () => true,
  )
  expect(
    refused || scene.client.keepsLargeQuiet === true,
    `a packet of more than ${brokerLimits.maximumPacketSize} bytes was taken`,
  )
  const arrived = scene.mqtt === "5.0" ? [small!, small!] : [small!, large!, small!]
  await nothingMore(
    scene,
    subscriber,
    arrived.map((payload) => ({ topic, payload, qos: 1 })),
  )
}

/* ------------------------------------------------------------ */

const plans: Readonly<Record<MqttFeature, (scene: Scene) => Promise<void>>> = {
  "QoS 0": (scene) => delivers(scene, 0),
  "QoS 1": (scene) => delivers(scene, 1),
  "QoS 2": (scene) => delivers(scene, 2),
  "kept session, QoS 0": (scene) => keptSession(scene, 0),
  "kept session, QoS 1": (scene) => keptSession(scene, 1),
  "kept session, QoS 2": (scene) => keptSession(scene, 2),
  "session discarded": sessionDiscarded,
  "session expired": sessionExpired,
  "message expired": messageExpired,
  "shared subscription": shared,
  retained,
  will,
  "will delay": willDelay,
  "topic alias": topicAlias,
  "Receive Maximum": receiveMaximum,
  "packet size": packetSize,
  async "client certificate"(scene) {
    await delivers(scene, 1, { withCertificate: true })
    // The same broker takes nobody without one.
    const refused = await scene.publish("x").then(
      () => false,
      () => true,
    )
    expect(refused, "a client without a certificate was let in")
  },
}

/** @throws Error what went wrong */
export async function play(run: Run, feature: MqttFeature, setting: Setting): Promise<void> {
  const scene = new Scene(run, setting, feature)
  if (feature === "client certificate") scene.useBroker(await setting.newBroker(run, { withCertificate: true }))
  await plans[feature](scene)
}
