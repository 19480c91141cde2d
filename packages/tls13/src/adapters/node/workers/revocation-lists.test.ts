// Revocation lists are looked at with signatures that a thread checks: what is not known yet is not remembered as wrong.

import { once } from "node:events"
import type { AddressInfo } from "node:net"
import tls from "node:tls"
import { expect, it, vi } from "vitest"
import { builtAdapter } from "../../../../tests/tools/built-adapter.ts"
import { patience } from "../../../../tests/tools/patience.ts"
import { makeCrl, makeLeaf, makeRoot, privateKeyOf } from "../../../../tests/x509/pki.ts"
import { privateKeyToPem } from "../../../devcert/keys.ts"
import { Oid, toPem } from "../../../x509/index.ts"
import type { HandshakeReport } from "../index.ts"

const built = await builtAdapter()
const { createServer }: typeof import("../index.ts") = await import(`${built}index.js`)
const day = 86_400_000
const now = Date.now()
const validity = { notBefore: now - 10 * day, notAfter: now + 90 * day }
const root = makeRoot({ ...validity, key: 7001 })
const leaf = makeLeaf(root, {
  ...validity,
  subject: { commonName: "localhost" },
  key: 7002,
  serial: Uint8Array.of(0x51),
  names: ["localhost"],
})
const client = makeLeaf(root, {
  ...validity,
  key: 7003,
  serial: Uint8Array.of(0x52),
  names: [],
  usage: [Oid.clientAuth],
})
const ca = toPem("CERTIFICATE", root.der)
const own = { cert: toPem("CERTIFICATE", leaf.der), key: privateKeyToPem(privateKeyOf(7002)), ca }
const clientOwn = { cert: toPem("CERTIFICATE", client.der), key: privateKeyToPem(privateKeyOf(7003)) }
const fresh = { thisUpdate: now - day, nextUpdate: now + day }
const list = (...serials: number[]): string =>
  toPem("X509 CRL", makeCrl(root, { ...fresh, revoked: serials.map((each) => ({ serial: Uint8Array.of(each) })) }))

it.each([0, 1])("a good list, %s workers: a client that is not on it is let in", async (workers) => {
  const server = createServer({ ...own, requestCert: true, crl: list(9), workers }, (s) =>
    s.on("error", () => {}).resume(),
  )
  const reports: HandshakeReport[] = []
  server.on("handshake", (r) => reports.push(r))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  for (let i = 0; i < 2; i++) {
    const socket = tls.connect({
      port: (server.address() as AddressInfo).port,
      host: "127.0.0.1",
      servername: "localhost",
      ca,
      ...clientOwn,
    })
    socket.on("error", () => {})
    await vi.waitFor(() => expect(reports).toHaveLength(i + 1), patience)
    socket.destroy()
  }
  server.close()
  expect(reports.map(({ ok, error }) => error?.message ?? ok)).toEqual([true, true])
})

it("a client that the second of two lists revokes is refused, whoever came before", async () => {
  const { createSecureContext }: typeof import("../index.ts") = await import(`${built}index.js`)
  const other = makeLeaf(root, {
    ...validity,
    key: 7004,
    serial: Uint8Array.of(0x53),
    names: [],
    usage: [Oid.clientAuth],
  })
  const otherOwn = { cert: toPem("CERTIFICATE", other.der), key: privateKeyToPem(privateKeyOf(7004)) }
  // 0x53 is on the first, 0x52 on the second.
  const secureContext = createSecureContext({ ...own, crl: [list(0x53), list(0x52)] })
  const visit = async (workers: number, device: { cert: string; key: string }) => {
    const server = createServer({ secureContext, requestCert: true, workers }, (s) => s.on("error", () => {}).resume())
    const reports: HandshakeReport[] = []
    server.on("handshake", (r) => reports.push(r))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const socket = tls.connect({
      port: (server.address() as AddressInfo).port,
      host: "127.0.0.1",
      servername: "localhost",
      ca,
      ...device,
    })
    socket.on("error", () => {})
    await vi.waitFor(() => expect(reports).toHaveLength(1), patience)
    socket.destroy()
    server.close()
    return { ok: reports[0]!.ok, message: reports[0]!.error?.message }
  }
  expect((await visit(0, otherOwn)).ok).toBe(false)
  expect(await visit(1, clientOwn)).toMatchObject({ ok: false, message: expect.stringMatching(/revoked/) })
})
