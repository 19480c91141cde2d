// Revocation, pins, constrained anchors and profiles through the options of the Node adapter.

import { once } from "node:events"
import { afterEach, describe, expect, it } from "vitest"
import { portOf } from "../../../tests/tools/sockets.ts"
import { makeCrl, makeLeaf, makeOcsp, makeRoot, privateKeyOf, withExtension } from "../../../tests/x509/pki.ts"
import { keyUsage } from "../../devcert/extensions.ts"
import { privateKeyToPem } from "../../devcert/keys.ts"
import { Oid, spkiHash, toPem, trustStoreFromPem } from "../../x509/index.ts"
import { type ConnectOptions, connect } from "./connect.ts"
import { chooseProvider } from "./provider.ts"
import { createServer, type Server, type TlsServerOptions } from "./server.ts"

const day = 86_400_000
const now = Date.now()
const validity = { notBefore: now - 10 * day, notAfter: now + 90 * day }
const root = makeRoot({ ...validity, key: 7001 })
const serial = Uint8Array.of(0x51)
const leaf = makeLeaf(root, {
  ...validity,
  subject: { commonName: "localhost" },
  key: 7002,
  serial,
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
const own = { cert: toPem("CERTIFICATE", leaf.der), key: privateKeyToPem(privateKeyOf(7002)) }
const clientOwn = { cert: toPem("CERTIFICATE", client.der), key: privateKeyToPem(privateKeyOf(7003)) }
const fresh = { thisUpdate: now - day, nextUpdate: now + day }
const list = (...serials: number[]): string =>
  toPem("X509 CRL", makeCrl(root, { ...fresh, revoked: serials.map((each) => ({ serial: Uint8Array.of(each) })) }))
const stale = toPem("X509 CRL", makeCrl(root, { thisUpdate: now - 9 * day, nextUpdate: now - day }))
const staple = (status: "good" | "revoked" | "unknown"): Uint8Array => makeOcsp(leaf, root, { ...fresh, status })

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function start(options: TlsServerOptions = {}): Promise<{ server: Server; port: number }> {
  const server = createServer({ ...own, ...options }, (socket) => socket.on("error", () => undefined).resume())
  server.on("tlsClientError", () => undefined)
  servers.push(server)
  return { server, port: await portOf(server) }
}

/** `accepted`, or the reason word and sentence of the refusal. */
async function outcome(port: number, options: ConnectOptions = {}): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, ...options })
  const error = await Promise.race([
    once(socket, "secureConnect").then(() => undefined),
    once(socket, "error").then(([problem]: Error[]) => problem),
  ]).catch((problem: Error) => problem)
  socket.on("error", () => undefined).destroy()
  return error === undefined ? "accepted" : error.message
}

describe("revocation lists (`crl`)", () => {
  it.each([
    ["a list without it", { crl: list(9) }, /accepted/],
    ["a list with it", { crl: list(0x51) }, /it was revoked on/],
    ["the second of two sources", { crl: [list(9), Buffer.from(list(0x51))] }, /it was revoked on/],
    ["a stale list", { crl: stale }, /was to be renewed by/],
    ["a stale list, not looked at", { crl: stale, revocation: "off" }, /accepted/],
    ["a list with it, not looked at", { crl: list(0x51), revocation: { crl: "off" } }, /accepted/],
    ["none, and one required", { revocation: "require" }, /no revocation list of its issuer was given/],
    ["one, and one required", { crl: list(), revocation: "require" }, /accepted/],
  ] as const)("%s", async (_title, options, expected) => {
    const { port } = await start()
    expect(await outcome(port, options)).toMatch(expected)
  })

  it("text that is no list is said so before anything is sent", () => {
    expect(() => connect({ port: 1, crl: ca })).toThrow(/`crl` cannot be read: no revocation list/)
  })

  it("decide about clients too; a new list counts from the next handshake on, also for sessions", async () => {
    const { server, port } = await start({ ca, requestCert: true, crl: list() })
    const seen: (string | undefined)[] = []
    server.on("handshake", ({ error, resumed }) => seen.push(error?.message ?? (resumed ? "resumed" : "new")))
    let session: Buffer | undefined
    const visit = async (): Promise<void> => {
      const count = seen.length
      const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, ...clientOwn, session })
      socket.on("error", () => undefined)
      const fresh = once(socket, "session").then(([next]: Buffer[]) => {
        session = next
      })
      await Promise.race([fresh, once(socket, "close")]).catch(() => undefined)
      socket.destroy()
      while (seen.length === count) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await visit()
    await visit()
    expect(seen).toEqual(["new", "resumed"])
    server.setSecureContext({ crl: list(0x52) })
    await visit()
    expect(seen[2]).toMatch(/it was revoked on/)
  })
})

