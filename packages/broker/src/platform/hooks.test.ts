// Logins by token and by an HTTP server, and webhooks, through a started broker and real servers.

import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { exportJWK, type JWTPayload, SignJWT } from "jose"
import mqtt, { type IClientOptions, type MqttClient } from "mqtt"
import { describe, expect, it, onTestFinished } from "vitest"
import { hookServer, json, rawServer } from "../../tests/hook-server.ts"
import type { LogEvent } from "../admin/log.ts"
import type { BrokerConfig } from "../config/config.ts"
import { createBroker, type PureMqBroker } from "./node.ts"

interface Started {
  readonly broker: PureMqBroker
  readonly port: number
  readonly events: LogEvent[]
}

async function start(config: BrokerConfig): Promise<Started> {
  const events: LogEvent[] = []
  const listeners = config.listeners ?? [{ type: "tcp", port: 0 } as const]
  const broker = createBroker({ sysInterval: 0, ...config, listeners, onEvent: (event) => events.push(event) })
  const [address] = await broker.listen()
  onTestFinished(() => broker.close())
  return { broker, port: address?.port ?? 0, events }
}

interface Outcome {
  readonly client: MqttClient
  /** 0: it is in. */
  readonly code: number
  readonly milliseconds: number
}

function login(port: number, options: IClientOptions): Promise<Outcome> {
  const began = performance.now()
  const client = mqtt.connect({ protocolVersion: 5, reconnectPeriod: 0, port, host: "127.0.0.1", ...options })
  onTestFinished(() => void client.end(true))
  return new Promise((resolve) => {
    const end = (code: number) => resolve({ client, code, milliseconds: performance.now() - began })
    client.on("connect", () => end(0))
    client.on("error", (error) => end("code" in error ? Number(error.code) : -1))
  })
}

const refusals = (events: readonly LogEvent[]) =>
  events.flatMap((event) => (event.event === "client refused" ? [event.reason] : []))

