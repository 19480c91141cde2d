import { once } from "node:events"
import { createServer as createTcpServer } from "node:net"
import { join } from "node:path"
import { createServer } from "node:tls"
import { pathToFileURL } from "node:url"
import { resolve } from "./modules.mjs"

/** OpenSSL, as Node has it: echoes. And the certificates of the suite, which the installed package makes. */
export async function startPeer(folder) {
  const installed = (entry) => import(pathToFileURL(join(folder, resolve(folder, entry, "main.js"))).href)
  const { certificateToPem, createAuthority, createLeaf, privateKeyToPem } = await installed("@puremq/tls13/devcert")
  const now = Date.now()
  const authority = createAuthority({ now, subject: { commonName: "Test authority" } })
  const other = createAuthority({ now, subject: { commonName: "Another authority" } })
  const own = (options) => {
    const leaf = createLeaf({ now, issuer: authority, usage: "server", names: ["localhost", "127.0.0.1"], ...options })
    return { cert: certificateToPem(leaf), key: privateKeyToPem(leaf.privateKey) }
  }
  const day = 86_400_000
  const certificates = {
    authority: certificateToPem(authority),
    otherAuthority: certificateToPem(other),
    server: own({}),
    expired: own({ notBefore: now - 10 * day, notAfter: now - day }),
    client: own({ usage: "client", names: [], subject: { commonName: "sensor-17" } }),
    stranger: own({ issuer: other, usage: "both" }),
  }
  const { cert, key } = certificates.server
  const server = createServer({ cert, key, ALPNProtocols: ["echo", ...Object.keys(protocols)], allowHalfOpen: true })
  server.on("secureConnection", (socket) => {
    socket.on("error", () => undefined)
    const serve = protocols[socket.alpnProtocol] ?? ((echo) => echo.pipe(echo))
    serve(socket)
  })
  const startTls = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined)
    // Nothing is read behind what asks for TLS, which comes in one piece.
    socket.once("readable", () => {
      if (socket.read()?.toString() !== "STARTTLS\n") return socket.end()
      socket.write("go ahead\n")
      server.emit("connection", socket)
    })
  })
  for (const each of [server, startTls]) {
    each.listen(0, "127.0.0.1")
    await once(each, "listening")
  }
  const ports = { port: server.address().port, startTlsPort: startTls.address().port }
  const setting = { ...ports, ca: certificates.authority, cert, key, certificates, now }
  const close = () => {
    for (const each of [server, startTls]) each.close()
  }
  return { setting, close }
}

let stopped
/** Bytes of the last flood that the system has taken. */
let flooded = 0
const total = 64 * 1_048_576
const pattern = new Uint8Array(251 * 256).map((_, i) => i % 251)

/** What checks/backpressure.ts says of them. */
const protocols = {
  stopped(socket) {
    stopped = socket
    socket.pause()
  },
  flood(socket) {
    flooded = 0
    socket.resume()
    const more = (at) => {
      if (at >= total) return socket.end()
      const piece = pattern.subarray(0, total - at)
      socket.write(piece, (error) => {
        if (error) return
        flooded += piece.length
        more(at + piece.length)
      })
    }
    more(0)
  },
  count: (socket) => socket.resume().on("end", () => socket.end(`${flooded}`)),
  go(socket) {
    socket.resume().on("end", () => socket.end())
    let [end, wrong] = [0, undefined]
    const reader = stopped
    reader.on("data", (data) => {
      const first = data.findIndex((byte, i) => byte !== (end + i) % 251)
      if (first >= 0) wrong ??= end + first
      end += data.length
    })
    reader.resume()
    reader.on("end", () => reader.end(wrong === undefined ? `${end}` : `number ${wrong} is wrong`))
  },
}
