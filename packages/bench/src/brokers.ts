// Brokers over TLS that are compared by their processor time: ours, aedes, and Mosquitto where it is installed.

import type { Pems } from "./contestants.ts"
import { connectDeliveries, type Shape } from "./deliveries.ts"
import { type Comparison, compare } from "./measure.ts"
import { startMosquitto } from "./mosquitto.ts"
import type { Qos } from "./mqtt.ts"
import { onOneProcessor } from "./one-processor.ts"
import { startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { connectionsUnderLoad, type Loadable, limitText } from "./server-load.ts"
import type { AbsentSubject } from "./tables.ts"

const chacha = "TLS_CHACHA20_POLY1305_SHA256"
const gcm = "TLS_AES_128_GCM_SHA256"

interface Broker extends Loadable {
  stop(): void
}

export interface Brokers {
  /** As it is started by default: long records are sealed by the host's crypto. */
  readonly ours: Broker
  /** With the provider `fast`: all of its cryptography is our own. */
  readonly own: Broker
  readonly aedes: Broker
  readonly mosquitto: Broker | undefined
  stop(): void
}

/** By bytes of a message: how many of them a run has, and how many are under way. */
const sizes = {
  64: { messages: 8000, window: 400 },
  1024: { messages: 4000, window: 200 },
  16384: { messages: 400, window: 16 },
} as const
type Size = keyof typeof sizes
export const allSizes: readonly Size[] = [64, 1024, 16_384]

/** `share`: of the messages of a run, as each goes to all subscribers. */
const directions = {
  "fan-in": { publishers: 10, subscribers: 1, share: 1 },
  "fan-out": { publishers: 1, subscribers: 50, share: 0.1 },
} as const
type Direction = keyof typeof directions

/** Of a publisher, at QoS 2: with more than 20 of them Mosquitto closes the connection. */
const mostInFlight = 10

export interface Deliveries {
  readonly bytes: Size
  readonly qos: Qos
  readonly direction: Direction
}

export interface BrokerPlan {
  readonly rounds: number
  readonly uncounted: number
  /** Milliseconds of the broker's processor time of one measurement, at least. */
  readonly slice: number
}

export interface DeliveryPlan extends BrokerPlan {
  /** As `slice`, of the rounds that do not count: in its first second of work a broker takes up to four times as long. */
  readonly warm: number
  /** Also with nothing of the host's crypto, where that makes a difference. */
  readonly own: boolean
}

export async function startBrokers(pems: Pems): Promise<Brokers> {
  const node = async (task: Parameters<typeof startPeer>[0]): Promise<Broker> => {
    const { port, pid, ask, stop } = await startPeer(task)
    onOneProcessor(pid)
    return { port, busy: () => ask("busy"), stop }
  }
  const started = await startMosquitto(pems)
  onOneProcessor(started?.pid)
  const brokers = {
    ours: await node({ kind: "puremq", store: "memory", pems }),
    own: await node({ kind: "puremq", store: "memory", pems, provider: "fast" }),
    aedes: await node({ kind: "aedes", pems }),
    mosquitto: started && { ...started, busy: async () => started.busy() },
  }
  const stop = () => {
    for (const each of Object.values(brokers)) each?.stop()
  }
  return { ...brokers, stop }
}

/** For what has no Mosquitto to be compared to. */
export function absentBrokers({ mosquitto }: Brokers): AbsentSubject[] {
  return mosquitto ? [] : [{ name: "mosquitto", why: "it is not installed, or does not start" }]
}

/** `QoS 0, 64 bytes, fan-in of 10` */
export function deliveriesText({ bytes, qos, direction }: Deliveries): string {
  const { publishers, subscribers } = directions[direction]
  return `QoS ${qos}, ${bytes} bytes, ${direction} of ${Math.max(publishers, subscribers)}`
}

export const ours = { chacha: "ours, ChaCha20-Poly1305", gcm: "ours, AES-128-GCM" } as const
/** Without the host's crypto. */
export const own = {
  chacha: "ours, nothing of the host, ChaCha20-Poly1305",
  gcm: "ours, nothing of the host, AES-128-GCM",
} as const

/** Records of shorter messages are the same with and without the host. */
export function hasOwnRows({ bytes }: Deliveries): boolean {
  return bytes >= 1024
}

/** Deliveries a second of the broker's processor time. */
export async function compareDeliveries(
  brokers: Brokers,
  pems: Pems,
  deliveries: Deliveries,
  { rounds, uncounted, slice, warm, own: alsoOwn }: DeliveryPlan,
): Promise<Comparison> {
  const { bytes, qos, direction } = deliveries
  const { publishers, subscribers, share } = directions[direction]
  // Each takes four packets at QoS 2.
  const messages = Math.max(20, Math.round((sizes[bytes].messages * share) / (qos === 2 ? 4 : 1)))
  const most = qos === 2 ? mostInFlight * publishers : Number.POSITIVE_INFINITY
  const window = Math.min(most, Math.max(4, Math.round(sizes[bytes].window * share)))
  const shape: Shape = { publishers, subscribers, qos, bytes, messages, window }
  const contestants = [
    [ours.chacha, brokers.ours, chacha],
    [ours.gcm, brokers.ours, gcm],
    ...(alsoOwn && hasOwnRows(deliveries)
      ? ([
          [own.chacha, brokers.own, chacha],
          [own.gcm, brokers.own, gcm],
        ] as const)
      : []),
    ["aedes, its default", brokers.aedes, undefined],
    ["aedes, AES-128-GCM", brokers.aedes, gcm],
    ...(brokers.mosquitto ? ([["mosquitto, its default", brokers.mosquitto, undefined]] as const) : []),
  ] as const
  const loads = contestants.map(([name, { port, busy }, suite]) => {
    // Its clients alone are connected while a contestant is measured: the two of a broker would share its topic.
    const measure = async (least: number) => {
      const load = await connectDeliveries({ port, pems, suite }, shape)
      try {
        await load.run()
        const before = await busy()
        let [runs, spent] = [0, 0]
        for (; spent < least; runs++) {
          await load.run()
          spent = (await busy()) - before
        }
        return (runs * messages * subscribers * 1000) / spent
      } finally {
        load.stop()
      }
    }
    return { name, measure: () => measure(slice), warm: () => measure(warm) }
  })
  const title = `Broker, ${deliveriesText(deliveries)}`
  const comparison = await compare(title, "deliveries/CPU s", rounds, loads, uncounted)
  return { ...comparison, absent: absentBrokers(brokers) }
}

/** Connections a second of the broker's processor time. */
export async function compareStorms(
  brokers: Brokers,
  pems: Pems,
  { rounds, uncounted, slice }: BrokerPlan,
): Promise<Comparison> {
  const load = { pems, resumed: false, mqtt: true, slice, atOnce: 4 }
  const contestants = [
    ["ours", brokers.ours, chacha],
    ["aedes", brokers.aedes, undefined],
    ...(brokers.mosquitto ? ([["mosquitto", brokers.mosquitto, undefined]] as const) : []),
  ] as const
  const running = []
  try {
    for (const [name, server, suite] of contestants) {
      running.push({ name, ...(await connectionsUnderLoad(server, { ...load, ...(suite && { suite }) })) })
    }
    const title = "Connect storm: handshake and CONNECT"
    const comparison = await compare(title, "connections/CPU s", rounds, running, uncounted)
    for (const { name, shares } of running) progress(limitText(name, shares()))
    return { ...comparison, absent: absentBrokers(brokers) }
  } finally {
    for (const { stop } of running) stop()
  }
}

/** All of it: the part `broker`. */
export async function compareAllBrokers(pems: Pems): Promise<readonly Comparison[]> {
  const brokers = await startBrokers(pems)
  try {
    const comparisons: Comparison[] = []
    const plan = { rounds: 7, uncounted: 4, slice: 80, warm: 400, own: true }
    for (const qos of [0, 1, 2] as const) {
      for (const direction of ["fan-in", "fan-out"] as const) {
        for (const bytes of allSizes) {
          comparisons.push(await compareDeliveries(brokers, pems, { bytes, qos, direction }, plan))
        }
      }
    }
    comparisons.push(await compareStorms(brokers, pems, { ...plan, slice: 500 }))
    return comparisons
  } finally {
    brokers.stop()
  }
}
