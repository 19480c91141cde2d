// Turns the broker inside out: each function on the path of a connection throws once, in a process of its own, while two
// clients are connected. The process lives, at most the connection whose work it was ends, and its neighbours go on.
// The functions are found in the sources, so nobody has to remember to add one.

import { type ChildProcess, fork } from "node:child_process"
import { mkdirSync } from "node:fs"
import { createServer as createHttpServer, type Server as HttpServer } from "node:http"
import { createServer, type Server } from "node:tls"
import { fileURLToPath } from "node:url"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { passwordLine, scramSuffix } from "../../src/access/password-file.ts"
import { writeSubscribe } from "../../src/codecs/mqtt-packet.ts"
import type { ListenerAddress } from "../../src/index.ts"
import { pbkdf2 } from "../../src/platform/node-pbkdf2.ts"
import { publishBytes } from "../harness.ts"
import type { Order, State } from "./broker-process.ts"
import { buildInstrumented, type Instrumented } from "./instrument.ts"
import { CutOff, connectAs, jwks, LeftHanging, type Life, lives, RawClient, type Where } from "./lives.ts"

const root = fileURLToPath(new URL("../../../..", import.meta.url))

/** Where the path of a connection goes through. */
const folders = [
  ...["packet", "routing", "ports", "session", "client", "hub", "codecs", "stores", "access", "listen", "http"].map(
    (name) => `packages/broker/src/${name}`,
  ),
  "packages/broker/src/admin/http",
  "packages/broker/src/admin/live.ts",
  "packages/broker/src/admin/watch.ts",
  "packages/broker/src/platform/node.ts",
  "packages/broker/src/platform/hooks.ts",
  "packages/broker/src/platform/listener-reports.ts",
  "packages/broker/src/platform/node-listeners.ts",
  "packages/tls13/src/adapters/node",
  "packages/tls13/src/adapters/driver.ts",
]

/**
 * The boundaries themselves: what they catch is what the others throw. A throw before their first statement, which no
 * statement of theirs can be the cause of, is nobody's to catch. Functions that do nothing but call one are left out by
 * `instrument.ts`.
 */
const boundaries: readonly string[] = [
  "listen/boundary.ts#inside",
  "listen/boundary.ts#Boundary.constructor",
  "listen/boundary.ts#Boundary.run",
  "listen/boundary.ts#Boundary.handler",
  "session/faults.ts#Faults.attempt",
  "access/delay-line.ts#DelayLine.#wake",
  "access/fair-pool.ts#FairPool.#guard",
  "access/hook-login.ts#HookLogin.#guard",
  "access/login.ts#Ending.inside",
  "access/token-login.ts#TokenLogin.#guard",
  "platform/node.ts#NodeBroker.#attempt",
  "platform/node.ts#NodeBroker.flush (inner)",
  "http/client.ts#Running.#guard",
  "node/server.ts#Server.#guard",
  "node/arrivals.ts#Arrivals.soon (inner)",
  "node/input-turns.ts#InputTurns.this.#nextTurn (inner)",
  "node/shared-memory.ts#SharedMemory.#guard",
  "node/tls-socket.ts#TLSSocket.guard",
  "node/tls-socket.ts#TLSSocket.emit",
]

const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], clientName: "device", now: Date.now() })
const acl = "all readwrite #\nall deny forbidden/#"

interface Answer {
  readonly number: number
  readonly answer?: unknown
  readonly failure?: string | undefined
}

class BrokerProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #number = 0
  /** How it ended, and what it said. */
  exit: string | undefined

  constructor(program: string) {
    this.#child = fork(program, { silent: true, execArgv: [] })
    let said = ""
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk) => (said += String(chunk)))
    this.#child.on("message", (message: Answer) => {
      this.#waiting.get(message.number)?.(message)
      this.#waiting.delete(message.number)
    })
    this.#child.on("exit", (code, signal) => {
      this.exit = `${signal ?? `status ${code}`}: ${said.slice(-2000)}`
      for (const waiting of this.#waiting.values()) waiting({ number: 0, failure: this.exit })
    })
  }

  ask<Result>(order: Order): Promise<Result> {
    const number = ++this.#number
    return new Promise((resolve, reject) => {
      if (this.exit !== undefined) return reject(new Error(this.exit))
      this.#waiting.set(number, ({ answer, failure }) =>
        failure === undefined ? resolve(answer as Result) : reject(new Error(failure)),
      )
      // A child that has died since is told by its exit.
      this.#child.send({ number, ...order }, () => undefined)
    })
  }

  stop(): void {
    this.#child.kill("SIGKILL")
  }
}

/** Two clients that talk to each other. */
class Neighbours {
  readonly one: RawClient
  readonly two: RawClient

