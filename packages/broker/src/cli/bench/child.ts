// A process that `puremq bench` starts: a client that makes its share of the load, or a broker to measure. What it is comes as its
// first message.

import {
  beChild,
  CommandError,
  cpuBetween,
  LoadMaker,
  nextMessage,
  now,
  sharedNow,
  tellParent,
} from "@puremq/tls13/bench"
import { ConfigError } from "../../config/config.ts"
import { ClientError } from "../client/errors.ts"
import { Connector } from "./connector.ts"
import { MessageLoad } from "./message-load.ts"
import type { ClientTask, Order, Task, Told } from "./messages.ts"
import { startOwnBroker } from "./own-broker.ts"
import { type Plan, readBenchArguments, readPlan, type Scenario } from "./plan.ts"
import { StormEngine } from "./storm.ts"

type Finish = Extract<Order, { readonly order: "finish" }>

/** Milliseconds between two messages that tell how far it is. */
const tellEvery = 200

const tell = (told: Told): void => tellParent(told)

/** Resolves when it has told all; the process ends with the one that started it. */
export function beBenchChild(): Promise<void> {
  return beChild<Task>("puremq bench", async (task) => {
    try {
      if (task.role === "broker") tell({ told: "listening", port: await startOwnBroker(task) })
      else await beClient(task)
    } catch (error) {
      const isKnown = error instanceof ClientError || error instanceof ConfigError
      throw isKnown ? new CommandError(error.message) : error
    }
  })
}

async function beClient(task: ClientTask): Promise<void> {
  const read = readBenchArguments(task.args)
  const plan = readPlan(read)
  const connector = await Connector.of(read, task)
  // What is wrong for all of them is found out by one.
  const look = task.worker === 0 ? await connector.look(plan.timeout) : undefined
  const tellReady = () => tell({ told: "ready", look })
  await (task.scenario === undefined
    ? makeStorm(task, plan, connector, tellReady)
    : makeMessages(task, task.scenario, plan, connector, tellReady))
}

/** When the load begins, on the clock of this process; undefined: never. */
async function started(): Promise<number | undefined> {
  const order = await nextMessage<Order>()
  if (order.order === "start") return order.t0 - sharedNow() + now()
  process.disconnect()
  return undefined
}

async function makeStorm(task: ClientTask, plan: Plan, connector: Connector, tellReady: () => void): Promise<void> {
  const { load } = plan
  const { worker, sources } = task
  tellReady()
  const t0 = await started()
  if (t0 === undefined) return
  const maker = new LoadMaker(new StormEngine(connector, plan.timeout, worker), { load, worker, t0, sources })
  process.on("message", (later: Order) => {
    if (later.order === "stop") maker.stop()
  })
  const cpu = measuredCpu(plan, t0)
  const tellSamples = () => {
    const rows = maker.samples.take()
    if (rows.length > 0) tell({ told: "samples", rows, reasons: maker.reasons })
  }
  const timer = setInterval(tellSamples, tellEvery)
  await maker.run()
  clearInterval(timer)
  tellSamples()
  tell({ told: "connections", sums: maker.sums, cpu: cpu() })
}

async function makeMessages(
  task: ClientTask,
  scenario: NonNullable<Scenario>,
  plan: Plan,
  connector: Connector,
  tellReady: () => void,
): Promise<void> {
  const { worker, run, samples } = task
  const load = new MessageLoad({ plan, scenario, worker, run, samples, connector })
  await load.connect()
  tellReady()
  const t0 = await started()
  if (t0 === undefined) return
  let [onFinish, onEnd] = [(_: Finish) => {}, () => {}]
  const allSent = new Promise<Finish>((resolve) => (onFinish = resolve))
  const allCounted = new Promise<void>((resolve) => (onEnd = resolve))
  process.on("message", (later: Order) => {
    if (later.order === "stop") load.stop()
    else if (later.order === "finish") onFinish(later)
    else if (later.order === "end") onEnd()
  })
  const cpu = measuredCpu(plan, t0)
  const tellProgress = () => {
    tell({ told: "progress", completed: load.record.completed, failed: load.record.failed })
    const rows = load.record.takeArrivals()
    if (rows.length > 0) tell({ told: "arrivals", rows })
  }
  const timer = setInterval(tellProgress, tellEvery)
  tell({ told: "sent", sent: await load.run(t0) })
  const figures = await load.finish(await allSent)
  clearInterval(timer)
  tellProgress()
  tell({ told: "messages", figures, cpu: cpu() })
  await allCounted
  await load.end()
  tell({ told: "ended" })
}

function measuredCpu({ load }: Plan, t0: number) {
  return cpuBetween(t0 + 1000 * load.warmUp, load.seconds === undefined ? undefined : 1000 * load.seconds)
}