const until = async (done: () => boolean, milliseconds = 5000): Promise<void> => {
  const end = performance.now() + milliseconds
  while (!done() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(done()).toBe(true)
}

describe("an HTTP server that is asked", () => {
  it("lets in, refuses, or has no opinion; says who the client is and what it may do", async () => {
    const server = await hookServer(({ body }, response) => {
      const { username } = JSON.parse(body)
      if (username === "alice")
        json(response, { result: "allow", user: "alice a", publish: ["a/%c"], subscribe: ["a/#"] })
      else json(response, { result: username === "eve" ? "deny" : "ignore", reason: "not today" })
    })
    const { port, events, broker } = await start({ login: { http: { url: server.url, token: "t0ken" } } })
    const { client, code } = await login(port, { clientId: "c1", username: "alice", password: "secret" })
    expect(code).toBe(0)
    expect(server.asked[0]).toMatchObject({ method: "POST", path: "/hook" })
    expect(server.asked[0]?.headers).toMatchObject({
      authorization: "Bearer t0ken",
      "content-type": "application/json",
    })
    expect(JSON.parse(server.asked[0]?.body ?? "")).toEqual({
      version: 1,
      clientId: "c1",
      username: "alice",
      password: "secret",
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      listener: "tcp",
      transport: "tcp",
      tls: null,
      certificate: null,
    })
    expect(events).toContainEqual(expect.objectContaining({ event: "client connected", user: "alice a" }))
    const granted = await client.subscribeAsync(["a/#", "b"]).catch((error) => error)
    expect(granted.message).toMatch(/not authorized/i)
    const published = (topic: string) =>
      client.publishAsync(topic, "x", { qos: 1 }).then(
        () => 0,
        (error) => error.code,
      )
    expect(await Promise.all([published("a/c1"), published("a/c2")])).toEqual([0, 0x87])
    expect((await login(port, { username: "eve", password: "x" })).code).toBe(0x86)
    expect((await login(port, { username: "bob", password: "x" })).code).toBe(0x86)
    expect((await login(port, {})).code).toBe(0x87)
    expect(refusals(events)).toEqual([
      "the HTTP hook denies it: not today [MQTT-3.1.4-2]",
      "nobody who may say who gets in knows this login [MQTT-3.1.4-2]",
      "the client has neither certificate nor user name [MQTT-3.1.4-2]",
    ])
    expect(server.connections).toBe(1)
    expect(broker.stats().faults).toBe(0)
  })

  it.each([
    ["answers late", /no whole answer has come within 300 ms/, (socket, _text) => void socket],
    [
      "answers byte by byte",
      /no whole answer has come within 300 ms/,
      (socket) => {
        const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{"result":"allow"}'
        let at = 0
        const timer = setInterval(
          () => (socket.destroyed ? clearInterval(timer) : socket.write(answer[at++ % answer.length] ?? "")),
          50,
        )
      },
    ],
    [
      "answers with 10 MB",
      /more than 65536 bytes/,
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n")
        socket.write(Buffer.alloc(10_000_000, " "))
      },
    ],
    [
      "answers with 10 MB, unannounced",
      /more than 65536 bytes/,
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n")
        socket.write(Buffer.alloc(10_000_000, " "))
      },
    ],
    [
      "redirects",
      /status 302; redirects are not followed/,
      (socket) => socket.write("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n"),
    ],
    ["answers garbage", /no HTTP/, (socket) => socket.write(randomBytes(100))],
    [
      "answers what is no JSON",
      /no JSON/,
      (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nallow"),
    ],
    [
      "answers without a result",
      /no "result"/,
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{"allowed":true} '),
    ],
    [
      "has an error",
      /status 500/,
      (socket) => socket.write('HTTP/1.1 500 No\r\ncontent-length: 18\r\n\r\n{"result":"allow"}'),
    ],
    ["resets", /reset|closed|ended/, (socket) => socket.resetAndDestroy()],
    [
      "ends within its answer",
      /closed the connection within its answer/,
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n{"result":"allow"}'),
    ],
  ] satisfies [string, RegExp, Parameters<typeof rawServer>[0]][])(
    "that %s lets nobody in",
    async (_name, why, talk) => {
      const server = await rawServer(talk)
      const { port, events, broker } = await start({ login: { http: { url: server.url, timeout: 300 } } })
      const { code, milliseconds } = await login(port, { username: "alice", password: "x" })
      expect(code).toBe(0x88)
      expect(milliseconds).toBeLessThan(2000)
      expect(refusals(events)).toEqual([expect.stringMatching(why)])
      expect(refusals(events)[0]).toContain(`the HTTP hook ${server.url}: `)
      expect(broker.stats().faults).toBe(0)
    },
  )
})

describe("a server that hangs for one client", () => {
  it("delays only that one: a hundred others get in as fast as without it, and those that are connected notice nothing", async () => {
    const server = await hookServer(({ body }, response) => {
      if (JSON.parse(body).username !== "slow") json(response, { result: "allow" })
    })
    const { port, events, broker } = await start({ login: { http: { url: server.url, timeout: 10_000 } } })
    const { client: talker } = await login(port, { username: "talker", clientId: "talker" })
    await talker.subscribeAsync("t")
    const heard: string[] = []
    talker.on("message", (_, payload) => heard.push(String(payload)))
    let late = 0
    const slow = Array.from({ length: 10 }, async (_, i) => {
      const { code } = await login(port, { username: "slow", clientId: `slow${i}` })
      late++
      return code
    })
    await until(() => server.asked.length === 11)
    const others = await Promise.all(
      Array.from({ length: 100 }, (_, i) => {
        talker.publish("t", String(i))
        return login(port, { username: `u${i}`, clientId: `u${i}` })
      }),
    )
    expect(new Set(others.map(({ code }) => code))).toEqual(new Set([0]))
    await until(() => heard.length === 100)
    // None has waited for the ten, which have not been answered yet.
    expect([late, events.filter(({ event }) => event === "client refused")]).toEqual([0, []])
    expect(new Set(await Promise.all(slow))).toEqual(new Set([0x88]))
    expect(broker.stats()).toMatchObject({ faults: 0, logins: { "http allowed": 101, "http failed": 10 } })
  })
})

