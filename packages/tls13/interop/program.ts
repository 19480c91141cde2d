// Processes of a run: started, read, and ended by us alone.

import { type ChildProcessByStdio, spawn } from "node:child_process"
import { once } from "node:events"
import type { Readable, Writable } from "node:stream"

/** How long a process may take to end after it was asked to, in milliseconds. */
const patience = 1500

export interface ProgramOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

interface Watcher {
  check(): boolean
  fail(error: Error): void
}

/** A child process whose output can be waited for. */
export class Program {
  readonly command: string
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #watchers = new Set<Watcher>()
  readonly #output: Buffer[] = []
  #outputLength = 0
  #outputText = ""
  #log = ""
  #ended = false
  /** The exit status; -1 when a signal ended it or it could not be started. */
  readonly ended: Promise<number>

  constructor(program: string, args: readonly string[], options: ProgramOptions = {}) {
    this.command = [program, ...args].join(" ")
    this.#child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd }),
    })
    this.#child.stdin.on("error", () => undefined)
    this.#child.stdout.on("data", (data: Buffer) => {
      this.#output.push(data)
      this.#outputLength += data.length
      this.#outputText += data.toString("latin1")
      this.#heard(data)
    })
    this.#child.stderr.on("data", (data: Buffer) => this.#heard(data))
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#log += `${error.message}\n`
        this.#finish()
        resolve(-1)
      })
      this.#child.once("close", (status) => {
        this.#finish()
        resolve(status ?? -1)
      })
    })
  }

  /** What it printed, on both streams in the order of arrival. */
  get log(): string {
    return this.#log
  }

  get output(): Buffer {
    return Buffer.concat(this.#output)
  }

  /** Waits for a match in the log. @throws when the process ends without one */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null
    await this.#until(
      () => {
        match = pattern.exec(this.#log)
        return match !== null
      },
      () => `to print ${pattern}`,
    )
    return match!
  }

  /** Waits for so many matches in the log, and gives all that there are; the pattern is a global one. */
  async matches(pattern: RegExp, count: number): Promise<readonly RegExpExecArray[]> {
    let found: RegExpExecArray[] = []
    await this.#until(
      () => {
        found = [...this.#log.matchAll(pattern)]
        return found.length >= count
      },
      () => `to print ${pattern} ${count} times (it did ${found.length} times)`,
    )
    return found
  }

  /** Waits for so many bytes on standard output. */
  async gives(length: number): Promise<Buffer> {
    await this.#until(
      () => this.#outputLength >= length,
      () => `to give ${length} bytes (it gave ${this.#outputLength})`,
    )
    return this.output
  }

  /** Waits for a text on standard output, between whatever else is there. */
  async shows(text: string): Promise<void> {
    const end = text.slice(-200)
    await this.#until(
      () => this.#outputText.includes(end),
      () => `to give back ${JSON.stringify(end.slice(-40))}`,
    )
    if (!this.#outputText.includes(text)) throw new Error(`${this.#name} got another text back`)
  }

  /** Waits until it ends by itself. @throws when its status is not 0 */
  async succeeds(): Promise<void> {
    const status = await this.ended
    if (status !== 0) throw new Error(`${this.#name} ended with status ${status}: ${this.tail()}`)
  }

  write(data: string | Uint8Array): void {
    this.#child.stdin.write(data)
  }

  endInput(): void {
    this.#child.stdin.end()
  }

  /** Asks it to end, then ends it. */
  async stop(): Promise<void> {
    if (this.#ended) return
    this.#child.stdin.end()
    this.#child.kill("SIGTERM")
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), patience)
    if (!this.#ended) await once(this.#child, "close")
    clearTimeout(timer)
  }

  /** Ends it without a word to anybody. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL")
    await this.ended
  }

  /** The last lines of the log, on one line. */
  tail(lines = 4): string {
    return this.#log.trim().split("\n").slice(-lines).join(" | ").slice(-500)
  }

  get #name(): string {
    return this.command.split(" ").slice(0, 3).join(" ").replaceAll(/\S*\//g, "")
  }

  #heard(data: Buffer): void {
    this.#log += data.toString("utf8")
    this.#look()
  }

  #look(): void {
    for (const watcher of this.#watchers) if (watcher.check()) this.#watchers.delete(watcher)
  }

  #finish(): void {
    this.#ended = true
    this.#look()
    for (const watcher of this.#watchers) watcher.fail(new Error(`${this.#name} ended: ${this.tail()}`))
    this.#watchers.clear()
  }

  #until(done: () => boolean, what: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const watcher: Watcher = {
        check() {
          if (done()) resolve()
          return done()
        },
        fail: (error) => reject(new Error(`waited for it ${what()}, but ${error.message}`)),
      }
      if (watcher.check()) return
      if (this.#ended) watcher.fail(new Error(`${this.#name} ended: ${this.tail()}`))
      else this.#watchers.add(watcher)
    })
  }
}

/** What one cell started; all of it ends with the cell. */
export class Run {
  readonly programs: Program[] = []
  readonly #cleanups: (() => void | Promise<void>)[] = []
  #prefix: readonly string[] = []

  start(program: string, args: readonly string[], options: ProgramOptions = {}): Program {
    const [first = program, ...rest] = [...this.#prefix, program, ...args]
    const started = new Program(first, rest, options)
    this.programs.push(started)
    return started
  }

  /** Runs to the end. @throws when its status is not 0 */
  async do(program: string, args: readonly string[], options: ProgramOptions = {}): Promise<Program> {
    const started = this.start(program, args, options)
    started.endInput()
    await started.succeeds()
    return started
  }

  /** Programs started from now on run behind this command. */
  behind(prefix: readonly string[]): void {
    this.#prefix = prefix
  }

  atEnd(cleanup: () => void | Promise<void>): void {
    this.#cleanups.push(cleanup)
  }

  async finish(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.stop()))
    for (const cleanup of this.#cleanups.reverse()) await cleanup()
  }
}
