// The processes that `tls13 bench` starts, and what it asks of them.

import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { CommandError } from "../arguments.ts"
import { UsageError } from "../command-line.ts"
import type { ClientTask, Order, ServerTask, Told } from "./messages.ts"

/** Beside dist/ and src/ alike. */
const program = fileURLToPath(new URL("../../../bin/tls13-bench-child.js", import.meta.url))

/** Milliseconds that a process has to end by itself. */
const patience = 2000

type ToldOf<Name extends Told["told"]> = Extract<Told, { readonly told: Name }>

export class Child {
  readonly #process: ChildProcess
  readonly #what: string
  readonly #handlers = new Map<string, (told: Told) => void>()
  #fail: ((error: Error) => void) | undefined
  #failure: Error | undefined
  #stopped = false

  /** @param what it is, for people */
  constructor(task: ClientTask | ServerTask, what: string) {
    this.#what = what
    this.#process = fork(program, {
      serialization: "advanced",
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    })
    this.#process.on("message", (told: Told) => {
      if (told.told === "failed") this.#failed(errorOf(told))
      else this.#handlers.get(told.told)?.(told)
    })
    this.#process.once("error", (error) =>
      this.#failed(new CommandError(`${what} cannot be started: ${error.message}`)),
    )
    this.#process.once("exit", (code, signal) => {
      if (!this.#stopped) this.#failed(new CommandError(`${this.#what} ended (${signal ?? `status ${code}`})`))
    })
    this.#process.send(task)
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** @throws CommandError when the process fails before it tells that */
  next<Name extends Told["told"]>(name: Name): Promise<ToldOf<Name>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#fail = reject
      this.#handlers.set(name, (told) => {
        this.#handlers.delete(name)
        resolve(told as ToldOf<Name>)
      })
    })
  }

  onSamples(handler: (told: ToldOf<"samples">) => void): void {
    this.#handlers.set("samples", (told) => handler(told as ToldOf<"samples">))
  }

  order(order: Order): void {
    if (this.#process.connected) this.#process.send(order)
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = new Promise<void>((resolve) => {
      this.#process.once("exit", () => resolve())
      if (this.#process.pid === undefined) resolve()
    })
    if (this.#process.connected) this.#process.disconnect()
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), patience)
    await ended
    clearTimeout(timer)
  }

  #failed(error: Error): void {
    this.#failure ??= error
    this.#fail?.(this.#failure)
  }
}

function errorOf({ kind, message }: ToldOf<"failed">): Error {
  if (kind === "usage") return new UsageError(message)
  return kind === "command" ? new CommandError(message) : new Error(message)
}
