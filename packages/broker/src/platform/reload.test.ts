// A running broker is given other certificates, users and rules: MQTT.js on node:tls and TCP.

import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { connect as connectTcp } from "node:net"
import { connect as connectTls, TLSSocket } from "node:tls"
import {
  certificateToPem,
  chainToPem,
  createAuthority,
  createLeaf,
  createRevocationList,
  type Identity,
  nameConstraints,
  privateKeyToPem,
} from "@puremq/tls13/devcert"
import mqtt, { type IClientOptions, type MqttClient } from "mqtt"
import { afterAll, describe, expect, it } from "vitest"
import { createWebSocketStream, WebSocket } from "ws"
import { passwordLine } from "../access/password-file.ts"
import type { LogEvent } from "../admin/log.ts"
import { type BrokerConfig, ConfigError, type ReloadConfig } from "../config/config.ts"
import { createBroker, type PureMqBroker } from "./node.ts"

const now = Date.now()
const authority = createAuthority({ now })
const ca = certificateToPem(authority)
const leaf = (usage: "server" | "client", commonName: string, serial = 1): Identity =>
  createLeaf({
    now,
    issuer: authority,
    usage,
    serialNumber: Uint8Array.of(0x50, serial),
    subject: { commonName },
    names: usage === "server" ? ["localhost"] : [],
  })
const pems = (identity: Identity): { cert: string; key: string } => ({
  cert: certificateToPem(identity),
  key: privateKeyToPem(identity.privateKey),
})
const server = leaf("server", "localhost")
const device = leaf("client", "device", 7)

const users = async (...them: [string, string][]): Promise<string> => {
  const lines = them.map(([user, password]) => passwordLine(user, password, randomBytes(16), { ln: 10, r: 1, p: 1 }))
  return (await Promise.all(lines)).join("\n")
}

const brokers: PureMqBroker[] = []
const clients: MqttClient[] = []
afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)))
  await Promise.all(brokers.map((broker) => broker.close()))
})

async function start(config: BrokerConfig): Promise<{ broker: PureMqBroker; ports: number[]; events: LogEvent[] }> {
  const events: LogEvent[] = []
  const broker = createBroker({ sysInterval: 0, onEvent: (event) => events.push(event), ...config })
  brokers.push(broker)
  return { broker, ports: (await broker.listen()).map(({ port }) => port), events }
}

async function open(url: string, options: IClientOptions): Promise<MqttClient> {
  const client = mqtt.connect(url, { reconnectPeriod: 0, protocolVersion: 5, ...options })
  clients.push(client)
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve())
    client.once("error", reject)
  })
  return client
}

const closed = (client: MqttClient): Promise<number | undefined> =>
  new Promise((resolve) => {
    let code: number | undefined
    client.once("disconnect", ({ reasonCode }) => {
      code = reasonCode
    })
    client.once("close", () => resolve(code))
  })

const texts = (events: readonly LogEvent[]): string[] =>
  events.flatMap((event) => (event.event === "reloaded" ? [event.text] : []))

