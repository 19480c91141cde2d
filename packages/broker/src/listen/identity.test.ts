// Client certificates as logins: each rule that makes a user name of one, revocation, and renewal under open connections;
// with Mosquitto's own client and with MQTT.js on node:tls.

import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  certificateToPem,
  createAuthority,
  createLeaf,
  createRevocationList,
  type Identity,
  nameConstraints,
  privateKeyToPem,
} from "@puremq/tls13/devcert"
import { type IdentityRule, identityRules, parseCertificate } from "@puremq/tls13/x509"
import mqtt, { type IClientOptions, type MqttClient } from "mqtt"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { LogEvent } from "../admin/log.ts"
import { type BrokerConfig, ConfigError, type TlsListenerConfig } from "../config/config.ts"
import { createBroker, type PureMqBroker } from "../platform/node.ts"

const now = Date.now()
const authority = createAuthority({ now })
const ca = certificateToPem(authority)
const server = createLeaf({ now, issuer: authority, usage: "server", names: ["localhost", "127.0.0.1"] })
const device = createLeaf({
  now,
  issuer: authority,
  usage: "client",
  serialNumber: Uint8Array.of(0x70, 7),
  subject: { organization: "Acme Inc", commonName: "device-7" },
  names: ["d7@acme.example", "d7.acme.example", "urn:acme:d7"],
})
/** Has a name by no rule but those of its subject and key. */
const plain = createLeaf({ now, issuer: authority, usage: "client", subject: { commonName: "plain" } })
const { createHash } = await import("node:crypto")
const keyHash = createHash("sha256").update(parseCertificate(device.certificate).spki).digest("hex")

const users: Readonly<Record<IdentityRule, string>> = {
  "subject-cn": "device-7",
  subject: "CN=device-7,O=Acme Inc",
  "san-email": "d7@acme.example",
  "san-dns": "d7.acme.example",
  "san-uri": "urn:acme:d7",
  "spki-sha256": keyHash,
}
const pems = (identity: Identity): { cert: string; key: string } => ({
  cert: certificateToPem(identity),
  key: privateKeyToPem(identity.privateKey),
})
const acl = Object.entries(users)
  .map(([rule, user]) => `user "${user}" write ${rule}/#`)
  .join("\n")

const mosquitto = await new Promise<boolean>((resolve) => {
  execFile("mosquitto_pub", ["--help"], (error) =>
    resolve(!(error !== null && "code" in error && error.code === "ENOENT")),
  )
})
if (!mosquitto) console.log("identity.test.ts: mosquitto_pub is not installed, so its runs are skipped")

let folder = ""
const file = (name: string): string => join(folder, name)
const brokers: PureMqBroker[] = []
const clients: MqttClient[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "puremq-identity-"))
  writeFileSync(file("ca.pem"), ca)
  for (const [name, identity] of Object.entries({ device, plain })) {
    writeFileSync(file(`${name}.pem`), pems(identity).cert)
    writeFileSync(file(`${name}-key.pem`), pems(identity).key)
  }
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)))
  await Promise.all(brokers.map((broker) => broker.close()))
  rmSync(folder, { recursive: true })
})

interface Running {
  readonly broker: PureMqBroker
  readonly port: number
  readonly events: LogEvent[]
}

async function start(
  listener: Partial<Pick<TlsListenerConfig, "identity" | "crl" | "revocation" | "clientCertificate">> = {},
  more: Partial<BrokerConfig> = {},
): Promise<Running> {
  const events: LogEvent[] = []
  const broker = createBroker({
    listeners: [{ type: "tls", port: 0, ...pems(server), ca, clientCertificate: "require", ...listener }],
    acl,
    sysInterval: 0,
    onEvent: (event) => events.push(event),
    ...more,
  })
  brokers.push(broker)
  const [address] = await broker.listen()
  return { broker, port: address?.port ?? 0, events }
}

async function open(port: number, identity: Identity | undefined, options: IClientOptions = {}): Promise<MqttClient> {
  const own = identity === undefined ? {} : pems(identity)
  const client = mqtt.connect(`mqtts://localhost:${port}`, { reconnectPeriod: 0, ca, ...own, ...options })
  clients.push(client)
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve())
    client.once("error", reject)
    client.once("close", () => reject(new Error("closed")))
  })
  return client
}

/** Status and error text of mosquitto_pub. */
function publish(port: number, name: string, topic: string): Promise<{ status: number; text: string }> {
  const args = ["-h", "localhost", "-p", String(port), "--cafile", file("ca.pem"), "-V", "mqttv5", "-q", "1"]
  args.push("--cert", file(`${name}.pem`), "--key", file(`${name}-key.pem`), "-t", topic, "-m", "hello")
  return new Promise((resolve) => {
    execFile("mosquitto_pub", args, { timeout: 15_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), text: `${stdout}${stderr}` })
    })
  })
}

async function until<T>(find: () => T | undefined): Promise<T> {
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    const found = find()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error("it did not happen in ten seconds")
}

const userOf = ({ events }: Running): string | undefined =>
  events.flatMap((event) => (event.event === "client connected" ? [event.user] : [])).at(-1)
