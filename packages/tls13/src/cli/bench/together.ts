// One run of several client processes: they make their load together, and the CPU of the server and of the machine is read when the
// measurement begins and when it ends.

import { CommandError } from "../arguments.ts"
import { sharedNow } from "./clock.ts"
import { type MachineTicks, machineTicks } from "./machine.ts"
import { countTimeWait } from "./ports.ts"
import { type TreeCpu, treeCpu } from "./processes.ts"

/** Milliseconds between the order to start and the start. */
const lead = 100

/** A client process. */
export interface Worker<Ready, Done> {
  ready(): Promise<Ready>
  /** @param t0 when the load begins, on the clock that all share (clock.ts) */
  start(t0: number): void
  done(): Promise<Done>
  /** Begin nothing more. */
  halt(): void
}

export interface Together {
  readonly warmUp: number
  /** Undefined: a count says when it is over. */
  readonly seconds: number | undefined
  readonly target: { readonly address: string; readonly port: number }
  readonly pid: number | undefined
  readonly interruption: AbortSignal
  /** Now and then while the load runs. @param at seconds since it began */
  readonly onTick: (at: number) => void
}

export interface Reading {
  /** Milliseconds since t0. */
  readonly at: number
  readonly server: TreeCpu | undefined
  readonly machine: MachineTicks | undefined
}

export interface Readings {
  readonly first: Reading
  readonly last: Reading
  readonly timeWait: { readonly before: number; readonly after: number } | undefined
  /** Milliseconds since t0, when somebody did not want to wait for the rest; undefined: it came to its end. */
  readonly interruptedAt: number | undefined
}

/** @throws CommandError: what fails before the load begins, or the whole of a process */
export async function runTogether<Ready, Done>(
  workers: readonly Worker<Ready, Done>[],
  { warmUp, seconds, target, pid, interruption, onTick }: Together,
): Promise<{ readonly ready: readonly Ready[]; readonly done: readonly Done[]; readonly readings: Readings }> {
  const { address, port } = target
  // All of them: a failure of the second is not to be nobody's.
  const ready = await beforeInterruption(Promise.all(workers.map((worker) => worker.ready())), interruption)
  const timeWaitBefore = countTimeWait(address, port)
  const t0 = sharedNow() + lead
  const read = (): Reading => ({
    server: pid === undefined ? undefined : treeCpu(pid),
    machine: machineTicks(),
    at: sharedNow() - t0,
  })
  const finished = Promise.all(workers.map((worker) => worker.done()))
  for (const worker of workers) worker.start(t0)
  const ticker = setInterval(() => onTick(Math.max(0, (sharedNow() - t0) / 1000)), 250)
  const from = waitUntil(t0 + 1000 * warmUp).then(read)
  const until = seconds === undefined ? undefined : waitUntil(t0 + 1000 * (warmUp + seconds)).then(read)
  let interrupted: Reading | undefined
  const stop = () => {
    interrupted = read()
    for (const worker of workers) worker.halt()
  }
  if (interruption.aborted) stop()
  else interruption.addEventListener("abort", stop)
  try {
    const done = await finished
    if (interrupted !== undefined && interrupted.at < 1000 * warmUp) throw new CommandError(tooEarly)
    const [first, last] = [await from, interrupted ?? (until === undefined ? read() : await until)]
    const after = countTimeWait(address, port)
    const timeWait = timeWaitBefore === undefined || after === undefined ? undefined : { before: timeWaitBefore, after }
    return { ready, done, readings: { first, last, timeWait, interruptedAt: interrupted?.at } }
  } finally {
    interruption.removeEventListener("abort", stop)
    clearInterval(ticker)
  }
}

const tooEarly = "interrupted before the measurement began"

async function beforeInterruption<Value>(wanted: Promise<Value>, interruption: AbortSignal): Promise<Value> {
  let stop = () => {}
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => reject(new CommandError(tooEarly))
  })
  if (interruption.aborted) stop()
  interruption.addEventListener("abort", stop)
  try {
    return await Promise.race([wanted, interrupted])
  } finally {
    interruption.removeEventListener("abort", stop)
  }
}

/** Holds up the end of the program for nobody: the clients do, while they run. */
function waitUntil(at: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, at - sharedNow())).unref()
  })
}
