import { randomBytes } from "node:crypto"
import { once } from "node:events"
import type { Server as NetServer } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { portOf, readAll } from "../../../tests/tools/sockets.ts"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import { MemoryReplayGuard } from "../../session/replay-guard.ts"
import { type ConnectOptions, connect } from "./connect.ts"
import { createServer } from "./server.ts"
import type { TLSSocket } from "./tls-socket.ts"

const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
const servers: NetServer[] = []
const open: TLSSocket[] = []

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** Buffers that the application wipes as soon as the call that they were for has returned. */
class Wiped {
  readonly #given: { readonly buffer: Buffer; readonly before: Buffer }[] = []

  give(bytes: Uint8Array | string): Buffer {
    const pool = Buffer.alloc(3 + Buffer.byteLength(bytes) + 2, 0xa5)
    const buffer = pool.subarray(3, pool.length - 2)
    buffer.set(Buffer.from(bytes))
    this.#given.push({ buffer, before: Buffer.from(buffer) })
    return buffer
  }

  wipe(): void {
    for (const { buffer, before } of this.#given.splice(0)) {
      expect(buffer.equals(before)).toBe(true)
      buffer.fill(0)
    }
  }
}

describe("options that are Buffers", () => {
  it("may be wiped once connect or createServer has returned, and so may what getSession gave", async () => {
    const wiped = new Wiped()
    const ticketKeys = randomBytes(48)
    const early: string[] = []
    const server = createServer(
      {
        cert: wiped.give(pem.serverCert),
        key: wiped.give(pem.serverKey),
        ticketKeys: wiped.give(ticketKeys),
        // Its own guard would refuse 0-RTT until tickets of a server before it are stale.
        earlyData: { maxBytes: 100, replayGuard: new MemoryReplayGuard() },
      },
      (socket) => {
        open.push(socket)
        early.push(Buffer.concat(socket.earlyData).toString())
        socket.end("hello")
      },
    )
    wiped.wipe()
    servers.push(server)
    const port = await portOf(server)
    const visit = async (options: ConnectOptions): Promise<TLSSocket> => {
      const socket = connect({ host: "127.0.0.1", port, ca: wiped.give(pem.caCert), ...options })
      wiped.wipe()
      open.push(socket)
      const session = once(socket, "session")
      expect((await readAll(socket)).toString()).toBe("hello")
      const [given]: Buffer[] = await session
      given?.fill(0)
      return socket
    }
    const first = await visit({})
    expect(first.isSessionReused()).toBe(false)
    const session = first.getSession()!
    const kept = Buffer.from(session)
    session.fill(0)
    expect(first.getSession()?.equals(kept)).toBe(true)
    const second = await visit({ session: wiped.give(kept), earlyData: wiped.give("0-RTT") })
    expect(second.isSessionReused()).toBe(true)
    expect(early).toEqual(["", "0-RTT"])
  })

  it("an external PSK may be wiped, on both sides", async () => {
    const wiped = new Wiped()
    const key = randomBytes(32)
    const psk = () => ({ identity: wiped.give("device"), key: wiped.give(key) })
    const server = createServer({ externalPsks: [psk()] }, (socket) => {
      open.push(socket)
      socket.end("hello")
    })
    wiped.wipe()
    servers.push(server)
    const socket = connect({ host: "127.0.0.1", port: await portOf(server), externalPsks: [psk()] })
    wiped.wipe()
    open.push(socket)
    expect((await readAll(socket)).toString()).toBe("hello")
    expect(socket.info?.authentication).toBe("psk")
  })
})