const refusalOf = ({ events }: Running): string | undefined =>
  events.flatMap((event) => (event.event === "client refused" ? [event.reason] : [])).at(-1)

describe.each(identityRules)("identity %s", (identity) => {
  const other = identityRules.find((rule) => rule !== identity) ?? identity

  it("MQTT.js: the user is what the rule says, and the ACL goes by it", async () => {
    const running = await start({ identity })
    const client = await open(running.port, device, { protocolVersion: 5 })
    expect(userOf(running)).toBe(users[identity])
    expect((await client.publishAsync(`${identity}/x`, "hello", { qos: 1 }))?.cmd).toBe("publish")
    await expect(client.publishAsync(`${other}/x`, "hello", { qos: 1 })).rejects.toThrow(/not authorized/i)
  })

  it.skipIf(!mosquitto)("mosquitto_pub --cert --key: the same", async () => {
    const running = await start({ identity })
    const received: string[] = []
    const allowed = await publish(running.port, "device", `${identity}/x`)
    expect(allowed).toEqual({ status: 0, text: "" })
    expect(userOf(running)).toBe(users[identity])
    const refused = await publish(running.port, "device", `${other}/x`)
    expect(refused.text).toMatch(/not authorized/i)
    expect(received).toEqual([])
  })
})

describe("a certificate without the name that the rule wants", () => {
  it.each([
    ["san-email", /^the certificate of CN=plain has no e-mail address in its subjectAltName \(identity san-email\)/],
    ["san-dns", /no DNS name in its subjectAltName/],
    ["san-uri", /no URI in its subjectAltName/],
  ] as const)(
    "%s: refused with 0x87 and a sentence, also where anonymous clients are let in",
    async (identity, expected) => {
      const running = await start({ identity }, { login: { anonymous: true } })
      await expect(open(running.port, plain, { protocolVersion: 5 })).rejects.toMatchObject({ code: 0x87 })
      expect(refusalOf(running)).toMatch(expected)
    },
  )

  it.skipIf(!mosquitto)("mosquitto_pub is told so", async () => {
    const running = await start({ identity: "san-email" })
    const { status, text } = await publish(running.port, "plain", "san-email/x")
    expect(status).not.toBe(0)
    expect(text).toMatch(/not authorized/i)
  })

  it.each([
    [{}, [], "serial number 7009 of CN=PureMQ development CA"],
    [{}, ["d9.acme.example"], "d9.acme.example"],
    [{ organization: "Acme" }, [], "O=Acme (serial number 7009)"],
    [{ commonName: "" }, [], "serial number 7009 of CN=PureMQ development CA"],
  ])(
    "a certificate of subject %j and names %j is named by what there is, in both lines",
    async (subject, names, name) => {
      const nameless = createLeaf({ ...leaf, subject, names })
      const running = await start({}, { login: { anonymous: true } })
      await expect(open(running.port, nameless, { protocolVersion: 5 })).rejects.toMatchObject({ code: 0x87 })
      expect(refusalOf(running)).toContain(`the certificate of ${name} has no common name`)
      expect(running.events.find(({ event }) => event === "tls handshake")).toMatchObject({ identity: name })
    },
  )
  const leaf = { now, issuer: authority, usage: "client", serialNumber: Uint8Array.of(0x70, 9) } as const

  it("does not matter when certificates are no login", async () => {
    const running = await start({ identity: "san-email" }, { login: { anonymous: true, certificates: false } })
    await open(running.port, plain)
    expect(userOf(running)).toBe("")
  })
})

describe("revocation lists", () => {
  const list = (...revoked: Uint8Array[]): string => createRevocationList({ issuer: authority, revoked, now })
  const serial = Uint8Array.of(0x70, 7)

  it("keep a revoked certificate out, from the moment that a new list is given", async () => {
    const running = await start({ crl: list() })
    const before = await open(running.port, device)
    running.broker.renewCertificate({ ...pems(server), crl: list(serial) })
    await expect(open(running.port, device)).rejects.toThrow()
    const failure = await until(() => running.events.find((event) => event.event === "tls failure"))
    expect(failure).toMatchObject({ alert: "certificate_revoked", reason: expect.stringMatching(/it was revoked on/) })
    await before.publishAsync("subject-cn/still", "here", { qos: 1 })
    await open(running.port, plain)
  })

  it("revocation off does not look at them", async () => {
    const running = await start({ crl: list(serial), revocation: "off" })
    await open(running.port, device)
  })
})

describe("configurations that make no sense", () => {
  const base = { type: "tls", port: 0, ...pems(server) } as const
  it.each([
    [{ ...base, clientCertificate: "require" }, /listeners\.tls\.ca is missing/],
    [{ ...base, identity: "san-email" }, /listeners\.tls\.identity is about client certificates/],
    [{ ...base, crl: "x" }, /listeners\.tls\.crl is about client certificates/],
    [{ ...base, ca, clientCertificate: "require", revocation: "require" }, /listeners\.tls\.crl is missing/],
  ] as const)("%#", (listener, expected) => {
    expect(() => createBroker({ listeners: [listener] })).toThrow(ConfigError)
    expect(() => createBroker({ listeners: [listener] })).toThrow(expected)
  })
})

