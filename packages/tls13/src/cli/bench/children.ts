// The processes that a benchmark starts, and what it asks of them.

import { type ChildProcess, fork } from "node:child_process"
import { CommandError } from "../arguments.ts"
import { UsageError } from "../command-line.ts"

/** Milliseconds that a process has to end by itself. */
const patience = 2000

/** What any of them may tell instead of what it was to. */
export interface ToldFailure {
  readonly told: "failed"
  readonly message: string
  readonly kind: "usage" | "command" | "defect"
}

type ToldOf<Told, Name> = Extract<Told, { readonly told: Name }>

/** `Told`: the messages that come from it, by what they are. */
export class Child<Told extends { readonly told: string }> {
  readonly #process: ChildProcess
  readonly #what: string
  readonly #handlers = new Map<string, (told: Told) => void>()
  #fail: ((error: Error) => void) | undefined
  #failure: Error | undefined
  #stopped = false

  /** @param program its file. @param task its first message. @param what it is, for people. @param args its command line */
  constructor(program: string, task: object, what: string, args: readonly string[] = []) {
    this.#what = what
    this.#process = fork(program, args, {
      serialization: "advanced",
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    })
    this.#process.on("message", (told: Told | ToldFailure) => {
      if (isFailure(told)) this.#failed(errorOf(told))
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
  next<Name extends Told["told"]>(name: Name): Promise<ToldOf<Told, Name>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#fail = reject
      this.#handlers.set(name, (told) => {
        this.#handlers.delete(name)
        resolve(told as ToldOf<Told, Name>)
      })
    })
  }

  /** Each time that it tells that. */
  on<Name extends Told["told"]>(name: Name, handler: (told: ToldOf<Told, Name>) => void): void {
    this.#handlers.set(name, (told) => handler(told as ToldOf<Told, Name>))
  }

  order(order: object): void {
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

function isFailure(told: { readonly told: string }): told is ToldFailure {
  return told.told === "failed"
}

function errorOf({ kind, message }: ToldFailure): Error {
  if (kind === "usage") return new UsageError(message)
  return kind === "command" ? new CommandError(message) : new Error(message)
}
