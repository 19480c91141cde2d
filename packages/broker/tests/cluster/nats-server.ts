// nats-server for tests: where there is one, on free ports of 127.0.0.1, killed with -9 and begun again as wished.

import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { homedir, tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { versionProblem } from "../../src/cluster/nats/layout.ts"

/** `NATS_SERVER`, of the PATH, or where `go install` puts it; undefined: nowhere. */
export const natsServer: string | undefined = find()

function find(): string | undefined {
  const named = process.env["NATS_SERVER"]
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), join(homedir(), "go", "bin")]
  const there = [...(named === undefined ? [] : [named]), ...folders.map((folder) => join(folder, "nats-server"))]
  const found = there.find((path) => existsSync(path)) ?? ofGo()
  return found !== undefined && isNewEnough(found) ? found : undefined
}

function ofGo(): string | undefined {
  try {
    const path = join(
      execFileSync("go", ["env", "GOPATH"], { encoding: "utf8", stdio: "pipe" }).trim(),
      "bin",
      "nats-server",
    )
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

/** Debian's is 2.9: without what the cluster is built on. */
function isNewEnough(path: string): boolean {
  try {
    const [, version] = /v(\d+\.\d+\.\d+)/.exec(execFileSync(path, ["--version"], { encoding: "utf8" })) ?? []
    return version !== undefined && versionProblem(version) === undefined
  } catch {
    return false
  }
}

/** Why tests with it are skipped. */
export const withoutNats: string =
  "no nats-server 2.15 or newer: go install github.com/nats-io/nats-server/v2@latest, or name it in NATS_SERVER"

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}

interface Peer {
  readonly name: string
  readonly port: number
  readonly clusterPort: number
  child: ChildProcess | undefined
}

/** Files in PEM. */
export interface NatsTls {
  readonly cert: string
  readonly key: string
  /** Clients are to have a certificate of these authorities. */
  readonly ca?: string
}

/** One server, or several of one cluster. */
export class NatsServers {
  readonly #folder = mkdtempSync(join(tmpdir(), "puremq-nats-"))
  readonly #peers: readonly Peer[]
  readonly #tls: NatsTls | undefined

  private constructor(peers: readonly Peer[], tls: NatsTls | undefined) {
    this.#peers = peers
    this.#tls = tls
  }

  /** @param tls what clients must speak; undefined: plain text */
  static async start(count: number, tls?: NatsTls): Promise<NatsServers> {
    const peers: Peer[] = []
    for (let index = 0; index < count; index++) {
      peers.push({ name: `n${index}`, port: await freePort(), clusterPort: await freePort(), child: undefined })
    }
    const servers = new NatsServers(peers, tls)
    await Promise.all(peers.map((_, index) => servers.restart(index)))
    return servers
  }

  get addresses(): readonly string[] {
    return this.#peers.map(({ port }) => `${this.#tls === undefined ? "nats" : "tls"}://127.0.0.1:${port}`)
  }

  async kill(index: number): Promise<void> {
    const peer = this.#peers[index]
    const child = peer?.child
    if (peer === undefined || child === undefined) return
    peer.child = undefined
    const ended = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGKILL")
    await ended
  }

  async restart(index: number): Promise<void> {
    const peer = this.#peers[index]
    if (peer === undefined || peer.child !== undefined) return
    const options = [
      "-a",
      "127.0.0.1",
      "-p",
      String(peer.port),
      "-n",
      peer.name,
      "-js",
      "-sd",
      join(this.#folder, peer.name),
    ]
    if (this.#tls !== undefined) {
      const { cert, key, ca } = this.#tls
      options.push("--tlscert", cert, "--tlskey", key, ...(ca === undefined ? [] : ["--tlsverify", "--tlscacert", ca]))
    }
    if (this.#peers.length > 1) {
      const others = this.#peers.filter((other) => other !== peer)
      const routes = others.map(({ clusterPort }) => `nats://127.0.0.1:${clusterPort}`).join(",")
      options.push("--cluster_name", "tests", "--cluster", `nats://127.0.0.1:${peer.clusterPort}`, "--routes", routes)
    }
    peer.child = spawn(natsServer ?? "nats-server", options, { stdio: "ignore" })
    await listens(peer.port)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#peers.map((_, index) => this.kill(index)))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function listens(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true))
      socket.once("error", () => resolve(false)).once("connect", () => socket.destroy())
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`nats-server does not listen on port ${port} after 20 s`)
}
