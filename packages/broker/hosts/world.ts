// A broker on a host, in a folder that was empty, and what its rows have at hand.

import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { get } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Program, type ProgramOptions, puremq } from "../hostile/programs.ts"
import { Client, pause } from "../hostile/wire/client.ts"
import type { Transport } from "../hostile/wire/wire.ts"
import type { Host } from "./hosts.ts"

/** Milliseconds. */
export const times = { handshake: 2000, connect: 2000 } as const
/** Handshakes of the TLS listener under way at once. */
export const mostHandshakes = 4

/** The same file on each host. */
const configuration = `
sysInterval = 1
login = { passwordFile = "users", anonymous = true }
limits.connectTimeout = ${times.connect}
store.directory = "store"
metrics.port = 0
admin = { port = 0, tokenFile = "tokens", cert = ".puremq/server.pem", key = ".puremq/server-key.pem" }

[listeners.tls]
port = 0
cert = ".puremq/server.pem"
key = ".puremq/server-key.pem"
ca = ".puremq/ca.pem"
clientCertificate = "require"
workers = 1
handshakeTimeout = ${times.handshake}
maxPendingHandshakes = ${mostHandshakes}

[listeners]
tcp.port = 0
ws.port = 0

[listeners.wss]
port = 0
cert = ".puremq/server.pem"
key = ".puremq/server-key.pem"
`

/** Milliseconds that a program of a row may take. */
const patience = 30_000

export interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

export class World {
  readonly host: Host
  readonly folder: string = mkdtempSync(join(tmpdir(), "puremq-hosts-"))
  #broker: Program | undefined
  #ports: Readonly<Record<string, number>> = {}
  /** Of the admin API. */
  token = ""
  readonly #clients = new Set<Client>()
  readonly #children = new Set<ChildProcess>()
  /** Milliseconds from the start of the process to its last listener. */
  startTime = 0

  constructor(host: Host) {
    this.host = host
  }

  at(name: string): string {
    return join(this.folder, name)
  }

  read(name: string): string {
    return readFileSync(this.at(name), "utf8")
  }

  /** Certificates and a user, made by the host's own commands, and the configuration. */
  async prepare(): Promise<void> {
    expect(await this.command(["cert", "--client", "device-1"]), { status: 0 })
    await this.addUser("alice", "wonderland")
    const { status, out, err } = await this.command(["token", "tokens", "row", "--scope", "operate"])
    if (status !== 0) throw new Error(`puremq token: status ${status}, ${err}`)
    this.token = out.trim()
    writeFileSync(this.at("puremq.toml"), configuration)
  }

  async addUser(name: string, password: string): Promise<void> {
    const { status, err } = await this.command(["passwd", "users", name, "--cost", "12"], `${password}\n`)
    if (status !== 0) throw new Error(`puremq passwd: status ${status}, ${err}`)
  }

  /** Starts it, with what it has kept. */
  async start(): Promise<void> {
    const began = performance.now()
    const program = this.#program(["start", "--config", "puremq.toml"])
    this.#broker = program
    const ports: Record<string, number> = {}
    for (const name of ["tls", "tcp", "ws", "wss", "metrics", "admin"]) {
      const match = await program.prints(new RegExp(`"${name} on 127\\.0\\.0\\.1:(\\d+)"`))
      if (match === undefined) throw new Error(`it does not listen: ${program.end ?? ""} ${program.log.slice(-300)}`)
      ports[name] = Number(match[1])
    }
    this.#ports = ports
    this.startTime = performance.now() - began
  }

