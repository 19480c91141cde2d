// What each process that a benchmark starts does: it hears what it is, says what failed, and reads its own CPU.

import { performance as timing } from "node:perf_hooks"
import { CommandError } from "../arguments.ts"
import { UsageError } from "../command-line.ts"
import type { ToldFailure } from "./children.ts"
import { now } from "./engine.ts"

export interface ClientCpu {
  /** Seconds. */
  readonly user: number
  readonly system: number
  /** Seconds on the clock between the two readings. */
  readonly elapsed: number
  /** Share of the time in which the event loop had something to do, 0 to 1. */
  readonly loop: number
}

/** Does what the first message says, and tells why it cannot. @param command that starts such processes */
export async function beChild<Task>(command: string, work: (task: Task) => Promise<void>): Promise<void> {
  if (process.send === undefined) {
    process.stderr.write(`${command.split(" ")[0]}: this program is started by "${command}"\n`)
    process.exit(2)
  }
  process.once("disconnect", () => process.exit())
  // Ctrl-C goes to the whole group: the command that started this one ends, and this one with it.
  process.on("SIGINT", () => undefined)
  try {
    await work(await nextMessage<Task>())
  } catch (error) {
    tellParent(failureOf(error))
  }
}

export function tellParent(told: object): void {
  if (process.connected) process.send!(told)
}

export function nextMessage<Message>(): Promise<Message> {
  return new Promise((resolve) => {
    process.once("message", (message: Message) => resolve(message))
  })
}

function failureOf(error: unknown): ToldFailure {
  const kind = error instanceof UsageError ? "usage" : error instanceof CommandError ? "command" : "defect"
  const isKnown = kind !== "defect" || (error instanceof Error && "kind" in error)
  const message = error instanceof Error ? (isKnown ? error.message : (error.stack ?? error.message)) : String(error)
  return { told: "failed", kind: isKnown && kind === "defect" ? "command" : kind, message }
}

/** @param from on the clock of this process. @returns asks what this process's CPU did in the measurement; without a length until now */
export function cpuBetween(from: number, length: number | undefined): () => ClientCpu {
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