const pem = createDevelopmentCertificates({ names: ["localhost"], clientName: "device-1", now: Date.now() })

describe("over our TLS", () => {
  it("the server is told what TLS agreed on and who the certificate names; with another authority nobody gets in", async () => {
    const tls = { cert: pem.serverCert, key: pem.serverKey }
    const server = await hookServer((_, response) => json(response, { result: "allow", user: "by hook" }), tls)
    const http = { url: server.url, ca: pem.caCert }
    const listener = { type: "tls", port: 0, ...tls, ca: pem.caCert, clientCertificate: "request" } as const
    const order = ["http", "certificate"] as const
    const { port, events } = await start({ listeners: [listener], login: { http, order } })
    const certificate = {
      ca: pem.caCert,
      cert: pem.clientCert ?? "",
      key: pem.clientKey ?? "",
      ALPNProtocols: ["mqtt"],
    }
    const options = { protocol: "mqtts", host: "localhost", ...certificate } as const
    expect((await login(port, options)).code).toBe(0)
    expect(JSON.parse(server.asked[0]?.body ?? "")).toMatchObject({
      listener: "tls",
      tls: {
        version: "1.3",
        suite: expect.stringMatching(/^TLS_/),
        group: expect.any(String),
        resumed: false,
        serverName: "localhost",
      },
      certificate: { identity: "device-1" },
    })
    expect(events).toContainEqual(expect.objectContaining({ event: "client connected", user: "by hook" }))
    const stranger = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
    const other = await start({ login: { http: { ...http, ca: stranger.caCert } } })
    expect((await login(other.port, { username: "ann" })).code).toBe(0x88)
    expect(refusals(other.events)[0]).toMatch(/certificate/i)
  })
})

const pair = generateKeyPairSync("ec", { namedCurve: "P-256" })
const jwksOf = async (kid = "one", key = pair) =>
  JSON.stringify({ keys: [{ ...(await exportJWK(key.publicKey)), kid }] })
const token = (claims: JWTPayload, seconds = 60, kid = "one", key = pair) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", kid })
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(key.privateKey)

