// Whether `tls13 bench` tells the truth of a server's CPU time: each server is loaded by `openssl s_time`, while the scheduler's own
// count of its time is read, and by `tls13 bench --pid`, in turns. Both are CPU time a full handshake, one connection at a time, with
// the same suite and group. With --abrupt the clients also end alike, so that the ratio is 1 but for noise; what a regular end costs
// beside it is shown too.

import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const tls13 = join(root, "packages/tls13/bin/tls13.js")
const suite = "TLS_AES_256_GCM_SHA384"

const help = `The server's CPU time a handshake: tls13 bench --pid beside openssl s_time, in turns.

  node scripts/bench-cpu.mjs [OPTIONS] [SERVER...]

  SERVER (default: all that can be had here)
    openssl      openssl s_server
    node         node:tls
    ours         tls13 serve
    go           crypto/tls of Go, compiled from the peer of npm run interop
    PROGRAM      one that is started as the peers of npm run interop are: PROGRAM server --cert FILE --key FILE

  --seconds N    of each measurement; default 5
  --rounds N     default 3
  --bounds A-B   exit with status 1 when the median of a server's ratios is outside; default 0.5-2, for machines that do other work
  --help         this text`

const options = { seconds: 5, rounds: 3, bounds: [0.5, 2] }
const wanted = readArguments(process.argv.slice(2))
const folder = mkdtempSync(join(tmpdir(), "puremq-bench-cpu-"))
const started = []
process.on("exit", () => {
  for (const child of started) child.kill("SIGKILL")
  rmSync(folder, { recursive: true, force: true })
})
process.exitCode = await main()

async function main() {
  if (spawnSync("openssl", ["version"]).status !== 0 || !existsSync("/proc/self/schedstat")) {
    console.log("bench-cpu: skipped: it needs openssl, and Linux's /proc with schedstat")
    return 0
  }
  await makeCertificates()
  let bad = 0
  for (const name of wanted.length > 0 ? wanted : ["openssl", "node", "ours", "go"]) {
    const server = await start(name)
    if (server === undefined) {
      console.log(`${name.padEnd(10)} skipped: it cannot be had here`)
      continue
    }
    const pairs = []
    // What comes first also warms the server up.
    await bySTime(server)
    for (let round = 0; round < options.rounds; round++) {
      const one = await bySTime(server)
      const other = await byBench(server, ["--abrupt"])
      const regular = await byBench(server, [])
      pairs.push({ one, other, ratio: other / one, regular: regular / one })
    }
    server.child.kill("SIGKILL")
    const [one, other, ratio, regular] = ["one", "other", "ratio", "regular"].map((key) =>
      median(pairs.map((pair) => pair[key])),
    )
    const all = pairs.map((pair) => pair.ratio.toFixed(3)).join(" ")
    const isWell = ratio >= options.bounds[0] && ratio <= options.bounds[1]
    if (!isWell) bad++
    const label = name.split("/").at(-1)
    console.log(
      `${label.padEnd(10)} s_time ${one.toFixed(3)} ms, bench ${other.toFixed(3)} ms, ratio ${ratio.toFixed(3)} (${all}), with a regular end ${regular.toFixed(3)}${isWell ? "" : ": NOT within the bounds"}`,
    )
  }
  return bad > 0 ? 1 : 0
}

/* ---------------------------------------------------------------- the two measurements: CPU milliseconds a handshake */

async function bySTime({ port, child }) {
  const before = schedulerTime(child.pid)
  const args = [
    "s_time",
    "-connect",
    `127.0.0.1:${port}`,
    "-new",
    "-tls1_3",
    "-ciphersuites",
    suite,
    "-time",
    `${options.seconds}`,
  ]
  const text = await outputOf("openssl", args)
  const spent = schedulerTime(child.pid) - before
  const count = Number(/^(\d+) connections in/m.exec(text)?.[1] ?? 0)
  if (count === 0) throw new Error(`openssl s_time made no connection: ${text}`)
  return spent / count
}

