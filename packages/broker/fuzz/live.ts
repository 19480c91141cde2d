// The target `broker`: sequences for a started broker, over TCP, TLS and WebSocket. What must hold whatever comes: the process
// lives, prints nothing that is not its log, counts no fault of its own, and answers a well-behaved client.

import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect as connectTls, type TLSSocket } from "node:tls"
import { type Random, seeded } from "../../tls13/fuzz/random.ts"
import { serverFiles } from "../hostile/certificates.ts"
import { Program, puremq } from "../hostile/programs.ts"
import { Client } from "../hostile/wire/client.ts"
import type { Derived } from "../hostile/wire/scram.ts"
import { upgradeRequest } from "../hostile/wire/websocket.ts"
import { type Transport, transports } from "../hostile/wire/wire.ts"
import { addToBrokerCorpus } from "./corpus.ts"
import { Ear } from "./ear.ts"
import { isScram, makeScramSequence, type Part, scramPasswordFile } from "./scram.ts"
import { framesOf, makeSequence, oddHeaders } from "./sequence.ts"
import { chooseTransport } from "./transport.ts"

export const brokerTargets = ["broker", "broker-tcp", "broker-tls", "broker-ws", "broker-wss"] as const
export type BrokerTarget = (typeof brokerTargets)[number]

export interface BrokerFinding {
  readonly what: string
  /** Those that were under way, or only just over; the first one does it alone when `alone` is set. */
  readonly executions: readonly number[]
  readonly alone: boolean
}

export interface BrokerReport {
  readonly target: BrokerTarget
  readonly seed: number
  readonly executions: number
  /** Sequences, each on a connection of its own, by transport. */
  readonly split: ReadonlyMap<Transport, number>
  readonly findings: readonly BrokerFinding[]
  readonly longestAnswer: number
  readonly mebibytes: number | undefined
  readonly milliseconds: number
}

export interface BrokerFuzzOptions {
  readonly target: BrokerTarget
  readonly executions: number
  readonly seed: number
  /** This execution alone. */
  readonly only?: number | undefined
  readonly say: (line: string) => void
}

/** Connections at a time. */
const width = 64
/** Executions between two questions of the well-behaved client. */
const healthInterval = 500
/** Milliseconds that its answer may take. */
const longestAnswerAllowed = 10_000
const mostFindings = 10

interface Running {
  readonly program: Program
  readonly ports: Readonly<Record<Transport, number>>
  readonly health: Client
}

/** Lines that a broker that is well does not print. */
const fault =
  /^\S+ error\b|\binternal\b|unhandled|uncaught|\.[jt]s:\d+:\d+|^\w*Error\b|ExperimentalWarning|MaxListeners/im

export async function fuzzBroker(options: BrokerFuzzOptions): Promise<BrokerReport> {
  const folder = mkdtempSync(join(tmpdir(), "puremq-fuzz-"))
  const fuzzer = new BrokerFuzzer(options, folder)
  const interrupted = () =>
    void fuzzer.interrupt().finally(() => {
      rmSync(folder, { recursive: true, force: true })
      process.exit(130)
    })
  const signals = ["SIGINT", "SIGTERM"] as const
  for (const signal of signals) process.once(signal, interrupted)
  try {
    return await fuzzer.run()
  } finally {
    for (const signal of signals) process.off(signal, interrupted)
    rmSync(folder, { recursive: true, force: true })
  }
}

class BrokerFuzzer {
  readonly #options: BrokerFuzzOptions
  readonly #folder: string
  readonly #split = new Map<Transport, number>()
  readonly #findings: BrokerFinding[] = []
  readonly #underWay = new Set<number>()
  /** The last that are over, the newest last. */
  #over: number[] = []
  #session: Buffer | undefined
  #longestAnswer = 0
  #mebibytes: number | undefined
  #executed = 0
  #faultLine: string | undefined
  readonly #derived = new Map<string, Derived>()
  #current: Program | undefined

