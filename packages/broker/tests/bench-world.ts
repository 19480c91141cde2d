// `puremq bench`, in this process; those that it starts are of the built package.

import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { fileURLToPath } from "node:url"
import { type Report, reportSchema, schemaProblem } from "@puremq/tls13/measure"
import { bench } from "../src/cli/bench/bench.ts"
import { ClientError } from "../src/cli/client/errors.ts"
import { type Tampering, TamperingBroker } from "./tampering-broker.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** A short measurement. */
export const few = ["--count", "200", "--warm-up", "0"]
/** What is not to be. */
export const whole = { lost: 0, doubled: 0, "out of order": 0 }

export class BenchWorld {
  readonly #folder = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  readonly #brokers: TamperingBroker[] = []

  open(): void {
    const runner = join(root, "scripts/run.mjs")
    const { status, stdout } = spawnSync(process.execPath, [runner, "build"], { encoding: "utf8" })
    if (status !== 0) throw new Error(stdout)
  }

  close(): void {
    for (const each of this.#brokers) each.close()
    rmSync(this.#folder, { recursive: true })
  }

  /** The address of a broker that does wrong. */
  async tampering(what: Tampering): Promise<string> {
    const broker = new TamperingBroker(what)
    this.#brokers.push(broker)
    return `mqtt://127.0.0.1:${await broker.listen()}`
  }

  readonly at = (name: string): string => join(this.#folder, name)

  readonly run = async (...args: string[]): Promise<{ readonly status: number; readonly shown: string }> => {
    const output = new PassThrough()
    let shown = ""
    output.on("data", (data) => {
      shown += data
    })
    const status = await bench(args, { input: new PassThrough(), output, say: () => undefined })
    return { status, shown }
  }

  /** Measures, and gives the report, which is as the schema says. */
  readonly measured = async (...args: string[]): Promise<Report & { readonly shown: string }> => {
    const file = this.at("report.json")
    const { status, shown } = await this.run(...args, "--json", file)
    const report = JSON.parse(readFileSync(file, "utf8"))
    const problem = schemaProblem(report, reportSchema)
    if (status !== 0 || problem !== undefined)
      throw new Error(`status ${status}, ${problem ?? "no problem"}:\n${shown}`)
    return { ...report, shown }
  }

  /** The line that it ends with. */
  readonly failure = async (...args: string[]): Promise<string> => {
    try {
      await this.run(...args)
    } catch (error) {
      if (error instanceof ClientError) return error.message
      throw error
    }
    return "is taken"
  }
}