describe("stapled OCSP responses", () => {
  it.each([
    ["good", staple("good"), { revocation: "require" }, /accepted/],
    ["good, for the leaf alone", staple("good"), { revocation: { ocsp: "require" } }, /accepted/],
    ["revoked", staple("revoked"), { requestOCSP: true }, /it was revoked on/],
    ["unknown", staple("unknown"), { requestOCSP: true }, /does not know it/],
    ["revoked, not asked for", staple("revoked"), {}, /accepted/],
    ["none, and one required", undefined, { revocation: { ocsp: "require" } }, /came without a stapled OCSP response/],
    ["garbage", Uint8Array.of(1, 2, 3), { requestOCSP: true }, /OCSP response/],
  ] as const)("%s", async (_title, ocspResponse, options, expected) => {
    const { port } = await start({ ocspResponse })
    expect(await outcome(port, options)).toMatch(expected)
  })

  it("are renewed by setSecureContext, and go with their certificate", async () => {
    const { server, port } = await start({ ocspResponse: staple("good") })
    const required = { revocation: { ocsp: "require" } } as const
    server.setSecureContext({ ocspResponse: staple("revoked") })
    expect(await outcome(port, required)).toMatch(/it was revoked on/)
    server.setSecureContext({ ...own })
    expect(await outcome(port, required)).toMatch(/came without/)
    expect(() => createServer({ ...own, ocspResponse: [staple("good"), staple("good")] })).toThrow(
      /2 of `ocspResponse`/,
    )
  })
})

describe("pins", () => {
  const hash = (of: { certificate: { spki: Uint8Array } }): Uint8Array =>
    spkiHash(of.certificate.spki, chooseProvider()) ?? new Uint8Array(0)
  it.each([
    ["the root's key", `sha256/${Buffer.from(hash(root)).toString("base64")}`, /accepted/],
    ["the leaf's key in hexadecimal", Buffer.from(hash(leaf)).toString("hex"), /accepted/],
    ["one of two", [hash(client), hash(leaf)], /accepted/],
    ["another key", Buffer.from(hash(client)).toString("hex"), /is one of the pinned keys/],
  ] as const)("%s", async (_title, pins, expected) => {
    const { port } = await start()
    expect(await outcome(port, { pins })).toMatch(expected)
  })

  it("a pin that is none is said so", () => {
    expect(() => connect({ port: 1, ca, pins: "abc" })).toThrow(/"abc" is no pin/)
  })
})

describe("trust anchors with constraints (`trust`)", () => {
  it.each([
    ["a name that it may vouch for", { permittedNames: ["localhost"] }, /accepted/],
    ["another name", { permittedNames: ["example.com"] }, /name constraints/],
    ["another use", { usages: ["clientAuth"] }, /not trusted for this use/],
    ["issued too late", { issuedUntil: now - 30 * day }, /not trusted for certificates issued so late/],
  ] as const)("%s", async (_title, constraints, expected) => {
    const { port } = await start()
    expect(await outcome(port, { ca: undefined, trust: trustStoreFromPem(ca, constraints) })).toMatch(expected)
  })

  it("stand in the place of `ca`", () => {
    expect(() => connect({ port: 1, ca, trust: trustStoreFromPem(ca) })).toThrow(/in the place of `ca`/)
  })
})

it("profile: webpki refuses what path accepts", async () => {
  const server = await start()
  expect(await outcome(server.port, { profile: "webpki" })).toBe("accepted")
  const odd = makeLeaf(root, {
    ...validity,
    subject: { commonName: "localhost" },
    key: 7004,
    names: ["localhost"],
    change: withExtension(keyUsage("digitalSignature", "keyCertSign")),
  })
  const { port } = await start({ cert: toPem("CERTIFICATE", odd.der), key: privateKeyToPem(privateKeyOf(7004)) })
  expect(await outcome(port)).toBe("accepted")
  expect(await outcome(port, { profile: "webpki" })).toMatch(/the profile webpki forbids that/)
})