  constructor(options: BrokerFuzzOptions, folder: string) {
    this.#options = options
    this.#folder = folder
    writeFileSync(this.#file("cert.pem"), serverFiles.cert)
    writeFileSync(this.#file("key.pem"), serverFiles.key)
    const hash = (length: number) => randomBytes(length).toString("base64").replace(/=+$/, "")
    const plain = `:$scrypt$ln=10,r=8,p=1$${hash(16)}$${hash(32)}`
    writeFileSync(this.#file("passwords"), `user${plain}\n${scramPasswordFile(plain)}`)
  }

  async run(): Promise<BrokerReport> {
    const { target, executions, only, say } = this.#options
    const began = performance.now()
    const [from, to] = only === undefined ? [0, executions] : [only, only + 1]
    let next = from
    let told = performance.now()
    while (next < to && this.#findings.length < mostFindings) {
      const running = await this.#start()
      let well = true
      let asked = next
      const work = async () => {
        while (well && next < to) {
          const execution = next++
          await this.#execute(running, execution)
          this.#executed++
          if (!running.program.alive) well = false
          if (execution - asked >= healthInterval) {
            asked = execution
            well &&= await this.#isWell(running)
            if (performance.now() - told > 30_000) {
              told = performance.now()
              const rate = Math.round(this.#executed / ((told - began) / 1000))
              say(`  ${next.toLocaleString("en")} executions, ${rate.toLocaleString("en")} a second`)
            }
          }
        }
      }
      await Promise.all(Array.from({ length: Math.min(width, to - next) }, work))
      const problem = (await this.#problemOf(running)) ?? (well ? undefined : "the well-behaved client got no answer")
      this.#mebibytes = Math.max(this.#mebibytes ?? 0, running.program.mebibytes ?? 0) || undefined
      await this.#stop(running)
      if (problem !== undefined) {
        const finding = await this.#narrow(problem, [...this.#underWay, ...this.#over.toReversed()])
        this.#findings.push(finding)
        say(describeFinding(finding, this.#options))
      }
      this.#underWay.clear()
      this.#over = []
    }
    return {
      target,
      seed: this.#options.seed,
      executions: this.#executed,
      split: this.#split,
      findings: this.#findings,
      longestAnswer: this.#longestAnswer,
      mebibytes: this.#mebibytes,
      milliseconds: performance.now() - began,
    }
  }

  /** Ends the broker of the moment: for a run that is interrupted. */
  async interrupt(): Promise<void> {
    await this.#current?.stop()
  }

  /* ------------------------------------------------------------ the broker */

  #file(name: string): string {
    return join(this.#folder, name)
  }

  async #start(): Promise<Running> {
    const program = new Program(puremq, [
      "start",
      ...transports.flatMap((name) => [`--${name}`, "127.0.0.1:0"]),
      ...["--cert", this.#file("cert.pem"), "--key", this.#file("key.pem")],
      ...["--password-file", this.#file("passwords"), "--anonymous", "--data", this.#file("store")],
    ])
    this.#current = program
    const ports: Record<string, number> = {}
    for (const name of transports) {
      const match = await program.prints(new RegExp(`\\b${name} on 127\\.0\\.0\\.1:(\\d+)`))
      if (match === undefined) throw new Error(`the broker does not listen: ${program.end ?? program.log}`)
      ports[name] = Number(match[1])
    }
    this.#session = undefined
    program.child.stdout?.on("data", (data: Buffer) => {
      this.#faultLine ??= fault.exec(data.toString("utf8"))?.[0]
    })
    const health = await Client.connect("tcp", ports["tcp"]!, { clientId: "health" })
    return { program, ports: ports as Record<Transport, number>, health }
  }

  async #isWell({ health, program }: Running): Promise<boolean> {
    if (this.#faultLine !== undefined || program.errors !== "") return false
    const asked = performance.now()
    const answered = await health.ping(longestAnswerAllowed)
    this.#longestAnswer = Math.max(this.#longestAnswer, performance.now() - asked)
    return answered
  }

  async #problemOf({ program, health }: Running): Promise<string | undefined> {
    // A process that ends takes a moment to say so.
    if (!(await health.ping(longestAnswerAllowed))) await program.endsWithin(3000)
    if (!program.alive) return program.end ?? "it ended"
    const said = program.errors.trim()
    if (said !== "") return `it printed an error: ${said.split("\n")[0]}`
    const line = this.#faultLine
    this.#faultLine = undefined
    return line === undefined ? undefined : `its log has ${JSON.stringify(line.trim())}`
  }

  async #stop({ program, health }: Running): Promise<void> {
    health.wire.destroy()
    await program.stop()
  }

  /** Tries those that were under way one after the other, to name the one that does it. */
  async #narrow(what: string, executions: readonly number[]): Promise<BrokerFinding> {
    if (this.#options.only !== undefined) return { what, executions: [this.#options.only], alone: true }
    let left = executions
    while (left.length > 0) {
      const running = await this.#start()
      let [suspect, problem]: [number | undefined, string | undefined] = [undefined, undefined]
      for (const execution of left) {
        await this.#execute(running, execution, false)
        problem = await this.#problemOf(running)
        if (problem === undefined) continue
        suspect = execution
        break
      }
      await this.#stop(running)
      if (suspect === undefined) break
      const alone = await this.#start()
      await this.#execute(alone, suspect, false)
      const again = await this.#problemOf(alone)
      await this.#stop(alone)
      if (again !== undefined) return { what: again, executions: [suspect], alone: true }
      left = left.slice(left.indexOf(suspect) + 1)
    }
    return { what, executions, alone: false }
  }

  /* ------------------------------------------------------------ an execution */

  async #execute(running: Running, execution: number, counted = true): Promise<void> {
    const { seed, target } = this.#options
    const random = seeded(seed, execution)
    const drawn = chooseTransport(random)
    const transport = target === "broker" ? drawn : transportOf(target)
    const conversation = isScram(execution) ? this.#scram(random) : sequence(random)
    if (counted) this.#count(transport, execution)
    try {
      await this.#converse(running, transport, conversation, random)
    } catch {
      // It was refused: what that means is seen at the broker.
    }
    if (!counted) return
    this.#underWay.delete(execution)
    this.#over.push(execution)
    if (this.#over.length > 2 * width) this.#over.splice(0, width)
  }

  #count(transport: Transport, execution: number): void {
    this.#split.set(transport, (this.#split.get(transport) ?? 0) + 1)
    this.#underWay.add(execution)
  }

  #scram(random: Random): Conversation {
    // Guesses of one address are looked at later and later.
    const from = process.platform === "linux" ? `127.${1 + random.integer(250)}.${random.integer(250)}.1` : undefined
    return { ...makeScramSequence(random, this.#derived), frozen: false, from }
  }

  async #converse({ ports }: Running, transport: Transport, all: Conversation, random: Random): Promise<void> {
    const { parts, frozen, ending, from } = all
    const secure = transport === "tls" || transport === "wss"
    const port = ports[transport]
    const socket = secure
      ? this.#openTls(port, random)
      : connectTcp({ host: "127.0.0.1", port, noDelay: true, ...(from !== undefined && { localAddress: from }) })
    const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()))
    socket.on("error", () => undefined)
    const limit = setTimeout(() => socket.destroy(), 15_000)
    try {
      await Promise.race([new Promise((resolve) => socket.once(secure ? "secureConnect" : "connect", resolve)), closed])
      if (socket.destroyed) return
      const web = transport === "ws" || transport === "wss"
      if (web) {
        const odd = random.oneIn(30)
        const host = `localhost:${port}`
        socket.write(upgradeRequest(odd ? { host, headers: oddHeaders(random) } : { host }).text)
        await Promise.race([new Promise((resolve) => socket.once("data", resolve)), closed])
      }
      const ear = new Ear(socket)
      if (frozen) socket.pause()
      else socket.resume()
      for (const part of parts) {
        const chunk = part instanceof Uint8Array ? part : part(await ear.serverFirst(closed))
        if (socket.destroyed || !socket.writable) break
        socket.write(web ? framesOf(random, chunk) : chunk)
        if (parts.length > 1) await new Promise(setImmediate)
      }
      if (ending === "cut") {
        await new Promise((resolve) => setTimeout(resolve, frozen ? 20 : 0))
        socket.destroy()
      } else socket.end()
      await closed
    } finally {
      clearTimeout(limit)
      socket.destroy()
    }
  }

  /** Sessions are resumed: a handshake costs more than what is looked for here. */
  #openTls(port: number, random: Random): TLSSocket {
    const resumed = this.#session !== undefined && !random.oneIn(50) ? { session: this.#session } : {}
    const options = { host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false, ...resumed }
    const socket = connectTls(options)
    socket.on("session", (session) => {
      this.#session = session
    })
    // Where records end has nothing to do with where packets do.
    if (random.oneIn(2)) socket.setMaxSendFragment(random.pick([512, 600, 4096]))
    return socket
  }
}

/** What one client does on its connection. */
interface Conversation {
  readonly parts: readonly Part[]
  readonly frozen: boolean
  readonly ending: "end" | "cut"
  /** The address that it comes from, over TCP. */
  readonly from?: string | undefined
}

function sequence(random: Random): Conversation {
  const { chunks, frozen, ending } = makeSequence(random)
  return { parts: chunks, frozen, ending }
}

function transportOf(target: BrokerTarget): Transport {
  const name = target.slice("broker-".length)
  return transports.find((each) => each === name) ?? "tcp"
}

function describeFinding(finding: BrokerFinding, { target, seed }: BrokerFuzzOptions): string {
  const { what, executions, alone } = finding
  const replay = (execution: number) => `--target ${target} --seed ${seed} --only ${execution}`
  if (alone) return `  finding: ${what}\n    ${replay(executions[0]!)}`
  return `  finding: ${what}\n    none of these does it alone: --target ${target} --seed ${seed}, executions ${executions.join(", ")}`
}

export function printBrokerReport(report: BrokerReport, say: (line: string) => void): void {
  const { target, executions, split, findings, longestAnswer, mebibytes, milliseconds } = report
  const rate = Math.round(executions / (milliseconds / 1000)).toLocaleString("en")
  say(
    `${target}: ${executions.toLocaleString("en")} executions (${rate} a second), ${findings.length} findings, ` +
      `longest answer ${Math.round(longestAnswer)} ms${mebibytes === undefined ? "" : `, ${mebibytes} MiB at most`}`,
  )
  const parts = [...split].map(([transport, count]) => `${transport} ${count.toLocaleString("en")}`)
  say(`  sequences, each on a connection of its own: ${parts.join(", ")}`)
}

/** Adds what one execution does alone to the corpus. */
export function saveFindings({ findings, seed }: BrokerReport): void {
  const found = findings.filter(({ alone }) => alone).map(({ what, executions }) => [what, `${seed}:${executions[0]}`])
  if (found.length > 0) addToBrokerCorpus(Object.fromEntries(found))
}
