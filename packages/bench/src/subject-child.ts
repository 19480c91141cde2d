// A process that does one subject's work, told by messages how much of it: engine/processes.ts starts it. One subject to a
// process, so that what the engine has compiled for one is not what another runs, and collections are its own.

import { clientHandshakes, isClient } from "./engine/client-handshakes.ts"
import { makeIdentities } from "./engine/identities.ts"
import { nodeHandshakes } from "./engine/node-handshakes.ts"
import { ourHandshakes } from "./engine/our-handshakes.ts"
import { type Answer, mostDrift, type Request, type Sample, type Task, type WarmedUp } from "./engine/protocol.ts"
import { nodeHash, nodeRecords, ourHash, ourRecords } from "./engine/records.ts"
import { Absent, providerOf, withPostQuantum } from "./engine/subjects.ts"
import { type PrimitiveTime, shareOutside, timedProvider, timingOverhead } from "./engine/timed-provider.ts"
import { drift } from "./statistics.ts"

const task: Task = JSON.parse(process.env["PUREMQ_BENCH_TASK"] ?? "null")
if (task === null) throw new Error("this program is started by main.js")

type Operation = () => unknown

const tally: PrimitiveTime = { calls: 0, time: 0 }
const overhead = task.timed ? timingOverhead() : undefined
const state = { perSlice: 1, wasted: 1 }

process.on("disconnect", () => process.exit())
try {
  const operation = withAdded(await prepare(task), task.added ?? 0)
  process.on("message", async (request: Request) => {
    try {
      tell(
        "slice" in request
          ? { sample: await slice(operation, request.slice) }
          : { warmedUp: await warmUp(operation, request.warmUp) },
      )
    } catch (error) {
      tell({ failed: (error as Error).message })
    }
  })
  tell({ ready: true })
} catch (error) {
  tell(error instanceof Absent ? { absent: error.message } : { failed: (error as Error).stack ?? String(error) })
}

function tell(answer: Answer): void {
  process.send!(answer)
}

async function prepare({ work, subject, timed }: Task): Promise<Operation> {
  if (work.type === "client") return clientHandshakes(subject, work)
  if (isClient(subject)) throw new Absent(`${subject} is measured as a client over sockets`)
  if (subject === "node") {
    if (timed) throw new Absent("node:tls does not tell what of it is primitives")
    if (work.type === "handshake") return nodeHandshakes(work, makeIdentities(work))
    return work.type === "hash" ? nodeHash(work) : nodeRecords(work)
  }
  const provider = providerOf(subject)
  if (work.type === "hash") return ourHash(work, provider)
  if (work.type !== "handshake") return ourRecords(work, provider)
  const whole = await withPostQuantum(provider, work)
  return ourHandshakes(work, timed ? timedProvider(whole, tally) : whole, makeIdentities(work))
}

function withAdded(operation: Operation, added: number): Operation {
  if (added === 0) return operation
  // By processor time, as a clock goes on while another program has the processor.
  const turns = 2_000_000
  let most = 0
  for (let attempt = 0; attempt < 8; attempt++) {
    const from = process.cpuUsage()
    waste(turns)
    const { user, system } = process.cpuUsage(from)
    most = Math.max(most, turns / (user + system))
  }
  return () => {
    waste(Math.round(added * most))
    return operation()
  }
}

function waste(turns: number): void {
  for (let i = 0; i < turns; i++) state.wasted = (Math.imul(state.wasted, 48_271) ^ i) | 0
}

async function warmUp(
  operation: Operation,
  { slice: length, least, most }: Extract<Request, { warmUp: object }>["warmUp"],
): Promise<WarmedUp> {
  const slices: number[] = []
  let settled = false
  for (let spent = 0; spent < most && !(settled && spent >= least); ) {
    const { cpu, operations } = await slice(operation, length)
    spent += (cpu * operations) / 1000
    slices.push(cpu)
    settled = Math.abs(drift(slices) ?? 1) <= mostDrift
  }
  return { slices, settled }
}

/** Operations of about `length` milliseconds of processor time: as many as the slice before says. */
async function slice(operation: Operation, length: number): Promise<Sample> {
  const before = { ...tally }
  const from = performance.now()
  const cpuFrom = process.cpuUsage()
  // A promise is awaited only where there is one: a turn of the loop for each operation would be measured too.
  for (let i = 0; i < state.perSlice; i++) {
    const pending = operation()
    if (pending !== undefined) await pending
  }
  const { user, system } = process.cpuUsage(cpuFrom)
  const elapsed = performance.now() - from
  const operations = state.perSlice
  const cpu = (user + system) / operations
  state.perSlice = Math.max(1, Math.min(Math.round((length * 1000) / Math.max(cpu, 0.01)), operations * 8))
  const sample = { cpu, wall: (elapsed * 1000) / operations, operations }
  if (overhead === undefined) return sample
  const own = { calls: tally.calls - before.calls, time: tally.time - before.time }
  return { ...sample, outside: shareOutside(elapsed, own, overhead), calls: own.calls / operations }
}