  get broker(): Program {
    if (this.#broker === undefined) throw new Error("the broker was not started")
    return this.#broker
  }

  get isRunning(): boolean {
    return this.#broker?.alive === true
  }

  port(name: string): number {
    return this.#ports[name] ?? 0
  }

  /** Another broker, on TCP alone, whose process may have so many files open. */
  async cramped(descriptors: number): Promise<{ readonly program: Program; readonly port: number }> {
    const under = ["bash", "-c", `ulimit -n ${descriptors} && exec "$@"`, "bash"]
    const program = this.#program(["start", "--no-tls", "--tcp", "0", "--data", "cramped"], { under })
    const match = await program.prints(/"tcp on 127\.0\.0\.1:(\d+)"/)
    if (match === undefined) throw new Error(`it does not listen: ${program.end ?? ""} ${program.log.slice(-300)}`)
    return { program, port: Number(match[1]) }
  }

  write(name: string, text: string): void {
    writeFileSync(this.at(name), text)
  }

  /** Another broker, on TCP alone, by this configuration. */
  async another(name: string, config: object): Promise<{ readonly program: Program; readonly port: number }> {
    this.write(`${name}.json`, JSON.stringify(config))
    const program = this.#program(["start", "--config", `${name}.json`])
    const match = await program.prints(/"tcp on 127\.0\.0\.1:(\d+)"/)
    if (match === undefined) throw new Error(`it does not listen: ${program.end ?? ""} ${program.log.slice(-300)}`)
    return { program, port: Number(match[1]) }
  }

  async kill(): Promise<void> {
    this.broker.child.kill("SIGKILL")
    await this.broker.ended
  }

  /** MiB that the broker's process takes at the moment; undefined where /proc does not tell. */
  get mebibytes(): number | undefined {
    return this.broker.mebibytesNow
  }

  /** A command of `puremq` on the host, to its end. */
  async command(args: readonly string[], input = ""): Promise<Ended> {
    const program = this.#program(args, { input })
    if (!(await program.endsWithin(patience))) program.child.kill("SIGKILL")
    return { status: program.status, out: program.output, err: program.errors }
  }

  #program(args: readonly string[], options: ProgramOptions = {}): Program {
    return new Program(puremq, args, { cwd: this.folder, host: this.host, ...options })
  }

  /** The certificate that the TLS listener asks for. */
  get identity(): { readonly ca: string; readonly cert: string; readonly key: string } {
    const [ca, cert, key] = ["ca.pem", "client.pem", "client-key.pem"].map((name) => this.read(`.puremq/${name}`))
    return { ca: ca!, cert: cert!, key: key! }
  }

  /** Logged in; with the client certificate where TLS wants one. */
  async client(transport: Transport, options: Parameters<typeof Client.connect>[2] = {}): Promise<Client> {
    const wire = { ...(transport === "tls" && { tls: this.identity }), ...options.wire }
    const client = await Client.connect(transport, this.port(transport), { ...options, wire })
    this.#clients.add(client)
    return client
  }

  /** One of Mosquitto's clients, to its end. */
  mosquitto(name: "pub" | "sub", args: readonly string[]): { readonly ended: Promise<Ended> } {
    const child = spawn(`mosquitto_${name}`, [...args, "-V", "5"], { cwd: this.folder, timeout: patience })
    this.#children.add(child)
    const [out, err] = [collect(child.stdout), collect(child.stderr)]
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once("error", reject)
      child.once("close", (status) => {
        this.#children.delete(child)
        resolve({ status, out: out(), err: err() })
      })
    })
    ended.catch(() => undefined)
    return { ended }
  }

  mosquittoTls(): string[] {
    const files = ["--cafile", ".puremq/ca.pem", "--cert", ".puremq/client.pem", "--key", ".puremq/client-key.pem"]
    return ["-h", "localhost", "-p", String(this.port("tls")), ...files]
  }

  /** One value of the metrics. */
  async metric(name: string): Promise<number> {
    const text = await new Promise<string>((resolve, reject) => {
      const request = get(
        { host: "127.0.0.1", port: this.port("metrics"), path: "/metrics", agent: false },
        (answer) => {
          let body = ""
          answer.on("data", (data) => {
            body += data
          })
          answer.on("end", () => resolve(body))
        },
      )
      request.on("error", reject)
    })
    const line = text.split("\n").find((each) => each.startsWith(`${name} `))
    if (line === undefined) throw new Error(`/metrics has no ${name}`)
    return Number(line.slice(name.length + 1))
  }

  /** Between two rows. */
  async tidy(): Promise<void> {
    for (const { wire } of this.#clients) wire.destroy()
    this.#clients.clear()
    for (const child of this.#children) child.kill("SIGKILL")
    await pause(20)
  }

  async end(): Promise<void> {
    await this.tidy()
    if (this.#broker?.alive) await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ""
  stream.on("data", (data) => {
    text += data
  })
  return () => text
}

/** @throws Error that says what is otherwise */
export function expect(found: Ended, wanted: Partial<Ended>): void {
  for (const [name, value] of Object.entries(wanted)) {
    const has = found[name as keyof Ended]
    if (has !== value) throw new Error(`${name} is ${JSON.stringify(has)}, not ${JSON.stringify(value)}; ${found.err}`)
  }
}
