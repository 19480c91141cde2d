import { once } from "node:events"
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
  const server = createServer({ cert, key, ALPNProtocols: ["echo"], allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined)
    socket.pipe(socket)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const setting = { port: server.address().port, ca: certificates.authority, cert, key, certificates, now }
  return { server, setting }
}
