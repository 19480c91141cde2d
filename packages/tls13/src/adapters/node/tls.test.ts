import { once } from "node:events"
import type { AddressInfo, Server as NetServer } from "node:net"
import * as nodeTls from "node:tls"
import { afterEach, describe, expect, it } from "vitest"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import { connect } from "./connect.ts"
import { createServer } from "./server.ts"
import type { TLSSocket } from "./tls-socket.ts"

const pem = createDevelopmentCertificates({
  names: ["localhost", "127.0.0.1"],
  clientName: "device-1",
  now: Date.now(),
})
const servers: NetServer[] = []

async function listening<Any extends NetServer>(server: Any): Promise<number> {
  servers.push(server)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

describe("our client, node:tls as server", () => {
  it("echoes", async () => {
    const port = await listening(
      nodeTls.createServer({ cert: pem.serverCert, key: pem.serverKey }, (socket) => socket.pipe(socket)),
    )
    const socket = connect({ host: "127.0.0.1", port, ca: pem.caCert })
    await once(socket, "secureConnect")
    expect(socket.authorized).toBe(true)
    expect(socket.getProtocol()).toBe("TLSv1.3")
    socket.end("hello")
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe("hello")
  })
})

describe("our server, node:tls as client", () => {
  it("echoes", async () => {
    const port = await listening(
      createServer({ cert: pem.serverCert, key: pem.serverKey }, (socket: TLSSocket) => socket.pipe(socket)),
    )
    const socket = nodeTls.connect({ host: "127.0.0.1", port, ca: pem.caCert })
    await once(socket, "secureConnect")
    socket.end("hello")
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe("hello")
  })
})
