// Child processes of a row: the built programs with a small heap, watched, and ended by us alone.

import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Host, nodeHost } from "../hosts/hosts.ts"

/** Of the repository; the bundle is one folder deeper than its source. */
const root = fileURLToPath(new URL(import.meta.url.includes("/dist/") ? "../../../../" : "../../../", import.meta.url))

export const puremq: string = `${root}packages/broker/dist/cli/main.js`
export const tls13: string = `${root}packages/tls13/dist/cli/main.js`
export const runScript: string = `${root}scripts/run.mjs`

/** MiB of the heap that a program gets, where a row says nothing else. */
export const heapMebibytes = 512

/** What is kept of the output: its beginning, and the last of the rest. */
const keptOutput = 2 ** 20
/** Milliseconds that a program has to end by itself. */
const patience = 2000

export interface ProgramOptions {
  /** What runs `puremq`; default: this Node.js, which runs all other programs. */
  readonly host?: Host
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** MiB. */
  readonly heap?: number | undefined
  /** A program that starts it in its own place, with arguments. */
  readonly under?: readonly string[]
}

export class Program {
  readonly name: string
  readonly child: ChildProcess
  readonly ended: Promise<void>
  /** In words, once it has ended. */
  end: string | undefined
  status: number | null = null
  output = ""
  errors = ""
  #mebibytes: number | undefined
  readonly #watch: NodeJS.Timeout
  readonly #listeners = new Set<() => void>()

  constructor(file: string, args: readonly string[], options: ProgramOptions = {}) {
    this.name = `${file === puremq ? "puremq" : file === tls13 ? "tls13" : file} ${args[0] ?? ""}`.trim()
    const { heap = heapMebibytes, under = [], host = nodeHost } = options
    const { command, env: hostEnv } = file === puremq ? host : nodeHost
    const env = { ...process.env, NO_COLOR: "1", ...hostEnv(heap), ...options.env }
    const [first = "", ...rest] = [...under, ...command(file, heap), ...args]
    this.child = spawn(first, rest, { stdio: ["pipe", "pipe", "pipe"], cwd: options.cwd, env })
    const { stdin, stdout, stderr } = this.child
    stdin?.on("error", () => undefined)
    if (options.input !== undefined) stdin?.end(options.input)
    const hear = (stream: "output" | "errors") => (data: Buffer) => {
      this[stream] = kept(this[stream] + data.toString("utf8"))
      for (const listener of this.#listeners) listener()
    }
    stdout?.on("data", hear("output"))
    stderr?.on("data", hear("errors"))
    this.#watch = setInterval(() => this.#look(), 250)
    this.#watch.unref()
    this.ended = new Promise((resolve) => {
      const finish = (words: string) => {
        clearInterval(this.#watch)
        this.end ??= words
        for (const listener of this.#listeners) listener()
        resolve()
      }
      this.child.once("error", (error) => finish(error.message))
      this.child.once("close", (status, signal) => {
        this.status = status
        finish(this.#words(status, signal))
      })
    })
  }

  get alive(): boolean {
    return this.end === undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  /** Most memory so far; undefined where /proc does not tell. */
  get mebibytes(): number | undefined {
    this.#look()
    return this.#mebibytes
  }

  /** Memory at the moment. */
  get mebibytesNow(): number | undefined {
    return memoryOf(this.child.pid, "VmRSS")
  }

  /** Milliseconds of processor time so far, in steps of ten; undefined where /proc does not tell. */
  get processorTime(): number | undefined {
    try {
      // Fields 14 and 15, in hundredths of a second; the second field is in parentheses and may have spaces.
      const fields = readFileSync(`/proc/${this.child.pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ")
      return (Number(fields[11]) + Number(fields[12])) * 10
    } catch {
      return undefined
    }
  }

  /** Whether it has a handler for that signal; false where /proc does not tell. */
  catches(signal: number): boolean {
    try {
      const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${this.child.pid}/status`, "utf8"))?.[1]
      return caught !== undefined && (BigInt(`0x${caught}`) >> BigInt(signal - 1)) % 2n === 1n
    } catch {
      return false
    }
  }

  get log(): string {
    return this.output + this.errors
  }

  /** @returns the match on either output; undefined when the program ends, or time is over, without one */
  prints(pattern: RegExp, milliseconds = 20_000): Promise<RegExpExecArray | undefined> {
    return new Promise((resolve) => {
      const settle = (match: RegExpExecArray | undefined) => {
        clearTimeout(timer)
        this.#listeners.delete(look)
        resolve(match)
      }
      const look = () => {
        const match = pattern.exec(this.output) ?? pattern.exec(this.errors)
        if (match !== null) settle(match)
        else if (this.end !== undefined) settle(undefined)
      }
      const timer = setTimeout(() => settle(undefined), milliseconds)
      this.#listeners.add(look)
      look()
    })
  }

  /** @returns whether it ended by itself in time */
  async endsWithin(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds)
    })
    await Promise.race([this.ended, late])
    clearTimeout(timer)
    return this.end !== undefined
  }

  async stop(): Promise<void> {
    this.#look()
    if (!this.alive) return
    this.child.kill("SIGTERM")
    const timer = setTimeout(() => this.child.kill("SIGKILL"), patience)
    await this.ended
    clearTimeout(timer)
  }

  #words(status: number | null, signal: NodeJS.Signals | null): string {
    if (/heap out of memory/.test(this.errors)) return "ended: heap out of memory"
    const how = signal !== null ? `signal ${signal}` : `status ${status}`
    const lines = this.errors.split("\n").filter((line) => /^(\w*Error|puremq|tls13)\b/.test(line.trim()))
    const said = lines.at(-1)?.trim().slice(0, 120)
    return said === undefined ? `ended with ${how}` : `ended with ${how}: ${said}`
  }

  #look(): void {
    this.#mebibytes = memoryOf(this.child.pid, "VmHWM") ?? this.#mebibytes
  }
}

function kept(text: string): string {
  return text.length <= keptOutput ? text : text.slice(0, keptOutput / 2) + text.slice(-keptOutput / 4)
}

function memoryOf(pid: number | undefined, field: "VmHWM" | "VmRSS"): number | undefined {
  try {
    const kibibytes = new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return kibibytes === undefined ? undefined : Math.round(Number(kibibytes) / 1024)
  } catch {
    return undefined
  }
}