describe("users", () => {
  const tcp = { listeners: [{ type: "tcp", port: 0 }] } as const
  const login = (port: number, username: string, password: string) =>
    open(`mqtt://127.0.0.1:${port}`, { username, password })

  it("a deleted user, and a password that was changed, do not log in any more; an open connection stays", async () => {
    const before = await users(["alice", "a"], ["bob", "b"], ["carol", "c"])
    const { broker, ports, events } = await start({ ...tcp, login: { passwords: before } })
    const [port = 0] = ports
    const alice = await login(port, "alice", "a")
    await login(port, "bob", "b")
    const carol = before.split("\n")[2]
    broker.reload({ login: { passwords: `${carol}\n${await users(["bob", "new"], ["dave", "d"])}` } })
    expect(texts(events)).toEqual([
      "users: 3, 1 added, 1 removed, 1 changed; 2 connections with a login that is none any more; 2 open connections stay",
    ])
    await expect(login(port, "alice", "a")).rejects.toThrow(/Bad User Name or Password/i)
    await expect(login(port, "bob", "b")).rejects.toThrow(/Bad User Name or Password/i)
    for (const [user, password] of [
      ["bob", "new"],
      ["carol", "c"],
      ["dave", "d"],
    ] as const)
      await login(port, user, password)
    await alice.publishAsync("still", "here", { qos: 1 })
    broker.reload({})
    expect(texts(events)).toHaveLength(1)
    const unchanged = events.flatMap((event) => (event.event === "unchanged" ? [event.text] : []))
    expect(unchanged).toEqual([expect.stringMatching(/^users: 3, unchanged; .*\d open connections stay$/)])
  })

  it("with disconnectRevoked their connections end with 0x87", async () => {
    const passwords = await users(["alice", "a"], ["bob", "b"], ["carol", "c"])
    const { broker, ports, events } = await start({ ...tcp, login: { passwords }, disconnectRevoked: true })
    const [port = 0] = ports
    const [alice, bob, carol] = await Promise.all([
      login(port, "alice", "a"),
      login(port, "bob", "b"),
      login(port, "carol", "c"),
    ])
    const gone = [closed(alice), closed(bob)]
    const kept = passwords.split("\n")[2]
    broker.reload({ login: { passwords: `${kept}\n${await users(["bob", "other"])}` } })
    expect(await Promise.all(gone)).toEqual([0x87, 0x87])
    await carol.publishAsync("still", "here", { qos: 1 })
    expect(texts(events)[0]).toMatch(/2 clients disconnected; 1 open connection stays$/)
    const reasons = events.flatMap((event) => (event.event === "client disconnected" ? [event.reason] : []))
    expect(reasons).toEqual(["the user was deleted", "the password was changed"])
  })
})

describe("all or nothing", () => {
  const next = leaf("server", "localhost", 2)

  it.each([
    ["an access control list", { acl: "all look a" }, /access control list, line 1: look is none of/],
    ["users", { login: { passwords: "alice:secret" } }, /password file, line 1: expected NAME/],
    ["a certificate", { certificates: { ...pems(next), key: pems(server).key } }, /cannot use certificate/],
    ["authorities", { certificates: { ...pems(next), ca: "none" } }, /cannot use the authorities/],
    ["revocation lists", { certificates: { ...pems(next), crl: "none" } }, /cannot use the revocation lists/],
    ["too many listeners", { certificates: [pems(next), pems(next)] }, /2 listeners where there are 1/],
  ])("%s that cannot be used leave everything as it was", async (_what, bad, message) => {
    const passwords = await users(["alice", "a"])
    const { broker, ports, events } = await start({
      listeners: [{ type: "tls", port: 0, ...pems(server), ca, clientCertificate: "request" }],
      login: { passwords },
      acl: "all readwrite old/#",
      disconnectRevoked: true,
    })
    const connect = () => open(`mqtts://localhost:${ports[0]}`, { ca, username: "alice", password: "a" })
    const client = await connect()
    await client.subscribeAsync("old/#")
    const good = {
      certificates: pems(next),
      login: { passwords: await users(["bob", "b"]) },
      acl: "all readwrite new/#",
    }
    expect(() => broker.reload({ ...good, ...bad })).toThrow(ConfigError)
    expect(() => broker.reload({ ...good, ...bad })).toThrow(message)
    expect(events.filter(({ event }) => event === "reloaded")).toEqual([])
    const again = await connect()
    await again.publishAsync("old/a", "x", { qos: 1 })
    await client.publishAsync("old/a", "x", { qos: 1 })
    broker.reload(good)
    expect(texts(events)[0]).toMatch(
      /^certificate: CN=localhost until \d{4}-\d\d-\d\d, changed; CA: CN=.* until \d{4}-\d\d-\d\d, unchanged; users: 1, 1 added, 1 removed; access control list: 1 rule, changed; /,
    )
  })
})

