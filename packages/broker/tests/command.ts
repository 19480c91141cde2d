// The command as a person runs it: a process, in a folder of its own.

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

export class Command {
  readonly folder: string = mkdtempSync(join(tmpdir(), "puremq-command-"))
  readonly program: string = join(this.folder, "main.mjs")
  readonly #running = new Set<ChildProcess>()

  async build(): Promise<void> {
    await build({
      entryPoints: [fileURLToPath(new URL("../src/cli/main.ts", import.meta.url))],
      outfile: this.program,
      bundle: true,
      platform: "node",
      format: "esm",
      conditions: ["@puremq/source"],
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
      logLevel: "error",
    })
  }

  remove(): void {
    for (const child of this.#running) child.kill("SIGKILL")
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
