// What a row has at hand: programs, a neighbour, files; and what is found out about them at the end.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ConnectionOptions } from "node:tls"
import type { Host } from "../hosts/hosts.ts"
import { serverFiles } from "./certificates.ts"
import { Neighbour, type NeighbourOptions } from "./neighbour.ts"
import { Program, type ProgramOptions, puremq, tls13 } from "./programs.ts"
import { Client } from "./wire/client.ts"
import { openStream, type Transport, transports } from "./wire/wire.ts"

/** Milliseconds that a neighbour may be held up, where a row says nothing else. */
const longestHoldUp = 1000
/** MiB that a program may take with its heap of 512 MiB: heap, code, and buffers beside it. */
const mostMemory = 768
/** Milliseconds that a broker may take to start; and with a store that may be full: 5 seconds of the processor at 512 MiB. */
const startTime = 20_000
const restartTime = 90_000

export interface Bounds {
  readonly holdUp: number
  readonly memory: number
}

export interface Findings {
  /** undefined: the row has no server. */
  readonly alive: boolean | undefined
  readonly mebibytes: number | undefined
  readonly holdUp: number | undefined
  /** What is wrong, in words; none: held. */
  readonly problems: readonly string[]
}

/** A server under attack. */
export interface Server {
  readonly program: Program
  readonly ports: Readonly<Record<string, number>>
  readonly port: (name?: string) => number
}

export interface BrokerOptions {
  /** Default: tcp. */
  readonly listeners?: readonly (Transport | "metrics")[]
  readonly args?: readonly string[]
  /** MiB; default 512. */
  readonly heap?: number
  /** How the health check logs in; default: without a name. Any CONNACK is an answer. */
  readonly tls?: ConnectionOptions
}

export class Scene {
  readonly #folder = mkdtempSync(join(tmpdir(), "puremq-hostile-"))
  #stores = 0
  /** Starts a broker again as it was started. */
  readonly #commands = new Map<Server, () => Promise<Server>>()
  readonly #programs: Program[] = []
  readonly #servers: { readonly server: Server; readonly answers: () => Promise<string | undefined> }[] = []
  readonly #neighbours: Neighbour[] = []
  readonly #cleanups: (() => unknown)[] = []
  readonly #problems: string[] = []
  readonly #host: Host
  #bounds: Bounds = { holdUp: longestHoldUp, memory: mostMemory }

  /** @param host what the broker runs on */
  constructor(host: Host) {
    this.#host = host
  }

  /** Other bounds than the usual ones. */
  bound(bounds: Partial<Bounds>): void {
    this.#bounds = { ...this.#bounds, ...bounds }
  }

  /** Notes what is wrong; the row falls. */
  fell(problem: string): void {
    if (this.#problems.length < 8 && !this.#problems.includes(problem)) this.#problems.push(problem)
  }

  check(holds: boolean, problem: string): void {
    if (!holds) this.fell(problem)
  }

  atEnd(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup)
  }

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.#folder, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }

