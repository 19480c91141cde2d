// A connection over TCP is handed to another process in the middle of streams that go both ways.

import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { connect } from "../../src/adapters/node/index.ts"
import { createServerConfig } from "../../src/connection/config.ts"
import type { Outcome } from "../../src/connection/events.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { exportConnection } from "../../src/dangerous/index.ts"
import { createDevelopmentCertificates } from "../../src/devcert/index.ts"
import { loadCredential, singleCredential } from "../../src/x509/index.ts"
import { portOf } from "../tools/sockets.ts"

const sources = fileURLToPath(new URL("../../src/", import.meta.url))
const folder = mkdtempSync(fileURLToPath(new URL("../../../../node_modules/.puremq-hand-over-", import.meta.url)))
const children: ChildProcess[] = []
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const child of children.splice(0)) child.kill()
})

const pem = createDevelopmentCertificates({ names: ["127.0.0.1"], now: Date.now() })
const provider = createFastProvider()
const credentials = singleCredential(loadCredential({ cert: pem.serverCert, key: pem.serverKey, provider }))

/** The other process: goes on as the server, answers in capitals, and renews its keys each time. */
const program = `
import { createServerConfig } from ${JSON.stringify(`${sources}index.ts`)}
import { createFastProvider } from ${JSON.stringify(`${sources}crypto/fast/index.ts`)}
import { importConnection } from ${JSON.stringify(`${sources}dangerous/index.ts`)}

const provider = createFastProvider()
const config = createServerConfig({ provider, credentials: { resolve: () => undefined } })
process.once("message", ({ bytes }, socket) => {
  const { connection, outcome } = importConnection(Buffer.from(bytes, "base64"), config, Date.now())
  const take = ({ output, events }) => {
    if (output.length > 0) socket.write(output)
    for (const event of events) {
      if (event.type === "data") {
        take(connection.updateKeys("update_requested"))
        take(connection.send(Buffer.from(Buffer.from(event.data).toString().toUpperCase())))
      }
      if (event.type === "end") take(connection.close())
      if (event.type === "failed") process.send({ failed: event.error.message })
    }
    if (connection.failure === undefined && events.some(({ type }) => type === "end")) socket.end()
  }
  take(outcome)
  socket.on("data", (bytes) => take(connection.receive(bytes, Date.now())))
  socket.on("close", () => process.disconnect())
})
process.send({ ready: true })
`

async function otherProcess(): Promise<ChildProcess> {
  const entry = `${folder}/other.ts`
  writeFileSync(entry, program)
  const outfile = `${folder}/other.mjs`
  await build({ entryPoints: [entry], outfile, bundle: true, format: "esm", platform: "node", packages: "external" })
  const child = fork(outfile, [], { execArgv: [] })
  children.push(child)
  await once(child, "message")
  return child
}

describe("from process to process", () => {
  it("a stream in both directions goes on, with key updates of either side", { timeout: 60_000 }, async () => {
    const child = await otherProcess()
    const failures: unknown[] = []
    child.on("message", (message) => failures.push(message))
    let handed = 0
    const server = createServer((socket: Socket) => {
      const connection = new ServerConnection(createServerConfig({ provider, credentials }), Date.now())
      let read = 0
      const take = ({ output, events }: Outcome): void => {
        if (output.length > 0) socket.write(output)
        for (const event of events) {
          if (event.type !== "data") continue
          read += event.data.length
          take(connection.send(Buffer.from(Buffer.from(event.data).toString().toUpperCase())))
        }
      }
      socket.on("readable", () => {
        // All that was read here is in the connection when it leaves; the rest is the kernel's, and goes with the socket.
        for (let bytes = socket.read(); bytes !== null; bytes = socket.read())
          take(connection.receive(bytes, Date.now()))
        // What was written has to be on its way: it is not in the export.
        if (read < 20_000 || handed > 0 || socket.writableLength > 0) return
        handed++
        socket.removeAllListeners("readable")
        // Node goes on reading until the other process has the socket, and throws that away.
        ;(socket as Socket & { readonly _handle: { readStop(): void } })._handle.readStop()
        child.send({ bytes: Buffer.from(exportConnection(connection)).toString("base64") }, socket)
      })
    })
    const port = await portOf(server)
    const client = connect({ host: "127.0.0.1", port, ca: pem.caCert })
    await once(client, "secureConnect")
    let [sent, back] = ["", ""]
    client.on("error", (error) => failures.push(error))
    client.on("data", (data: Buffer) => {
      back += data.toString()
    })
    for (let round = 0; round < 200; round++) {
      const text = `${round} of a question that goes on and on; `.repeat(1 + (round % 40))
      sent += text
      if (round % 25 === 0) client.updateKeys({ peer: true })
      if (!client.write(text)) await once(client, "drain")
      if (round % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await expect.poll(() => back.length, { timeout: 30_000 }).toBe(sent.length)
    expect(back).toBe(sent.toUpperCase())
    expect(handed).toBe(1)
    client.end()
    await once(client, "close")
    expect(failures).toEqual([])
    server.close()
  })
})
