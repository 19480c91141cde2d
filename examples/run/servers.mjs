// The servers that the examples talk to: each real, on 127.0.0.1, with a certificate for localhost.

import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs"
import { createServer as createHttpsServer } from "node:https"
import { connect, createServer as createTcpServer } from "node:net"
import { join } from "node:path"
import { createBroker } from "@puremq/broker"

/** Of each example: what starts its server, and what the example prints then. */
export const servers = {
  mqtt: { start: startBroker, says: /^demo\/hello: hello\n$/ },
  fetch: { start: startHttps, says: /^200 you want \/news\n$/ },
  websocket: { start: startHttps, says: /^you said hello\n$/ },
  postgres: { start: startPostgres, says: /^TLSv1\.3 TLS_\w+\n$/ },
  redis: { start: startRedis, says: /^hello\n$/ },
  smtp: { start: startMail, says: /^250 / },
}

async function startBroker({ cert, key }) {
  const broker = createBroker({ listeners: [{ type: "tls", port: 0, cert, key }], login: { anonymous: true } })
  const [{ port }] = await broker.listen()
  return { port, stop: () => broker.close() }
}

/** Node's own, on OpenSSL, with TLS 1.3 alone. */
async function startHttps({ cert, key }) {
  const { WebSocketServer } = await import("ws")
  const server = createHttpsServer({ cert, key, minVersion: "TLSv1.3" }, ({ url }, response) => {
    response.end(`you want ${url}`)
  })
  new WebSocketServer({ server }).on("connection", (webSocket) => {
    webSocket.on("message", (data) => webSocket.send(`you said ${data}`))
  })
  return listening(server)
}

async function startMail({ cert, key }) {
  const { SMTPServer } = await import("smtp-server")
  const { server } = new SMTPServer({
    ...{ cert, key, minVersion: "TLSv1.3", authOptional: true, disableReverseLookup: true },
    onData: (stream, _session, done) => stream.resume().on("end", () => done()),
    onRcptTo: (_address, { secure }, done) => done(secure ? undefined : new Error("not without TLS")),
  })
  return listening(server)
}

async function listening(server) {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address()
  return {
    port,
    stop() {
      server.close()
      server.closeAllConnections?.()
    },
  }
}

async function startRedis({ folder, files }) {
  if (spawnSync("redis-server", ["--version"]).error) return { missing: "redis-server is not installed" }
  const port = await freePort()
  const tls = ["--tls-cert-file", files.cert, "--tls-key-file", files.key, "--tls-ca-cert-file", files.ca]
  const args = ["--port", "0", "--tls-port", String(port), "--bind", "127.0.0.1", "--tls-auth-clients", "no"]
  return program("redis-server", [...args, ...tls, "--tls-protocols", "TLSv1.3", "--save", "", "--dir", folder], port)
}

/** PostgreSQL does not run as root: there it runs as the user that Debian's package has made for it. */
async function startPostgres({ folder, files }) {
  const bin = postgresPrograms()
  if (bin === undefined) return { missing: "PostgreSQL is not installed" }
  const owner = process.getuid?.() === 0 ? idsOf("postgres") : undefined
  if (process.getuid?.() === 0 && owner === undefined)
    return { missing: "PostgreSQL does not run as root, and there is no user postgres" }
  const data = join(folder, "postgres")
  mkdirSync(data, { mode: 0o700 })
  if (owner !== undefined) {
    chmodSync(folder, 0o755)
    chownSync(data, owner.uid, owner.gid)
  }
  const made = spawnSync(join(bin, "initdb"), ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync"], {
    ...owner,
    cwd: data,
    encoding: "utf8",
  })
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr || made.error?.message}`)
  const own = { cert: join(data, "server.crt"), key: join(data, "server.key") }
  for (const name of ["cert", "key"]) {
    copyFileSync(files[name], own[name])
    chmodSync(own[name], 0o600)
    if (owner !== undefined) chownSync(own[name], owner.uid, owner.gid)
  }
  writeFileSync(join(data, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\nhostssl all all ::1/128 trust\n")
  const port = await freePort()
  const set = ["ssl=on", "ssl_min_protocol_version=TLSv1.3", "fsync=off", "unix_socket_directories="]
  const args = ["-D", data, "-h", "127.0.0.1", "-p", String(port), ...set.flatMap((one) => ["-c", one])]
  return program(join(bin, "postgres"), args, port, { ...owner, cwd: data })
}

function postgresPrograms() {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").sort().reverse() : []
  const folders = [...versions.map((one) => `/usr/lib/postgresql/${one}/bin`), ...(process.env.PATH ?? "").split(":")]
  return folders.find((one) => existsSync(join(one, "initdb")) && existsSync(join(one, "postgres")))
}

function idsOf(user) {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${user}:`))
  const [, , uid, gid] = line?.split(":") ?? []
  return line === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** A server that is there when its port answers. */
async function program(path, args, port, options = {}) {
  const child = spawn(path, args, { ...options, stdio: ["ignore", "pipe", "pipe"] })
  let said = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      said = `${said}${data}`.slice(-2000)
    })
  }
  const ended = once(child, "close")
  const stop = async () => {
    child.kill("SIGINT")
    await ended
  }
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries < 300 && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      continue
    }
    await stop()
    throw new Error(`${path} did not start: ${said}`)
  }
  return { port, stop }
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })
}

async function freePort() {
  const server = createTcpServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address()
  server.close()
  await once(server, "close")
  return port
}
