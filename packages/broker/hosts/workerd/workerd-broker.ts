// A broker in workerd: the Worker of worker.mjs, bundled as a user's would be, with its storage in a folder.

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { build } from "esbuild"
import { pause } from "../../hostile/wire/client.ts"

/** Milliseconds that it may take to be there. */
const patience = 30_000

export class WorkerdBroker {
  readonly folder: string = mkdtempSync(join(tmpdir(), "puremq-workerd-"))
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string }
  /** PEM texts of a client. */
  readonly client: { readonly ca: string; readonly cert: string; readonly key: string }
  readonly #program: string
  #child: ChildProcess | undefined
  log = ""
  tcp = 0
  http = 0

  /** @param program workerd */
  constructor(program: string) {
    this.#program = program
    const names = ["localhost", "127.0.0.1"]
    const made = createDevelopmentCertificates({ names, clientName: "device-1", now: Date.now() })
    this.client = { ca: made.caCert, cert: made.clientCert!, key: made.clientKey! }
    this.files = {
      ca: this.#write("ca.pem", made.caCert),
      cert: this.#write("client.pem", this.client.cert),
      key: this.#write("client-key.pem", this.client.key),
    }
    this.#write("tls.json", JSON.stringify({ cert: made.serverCert, key: made.serverKey, ca: made.caCert }))
  }

  #write(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  /** @param root of the repository */
  async prepare(root: string): Promise<void> {
    const here = join(root, "packages/broker/hosts/workerd")
    await build({
      entryPoints: [join(here, "worker.mjs")],
      outfile: join(this.folder, "worker.js"),
      bundle: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      external: ["cloudflare:*", "*.wasm"],
      logLevel: "error",
    })
    const kernels = join(root, "packages/tls13/dist/webassembly")
    const names = readdirSync(kernels)
    for (const name of names) copyFileSync(join(kernels, name), join(this.folder, name))
    mkdirSync(join(this.folder, "storage"))
    this.tcp = await freePort()
    this.http = await freePort()
    this.#write("config.capnp", configuration(names, this.tcp, this.http))
  }

  async start(): Promise<void> {
    const child = spawn(this.#program, ["serve", "config.capnp", "--experimental"], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text) => {
        this.log += text
      })
    const end = performance.now() + patience
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${this.http}/`).catch(() => undefined)
      if (answer?.status === 426) return
      if (performance.now() > end || child.exitCode !== null)
        throw new Error(`workerd did not start: ${answer?.status ?? ""} ${this.log.slice(-500)}`)
      await pause(50)
    }
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, "close")
    child.kill("SIGKILL")
    await ended
  }

  /** MiB of the process; undefined where /proc does not tell. */
  get mebibytes(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.#child?.pid}/status`, "utf8")
      return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024)
    } catch {
      return undefined
    }
  }

  async end(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function configuration(kernels: readonly string[], tcp: number, http: number): string {
  const modules = kernels.map((name) => `(name = "@puremq/tls13/webassembly/${name}", wasm = embed "${name}"),`)
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.js"), ${modules.join(" ")}],
      compatibilityDate = "2026-11-01",
      compatibilityFlags = ["experimental"],
      durableObjectNamespaces = [(className = "MqttBroker", uniqueKey = "mqtt-broker", enableSql = true)],
      durableObjectStorage = (localDisk = "storage"),
      bindings = [
        (name = "BROKER", durableObjectNamespace = "MqttBroker"),
        (name = "TLS", json = embed "tls.json"),
      ],
    )),
    (name = "storage", disk = (path = "storage", writable = true)),
  ],
  sockets = [
    (name = "mqtt", address = "127.0.0.1:${tcp}", tcp = (), service = "main"),
    (name = "http", address = "127.0.0.1:${http}", http = (), service = "main"),
  ],
);
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}
