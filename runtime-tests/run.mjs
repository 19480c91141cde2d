// The built package on other runtimes: node runtime-tests/run.mjs [deno] [bun] [workerd]
// Installs them, from npm, beside the project: under .peers/, which git ignores.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { createServer as createTcpServer } from "node:net"
import { dirname, join } from "node:path"
import { createServer } from "node:tls"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { commandOf, installRuntimes, peers, versions } from "./install.mjs"

const here = dirname(fileURLToPath(import.meta.url))

const help = `The built package on other runtimes, which are installed from npm under .peers/.

  npm run runtimes [-- RUNTIME...]

  RUNTIME   one of ${Object.keys(versions).join(", ")} (default: all of them)
  --help    this text

The exit status is 1 when a check fails.`

const chosen = process.argv.slice(2)
if (chosen.includes("--help")) {
  console.log(help)
  process.exit(0)
}
const names = chosen.length > 0 ? chosen : Object.keys(versions)
const unknown = names.find((name) => !Object.hasOwn(versions, name))
if (unknown !== undefined) {
  const what = unknown.startsWith("-") ? "option" : "runtime"
  stop(`unknown ${what} ${unknown}; the runtimes are ${Object.keys(versions).join(", ")}`, 2)
}
if (!existsSync(join(here, "../packages/tls13/dist/adapters/streams.js")))
  stop("the package is not built: npm run build")

const refused = installRuntimes(names)
if (refused !== undefined) stop(refused)
const setting = await startPeer()
let failed = 0
for (const name of names) {
  console.log(`\n== ${name} ${versions[name]}`)
  try {
    for (const line of await runners()[name]()) console.log(`  ok  ${line}`)
  } catch (error) {
    failed++
    console.error(`  FAILED  ${error instanceof Error ? error.message : error}`)
  }
}
console.log(`\nruntimes: ${names.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

function runners() {
  const deno = (script) => program("deno", ["run", "--allow-net", "--allow-env", "--allow-read", "--allow-sys", script])
  const bun = (script) => program("bun", ["run", script])
  return {
    deno: async () => [...(await deno("deno/main.ts")), ...(await deno("node-entry.ts"))],
    bun: async () => [...(await bun("bun/main.ts")), ...(await bun("node-entry.ts"))],
    workerd: runWorker,
  }
}

/** OpenSSL, as Node has it: echoes. */
async function startPeer() {
  const { createDevelopmentCertificates } = await import("../packages/tls13/dist/devcert/index.js")
  const made = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
  const { caCert: ca, serverCert: cert, serverKey: key } = made
  const server = createServer({ cert, key, ALPNProtocols: ["echo"], allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined)
    socket.pipe(socket)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return { port: server.address().port, ca, cert, key }
}

async function program(name, args) {
  const child = spawn(commandOf(name), args, {
    cwd: here,
    env: { ...process.env, PUREMQ_SETTING: JSON.stringify(setting) },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  })
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  const [status, signal] = await once(child, "close")
  if (status !== 0) throw new Error(`ended with ${signal ?? status}: ${out()}${err()}`)
  return out().trim().split("\n")
}

async function runWorker() {
  const folder = join(peers, "worker")
  mkdirSync(folder, { recursive: true })
  await build({
    stdin: { contents: 'export { worker as default } from "./workerd/worker.ts"', resolveDir: here },
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["cloudflare:sockets", "*.wasm"],
    logLevel: "warning",
  })
  for (const name of kernels()) copyFileSync(join(here, "../packages/tls13/dist/webassembly", name), join(folder, name))
  writeFileSync(join(folder, "setting.json"), JSON.stringify(setting))
  const port = await freePort()
  writeFileSync(join(folder, "config.capnp"), workerConfig(port))
  const child = spawn(commandOf("workerd"), ["serve", join(folder, "config.capnp")], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  const err = collect(child.stderr)
  try {
    for (let tries = 0; ; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
      if (response === undefined && tries < 100 && child.exitCode === null) continue
      const body = await response?.text()
      if (response?.status !== 200) throw new Error(`${body ?? "workerd did not start"} ${err()}`)
      return body.split("\n")
    }
  } finally {
    child.kill()
  }
}

/** What a bundler for workerd takes from the package when it meets an import of it. */
function kernels() {
  return readdirSync(join(here, "../packages/tls13/dist/webassembly"))
}

function workerConfig(port) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [
        (name = "worker", esModule = embed "worker.js"),
        ${kernels()
          .map((name) => `(name = "@puremq/tls13/webassembly/${name}", wasm = embed "${name}"),`)
          .join(" ")}
      ],
      bindings = [(name = "SETTING", json = embed "setting.json")],
      compatibilityDate = "2026-11-01",
      globalOutbound = "machine",
    )),
    (name = "machine", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`
}

async function freePort() {
  const server = createTcpServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address()
  server.close()
  await once(server, "close")
  return port
}

function collect(stream) {
  let text = ""
  stream.on("data", (data) => {
    text += data
  })
  return () => text
}

function stop(message, status = 1) {
  console.error(`runtimes: ${message}`)
  process.exit(status)
}