  constructor(where: Where) {
    this.one = new RawClient("tcp", where, 5)
    this.two = new RawClient("tls", where, 4)
  }

  async settle(): Promise<void> {
    this.one.send(connectAs("neighbour-one", 5))
    this.two.send(connectAs("neighbour-two", 4))
    await Promise.all([this.one.until(2), this.two.until(2)])
    this.one.send(publishBytes(5, "victim/between/kept", "x", { qos: 1, retain: true, packetId: 2 }))
    await this.one.until(4)
    await this.#subscribe("victim/between/+")
    await this.two.until(3)
    await this.check()
  }

  async #subscribe(filter: string): Promise<void> {
    const how = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    this.two.send(writeSubscribe(1, [{ filter, ...how }], 4))
    await this.two.until(9)
  }

  /** Throws when they cannot talk any more. Their topics stand in the broker's trees beside those of the victims. */
  async check(): Promise<void> {
    this.one.send(publishBytes(5, "victim/between/us", "x", { qos: 1 }))
    await Promise.all([this.one.until(4), this.two.until(3)])
    await this.#subscribe("victim/between/kept")
    await this.two.until(3)
  }

  get gone(): number {
    return [this.one, this.two].filter(({ closed }) => closed).length
  }

  leave(): void {
    this.one.destroy()
    this.two.destroy()
  }
}

let built: Instrumented
let program = ""
let echo: Server
let echoPort = 0
let passwords = ""
/** Who is asked before the password file. */
let hook: HttpServer
let hookUrl = ""
let child: BrokerProcess
let where: Where
let neighbours: Neighbours

/** Our own client, inside the broker's process, against a server of node:tls. */
const dialling: Life = {
  name: "our client",
  async live() {
    if (!(await child.ask<boolean>({ order: "dial", port: echoPort }))) throw new CutOff()
  },
}
const allLives = [...lives, dialling]

async function start(): Promise<void> {
  child = new BrokerProcess(program)
  const setup = { cert: pem.serverCert, key: pem.serverKey, ca: pem.caCert, passwords, acl, jwks, hook: hookUrl }
  const all = await child.ask<ListenerAddress[]>({ order: "start", setup })
  const listeners = all.filter(({ type }) => type !== "admin")
  const admin = all.find(({ type }) => type === "admin")?.port ?? 0
  where = { listeners, admin, ca: pem.caCert, client: { cert: pem.clientCert ?? "", key: pem.clientKey ?? "" } }
  await meet()
}

async function meet(): Promise<void> {
  neighbours = new Neighbours(where)
  await neighbours.settle()
}

/** Waits until only the neighbours are left. Victims' sockets are gone, so that takes no longer than a linger. */
async function settled(): Promise<State> {
  const deadline = Date.now() + 10_000
  let events: readonly string[] = []
  let sprung = false
  for (;;) {
    const state = await child.ask<State>({ order: "state" })
    events = state.events
    sprung ||= state.sprung
    const left = state.connections - (2 - neighbours.gone)
    if (left <= 0 || Date.now() > deadline) return { ...state, events, sprung }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

beforeAll(async () => {
  const folder = `${root}/node_modules/.puremq-reports`
  mkdirSync(folder, { recursive: true })
  program = `${folder}/inside-out-${process.pid}.mjs`
  const entry = fileURLToPath(new URL("broker-process.ts", import.meta.url))
  built = await buildInstrumented(root, entry, program, folders)
  const salt = new Uint8Array(16).fill(7)
  passwords = await passwordLine("user", "password", salt, { ln: 10, r: 8, p: 1 })
  passwords += await scramSuffix("user", "password", salt, 4096, pbkdf2)
  echo = createServer({ cert: pem.serverCert, key: pem.serverKey, ALPNProtocols: ["mqtt"] }, (socket) => {
    socket.on("error", () => undefined)
    socket.pipe(socket)
  })
  echo.on("tlsClientError", () => undefined)
  await new Promise<void>((resolve) => echo.listen({ host: "127.0.0.1", port: 0 }, resolve))
  const address = echo.address()
  echoPort = typeof address === "object" && address !== null ? address.port : 0
  hook = createHttpServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => (body += String(chunk)))
    request.on("end", () => {
      const rights = { publish: ["victim/#"], subscribe: ["victim/#"], expiresIn: 60 }
      const isKnown = JSON.parse(body).username === "hooked"
      response.end(JSON.stringify(isKnown ? { result: "allow", ...rights } : { result: "ignore" }))
    })
  })
  await new Promise<void>((resolve) => hook.listen({ host: "127.0.0.1", port: 0 }, resolve))
  const where = hook.address()
  hookUrl = `http://127.0.0.1:${typeof where === "object" && where !== null ? where.port : 0}/`
  await start()
}, 60_000)