describe("renewal", () => {
  it("new connections see the new certificate, those that are open go on, and the log has one line", async () => {
    const running = await start()
    const before = await open(running.port, device)
    await before.subscribeAsync("none").catch(() => undefined)
    const next = createLeaf({ now, issuer: authority, usage: "server", names: ["localhost"] })
    const old = createAuthority({ now })
    const broken = { ...pems(next), key: pems(server).key }
    expect(() => running.broker.renewCertificate([broken])).toThrow(/cannot use certificate given with key given/)
    expect(() => running.broker.renewCertificate({ ...pems(next), ca: "none" })).toThrow(/cannot use the authorities/)
    running.broker.renewCertificate([pems(next)])
    const told = running.events.filter((event) => event.event === "certificate renewed")
    expect(told).toEqual([
      {
        event: "certificate renewed",
        text: expect.stringMatching(
          /^certificate: CN=localhost until \d{4}-\d\d-\d\d, changed; CA: CN=.*, unchanged; 1 open connection stays$/,
        ),
      },
    ])
    await open(running.port, device, { clientId: "second" })
    await before.publishAsync("subject-cn/still", "here", { qos: 1 })
    expect(running.broker.stats().clientsConnected).toBe(2)
    running.broker.renewCertificate({ ...pems(next), ca: certificateToPem(old) })
    await expect(open(running.port, device)).rejects.toThrow()
    await before.publishAsync("subject-cn/still", "here", { qos: 1 })
  })
})

describe("a certificate that is shown and not valid", () => {
  const day = 86_400_000
  const admin = { now, usage: "client", subject: { commonName: "admin" } } as const
  const other = createAuthority({ now, subject: { commonName: "Another authority" } })
  const stranger = createLeaf({ ...admin, issuer: other })
  const expired = createLeaf({ ...admin, issuer: authority, notBefore: now - 9 * day, notAfter: now - day })
  const purpose = createLeaf({ ...admin, usage: "server", names: ["admin.example"], issuer: authority })
  const forged = [
    ["of another authority", stranger, "unknown_ca"],
    ["expired", expired, "certificate_expired"],
    ["for another purpose", purpose, "unsupported_certificate"],
  ] as const
  const names = (events: readonly LogEvent[]) =>
    JSON.stringify(events.flatMap((event) => (event.event === "tls handshake" ? [event.identity] : [])))

  it.each(forged)("%s: ends the handshake with request, and is no identity anywhere", async (_, identity, alert) => {
    const { port, events } = await start(
      { clientCertificate: "request" },
      { login: { anonymous: true }, acl: undefined },
    )
    await expect(open(port, identity)).rejects.toThrow()
    expect(events).toContainEqual(expect.objectContaining({ event: "tls failure", alert, fault: "client" }))
    expect(events.filter(({ event }) => event === "client connected")).toEqual([])
    expect(names(events)).not.toContain("admin")
    // Who shows none comes in as nobody, and who shows a good one as who it says.
    await open(port, undefined, { clientId: "nobody" })
    await open(port, device, { clientId: "somebody" })
    const users = events.flatMap((event) => (event.event === "client connected" ? [[event.clientId, event.user]] : []))
    expect(users).toEqual([
      ["nobody", ""],
      ["somebody", "device-7"],
    ])
  })

  it.each(forged)("%s: is let in as nobody with request-any, and the log says why", async (_, identity) => {
    const { port, events } = await start(
      { clientCertificate: "request-any" },
      { login: { anonymous: true }, acl: undefined },
    )
    await open(port, identity)
    expect(events).toContainEqual(expect.objectContaining({ event: "client connected", user: "" }))
    expect(names(events)).not.toContain("admin")
    expect(events).toContainEqual(
      expect.objectContaining({ event: "tls handshake", identity: undefined, unverified: expect.stringMatching(/./) }),
    )
  })

  it("RFC 5280 4.2.1.10: a name that escapes the constraints of its authority is not believed", async () => {
    const constraint = nameConstraints([{ type: "dns", value: "tenant1.example" }])
    const tenant = createAuthority({
      now,
      issuer: authority,
      subject: { commonName: "Tenant 1" },
      extensions: (usual) => [...usual, constraint],
    })
    const { port, events } = await start({ clientCertificate: "require" }, { acl: undefined })
    const withChain = (identity: Identity) => ({ cert: certificateToPem(identity) + certificateToPem(tenant) })
    const forger = createLeaf({ ...admin, issuer: tenant })
    await expect(open(port, forger, withChain(forger))).rejects.toThrow()
    expect(events).toContainEqual(expect.objectContaining({ event: "tls failure", alert: "bad_certificate" }))
    const honest = createLeaf({ ...admin, subject: { commonName: "a.tenant1.example" }, issuer: tenant })
    await open(port, honest, withChain(honest))
    expect(events).toContainEqual(expect.objectContaining({ event: "client connected", user: "a.tenant1.example" }))
  })
})
