import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import nodeTls from "node:tls"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { describe, expect, it } from "vitest"
import { foreignServerNames, startForeignServer } from "./openssl-servers.ts"

const made = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const pems = { ca: made.caCert, cert: made.serverCert, key: made.serverKey }
const programs = { openssl: ["openssl", "version"], nginx: ["nginx", "-v"] } as const
const isHere = (name: keyof typeof programs) => {
  const [program, argument] = programs[name]
  return existsSync("/proc/self/schedstat") && spawnSync(program, [argument]).status === 0
}

describe("servers that are OpenSSL", () => {
  it.each(foreignServerNames.filter(isHere))(
    "%s: handshakes, resumed ones too, cost it processor time",
    async (name) => {
      const server = (await startForeignServer(name, pems))!
      try {
        const connect = async (session?: Buffer) => {
          const options = { host: "127.0.0.1", port: server.port, servername: "localhost", ca: pems.ca }
          const socket = nodeTls.connect({ ...options, minVersion: "TLSv1.3", ...(session && { session }) })
          await once(socket, "secureConnect")
          return socket
        }
        const before = server.busy()
        const first = await connect()
        const [session] = (await once(first, "session")) as [Buffer]
        first.destroy()
        const again = await connect(session)
        expect(again.isSessionReused()).toBe(true)
        expect(again.getProtocol()).toBe("TLSv1.3")
        again.destroy()
        expect(server.busy()).toBeGreaterThan(before)
      } finally {
        server.stop()
      }
    },
  )

  it.skipIf(isHere("nginx"))("that are not installed are told so", async () => {
    expect(await startForeignServer("nginx", pems)).toBeUndefined()
  })
})
