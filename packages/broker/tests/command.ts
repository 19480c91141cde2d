// The command as a person runs it: a process, in a folder of its own.

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inject } from "vitest"
import { buildCommand } from "./command-build.ts"

export interface BuiltCommand {
  readonly program: string
  remove(): void
}

/** The command of the sources as they are: a whole run of the tests has built it once for all (scripts/steps/global.ts). */
export async function builtCommand(): Promise<BuiltCommand> {
  const shared = inject("commandFolder")
  if (shared !== undefined) return { program: join(shared, "main.mjs"), remove: () => undefined }
  const folder = mkdtempSync(join(tmpdir(), "puremq-program-"))
  return { program: await buildCommand(folder), remove: () => rmSync(folder, { recursive: true }) }
}

export class Command {
  readonly folder: string = mkdtempSync(join(tmpdir(), "puremq-command-"))
  readonly #running = new Set<ChildProcess>()
  #built: BuiltCommand | undefined

  get program(): string {
    if (this.#built === undefined) throw new Error("the command is not built")
    return this.#built.program
  }

  async build(): Promise<void> {
    this.#built = await builtCommand()
  }

  remove(): void {
    for (const child of this.#running) child.kill("SIGKILL")
    this.#built?.remove()
    rmSync(this.folder, { recursive: true })
  }

  at(name: string): string {
    return join(this.folder, name)
  }

  start(args: readonly string[], options: SpawnOptions = {}): Running {
    const child = spawn(process.execPath, [this.program, ...args], { cwd: this.folder, ...options })
    this.#running.add(child)
    child.on("close", () => this.#running.delete(child))
    return new Running(child)
  }

  /** Runs it to its end. */
  async run(args: readonly string[]): Promise<Ended> {
    const running = this.start(args)
    running.child.stdin?.end()
    return running.ended
  }
}

export interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

export class Running {
  readonly child: ChildProcess
  out = ""
  err = ""
  readonly ended: Promise<Ended>

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.on("data", (chunk) => (this.out += chunk))
    child.stderr?.on("data", (chunk) => (this.err += chunk))
    this.ended = new Promise((resolve) =>
      child.on("close", (status) => resolve({ status, out: this.out, err: this.err })),
    )
  }

  /** Waits for words on either output. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const end = Date.now() + 60_000
    for (;;) {
      const match = pattern.exec(this.out) ?? pattern.exec(this.err)
      if (match !== null) return match
      if (Date.now() > end || this.child.exitCode !== null)
        throw new Error(`no ${pattern} in:\n${this.out}\n${this.err}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