  folder(name: string): string {
    const path = join(this.#folder, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  run(file: string, args: readonly string[], options: ProgramOptions = {}): Program {
    const program = new Program(file, args, { cwd: this.#folder, host: this.#host, ...options })
    this.#programs.push(program)
    return program
  }

  /** `puremq start` on free ports, all limits at their defaults. @throws Error when it does not start */
  async broker(options: BrokerOptions = {}): Promise<Server> {
    const { listeners = ["tcp"], args = [] } = options
    const secure = listeners.includes("tls") || listeners.includes("wss")
    const command = [
      "start",
      ...(args.includes("--store") ? [] : ["--data", this.folder(`store-${++this.#stores}`)]),
      ...listeners.flatMap((name) => [`--${name}`, "127.0.0.1:0"]),
      ...(listeners.includes("tls") ? [] : ["--no-tls"]),
      ...(secure && !args.includes("--cert")
        ? ["--cert", this.file("server.pem", serverFiles.cert), "--key", this.file("server-key.pem", serverFiles.key)]
        : []),
      ...args,
    ]
    const server = await this.#started(command, listeners, options)
    this.#commands.set(server, () => this.#started(command, listeners, options, restartTime))
    return server
  }

  /** The broker's process is killed, and it is started again with what it has kept. @throws Error when it does not start */
  async killed(server: Server): Promise<Server> {
    const start = this.#commands.get(server)
    if (start === undefined) throw new Error("it is no broker of this scene")
    this.#servers.splice(
      this.#servers.findIndex((each) => each.server === server),
      1,
    )
    server.program.child.kill("SIGKILL")
    await server.program.ended
    return start()
  }

  async #started(
    command: readonly string[],
    listeners: readonly string[],
    { heap, tls }: Pick<BrokerOptions, "heap" | "tls">,
    patience = startTime,
  ): Promise<Server> {
    const program = this.run(puremq, command, { heap })
    const ports: Record<string, number> = {}
    for (const name of listeners) {
      const match = await program.prints(new RegExp(`listening.*\\b${name} on 127\\.0\\.0\\.1:(\\d+)`), patience)
      if (match === undefined)
        throw new Error(`puremq start does not listen: ${program.end ?? program.log.slice(-200)}`)
      ports[name] = Number(match[1])
    }
    return this.#serving(program, ports, (server) => answersMqtt(server, tls))
  }

  /** `tls13 serve` on a free port. @throws Error when it does not start */
  async tlsServer(args: readonly string[] = []): Promise<Server> {
    const files = [
      "--cert",
      this.file("server.pem", serverFiles.cert),
      "--key",
      this.file("server-key.pem", serverFiles.key),
    ]
    const program = this.run(tls13, ["serve", "127.0.0.1:0", ...files, ...args])
    const match = await program.prints(/listening on .*:(\d+)/)
    if (match === undefined) throw new Error(`tls13 serve does not listen: ${program.end ?? program.log.slice(-200)}`)
    return this.#serving(program, { tls: Number(match[1]) }, answersTls)
  }

  /** A broker that was started otherwise, with a listener of tcp. */
  watchBroker(program: Program, port: number): Server {
    return this.#serving(program, { tcp: port }, (server) => answersMqtt(server, undefined))
  }

  /** A program of one's own that answers TLS on a port that it prints. */
  watch(program: Program, port: number): Server {
    return this.#serving(program, { tls: port }, answersTls)
  }

  async neighbour(server: Server, options: Partial<NeighbourOptions> = {}): Promise<Neighbour> {
    const transport = options.transport ?? (server.ports["tcp"] === undefined ? "tls" : "tcp")
    const port = options.port ?? server.port(transport)
    const { pid } = server.program.child
    const neighbour = await Neighbour.start({ asks: "publish", ...(pid && { pid }), ...options, transport, port })
    this.#neighbours.push(neighbour)
    return neighbour
  }

  client(server: Server, transport: Transport, options: Parameters<typeof Client.connect>[2] = {}): Promise<Client> {
    return Client.connect(transport, server.port(transport), options).then((client) => {
      this.atEnd(() => client.wire.destroy())
      return client
    })
  }

  /** Looks at what is left after the attack. */
  async judge(): Promise<Findings> {
    const said = [...this.#problems]
    const found: string[] = []
    let alive: boolean | undefined
    let mebibytes: number | undefined
    for (const { server, answers } of this.#servers) {
      const problem = await answers()
      alive = (alive ?? true) && problem === undefined
      if (problem !== undefined) found.push(problem)
      const most = server.program.mebibytes
      if (most !== undefined) mebibytes = Math.max(mebibytes ?? 0, most)
    }
    const holdUps = this.#neighbours.map(({ longest }) => longest)
    const holdUp = holdUps.length === 0 ? undefined : Math.max(...holdUps)
    if (alive !== false) {
      if (this.#neighbours.some(({ lost }) => lost)) found.push("the neighbour's connection ended")
      // A machine that is busy with other things holds up everybody, the broker more than once in an answer.
      const noise = 2 * Math.max(0, ...this.#neighbours.map((each) => each.noise))
      if (holdUp !== undefined && holdUp > this.#bounds.holdUp + noise) found.push(`a neighbour waited ${holdUp} ms`)
    }
    if (mebibytes !== undefined && mebibytes > this.#bounds.memory) found.push(`${mebibytes} MiB of memory`)
    return { alive, mebibytes, holdUp, problems: [...found, ...said] }
  }

  /** What its programs printed last, each with its name before it. */
  printed(): string[] {
    return this.#programs.map(({ name, output, errors }) => {
      return `--- ${name}\n${output.slice(-3000)}${errors.slice(-3000)}`.trimEnd()
    })
  }

  /** Ends what the row started. */
  async finish(): Promise<void> {
    await Promise.all(this.#neighbours.map((neighbour) => neighbour.stop()))
    for (const cleanup of this.#cleanups.reverse()) await cleanup()
    await Promise.all(this.#programs.map((program) => program.stop()))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #serving(
    program: Program,
    ports: Readonly<Record<string, number>>,
    answers: (server: Server) => Promise<string | undefined>,
  ): Server {
    const server: Server = {
      program,
      ports,
      port(name = Object.keys(ports)[0]!) {
        const port = ports[name]
        if (port === undefined) throw new Error(`there is no ${name} listener`)
        return port
      },
    }
    this.#servers.push({ server, answers: () => answers(server) })
    return server
  }
}

/** Milliseconds that a new client may wait for its answer once the attack is over. */
const answerTime = 15_000

/** @returns what is wrong, in words */
async function answersMqtt(
  { program, ports }: Server,
  tls: ConnectionOptions | undefined,
): Promise<string | undefined> {
  const transport = transports.find((name) => ports[name] !== undefined)
  return problemOf(program, async () => {
    if (transport === undefined) return
    const wire = { timeout: answerTime, ...(tls && { tls }) }
    try {
      const request = { clientId: "health", patience: answerTime, wire }
      const client = await Client.connect(transport, ports[transport]!, request)
      client.wire.destroy()
    } catch (error) {
      // Who is refused is answered.
      if (!(error instanceof Error && error.message.startsWith("CONNACK"))) throw error
    }
  })
}

/** @returns what is wrong, in words */
function answersTls({ program, ports }: Server): Promise<string | undefined> {
  return problemOf(program, async () => {
    const stream = await openStream("tls", ports["tls"]!, { timeout: answerTime })
    stream.destroy()
  })
}

async function problemOf(program: Program, ask: () => Promise<void>): Promise<string | undefined> {
  let problem: string | undefined
  if (program.alive) {
    try {
      await ask()
    } catch (error) {
      problem = `a new client gets no answer (${error instanceof Error ? error.message : error})`
    }
    if (problem === undefined && program.alive) return undefined
  }
  // A process that ends takes a moment to say so.
  await program.endsWithin(3000)
  return program.end ?? problem ?? "it ends"
}
