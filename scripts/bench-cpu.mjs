// Whether `tls13 bench` tells the truth of a server's CPU time. Each server is loaded by `tls13 bench --pid` and by `openssl s_time` in
// turns, one connection at a time, full handshakes with the same suite and group, and what the system counts for its process is read
// around both. Of one run of tls13 bench the system's count and its own must be the same. Beside s_time the load is not quite the same:
// with --abrupt connections end alike, but its client is slower, so the server sleeps more and finds its caches colder.

import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
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
    rustls       the peer of npm run interop, where that has built it
    PROGRAM      one that is started as the peers of npm run interop are: PROGRAM server --cert FILE --key FILE

  --seconds N    of each measurement; default 5
  --rounds N     default 3
  --same A-B     exit with status 1 when the median of bench's count to the system's in the same run is outside; default 0.9-1.1
  --beside A-B   or that to the system's under s_time; default 0.5-2, for machines that do other work
  --abrupt       connections end alike, as with openssl s_time, and not in the regular way, too
  --json         the figures of each round on stdout, and nothing else
  --help         this text`

const options = { seconds: 5, rounds: 3, same: [0.9, 1.1], beside: [0.5, 2], abrupt: false, json: false }
const wanted = readArguments(process.argv.slice(2))
const folder = mkdtempSync(join(tmpdir(), "puremq-bench-cpu-"))
const started = []
process.on("exit", () => {
  for (const child of started) child.kill("SIGKILL")
  rmSync(folder, { recursive: true, force: true })
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1))
})
process.exitCode = await main()

async function main() {
  if (spawnSync("openssl", ["version"]).status !== 0 || !existsSync("/proc/self/stat")) {
    const why = "it needs openssl, and Linux's /proc"
    console.log(options.json ? JSON.stringify({ skipped: why }) : `bench-cpu: skipped: ${why}`)
    return 0
  }
  await makeCertificates()
  let bad = 0
  const servers = {}
  for (const name of wanted.length > 0 ? wanted : ["openssl", "node", "ours", "go", "rustls"]) {
    const server = await start(name)
    if (server === undefined) {
      servers[name] = null
      if (!options.json) console.log(`${name.padEnd(10)} skipped: it cannot be had here`)
      continue
    }
    const rounds = []
    // Until an engine has compiled what runs often.
    await bySTime(server, Math.max(3, options.seconds))
    for (let round = 0; round < options.rounds; round++) {
      const sTime = await bySTime(server)
      const bench = await byBench(server, ["--abrupt"])
      const regular = options.abrupt ? undefined : await byBench(server, [])
      rounds.push({
        sTime,
        bench: bench.told,
        counted: bench.counted,
        same: bench.told / bench.counted,
        beside: bench.told / sTime,
        regular: regular === undefined ? undefined : regular.told / sTime,
      })
    }
    server.child.kill("SIGKILL")
    servers[name] = rounds
    const of = (key) => median(rounds.map((round) => round[key]))
    const isWell = ["same", "beside"].every((key) => of(key) >= options[key][0] && of(key) <= options[key][1])
    if (!isWell) bad++
    if (options.json) continue
    const end = options.abrupt ? "" : `, with a regular end ${of("regular").toFixed(3)}`
    const label = name.split("/").at(-1).padEnd(10)
    const all = rounds.map(({ beside }) => beside.toFixed(2)).join(" ")
    console.log(
      `${label} bench ${of("bench").toFixed(3)} ms, the system in that run ${of("counted").toFixed(3)}: ratio ${of("same").toFixed(3)}; under s_time ${of("sTime").toFixed(3)}: ratio ${of("beside").toFixed(3)} (${all})${end}${isWell ? "" : ": NOT within the bounds"}`,
    )
  }
  if (options.json) console.log(JSON.stringify({ servers }))
  return bad > 0 ? 1 : 0
}

/* ---------------------------------------------------------------- the two measurements: CPU milliseconds a handshake */

async function bySTime({ port, child }, seconds = options.seconds) {
  const before = countedTime(child.pid)
  const args = [
    "s_time",
    "-connect",
    `127.0.0.1:${port}`,
    "-new",
    "-tls1_3",
    "-ciphersuites",
    suite,
    "-time",
    `${seconds}`,
  ]
  const text = await outputOf("openssl", args)
  const spent = countedTime(child.pid) - before
  const count = Number(/^(\d+) connections in/m.exec(text)?.[1] ?? 0)
  if (count === 0) throw new Error(`openssl s_time made no connection: ${text}`)
  return spent / count
}

async function byBench({ port, child }, more) {
  const file = join(folder, "report.json")
  const before = countedTime(child.pid)
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
  const spent = countedTime(child.pid) - before
  const { server, counts } = JSON.parse(readFileSync(file, "utf8")).runs[0]
  // One comes before all others, and one is under way at the end.
  return { told: server.perOperation, counted: spent / (counts.completed + counts.warmUp + 2) }
}

/** Milliseconds of CPU that the system counts for a process, with its threads that have ended: the 14th and 15th field, ticks of 10 ms. */
function countedTime(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8")
  const [user, system] = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
  return 10 * (Number(user) + Number(system))
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
    case "rustls": {
      const binary = join(root, ".peers/rustls/debug/puremq-interop-rustls")
      return existsSync(binary) ? start(binary) : undefined
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
    } else if (args[i] === "--same" || args[i] === "--beside") {
      const [, low, high] = /^([\d.]+)-([\d.]+)$/.exec(value) ?? stop(`${args[i]} needs two numbers, as in 0.9-1.1`)
      options[args[i++].slice(2)] = [Number(low), Number(high)]
    } else if (args[i] === "--abrupt" || args[i] === "--json") options[args[i].slice(2)] = true
    else if (args[i].startsWith("-")) stop(`unknown option ${args[i]}; see --help`)
    else names.push(args[i])
  }
  return names
}

function stop(message) {
  console.error(`bench-cpu: ${message}`)
  process.exit(2)
}
