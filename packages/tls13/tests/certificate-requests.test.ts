// Several requests for a client's certificate on one connection of the Node adapter: RFC 9846 section 4.7.2.

import { once } from "node:events"
import { afterEach, describe, expect, it } from "vitest"
import { connect } from "../src/adapters/node/connect.ts"
import { createServer, type Server } from "../src/adapters/node/server.ts"
import type { TLSSocket } from "../src/adapters/node/tls-socket.ts"
import { Pause } from "../src/bytes/pause.ts"
import { createDevelopmentCertificates } from "../src/devcert/index.ts"
import { loadCredential } from "../src/x509/certificate/credential.ts"
import type { Credential } from "../src/x509/interfaces.ts"
import { portOf } from "./tools/sockets.ts"

const pem = createDevelopmentCertificates({ names: ["localhost"], clientName: "device", now: Date.now() })
const credential = loadCredential({ cert: pem.clientCert!, key: pem.clientKey! })
const servers: Server[] = []
const sockets: TLSSocket[] = []
const warnings: Error[] = []
const warned = (warning: Error) => {
  warnings.push(warning)
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
  process.off("warning", warned)
})

/** A server's socket whose client shows, one request after another, what `answers` says. */
async function connected(answers: (Credential | undefined | Pause<Credential | undefined>)[]): Promise<TLSSocket> {
  const server = createServer({
    cert: pem.serverCert,
    key: pem.serverKey,
    ca: pem.caCert,
    requestCert: "post-handshake",
    rejectUnauthorized: false,
  })
  servers.push(server)
  const port = await portOf(server)
  const credentials = { resolve: () => answers.shift() }
  const client = connect({ port, ca: pem.caCert, credentials, core: { postHandshakeAuth: true } })
  client.on("error", () => undefined)
  client.resume()
  const [socket] = await once(server, "secureConnection")
  sockets.push(client, socket)
  return socket
}

describe("requestCertificate", () => {
  it("resolves each call by an answer of its own", async () => {
    let later: (answer: Credential) => void = () => undefined
    const pause = new Pause(
      new Promise<Credential>((resolve) => {
        later = resolve
      }),
    )
    const socket = await connected([undefined, pause])
    const [first, second] = [socket.requestCertificate(), socket.requestCertificate()]
    const settled: boolean[] = []
    void second.then((authorized) => settled.push(authorized))
    expect(await first).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(settled).toEqual([])
    later(credential)
    expect(await second).toBe(true)
  })

  it("leaves no listener behind, however often it is asked", async () => {
    process.on("warning", warned)
    const socket = await connected(Array.from({ length: 20 }, () => credential))
    const before = socket.listenerCount("close")
    for (let time = 0; time < 20; time++) {
      expect(await socket.requestCertificate()).toBe(true)
      // The client, who did not ask, bounds what comes without any data (docs/limits.md); the server has asked.
      socket.write("x")
    }
    expect(socket.listenerCount("close")).toBe(before)
    await new Promise((resolve) => setImmediate(resolve))
    expect(warnings).toEqual([])
  })

  it("rejects every call that has no answer when the connection ends", async () => {
    const socket = await connected([])
    const calls = [socket.requestCertificate(), socket.requestCertificate()]
    socket.destroy()
    const outcomes = await Promise.allSettled(calls)
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"])
  })
})
