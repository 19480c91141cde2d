// A process that `tls13 bench` starts: a client that makes its share of the load, or a server to measure. What it is comes as its
// first message.

import { performance as timing } from "node:perf_hooks"
import { seeded } from "../../measure/seeded.ts"
import { CommandError } from "../arguments.ts"
import { UsageError } from "../command-line.ts"
import { sharedNow } from "./clock.ts"
import { type Engine, now, reasonText } from "./engine.ts"
import { createNodeEngine } from "./engine-node.ts"
import { createOwnEngine } from "./engine-ours.ts"
import { LoadMaker } from "./load.ts"
import type { ClientCpu, ClientTask, Look, Order, Task, Told } from "./messages.ts"
import { startOwnServer } from "./own-server.ts"

/** Milliseconds between two messages with samples. */
const tellEvery = 200

if (process.send === undefined) {
  process.stderr.write('tls13: this program is started by "tls13 bench"\n')
  process.exit(2)
}
process.once("disconnect", () => process.exit())
// Ctrl-C goes to the whole group: the command that started this one ends, and this one with it.
process.on("SIGINT", () => undefined)

const [task] = await nextMessage<Task>()
try {
  if (task.role === "server") tell({ told: "listening", ...(await startOwnServer(task)) })
  else await beClient(task)
} catch (error) {
  const kind = error instanceof UsageError ? "usage" : error instanceof CommandError ? "command" : "defect"
  const isKnown = kind !== "defect" || (error instanceof Error && "kind" in error)
  const message = error instanceof Error ? (isKnown ? error.message : (error.stack ?? error.message)) : String(error)
  tell({ told: "failed", kind: isKnown && kind === "defect" ? "command" : kind, message })
}

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
  const [order] = await nextMessage<Order>()
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

/** @returns asks what this process's CPU did in the measurement; without a length until now */
function cpuBetween(from: number, length: number | undefined): () => ClientCpu {
  const read = () => ({ cpu: process.cpuUsage(), loop: timing.eventLoopUtilization(), at: now() })
  type Reading = ReturnType<typeof read>
  const readings: { first: Reading; last: Reading | undefined } = { first: read(), last: undefined }
  setTimeout(
    () => {
      readings.first = read()
      if (length !== undefined)
        setTimeout(() => {
          readings.last = read()
        }, length)
    },
    Math.max(0, from - now()),
  )
  return () => {
    const { first, last = read() } = readings
    return {
      user: (last.cpu.user - first.cpu.user) / 1e6,
      system: (last.cpu.system - first.cpu.system) / 1e6,
      elapsed: Math.max(0.001, (last.at - first.at) / 1000),
      loop: timing.eventLoopUtilization(last.loop, first.loop).utilization,
    }
  }
}

function tellSamples({ samples, reasons }: LoadMaker): void {
  const rows = samples.take()
  if (rows.length > 0) tell({ told: "samples", rows, reasons })
}

function tell(told: Told): void {
  process.send!(told)
}

function nextMessage<Message>(): Promise<[Message]> {
  return new Promise((resolve) => {
    process.once("message", (message: Message) => resolve([message]))
  })
}
