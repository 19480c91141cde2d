// A client's first message may be 64 KiB long, and its lists a multiple of that in memory: a connected socket keeps none of it.

import { once } from "node:events"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { expect, it } from "vitest"
import { connect } from "../src/adapters/node/connect.ts"
import { createServer } from "../src/adapters/node/server.ts"
import type { TLSSocket } from "../src/adapters/node/tls-socket.ts"
import { createDevelopmentCertificates } from "../src/devcert/index.ts"
import { portOf } from "./tools/sockets.ts"

it("a server's socket lets go of what the ClientHello offered once it was reported", async () => {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
  let offer: WeakRef<object> | undefined
  const watched = new WeakSet<TLSSocket>()
  const trace = (_: unknown, socket: TLSSocket) => {
    if (watched.has(socket)) return
    watched.add(socket)
    socket.once("offered", (seen) => {
      offer = new WeakRef(seen)
    })
  }
  const server = createServer({ cert: pem.serverCert, key: pem.serverKey, trace })
  const port = await portOf(server)
  const client = connect({ port, ca: pem.caCert })
  const [socket] = await once(server, "secureConnection")
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    collect()
  }
  expect(offer).toBeDefined()
  expect(offer?.deref()).toBeUndefined()
  expect(socket.destroyed).toBe(false)
  client.destroy()
  socket.destroy()
  server.close()
})