describe("tokens", () => {
  it("are logins in the place of passwords, with rights and an end; the client that stays too long is told 0x87", async () => {
    const jwt = { jwks: await jwksOf(), issuer: "us", leeway: 0 }
    const { port, events, broker } = await start({ login: { jwt } })
    const password = await token({ sub: "ann", iss: "us", publish: ["a/%c"], subscribe: ["a/#"] }, 2)
    const { client, code } = await login(port, { clientId: "c1", username: "jwt", password })
    expect(code).toBe(0)
    expect(await client.publishAsync("a/c2", "x", { qos: 1 }).catch((error) => error.code)).toBe(0x87)
    const farewell = new Promise((resolve) => client.on("disconnect", ({ reasonCode }) => resolve(reasonCode)))
    expect((await login(port, { username: "jwt", password: await token({ sub: "ann", iss: "them" }) })).code).toBe(0x86)
    expect((await login(port, { username: "ann", password: "no token" })).code).toBe(0x86)
    expect(await farewell).toBe(0x87)
    expect(refusals(events)[0]).toBe("the token is refused: its iss is another [MQTT-3.1.4-2]")
    expect(events).toContainEqual(
      expect.objectContaining({ event: "client disconnected", reason: "its login has expired" }),
    )
    expect(broker.stats().logins).toEqual({ "jwt allowed": 1, "jwt denied": 1, "nobody denied": 1 })
  })

  it("may be renewed by AUTH, and the client stays", async () => {
    const { port } = await start({ login: { jwt: { jwks: await jwksOf(), leeway: 0 } } })
    const first = Buffer.from(await token({ sub: "ann" }, 2))
    const properties = { authenticationMethod: "JWT", authenticationData: first }
    const { client, code } = await login(port, { clientId: "c1", properties })
    expect(code).toBe(0)
    let closed = false
    client.on("close", () => (closed = true))
    const next = Buffer.from(await token({ sub: "ann" }, 60))
    // MQTT.js answers AUTH, and begins none.
    const writable = client as unknown as {
      _writePacket(packet: object): void
      stream: { write(bytes: Uint8Array): void }
    }
    const { generate } = await import("mqtt-packet")
    writable.stream.write(
      generate({ cmd: "auth", reasonCode: 0x19, properties: { ...properties, authenticationData: next } } as never, {
        protocolVersion: 5,
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, 3500))
    expect(closed).toBe(false)
  })

  it("are not asked for any more by a broker that could not begin to listen", async () => {
    const server = await hookServer((_, response) => {
      response.statusCode = 500
      response.end()
    })
    const { port } = await start({})
    const login = { jwt: { jwksUrl: server.url } }
    const broker = createBroker({ sysInterval: 0, login, listeners: [{ type: "tcp", port }] })
    await expect(broker.listen()).rejects.toThrow(/the port is taken/)
    const asked = server.asked.length
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(server.asked.length).toBe(asked)
  })

  it("are checked with keys of a URL: as they are there, as they change, and without those that are gone", async () => {
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" })
    let jwks = await jwksOf()
    const server = await hookServer((_, response) => json(response, JSON.parse(jwks)), {
      cert: pem.serverCert,
      key: pem.serverKey,
    })
    const jwt = { jwksUrl: server.url, ca: pem.caCert, jwksRefresh: 10 }
    const { port, events, broker } = await start({ login: { jwt }, disconnectRevoked: true })
    await until(() => events.some((event) => event.event === "reloaded"))
    const { client, code } = await login(port, { username: "x", password: await token({ sub: "ann" }) })
    expect([code, server.asked[0]?.method]).toEqual([0, "GET"])
    const farewell = new Promise((resolve) => client.on("disconnect", ({ reasonCode }) => resolve(reasonCode)))
    jwks = await jwksOf("two", other)
    const late = await login(port, { username: "x", password: await token({ sub: "bob" }, 60, "two", other) })
    expect(late.code).toBe(0x86) // within ten seconds nobody looks twice
    expect(await farewell).toBe(0x87)
    expect((await login(port, { username: "x", password: await token({ sub: "bob" }, 60, "two", other) })).code).toBe(0)
    expect(broker.stats().faults).toBe(0)
  }, 40_000)

  it("a reload brings other keys and another server; what is the same goes on", async () => {
    const server = await hookServer((_, response) => json(response, { result: "allow" }))
    const http = { url: server.url }
    const { port, events, broker } = await start({ login: { jwt: { jwks: await jwksOf() }, http } })
    expect((await login(port, { username: "x", password: await token({ sub: "ann" }) })).code).toBe(0)
    expect((await login(port, { username: "bob" })).code).toBe(0)
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" })
    broker.reload({ login: { jwt: { jwks: await jwksOf("two", other) }, http } })
    await until(() => events.some((event) => event.event === "reloaded"))
    expect(events.at(-1)).toMatchObject({
      text: expect.stringContaining(
        `tokens: 1 key, changed; HTTP hook: ${server.url}, unchanged; 1 connection with a login that is none any more`,
      ),
    })
    expect((await login(port, { username: "x", password: await token({ sub: "ann" }) })).code).toBe(0x86)
    expect((await login(port, { username: "x", password: await token({ sub: "ann" }, 60, "two", other) })).code).toBe(0)
    expect((await login(port, { username: "bob" })).code).toBe(0)
    expect(server.connections).toBe(1)
    expect(() => broker.reload({ login: { jwt: { jwks: "{}" } } })).toThrow(/cannot use the keys for tokens/)
    expect((await login(port, { username: "bob" })).code).toBe(0)
  })
})

describe("webhooks", () => {
  it("tell of connections, refusals and failed handshakes, signed; a receiver that is away gets them later, and once the broker closes at the latest", async () => {
    let away = true
    const secret = "a secret of the webhook's"
    const server = await hookServer((_, response) => json(response, {}, away ? 503 : 200))
    const tls = { type: "tls", port: 0, cert: pem.serverCert, key: pem.serverKey } as const
    const { port, events, broker } = await start({
      listeners: [tls],
      login: { anonymous: false },
      webhooks: [{ url: server.url, secret }],
    })
    const options = { protocol: "mqtts", host: "localhost", ca: pem.caCert } as const
    await login(port, { ...options, ...{ maxVersion: "TLSv1.2" } })
    expect((await login(port, options)).code).toBe(0x87)
    await until(() => server.asked.length >= 1)
    away = false
    const taken = () => server.asked.filter(({ status }) => status === 200)
    const told = () => taken().flatMap(({ body }) => JSON.parse(body).events)
    await until(() => told().length >= 2, 20_000)
    expect(server.asked[0]?.body).toBe(taken()[0]?.body)
    expect(told()).toMatchObject([
      { event: "handshake-failure", alert: "protocol_version", fault: "client", listener: "tls" },
      { event: "refused", reason: expect.stringMatching(/neither certificate nor user name/) },
    ])
    const { body, headers } = taken()[0]!
    const [, time, code] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["puremq-signature"])) ?? []
    expect(createHmac("sha256", secret).update(`${time}.${body}`).digest("hex")).toBe(code)
    // The receiver has an event before the broker has its answer, and counts.
    await until(() => (broker.stats().webhookEvents["delivered"] ?? 0) >= 2)
    expect(broker.stats()).toMatchObject({ webhookEvents: { delivered: 2, dropped: 0, refused: 0 }, faults: 0 })
    expect(events.filter(({ event }) => event === "warning")).toHaveLength(2)
  })

  it("a broker that closes tells them who was disconnected", async () => {
    const server = await hookServer((_, response) => json(response, {}))
    const { port, broker } = await start({ webhooks: [{ url: server.url, events: ["disconnect"] }] })
    await login(port, { clientId: "c1" })
    await broker.close()
    expect(JSON.parse(server.asked[0]?.body ?? "{}").events).toMatchObject([
      { event: "disconnect", clientId: "c1", by: "broker", reason: "server shutting down" },
    ])
  })

  it("that hang hold up neither clients nor the end of the broker", async () => {
    const server = await rawServer(() => undefined)
    const { port, broker } = await start({ webhooks: [{ url: server.url }] })
    for (let i = 0; i < 20; i++) expect((await login(port, { clientId: `c${i}` })).code).toBe(0)
    const began = performance.now()
    await broker.close()
    expect(performance.now() - began).toBeLessThan(6000)
  })
})

it.each<[string, BrokerConfig, RegExp]>([
  [
    "plain http elsewhere",
    { login: { http: { url: "http://192.0.2.1/" } } },
    /^login.http.url must be a URL that begins with https/,
  ],
  [
    "a token with a line end",
    { login: { http: { url: "https://a.example", token: "a\r\nb" } } },
    /^login.http.token: the token is/,
  ],
  ["no keys", { login: { jwt: {} } }, /^login.jwt needs the keys/],
  [
    "no key in a set",
    { login: { jwt: { jwks: '{"keys": []}' } } },
    /^cannot use the keys for tokens of login.jwt.jwks: no key in it/,
  ],
  ["a URL of keys that is none", { login: { jwt: { jwksUrl: "x" } } }, /^login.jwt.jwksUrl must be a URL/],
  [
    "a webhook's short secret",
    { webhooks: [{ url: "https://a.example", secret: "short" }] },
    /^webhooks\[0\].secret: the secret of a webhook has 16/,
  ],
  ["a webhook's URL", { webhooks: [{ url: "ftp://a.example" }] }, /^webhooks\[0\].url must be/],
])("a configuration with %s is refused in one line", (_name, config, problem) => {
  expect(() => createBroker(config)).toThrow(problem)
})