async function byBench({ port, child }, more) {
  const file = join(folder, "report.json")
  const asked = [
    "--ciphers",
    suite,
    "--groups",
    "x25519",
    "--engine",
    "node",
    "--concurrency",
    "1",
    "--ca",
    join(folder, "ca.pem"),
  ]
  const time = ["--duration", `${options.seconds}`, "--warm-up", "0.2", "--quiet"]
  await outputOf(process.execPath, [
    tls13,
    "bench",
    `localhost:${port}`,
    "--pid",
    `${child.pid}`,
    ...asked,
    ...more,
    ...time,
    "--json",
    file,
  ])
  return JSON.parse(readFileSync(file, "utf8")).runs[0].server.perOperation
}

/** Milliseconds that all threads of a process have run, by the scheduler: /proc/PID/task/TID/schedstat. */
function schedulerTime(pid) {
  const threads = readdirSync(`/proc/${pid}/task`)
  const times = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
  )
  return times.reduce((sum, time) => sum + time, 0) / 1e6
}

/* ---------------------------------------------------------------- servers */

async function start(name) {
  const [cert, key] = ["server.pem", "server-key.pem"].map((file) => join(folder, file))
  const port = 20_000 + (process.pid % 10_000)
  switch (name) {
    case "openssl":
      return listening(
        "openssl",
        ["s_server", "-accept", `127.0.0.1:${port}`, "-cert", cert, "-key", key, "-tls1_3", "-www"],
        /ACCEPT/,
        port,
      )
    case "node": {
      const program = `const{readFileSync:r}=require("fs");const s=require("tls").createServer({cert:r(process.argv[1]),key:r(process.argv[2])},c=>{c.on("error",()=>c.destroy());c.resume()});s.on("tlsClientError",()=>{});s.listen(0,"127.0.0.1",()=>console.log("listening on 127.0.0.1:"+s.address().port))`
      return listening(process.execPath, ["-e", program, cert, key], /:(\d+)$/m)
    }
    case "ours":
      return listening(
        process.execPath,
        [tls13, "serve", "0", "--echo", "--cert", cert, "--key", key],
        /listening on .*:(\d+)$/m,
      )
    case "go": {
      const binary = join(folder, "go-peer")
      const built = spawnSync("go", ["build", "-o", binary, "."], {
        cwd: join(root, "packages/tls13/interop/peers/go"),
      })
      return built.status === 0 ? start(binary) : undefined
    }
    default:
      return existsSync(name) ? listening(name, ["server", "--cert", cert, "--key", key], /:(\d+)$/m) : undefined
  }
}

async function listening(program, args, pattern, port) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] })
  started.push(child)
  let text = ""
  let found
  const heard = new Promise((resolve, reject) => {
    const hear = (data) => {
      if (found !== undefined) return
      text += data
      found = pattern.exec(text) ?? undefined
      if (found !== undefined) resolve()
    }
    child.stdout.on("data", hear)
    child.stderr.on("data", hear)
    child.once("exit", () => reject(new Error(`${program} ended: ${text}`)))
  })
  await heard
  return { child, port: port ?? Number(found[1]) }
}

async function makeCertificates() {
  const { createDevelopmentCertificates } = await import("../packages/tls13/dist/devcert/index.js")
  const made = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
  for (const [file, text] of [
    ["ca.pem", made.caCert],
    ["server.pem", made.serverCert],
    ["server-key.pem", made.serverKey],
  ])
    writeFileSync(join(folder, file), text, { mode: 0o600 })
}

/* ---------------------------------------------------------------- */

async function outputOf(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] })
  let text = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (text += data))
  const [status] = await once(child, "close")
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: status ${status}: ${text}`)
  return text
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

function readArguments(args) {
  const names = []
  for (let i = 0; i < args.length; i++) {
    const value = args[i + 1] ?? ""
    if (args[i] === "--help") {
      console.log(help)
      process.exit(0)
    } else if (args[i] === "--seconds" || args[i] === "--rounds") {
      if (!/^[1-9]\d{0,3}$/.test(value)) stop(`${args[i]} needs a whole number`)
      options[args[i++].slice(2)] = Number(value)
    } else if (args[i] === "--bounds") {
      const [, low, high] = /^([\d.]+)-([\d.]+)$/.exec(value) ?? stop("--bounds needs two numbers, as in 0.9-1.1")
      options.bounds = [Number(low), Number(high)]
      i++
    } else if (args[i].startsWith("-")) stop(`unknown option ${args[i]}; see --help`)
    else names.push(args[i])
  }
  return names
}

function stop(message) {
  console.error(`bench-cpu: ${message}`)
  process.exit(2)
}
