// The cells of MQTT peers: others' clients on our broker, and `puremq pub` and `puremq sub` on others' brokers.

import { files } from "./files.ts"
import { startBroker } from "./ours.ts"
import type { Run } from "./program.ts"
import type { Cell, Row } from "./table.ts"

export const mqttFeatures = ["QoS 0", "QoS 1", "QoS 2", "retained", "will", "client certificate"] as const
export type MqttFeature = (typeof mqttFeatures)[number]

export interface RunningBroker {
  readonly port: number
  /** Waits until it has answered a SUBSCRIBE, for clients that do not tell. */
  subscribed(): Promise<void>
}

/** Starts a broker with our certificate; `withCertificate`: clients must show one of our authority. */
export type MqttBroker = (run: Run, options: { readonly withCertificate: boolean }) => Promise<RunningBroker>

export interface Subscribe {
  readonly topic: string
  readonly qos: 0 | 1 | 2
  /** How many messages it waits for. */
  readonly count: number
  readonly withCertificate: boolean
}

export interface Publish {
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly payload: string
  readonly retain?: boolean
  readonly withCertificate: boolean
}

export interface Message {
  readonly topic: string
  readonly payload: string
  /** undefined: the client does not tell. */
  readonly qos?: number
  readonly retain?: boolean
}

export interface MqttClient {
  /** Resolves once it is subscribed; what it gives resolves once all messages have come. */
  subscribe(run: Run, broker: RunningBroker, options: Subscribe): Promise<() => Promise<readonly Message[]>>
  /** Resolves once the message is acknowledged. @throws when it could not connect */
  publish(run: Run, broker: RunningBroker, options: Publish): Promise<void>
  /** Connects with a will, and goes without a DISCONNECT. */
  dieWithWill?(
    run: Run,
    broker: RunningBroker,
    will: { readonly topic: string; readonly payload: string },
  ): Promise<void>
}

export interface MqttPeer {
  readonly name: string
  readonly version: () => Promise<string>
  readonly broker: MqttBroker
  readonly client: MqttClient
  readonly not?: Partial<Readonly<Record<MqttFeature, string>>>
}

/** `puremq start`. */
export const ourBroker: MqttBroker = async (run, { withCertificate }) => {
  const args = withCertificate ? ["--ca", files.ca, "--client-cert", "require"] : []
  const { ports } = await startBroker(run, ["tls"], args)
  return { port: ports["tls"]!, subscribed: async () => undefined }
}

export function mqttRow(peer: MqttPeer): Row {
  const { client, broker } = peer
  const plans: Readonly<Record<MqttFeature, (run: Run) => Promise<void>>> = {
    "QoS 0": (run) => delivers(run, peer, 0, false),
    "QoS 1": (run) => delivers(run, peer, 1, false),
    "QoS 2": (run) => delivers(run, peer, 2, false),
    async retained(run) {
      const running = await broker(run, { withCertificate: false })
      const topic = "interop/retained"
      const common = { topic, qos: 1, withCertificate: false } as const
      await client.publish(run, running, { ...common, payload: "kept", retain: true })
      const messages = await (await client.subscribe(run, running, { ...common, count: 1 }))()
      expectMessages(messages, [{ topic, payload: "kept", qos: 1, retain: true }])
    },
    async will(run) {
      const running = await broker(run, { withCertificate: false })
      const topic = "interop/will"
      const received = await client.subscribe(run, running, { topic, qos: 1, count: 1, withCertificate: false })
      await client.dieWithWill!(run, running, { topic, payload: "gone" })
      expectMessages(await received(), [{ topic, payload: "gone", qos: 1, retain: false }])
    },
    async "client certificate"(run) {
      await delivers(run, peer, 1, true)
      // The same broker kind takes nobody without one.
      const running = await broker(run, { withCertificate: true })
      const attempt = client.publish(run, running, { topic: "a", qos: 1, payload: "x", withCertificate: false })
      const refused = await attempt.then(
        () => false,
        () => true,
      )
      if (!refused) throw new Error("a client without a certificate was let in")
    },
  }
  const cell = (feature: MqttFeature): Cell => {
    const not = peer.not?.[feature]
    return not === undefined ? plans[feature] : { not }
  }
  return {
    name: peer.name,
    version: peer.version,
    cells: Object.fromEntries(mqttFeatures.map((feature) => [feature, cell(feature)])),
  }
}

async function delivers(
  run: Run,
  { client, broker }: MqttPeer,
  qos: 0 | 1 | 2,
  withCertificate: boolean,
): Promise<void> {
  const running = await broker(run, { withCertificate })
  const topic = `interop/qos${qos}`
  const received = await client.subscribe(run, running, { topic, qos, count: 2, withCertificate })
  for (const payload of ["first message", "second message"]) {
    await client.publish(run, running, { topic, qos, payload, withCertificate })
  }
  expectMessages(
    await received(),
    ["first message", "second message"].map((payload) => ({ topic, payload, qos, retain: false })),
  )
}

function expectMessages(got: readonly Message[], wanted: readonly Required<Message>[]): void {
  const told = got.map((message, i) => ({ ...wanted[i], ...message }))
  if (JSON.stringify(told.map(sorted)) === JSON.stringify(wanted.map(sorted))) return
  throw new Error(`expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`)
}

function sorted({ topic, payload, qos, retain }: Message): readonly unknown[] {
  return [topic, payload, qos, retain]
}