describe("one line tells of each part whether it is other than before", () => {
  const listener = { type: "tls", port: 0, ...pems(server), ca, clientCertificate: "request" } as const
  const list = (...serials: number[]): string =>
    createRevocationList({ issuer: authority, revoked: serials.map((one) => Uint8Array.of(0x50, one)), now })
  const acl = "all readwrite #"
  const stranger = certificateToPem(createAuthority({ now, subject: { commonName: "stranger" } }))
  const day = "\\d{4}-\\d\\d-\\d\\d"
  const alice = users(["alice", "a"])

  it.each<[string, "reloaded" | "unchanged", ReloadConfig, string[]]>([
    ["nothing", "unchanged", {}, []],
    [
      "comments and line ends",
      "unchanged",
      { certificates: { ...pems(server), ca: `# ours\r\n${ca.replaceAll("\n", "\r\n")}` } },
      [],
    ],
    ["the certificate", "reloaded", { certificates: pems(leaf("server", "localhost", 2)) }, ["certificate"]],
    ["an authority", "reloaded", { certificates: { ...pems(server), ca: ca + stranger } }, ["CA"]],
    ["a list", "reloaded", { certificates: { ...pems(server), crl: list(7, 8) } }, ["CRL"]],
    ["the rules", "reloaded", { acl: "all read #" }, ["access control list"]],
  ])("%s", async (_what, event, next, changed) => {
    const passwords = await alice
    const first = { listeners: [{ ...listener, crl: list(7) }], login: { passwords }, acl }
    const { broker, events } = await start(first)
    broker.reload({ certificates: pems(server), ...next })
    const [told, ...more] = events.filter(({ event }) => event === "reloaded" || event === "unchanged")
    expect(more).toEqual([])
    expect(told?.event).toBe(event)
    const fate = (what: string): string => `, ${changed.includes(what) ? "changed" : "unchanged"}`
    const others = changed.includes("CA") ? ` and CN=stranger until ${day}` : ""
    expect(told).toHaveProperty(
      "text",
      expect.stringMatching(
        new RegExp(
          [
            `^certificate: CN=localhost until ${day}${fate("certificate")}`,
            `CA: CN=[^;]* until ${day}${others}${fate("CA")}`,
            `CRL: CN=[^;]* of ${day} until ${day} with ${changed.includes("CRL") ? 2 : 1} revoked${fate("CRL")}`,
            "users: 1, unchanged",
            `access control list: 1 rule${fate("access control list")}`,
            "0 open connections stay$",
          ].join("; "),
        ),
      ),
    )
  })

  it("a bundle is told by its first three, and each certificate of several listeners", async () => {
    const others = [1, 2, 3, 4].map((n) =>
      certificateToPem(createAuthority({ now, subject: { commonName: `CA ${n}` } })),
    )
    const second = leaf("server", "second.example")
    const { broker, events } = await start({ listeners: [listener, { type: "tls", port: 0, ...pems(second) }] })
    const next = { ...pems(server), ca: others.join("") }
    broker.reload({ certificates: [next, pems(leaf("server", "second.example", 3))] })
    expect(texts(events)[0]).toMatch(
      /^certificate: CN=localhost until .*, unchanged; certificate: CN=second\.example until .*, changed; CA: CN=CA 1 until [\d-]+ and CN=CA 2 until [\d-]+ and CN=CA 3 until [\d-]+ and 1 other, changed; 0 open/,
    )
  })

  it("who may log in without a password", async () => {
    const { broker, events } = await start({ listeners: [listener] })
    broker.reload({ login: { anonymous: false, certificates: false } })
    expect(texts(events)[0]).toMatch(
      /clients without login: refused now; client certificates: no login any more; 0 open/,
    )
  })
})

