// Rows of a broker whose metrics somebody reads each second, beside the same broker while nobody does: deliveries a second of its
// processor time, so what an answer costs is in it.

import { connectDeliveries, type Shape } from "../deliveries.ts"
import { compare, unsettled } from "../measure.ts"
import { type Peer, startPeer } from "../peers.ts"
import { ratios } from "../statistics.ts"
import type { CheckContext, CheckGroup } from "./group.ts"

/** Milliseconds from one answer to the next, and of a measurement. */
const interval = 1000

const shapes = {
  "QoS 0": { publishers: 10, subscribers: 1, qos: 0, bytes: 64, messages: 8000, window: 400 },
  "QoS 1": { publishers: 10, subscribers: 1, qos: 1, bytes: 64, messages: 4000, window: 400 },
} as const satisfies Record<string, Shape>

export const scraped: CheckGroup = {
  name: "scraped",
  help: "deliveries of the broker by its CPU while its metrics are read each second, beside the same broker without",
  seconds: { quick: 35, whole: 130 },
  nodeOnly: true,
  async run(context) {
    const broker = await startPeer({ kind: "puremq", store: "memory", pems: context.pems, metrics: true })
    try {
      const url = `http://127.0.0.1:${await broker.ask("metricsPort")}/metrics`
      for (const [name, shape] of Object.entries(shapes))
        if (!context.quick || name === "QoS 0") await row(context, broker, url, name, shape)
    } finally {
      broker.stop()
    }
  },
}

async function row(
  { pems, quick, tell }: CheckContext,
  broker: Peer,
  url: string,
  name: string,
  shape: Shape,
): Promise<void> {
  const measure = async () => {
    const load = await connectDeliveries({ port: broker.port, pems }, shape)
    try {
      await load.run()
      const [before, began] = [await broker.ask("busy"), performance.now()]
      let runs = 0
      for (; performance.now() - began < interval; runs++) await load.run()
      return (runs * shape.messages * shape.subscribers * 1000) / ((await broker.ask("busy")) - before)
    } finally {
      load.stop()
    }
  }
  const contestants = [
    { name: "nobody reads its metrics", measure },
    { name: "metrics are read each second", measure: () => whileRead(url, measure) },
  ]
  const title = `Broker, ${name}, 64 bytes, fan-in of 10, metrics read each second`
  const comparison = await compare(title, "deliveries/CPU s", quick ? 11 : 21, contestants, quick ? 3 : 6)
  const [without, read] = comparison.rows
  tell({
    name: `broker, ${name}, deliveries a CPU second while metrics are read each second, x without`,
    unit: "x",
    values: ratios(read!.samples, without!.samples),
    target: { least: 0.95 },
    ...unsettled(comparison),
  })
}

/** @throws Error when an answer is none */
async function whileRead<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  let wrong: string | undefined
  const read = () =>
    void fetch(url)
      .then(async (response) => {
        const text = await response.text()
        if (!text.includes("puremq_publish_received_total")) wrong = `status ${response.status}`
      })
      .catch((error: unknown) => {
        wrong = String(error)
      })
  // One falls into each measurement, whatever it takes to begin it.
  const timers = [setTimeout(read, interval / 2), setInterval(read, interval)]
  const result = await work().finally(() => timers.forEach(clearTimeout))
  if (wrong !== undefined) throw new Error(`metrics were not answered: ${wrong}`)
  return result
}
