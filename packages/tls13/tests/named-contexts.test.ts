// Contexts for names (addContext, SNICallback) choose the server's certificate. Clients are judged by the server's own `ca`: a
// context that brings another one is refused, because whoever gave it means that it counts.

import { once } from "node:events"
import { afterEach, describe, expect, it } from "vitest"
import { connect } from "../src/adapters/node/connect.ts"
import { createSecureContext } from "../src/adapters/node/secure-context.ts"
import { createServer, type Server, type TlsServerOptions } from "../src/adapters/node/server.ts"
import { Misuse } from "../src/bytes/errors.ts"
import { createDevelopmentCertificates } from "../src/devcert/index.ts"
import { portOf } from "./tools/sockets.ts"

const users = createDevelopmentCertificates({ names: ["localhost"], clientName: "user", now: Date.now() })
const admins = createDevelopmentCertificates({ names: ["admin.test"], clientName: "admin", now: Date.now() })
const own = { cert: users.serverCert, key: users.serverKey, ca: users.caCert }
const forAdmins = { cert: admins.serverCert, key: admins.serverKey }
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
const serverOf = (options: TlsServerOptions): Server => {
  const server = createServer(options, (socket) => socket.end())
  servers.push(server)
  return server
}

describe("a context with authorities of its own, on a server that asks clients for certificates", () => {
  it("is refused by addContext", () => {
    const server = serverOf({ ...own, requestCert: true })
    expect(() => server.addContext("admin.test", { ...forAdmins, ca: admins.caCert })).toThrow(Misuse)
    expect(() => server.addContext("admin.test", { ...forAdmins, ca: users.caCert })).not.toThrow()
    expect(() => server.addContext("admin.test", forAdmins)).not.toThrow()
  })

  it("ends the handshake when SNICallback gives it: a user is not let in where admins are meant", async () => {
    const server = serverOf({
      ...own,
      requestCert: true,
      SNICallback: (_, done) => done(null, createSecureContext({ ...forAdmins, ca: admins.caCert })),
    })
    const port = await portOf(server)
    const client = { cert: users.clientCert, key: users.clientKey, ca: admins.caCert, servername: "admin.test" }
    const refused = once(server, "tlsClientError")
    const socket = connect({ port, ...client })
    socket.on("error", () => undefined)
    const [error] = await refused
    expect(error).toMatchObject({ alert: "internal_error", message: expect.stringMatching(/`ca`/) })
  })

  it("is taken where no client is asked", () => {
    const server = serverOf(own)
    expect(() => server.addContext("admin.test", { ...forAdmins, ca: admins.caCert })).not.toThrow()
  })
})
