// How strictly a client judges that names no profile: by whose the authorities are.

import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { portOf } from "../../../tests/tools/sockets.ts"
import { type Issued, makeLeaf, makeRoot, privateKeyOf, without } from "../../../tests/x509/pki.ts"
import { createDevelopmentCertificates, privateKeyToPem } from "../../devcert/index.ts"
import { Oid, toPem } from "../../x509/index.ts"
import { type ConnectOptions, connect } from "./connect.ts"
import { createServer, type Server } from "./server.ts"

const day = 86_400_000
const usual = {
  names: ["localhost"],
  subject: { commonName: "localhost" },
  notBefore: Date.now() - day,
  notAfter: Date.now() + 30 * day,
}
/** As OpenSSL's `x509 -req` makes them: a CA's duty is not kept, and no path rule broken. */
const root = makeRoot({
  notBefore: usual.notBefore,
  notAfter: usual.notAfter,
  change: without(Oid.subjectKeyIdentifier),
})
const lax = makeLeaf(root, { ...usual, key: 7101, change: without(Oid.authorityKeyIdentifier) })
const strict = makeLeaf(root, { ...usual, key: 7102 })
const dev = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })

const folder = mkdtempSync(join(tmpdir(), "tls13-profile-"))
const ca = toPem("CERTIFICATE", root.der)
// Read when it is needed first: each test file has modules of its own.
const before = process.env["SSL_CERT_FILE"]
process.env["SSL_CERT_FILE"] = join(folder, "bundle.pem")
writeFileSync(process.env["SSL_CERT_FILE"], `${ca}\n${dev.caCert}`)
const servers: Server[] = []

afterAll(() => {
  if (before === undefined) delete process.env["SSL_CERT_FILE"]
  else process.env["SSL_CERT_FILE"] = before
  rmSync(folder, { recursive: true })
})
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function shown(by: { cert: string; key: string }, options: ConnectOptions = {}): Promise<string> {
  const server = createServer(by, (socket) => socket.end())
  servers.push(server)
  server.listen(0, "127.0.0.1")
  const socket = connect({ port: await portOf(server), host: "127.0.0.1", servername: "localhost", ...options })
  const event = await once(socket, "secureConnect").then(
    () => "accepted",
    (error: Error) => error.message,
  )
  socket.destroy()
  return event
}

const pem = ({ der }: Issued, key: number) => ({
  cert: toPem("CERTIFICATE", der),
  key: privateKeyToPem(privateKeyOf(key)),
})

describe("a client that names no profile", () => {
  it("below the machine's authorities wants what public servers keep", async () => {
    expect(await shown(pem(lax, 7101))).toMatch(
      /no authorityKeyIdentifier.*the profile webpki forbids that, `path` does not/,
    )
    expect(await shown(pem(lax, 7101), { profile: "path" })).toBe("accepted")
  })

  it("takes the machine's roots as they are: this one has no subjectKeyIdentifier", async () => {
    expect(await shown(pem(strict, 7102))).toBe("accepted")
    expect(await shown(pem(strict, 7102), { ca, profile: "webpki" })).toMatch(/no subjectKeyIdentifier/)
  })

  it("below authorities of its own wants path validation alone", async () => {
    expect(await shown(pem(lax, 7101), { ca })).toBe("accepted")
  })

  it("takes our development certificates where the machine trusts them", async () => {
    expect(await shown({ cert: dev.serverCert, key: dev.serverKey })).toBe("accepted")
  })
})
