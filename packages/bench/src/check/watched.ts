// Rows of a broker that somebody watches, beside the same broker while nobody does: its metrics are read each second, and beside
// that its dashboard is open. Deliveries a second of its processor time, so what the answers cost is in them.

import { randomBytes } from "node:crypto"
import { connectDeliveries, type Shape } from "../deliveries.ts"
import { compare, unsettled } from "../measure.ts"
import { type Peer, startPeer } from "../peers.ts"
import { ratios } from "../statistics.ts"
import type { CheckContext, CheckGroup } from "./group.ts"

/** Milliseconds from one read of the metrics to the next. */
const readEach = 1000
/** Milliseconds from one look of the page to the next, and of a measurement. */
const lookEach = 2000

const shapes = {
  "QoS 0": { publishers: 10, subscribers: 1, qos: 0, bytes: 64, messages: 8000, window: 400 },
  "QoS 1": { publishers: 10, subscribers: 1, qos: 1, bytes: 64, messages: 4000, window: 400 },
} as const satisfies Record<string, Shape>

/** What the page asks for at each look. */
const looks = ["/api/v1/broker", "/api/v1/metrics"]

export const watched: CheckGroup = {
  name: "watched",
  help: "deliveries of the broker by its CPU while its metrics are read each second, and while its dashboard is open beside that; beside the same broker without",
  seconds: { quick: 45, whole: 330 },
  nodeOnly: true,
  async run(context) {
    const watchedBy = randomBytes(24).toString("base64url")
    const broker = await startPeer({ kind: "puremq", store: "memory", pems: context.pems, watchedBy })
    try {
      const ports = await broker.ask("watched")
      const watchers = {
        metrics: `http://127.0.0.1:${ports.metrics}/metrics`,
        admin: `http://127.0.0.1:${ports.admin}`,
        headers: { authorization: `Bearer ${watchedBy}` },
      }
      for (const [name, shape] of Object.entries(shapes))
        if (!context.quick || name === "QoS 0") await rows(context, broker, watchers, name, shape)
    } finally {
      broker.stop()
    }
  },
}

interface Watchers {
  readonly metrics: string
  readonly admin: string
  readonly headers: Readonly<Record<string, string>>
}

async function rows(
  { pems, quick, tell }: CheckContext,
  broker: Peer,
  watchers: Watchers,
  name: string,
  shape: Shape,
): Promise<void> {
  const measure = async () => {
    const load = await connectDeliveries({ port: broker.port, pems }, shape)
    try {
      await load.run()
      const [before, began] = [await broker.ask("busy"), performance.now()]
      let runs = 0
      for (; performance.now() - began < lookEach; runs++) await load.run()
      return (runs * shape.messages * shape.subscribers * 1000) / ((await broker.ask("busy")) - before)
    } finally {
      load.stop()
    }
  }
  const read = "metrics are read each second"
  const open = "its dashboard is open and its metrics are read each second"
  const contestants = [
    { name: "nobody watches it", measure },
    { name: read, measure: () => whileRead(watchers, measure) },
    { name: open, measure: () => whileOpen(watchers, () => whileRead(watchers, measure)) },
  ]
  const title = `Broker, ${name}, 64 bytes, fan-in of 10, watched`
  const comparison = await compare(title, "deliveries/CPU s", quick ? 5 : 21, contestants, quick ? 1 : 4)
  const [without, ...others] = comparison.rows
  for (const [at, what] of [read, open].entries())
    tell({
      name: `broker, ${name}, deliveries a CPU second while ${what}, x without`,
      unit: "x",
      values: ratios(others[at]!.samples, without!.samples),
      target: { least: 0.95 },
      ...unsettled(comparison),
    })
}

/** @throws Error when an answer is none */
function whileRead<Result>({ metrics }: Watchers, work: () => Promise<Result>): Promise<Result> {
  return meanwhile(
    readEach,
    async () => {
      const response = await fetch(metrics)
      if (!(await response.text()).includes("puremq_publish_received_total"))
        throw new Error(`status ${response.status}`)
    },
    work,
  )
}

/** The page's requests, and its stream of events. @throws Error when an answer is none */
async function whileOpen<Result>({ admin, headers }: Watchers, work: () => Promise<Result>): Promise<Result> {
  const closing = new AbortController()
  const events = await fetch(`${admin}/api/v1/events`, { headers, signal: closing.signal })
  if (!events.ok) throw new Error(`events were not answered: status ${events.status}`)
  const reading = events.body!.pipeTo(new WritableStream(), { signal: closing.signal }).catch(() => undefined)
  const look = async () => {
    const answers = await Promise.all(looks.map((path) => fetch(`${admin}${path}`, { headers })))
    for (const answer of answers) {
      await answer.text()
      if (!answer.ok) throw new Error(`status ${answer.status}`)
    }
  }
  try {
    return await meanwhile(lookEach, look, work)
  } finally {
    closing.abort()
    await reading
  }
}

/** `ask` again and again while `work` runs: once in each measurement at least, whatever it takes to begin it. */
async function meanwhile<Result>(each: number, ask: () => Promise<void>, work: () => Promise<Result>): Promise<Result> {
  let wrong: unknown
  const attempt = () =>
    void ask().catch((error: unknown) => {
      wrong = error
    })
  const timers = [setTimeout(attempt, each / 2), setInterval(attempt, each)]
  const result = await work().finally(() => timers.forEach(clearTimeout))
  if (wrong !== undefined) throw new Error("a watcher was not answered", { cause: wrong })
  return result
}