describe("client certificates", () => {
  const list = (...serials: number[]): string =>
    createRevocationList({ issuer: authority, revoked: serials.map((one) => Uint8Array.of(0x50, one)), now })
  const other = leaf("client", "other", 8)
  const certificate = (port = 0, identity: Identity): Promise<MqttClient> =>
    open(`mqtts://localhost:${port}`, { ca, ...pems(identity) })

  it.each(["reload", "renewCertificate"] as const)(
    "with disconnectRevoked one that a new list refuses is disconnected by %s, others stay",
    async (how) => {
      const { broker, ports, events } = await start({
        listeners: [
          { type: "tls", port: 0, ...pems(server), ca, clientCertificate: "require" },
          { type: "tcp", port: 0 },
        ],
        disconnectRevoked: true,
      })
      const revoked = await certificate(ports[0], device)
      const stays = await certificate(ports[0], other)
      const plain = await open(`mqtt://127.0.0.1:${ports[1]}`, {})
      const gone = closed(revoked)
      const certificates = { ...pems(server), crl: list(7) }
      if (how === "reload") broker.reload({ certificates })
      else broker.renewCertificate(certificates)
      expect(await gone).toBe(0x87)
      const told = events.find((event) => event.event === "client disconnected")
      expect(told).toMatchObject({ reason: expect.stringMatching(/certificate is no longer good: .*revoked/) })
      for (const client of [stays, plain]) await client.publishAsync("still", "here", { qos: 1 })
      await expect(certificate(ports[0], device)).rejects.toThrow()
      expect(texts(events).at(-1)).toBe("1 client disconnected whose certificates are no longer good")
    },
  )

  it("one that was shown in an earlier session is looked at as well", async () => {
    const listener = { type: "tls", port: 0, ...pems(server), ca, clientCertificate: "require" } as const
    const { broker, ports } = await start({ listeners: [listener], disconnectRevoked: true })
    const url = `mqtts://localhost:${ports[0]}`
    const first = mqtt.connect(url, { reconnectPeriod: 0, ca, ...pems(device) })
    clients.push(first)
    const session = await new Promise<Buffer>((resolve) => first.stream.once("session", resolve))
    const resumed = { ca, ...pems(device), session }
    const again = await open(url, resumed)
    expect(again.stream instanceof TLSSocket && again.stream.isSessionReused()).toBe(true)
    const gone = closed(again)
    broker.reload({ certificates: { ...pems(server), crl: list(7) } })
    expect(await gone).toBe(0x87)
  })

  it("other authorities: those of the old ones go, unless disconnectRevoked is off", async () => {
    const stranger = createAuthority({ now, subject: { commonName: "stranger" } })
    for (const disconnectRevoked of [true, false]) {
      const listener = { type: "tls", port: 0, ...pems(server), ca, clientCertificate: "require" } as const
      const { broker, ports } = await start({ listeners: [listener], disconnectRevoked })
      const client = await certificate(ports[0], device)
      const gone = closed(client)
      broker.reload({ certificates: { ...pems(server), ca: certificateToPem(stranger) } })
      if (disconnectRevoked) expect(await gone).toBe(0x87)
      else await client.publishAsync("still", "here", { qos: 1 })
    }
  })

  it("one whose name escapes the constraints of its path as it is now is disconnected", async () => {
    const root = createAuthority({ now, subject: { commonName: "Root" } })
    const subject = { commonName: "Sub" }
    const free = createAuthority({ now, issuer: root, subject })
    const limited = createAuthority({
      now,
      issuer: root,
      subject,
      keyPair: free,
      extensions: (usual) => [...usual, nameConstraints([{ type: "dns", value: "tenant1.example" }])],
    })
    const client = (commonName: string): Promise<MqttClient> => {
      const identity = createLeaf({ now, issuer: limited, usage: "client", subject: { commonName } })
      const key = privateKeyToPem(identity.privateKey)
      return open(`mqtts://localhost:${ports[0]}`, { ca, cert: chainToPem(identity), key })
    }
    const trusting = (authority: Identity) => ({ ...pems(server), ca: certificateToPem(authority) })
    const { broker, ports, events } = await start({
      listeners: [{ type: "tls", port: 0, ...trusting(free), clientCertificate: "require" }],
      disconnectRevoked: true,
    })
    const admin = await client("admin")
    const device = await client("device.tenant1.example")
    const gone = closed(admin)
    broker.reload({ certificates: trusting(root) })
    expect(await gone).toBe(0x87)
    const told = events.find((event) => event.event === "client disconnected")
    expect(told).toMatchObject({ reason: expect.stringMatching(/no longer good: .*name constraints .* common name/) })
    await device.publishAsync("still", "here", { qos: 1 })
    await expect(client("admin")).rejects.toThrow()
  })

  it("a handshake that was under way at a reload has gone by what there was, and is no login either", async () => {
    const listener = { type: "tls", port: 0, ...pems(server), ca, clientCertificate: "require" } as const
    const { broker, ports, events } = await start({ listeners: [listener] })
    const connection = connectTcp(ports[0] ?? 0, "127.0.0.1")
    await once(connection, "connect")
    // Accepted: a handshake after it has begun as well.
    await certificate(ports[0], other)
    broker.reload({ certificates: { ...pems(server), crl: list(7) } })
    const socket = connectTls({
      socket: connection,
      servername: "localhost",
      ca,
      ...pems(device),
      ALPNProtocols: ["mqtt"],
    })
    const client = new mqtt.MqttClient(() => socket, { reconnectPeriod: 0, protocolVersion: 5 })
    clients.push(client)
    const error = await new Promise((resolve) => client.once("error", resolve))
    expect(error).toMatchObject({ code: 0x87 })
    expect(events.filter(({ event }) => event === "tls handshake")).toHaveLength(2)
  })

  const passwords = users(["alice", "a"])
  it.each([
    ["tls", "a certificate", {}],
    ["tls", "a password", { username: "alice", password: "a" }],
    ["wss", "a certificate", {}],
    ["wss", "a password", { username: "alice", password: "a" }],
  ] as const)(
    "%s: a handshake from before a reload is no login after it, nor is %s beside it, unless its certificate is still good",
    async (type, _what, login) => {
      const listener = { type, port: 0, ...pems(server), ca, clientCertificate: "require" } as const
      const certificates = Object.keys(login).length === 0
      const { broker, ports, events } = await start({
        listeners: [listener],
        login: { passwords: await passwords, certificates },
      })
      const handshake = (identity: Identity) =>
        new Promise<TLSSocket>((resolve, reject) => {
          const options = { port: ports[0] ?? 0, host: "127.0.0.1", servername: "localhost", ca, ...pems(identity) }
          const socket = connectTls({ ...options, ALPNProtocols: [type === "tls" ? "mqtt" : "http/1.1"] }, () =>
            resolve(socket),
          )
          socket.on("error", reject)
        })
      const sockets = await Promise.all([device, other].map(handshake))
      const seen = () => events.filter(({ event }) => event === "tls handshake").length
      for (const end = Date.now() + 10_000; seen() < 2 && Date.now() < end; )
        await new Promise((resolve) => setTimeout(resolve, 10))
      broker.reload({ certificates: { ...pems(server), crl: list(7) } })
      const outcomes = sockets.map(
        (socket) =>
          new Promise<string>((resolve) => {
            const stream = () =>
              type === "tls"
                ? socket
                : createWebSocketStream(new WebSocket("ws://localhost", ["mqtt"], { createConnection: () => socket }))
            const client = new mqtt.MqttClient(stream, { reconnectPeriod: 0, protocolVersion: 5, ...login })
            clients.push(client)
            client.once("connect", () => resolve("connected"))
            client.once("error", (error) => resolve(`code ${"code" in error ? error.code : ""}`))
          }),
      )
      expect(await Promise.all(outcomes)).toEqual([`code ${0x87}`, "connected"])
      const refused = events.find((event) => event.event === "client refused")
      expect(refused).toMatchObject({ reason: expect.stringMatching(/its certificate is no longer good: .*revoked/) })
    },
  )
})
