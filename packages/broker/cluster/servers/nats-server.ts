// A nats-server of three: where its program is, and its life.

import { type ChildProcess, type ExecFileSyncOptionsWithStringEncoding, execFileSync, spawn } from "node:child_process"
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"
import { pause } from "../../crash/world.ts"
import { freePorts } from "./ports.ts"

/** Milliseconds that a start may take, until its streams have caught up. */
const patience = 60_000

/** Said where there is none. */
export const howToGetOne =
  "there is no nats-server: go install github.com/nats-io/nats-server/v2@latest, or say where it is with NATS_SERVER"

/** The program; undefined: there is none. @throws Error when NATS_SERVER says one that is not there */
export function natsServerProgram(): string | undefined {
  const said = process.env.NATS_SERVER
  if (said !== undefined && said !== "") {
    if (existsSync(said)) return said
    throw new Error(`NATS_SERVER: there is no ${said}`)
  }
  const folders = [...(process.env.PATH ?? "").split(delimiter), join(homedir(), "go", "bin"), ...goFolders()]
  return folders.map((folder) => join(folder, "nats-server")).find((file) => existsSync(file))
}

function goFolders(): readonly string[] {
  try {
    const options: ExecFileSyncOptionsWithStringEncoding = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }
    return execFileSync("go", ["env", "GOPATH"], options)
      .trim()
      .split(delimiter)
      .map((folder) => join(folder, "bin"))
  } catch {
    return []
  }
}

interface Ports {
  readonly client: number
  readonly route: number
  readonly monitor: number
}

export class NatsServer {
  readonly name: string
  readonly port: number
  readonly #program: string
  readonly #folder: string
  readonly #monitor: number
  readonly #args: readonly string[]
  #child: ChildProcess | undefined

  private constructor(program: string, folder: string, name: string, ports: Ports, routes: readonly number[]) {
    this.name = name
    this.port = ports.client
    this.#program = program
    this.#folder = folder
    this.#monitor = ports.monitor
    const file = join(folder, `${name}.conf`)
    writeFileSync(file, configuration(name, join(folder, name), ports, routes))
    this.#args = ["-c", file]
  }

  /** Three that know each other, not started yet. They do not tell clients of each other: links to them can be cut. */
  static async three(program: string, folder: string): Promise<readonly NatsServer[]> {
    const ports = await freePorts(9)
    const of = (i: number) => ({ client: ports[i]!, route: ports[i + 3]!, monitor: ports[i + 6]! })
    mkdirSync(folder, { recursive: true })
    return [0, 1, 2].map((i) => new NatsServer(program, folder, `nats-${i + 1}`, of(i), ports.slice(3, 6)))
  }

  get alive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  start(): void {
    const log = openSync(join(this.#folder, `${this.name}.log`), "a")
    const child = spawn(this.#program, this.#args, { stdio: ["ignore", log, log] })
    closeSync(log)
    this.#child = child
    const end = () => child.kill("SIGKILL")
    process.once("exit", end)
    child.once("error", () => undefined)
    child.once("exit", () => process.off("exit", end))
  }

  /** Whether it serves, and its streams have caught up, in time. */
  async ready(): Promise<boolean> {
    const end = performance.now() + patience
    while (performance.now() < end && this.alive) {
      const answer = await fetch(`http://127.0.0.1:${this.#monitor}/healthz`).catch(() => undefined)
      await answer?.arrayBuffer()
      if (answer?.ok === true) return true
      await pause(100)
    }
    return false
  }

  /** SIGSTOP: it stands still until `goOn`. */
  standStill(): void {
    this.#child?.kill("SIGSTOP")
  }

  goOn(): void {
    this.#child?.kill("SIGCONT")
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.alive) return
    const ended = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGKILL")
    await ended
  }
}

function configuration(name: string, store: string, ports: Ports, routes: readonly number[]): string {
  return `server_name: ${name}
listen: "127.0.0.1:${ports.client}"
http: "127.0.0.1:${ports.monitor}"
jetstream { store_dir: ${JSON.stringify(store)}, max_memory_store: 64MB, max_file_store: 2GB }
cluster {
  name: puremq
  listen: "127.0.0.1:${ports.route}"
  no_advertise: true
  routes: [${routes.map((port) => `"nats://127.0.0.1:${port}"`).join(", ")}]
}
`
}