afterAll(() => {
  neighbours?.leave()
  child?.stop()
  echo?.close()
  hook?.close()
})

interface Verdict {
  readonly id: string
  readonly life: string
  readonly wrong: string
}

/** What is wrong after this function threw in this life; undefined when all is as it should be. */
async function throwOnce(id: string, life: Life, ambient: boolean): Promise<{ sprung: boolean; wrong?: string }> {
  try {
    return await throwOnceAlive(id, life, ambient)
  } catch (error) {
    if (child.exit === undefined) throw error
    const wrong = `the process ended (${child.exit})`
    neighbours.leave()
    await start()
    return { sprung: true, wrong }
  }
}

async function throwOnceAlive(id: string, life: Life, ambient: boolean): Promise<{ sprung: boolean; wrong?: string }> {
  const before = await child.ask<State>({ order: "state" })
  await child.ask({ order: "arm", id })
  let hanging: string | undefined
  try {
    await life.live(where)
  } catch (error) {
    if (error instanceof LeftHanging) hanging = error.message
    else if (!(error instanceof CutOff)) throw error
  }
  const state = await settled()
  if (!state.sprung) return { sprung: false }
  const wrong: string[] = []
  if (hanging !== undefined) wrong.push(`its client was left hanging ${hanging}`)
  const left = state.connections - (2 - neighbours.gone)
  if (left > 0) wrong.push(`${left} connections stay behind`)
  if (!ambient && neighbours.gone > 0) wrong.push("a neighbour was cut off")
  if (ambient && neighbours.gone > 1) wrong.push("two connections were cut off")
  const told = state.faults > before.faults || state.events.some((line) => line.includes("planted in"))
  if (!told) wrong.push("nobody was told")
  if (neighbours.gone === 0) {
    await neighbours.check().catch(() => wrong.push("the neighbours cannot talk any more"))
  }
  if (neighbours.gone > 0 || wrong.length > 0) {
    neighbours.leave()
    child.stop()
    await start()
  }
  return { sprung: true, ...(wrong.length > 0 && { wrong: wrong.join(", ") }) }
}

describe("a function on the path of a connection that throws", () => {
  it("ends at most that connection, whichever function it is", async () => {
    // What is called anyway, while the neighbours are idle: it may be one of them whose turn it is.
    await child.ask({ order: "record" })
    await new Promise((resolve) => setTimeout(resolve, 2500))
    const ambient = new Set(await child.ask<string[]>({ order: "recorded" }))
    const reached = new Map<string, Life[]>()
    for (const life of allLives) {
      await child.ask({ order: "record" })
      await life.live(where)
      await settled()
      for (const id of await child.ask<string[]>({ order: "recorded" }))
        reached.set(id, [...(reached.get(id) ?? []), life])
    }
    const verdicts: Verdict[] = []
    const thrown = new Set<string>()
    const only = process.env["INSIDE_OUT_ONLY"]
    for (const [id, its] of reached) {
      if (only !== undefined && !new RegExp(only).test(id)) continue
      if (boundaries.some((boundary) => id.endsWith(boundary))) continue
      // The first life that gets there, and the last: most often another transport.
      for (const life of new Set([its[0]!, its.at(-1)!])) {
        const { sprung, wrong } = await throwOnce(id, life, ambient.has(id))
        if (sprung) thrown.add(id)
        if (wrong !== undefined) {
          verdicts.push({ id, life: life.name, wrong })
          console.log(`${id} in the life ${life.name}: ${wrong}`)
        }
      }
    }
    print(thrown)
    expect(verdicts).toEqual([])
    if (only === undefined) expect(thrown.size).toBeGreaterThan(450)
  }, 1_200_000)
})

/** The list, a line a file. */
function print(thrown: ReadonlySet<string>): void {
  const notReached = [...built.exported].filter((id) => !thrown.has(id))
  console.log(
    `${built.functions.length} functions found, ${built.exported.size} of them exported; ${thrown.size} threw once\n` +
      `exported and not on the way of these clients:\n${byFile(notReached)}\nthrew:\n${byFile([...thrown])}`,
  )
}

function byFile(ids: readonly string[]): string {
  const files = new Map<string, string[]>()
  for (const id of ids) {
    const [path = "", name = ""] = id.split("#", 1).concat(id.slice(id.indexOf("#") + 1))
    files.set(path, [...(files.get(path) ?? []), name])
  }
  const lines = [...files].map(([path, names]) => `  ${path}: ${names.sort().join(", ")}`)
  return lines.sort().join("\n")
}
