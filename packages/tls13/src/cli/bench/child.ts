// A process that `tls13 bench` starts: a client that makes its share of the load, or a server to measure. What it is comes as its
// first message.

import { seeded } from "../../measure/seeded.ts"
import { CommandError } from "../arguments.ts"
import { beChild, cpuBetween, nextMessage, tellParent } from "./child-side.ts"
import { sharedNow } from "./clock.ts"
import { type Engine, now, reasonText } from "./engine.ts"
import { createNodeEngine } from "./engine-node.ts"
import { createOwnEngine } from "./engine-ours.ts"
import { LoadMaker } from "./load.ts"
import type { ClientTask, Look, Order, Task, Told } from "./messages.ts"
import { startOwnServer } from "./own-server.ts"

/** Milliseconds between two messages with samples. */
const tellEvery = 200

await beChild<Task>("tls13 bench", async (task) => {
  if (task.role === "server") tell({ told: "listening", ...(await startOwnServer(task)) })
  else await beClient(task)
})

async function beClient({ setup, worker, sources }: ClientTask): Promise<void> {
  const { load, engine: name } = setup.plan
  const late = { sum: 0, count: 0 }
  const isWorse = load.rtt > 0 || load.loss > 0
  const worse = {
    rtt: load.rtt,
    loss: load.loss,
    uniform: seeded(load.seed * 1000 + worker),
    onLate(milliseconds: number) {
      late.sum += milliseconds
      late.count++
    },
  }
  const whole = { ...setup, worse: isWorse ? worse : undefined }
  const engine = name === "node" ? createNodeEngine(whole) : await createOwnEngine(whole)
  tell({ told: "ready", look: await look(engine) })
  const order = await nextMessage<Order>()
  if (order.order === "stop") {
    process.disconnect()
    return
  }
  const t0 = order.t0 - sharedNow() + now()
  const maker = new LoadMaker(engine, { load, worker, t0, sources })
  process.once("message", (later: Order) => {
    if (later.order === "stop") maker.stop()
  })
  const cpu = cpuBetween(t0 + 1000 * load.warmUp, load.seconds === undefined ? undefined : 1000 * load.seconds)
  const timer = setInterval(() => tellSamples(maker), tellEvery)
  let before = engine.primings
  setTimeout(
    () => {
      before = engine.primings
    },
    t0 + 1000 * load.warmUp - now(),
  )
  await maker.run()
  clearInterval(timer)
  tellSamples(maker)
  const timersLate = late.count === 0 ? null : late.sum / late.count
  tell({ told: "done", sums: maker.sums, cpu: cpu(), primings: engine.primings - before, timersLate })
}

/** One handshake before all others: what fails for it fails for all. */
async function look(engine: Engine): Promise<Look> {
  const failed = (why: string) => new CommandError(`the first handshake failed: ${why}`)
  try {
    await engine.prepare()
  } catch (error) {
    throw failed(reasonText(error))
  }
  const { failure, agreed, unverified, wire } = await engine.look()
  if (failure !== undefined) throw failed(failure)
  return { agreed: engine.reusesTickets ? { ...agreed, tickets: "used again and again" } : agreed, unverified, wire }
}

function tellSamples({ samples, reasons }: LoadMaker): void {
  const rows = samples.take()
  if (rows.length > 0) tell({ told: "samples", rows, reasons })
}

function tell(told: Told): void {
  tellParent(told)
}
