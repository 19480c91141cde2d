// Rows of the broker over TLS, by the broker's processor time: deliveries and connections a second of it.

import type { Pems } from "../contestants.ts"
import { connectDeliveries, type Shape } from "../deliveries.ts"
import { type Comparison, compare, unsettled } from "../measure.ts"
import { startMosquitto } from "../mosquitto.ts"
import { startPeer } from "../peers.ts"
import { progress } from "../progress.ts"
import { connectionsUnderLoad, type Loadable, limitText } from "../server-load.ts"
import { ratios } from "../statistics.ts"
import type { CheckContext, CheckGroup } from "./group.ts"
import type { Target } from "./row.ts"

const chacha = "TLS_CHACHA20_POLY1305_SHA256"
const gcm = "TLS_AES_128_GCM_SHA256"

interface Broker extends Loadable {
  stop(): void
}

interface Brokers {
  readonly ours: Broker
  readonly aedes: Broker
  readonly mosquitto: Broker | undefined
}

/** By bytes of a message; what is wanted of ours beside each of the others. */
const sizes = [
  { bytes: 64, messages: 8000, window: 400, aedes: 3, aedesGcm: 2.5, mosquitto: 2.5 },
  { bytes: 1024, messages: 4000, window: 200, aedes: 2, aedesGcm: 1, mosquitto: 1 },
  { bytes: 16_384, messages: 400, window: 16, aedes: 1.2, aedesGcm: 0.4, mosquitto: 0.5 },
] as const
type Size = (typeof sizes)[number]

const directions = {
  "fan-in": { publishers: 10, subscribers: 1, share: 1 },
  "fan-out": { publishers: 1, subscribers: 50, share: 0.1 },
} as const
type Direction = keyof typeof directions

export const broker: CheckGroup = {
  name: "broker",
  help: "deliveries and connections of the broker over TLS by its CPU, beside aedes and Mosquitto",
  seconds: { quick: 60, whole: 420 },
  nodeOnly: true,
  async run(context) {
    const brokers = await startBrokers(context.pems)
    try {
      for (const size of sizes) {
        for (const qos of context.quick ? ([0] as const) : ([0, 1] as const)) {
          for (const direction of ["fan-in", "fan-out"] as const) {
            if (context.quick && size.bytes !== 64 && direction === "fan-out") continue
            await deliveries(context, brokers, size, qos, direction)
          }
        }
      }
      await storms(context, brokers)
    } finally {
      for (const each of Object.values(brokers)) each?.stop()
    }
  },
}

async function startBrokers(pems: Pems): Promise<Brokers> {
  const node = async (task: Parameters<typeof startPeer>[0]): Promise<Broker> => {
    const { port, ask, stop } = await startPeer(task)
    return { port, busy: () => ask("busy"), stop }
  }
  const mosquitto = await startMosquitto(pems)
  return {
    ours: await node({ kind: "puremq", store: "memory", pems }),
    aedes: await node({ kind: "aedes", pems }),
    mosquitto: mosquitto && { ...mosquitto, busy: async () => mosquitto.busy() },
  }
}

async function deliveries(
  context: CheckContext,
  brokers: Brokers,
  size: Size,
  qos: 0 | 1,
  direction: Direction,
): Promise<void> {
  const { publishers, subscribers, share } = directions[direction]
  const messages = Math.max(20, Math.round(size.messages * share))
  const window = Math.max(4, Math.round(size.window * share))
  const shape: Shape = { publishers, subscribers, qos, bytes: size.bytes, messages, window }
  const contestants = [
    ["ours, ChaCha20-Poly1305", brokers.ours, chacha],
    ["ours, AES-128-GCM", brokers.ours, gcm],
    ["aedes, its default", brokers.aedes, undefined],
    ["aedes, AES-128-GCM", brokers.aedes, gcm],
    ...(brokers.mosquitto ? ([["mosquitto, its default", brokers.mosquitto, undefined]] as const) : []),
  ] as const
  const slice = context.quick ? 60 : 150
  const loads = []
  const what = `QoS ${qos}, ${size.bytes} bytes, ${direction} of ${Math.max(publishers, subscribers)}`
  for (const [name, server, suite] of contestants) {
    const { port, busy } = server
    // Its clients alone are connected while a contestant is measured: the two of a broker would share its topic.
    const measure = async () => {
      const load = await connectDeliveries({ port, pems: context.pems, suite }, shape)
      try {
        await load.run()
        const before = await busy()
        let [runs, spent] = [0, 0]
        for (; spent < slice; runs++) {
          await load.run()
          spent = (await busy()) - before
        }
        return (runs * messages * subscribers * 1000) / spent
      } finally {
        load.stop()
      }
    }
    loads.push({ name, measure })
  }
  const rounds = context.quick ? 5 : 9
  const comparison = await compare(`Broker, ${what}`, "deliveries/CPU s", rounds, loads, context.quick ? 3 : 6)
  const row = (target: Target, ours: string, theirs: string) =>
    context.tell({
      name: `broker, ${what}, deliveries a CPU second: ${ours} x ${theirs}`,
      unit: "x",
      values: ratios(samplesOf(comparison, ours), samplesOf(comparison, theirs)),
      target,
      ...unsettled(comparison),
    })
  row({ least: size.aedes }, "ours, ChaCha20-Poly1305", "aedes, its default")
  row({ least: size.aedesGcm }, "ours, AES-128-GCM", "aedes, AES-128-GCM")
  if (brokers.mosquitto) row({ least: size.mosquitto }, "ours, ChaCha20-Poly1305", "mosquitto, its default")
  else context.tell({ name: `broker, ${what}, x mosquitto`, skipped: "mosquitto is not installed, or does not start" })
}

async function storms(context: CheckContext, brokers: Brokers): Promise<void> {
  const load = { pems: context.pems, resumed: false, mqtt: true, slice: context.quick ? 400 : 700, atOnce: 4 }
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
    const rounds = context.quick ? 5 : 11
    const comparison = await compare("Connect storm: handshake and CONNECT", "connections/CPU s", rounds, running, 8)
    for (const { name, shares } of running) progress(limitText(name, shares()))
    const row = (theirs: string, target: Target) =>
      context.tell({
        name: `broker, connect storm, connections a CPU second, x ${theirs}`,
        unit: "x",
        values: ratios(samplesOf(comparison, "ours"), samplesOf(comparison, theirs)),
        target,
        ...unsettled(comparison),
      })
    row("aedes", { least: 1.2 })
    if (brokers.mosquitto) row("mosquitto", undefined)
  } finally {
    for (const { stop } of running) stop()
  }
}

function samplesOf({ rows }: Comparison, name: string): readonly number[] {
  return rows.find((row) => row.name === name)!.samples
}
