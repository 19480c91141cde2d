import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { parseCertificate, parsePem, toPem } from "@puremq/tls13/x509"
import { expect, it } from "vitest"
import { expiryOf } from "./expiry.ts"
import { createBroker } from "./node.ts"

const now = Date.now()
const made = createDevelopmentCertificates({ names: ["localhost"], now })
const later = createDevelopmentCertificates({ names: ["localhost"], now: now + 10 * 86_400_000 })
const momentOf = (pem: string) => parseCertificate(parsePem(pem)[0]!.der).notAfter / 1000

it("is that of the certificate of a chain which expires first", () => {
  const expiry = expiryOf()
  const both = [momentOf(made.serverCert), momentOf(later.serverCert)]
  expect(both[0]).toBeLessThan(both[1]!)
  expect(expiry(later.serverCert + made.serverCert)).toBe(both[0])
  expect(expiry(later.serverCert)).toBe(both[1])
})

it("what is sent along and cannot be read does not matter; of nothing that can be read there is none", () => {
  const expiry = expiryOf()
  const unreadable = toPem("CERTIFICATE", Uint8Array.of(0x30, 0))
  expect(expiry(made.serverCert + unreadable)).toBe(momentOf(made.serverCert))
  expect(expiry(unreadable)).toBeUndefined()
})

it("of a running broker it is that of the certificates that handshakes use now", async () => {
  const broker = createBroker({
    listeners: [{ type: "tls", port: 0, cert: made.serverCert, key: made.serverKey }],
    metrics: { port: 0, cert: made.serverCert, key: made.serverKey },
  })
  await broker.listen()
  const before = momentOf(made.serverCert)
  const expected = (tls: number, metrics: number) => [
    { listener: "tls", expirySeconds: tls },
    { listener: "metrics", expirySeconds: metrics },
  ]
  expect(broker.stats().certificates).toEqual(expected(before, before))
  const next = createDevelopmentCertificates({ names: ["localhost"], now: now - 86_400_000 })
  broker.reload({ certificates: { cert: next.serverCert, key: next.serverKey } })
  expect(broker.stats().certificates).toEqual(expected(momentOf(next.serverCert), before))
  broker.reload({ metrics: { port: 0, cert: next.serverCert, key: next.serverKey } })
  expect(broker.stats().certificates).toEqual(expected(momentOf(next.serverCert), momentOf(next.serverCert)))
  await broker.close()
})
