// The admin API against a running broker: each route, with each kind of token, held to its schema and to the document.

import { once } from "node:events"
import { connect as connectTcp } from "node:net"
import { connect as connectTls } from "node:tls"
import * as v from "valibot"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { AdminWorld, pem, tokens } from "../../../tests/admin-world.ts"
import { createAdminApp } from "./app.ts"
import { openApiDocument } from "./openapi.ts"
import type { AdminParts } from "./parts.ts"
import { base } from "./route.ts"
import { problem } from "./schemas.ts"

let world: AdminWorld

beforeAll(async () => {
  world = await AdminWorld.start()
})
afterAll(() => world.close())

/** Only its table is looked at. */
const { routes, registered } = createAdminApp({
  parts: {} as AdminParts,
  tokens: () => [],
  onRefused: () => undefined,
  onFault: () => undefined,
})

const all = routes.map((route) => [`${route.method} ${route.path}`, route] as const)

/** What each operation is asked for here, where that is not nothing. */
const inputs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  getClient: { clientId: "present" },
  getSession: { clientId: "present" },
  getRetainedMessage: { topic: "kept/one" },
  disconnectClient: { clientId: "goes", reason: "by a test" },
  endSession: { clientId: "ends" },
  publish: { topic: "said", text: "hello" },
  deleteRetainedMessage: { topic: "kept/gone" },
  drain: { server: "other.example:8883", seconds: 3600 },
}

function parametersOf(input: Readonly<Record<string, unknown>>): URLSearchParams {
  return new URLSearchParams(Object.entries(input).map(([name, value]): [string, string] => [name, String(value)]))
}

function request(route: (typeof routes)[number], token: string) {
  const input = inputs[route.operation] ?? {}
  const query = route.from === "query" ? `?${parametersOf(input)}` : ""
  return world.ask(route.method, `${route.path}${query}`, { token, ...(route.from === "body" && { body: input }) })
}

describe("the table of routes", () => {
  it("is what the router has, and what the document has", () => {
    const names = routes.map(({ method, path }) => `${method} ${path}`)
    expect(new Set(names).size).toBe(names.length)
    expect(registered.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([...names].sort())
    const document = openApiDocument(routes, "1.2.3") as { paths: Record<string, Record<string, unknown>> }
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(documented.sort()).toEqual([...names].sort())
  })

  it("has a scope for each but /health, and each operation once", () => {
    for (const { path, scope, method } of routes) {
      if (path === "/health") expect(scope).toBeUndefined()
      else expect(scope).toBe(method === "GET" ? "read" : "operate")
    }
    const operations = routes.map(({ operation }) => operation)
    expect(new Set(operations).size).toBe(operations.length)
  })

  it("is served as an OpenAPI 3.1 document", async () => {
    expect(await world.get("/openapi.json")).toMatchObject({
      openapi: "3.1.0",
      security: [{ token: [] }],
      paths: { "/api/v1/clients": { get: { operationId: "getClients", "x-scope": "read" } } },
    })
  })
})

describe.sequential("each route", () => {
  beforeAll(async () => {
    await world.client("present")
    await world.client("goes")
    await world.client("ends", { properties: { sessionExpiryInterval: 100 }, clean: false })
    for (const topic of ["kept/one", "kept/gone"]) world.broker.publish(topic, "payload", { retain: true, qos: 1 })
  })

  it.each(all)("%s: nothing without a token, nor with a wrong one", async (_, route) => {
    for (const token of ["none", "puremq_wrong", `${tokens.operate}x`, tokens.operate.slice(0, -1), " "]) {
      const { status, body, headers } = await request(route, token)
      if (route.scope === undefined) expect(status).toBe(200)
      else {
        expect([401, 429]).toContain(status)
        expect(v.is(problem, body)).toBe(true)
        if (status === 401) expect(headers.get("www-authenticate")).toMatch(/^Bearer/)
      }
    }
  })

  it.each(all.filter(([, { scope }]) => scope === "operate"))(
    "%s: nothing with a token that may only read",
    async (_, route) => {
      const before = await state()
      const { status, body } = await request(route, tokens.read)
      expect({ status, body }).toMatchObject({ status: 403, body: { detail: "the token reader may only read" } })
      expect(await state()).toEqual(before)
      expect(world.events.at(-1)).toMatchObject({
        event: "admin operation",
        token: "reader",
        operation: route.operation,
        outcome: "the token reader may only read",
      })
    },
  )

  it.each(all.filter(([, { scope, answer }]) => scope !== "operate" && answer !== undefined))(
    "%s: answers a reader as its schema says",
    async (_, route) => {
      const { status, body, headers } = await request(route, tokens.read)
      expect(status).toBe(200)
      expect(headers.get("cache-control")).toBe("no-store")
      expect(v.safeParse(route.answer!, body).issues).toBeUndefined()
      // HEAD is the same without a body.
      const input = parametersOf(inputs[route.operation] ?? {})
      const head = await world.ask("HEAD", `${route.path}?${input}`, { token: tokens.read })
      expect([head.status, head.text]).toEqual([200, ""])
    },
  )

  it.each(all.filter(([, { scope, operation }]) => scope === "operate" && operation !== "reload"))(
    "%s: is done, answers as its schema says, and has its line",
    async (_, route) => {
      const { status, body, text } = await request(route, tokens.operate)
      expect([status, text]).toEqual([200, expect.any(String)])
      expect(v.safeParse(route.answer!, body).issues).toBeUndefined()
      expect(world.events.filter(({ event }) => event === "admin operation").at(-1)).toMatchObject({
        token: "operator",
        operation: route.operation,
        outcome: "done",
      })
    },
  )

  it.each(all)("%s: takes no parameter that it does not know, and none twice", async (_, route) => {
    if (route.scope === undefined) return
    const input = { ...inputs[route.operation], nonsense: "1" }
    const query = `?${parametersOf(input)}`
    const inBody = route.from === "body"
    const asked = inBody
      ? world.ask(route.method, route.path, { body: input })
      : world.ask(route.method, route.path + query)
    const { status, body: answer } = await asked
    expect({ status, answer }).toMatchObject({ status: 400, answer: { detail: "nonsense is not known here" } })
    if (route.from === "query")
      expect(await world.ask(route.method, `${route.path}?a=1&a=2`)).toMatchObject({
        status: 400,
        body: { detail: "a is given twice" },
      })
    else
      expect(await world.ask(route.method, `${route.path}?a=1`, { body: {} })).toMatchObject({
        status: 400,
        body: { detail: "parameters go into the body here" },
      })
    if (route.method === "DELETE")
      expect((await world.ask("DELETE", route.path, { body: {} })).body).toMatchObject({
        detail: "no body is taken here",
      })
  })

  async function state(): Promise<unknown> {
    const { clients, sessions, retainedMessages, draining } = (await world.get("/broker")) as Record<string, unknown>
    return { clients, sessions, retainedMessages, draining }
  }
})

describe("what is wrong is said in a sentence", () => {
  it.each([
    ["GET", "/clients?limit=0", 400, "limit must be a whole number from 1 to 1000"],
    ["GET", "/clients?limit=1.5", 400, "limit must be a whole number from 1 to 1000"],
    ["GET", "/clients?limit=", 400, "limit must be a whole number from 1 to 1000"],
    ["GET", "/clients?postQuantum=maybe", 400, "postQuantum must be true or false"],
    ["GET", "/clients?user=a&address=b", 400, "user and address go without each other: search for one"],
    ["GET", "/client", 400, "clientId is missing"],
    ["GET", "/client?clientId=nobody", 404, "no client with this identifier is connected"],
    ["GET", "/handshake-failures?fault=mine", 400, "fault must be client, server or network"],
    [
      "GET",
      "/events?events=A",
      400,
      "events must be names of events with commas between them, such as tls failure,client refused",
    ],
    ["PUT", "/clients", 405, "this path takes GET, HEAD"],
    ["OPTIONS", "/clients", 405, "this path takes GET, HEAD"],
    ["HEAD", "/events", 405, undefined],
    ["GET", "/none", 404, "there is nothing at this path; /api/v1/openapi.json says what there is"],
    ["GET", "/../../etc/passwd", 404, expect.any(String)],
  ])("%s %s", async (method, path, status, detail) => {
    const asked = await world.ask(method, `${base}${path}`)
    expect(asked.status).toBe(status)
    if (detail === undefined) return
    expect(asked.body).toMatchObject({ type: "about:blank", status, detail })
    expect(asked.headers.get("content-type")).toBe("application/problem+json")
  })

  it.each([
    ["{", "application/json", 400, "the body is no JSON"],
    ["[]", "application/json", 400, "the body has to be a JSON object"],
    ["null", "application/json", 400, "the body has to be a JSON object"],
    ['{"topic":"a"}', "text/plain", 415, "the body has to be JSON: send Content-Type: application/json"],
    ['{"topic":"a"}', "application/x-www-form-urlencoded", 415, expect.any(String)],
    [
      '{"topic":"a","text":"\\ud800"}',
      "application/json",
      400,
      "text is no Unicode text: it has half of a surrogate pair",
    ],
    [
      '{"topic":"a","text":"a","base64":"YQ=="}',
      "application/json",
      400,
      "text and base64 go without each other: give one",
    ],
    ['{"topic":"a","base64":"YQ"}', "application/json", 400, "base64 must be base64 with padding"],
    ['{"topic":"a","qos":3}', "application/json", 400, "qos must be 0, 1 or 2"],
    ['{"topic":"a","__proto__":{"x":1}}', "application/json", 400, "__proto__ is not known here"],
    ['{"topic":"a/#"}', "application/json", 422, expect.stringContaining("the message was not published")],
    [
      '{"topic":"$SYS/x"}',
      "application/json",
      422,
      "the message was not published: topics that begin with $ are the broker's",
    ],
    ["{}", "application/json", 400, "topic is missing"],
    ["", "application/json", 400, "topic is missing"],
  ])("POST /publish %s as %s", async (body, type, status, detail) => {
    const asked = await world.ask("POST", `${base}/publish`, { body, headers: { "content-type": type } })
    expect(asked).toMatchObject({ status, body: { detail } })
  })
})

describe("what is told of clients", () => {
  it("over TLS: what was agreed on, and who it is", async () => {
    const client = await world.tlsClient("secure", { keepalive: 33 })
    await client.subscribeAsync("some/topic")
    expect(await world.get("/client?clientId=secure")).toMatchObject({
      clientId: "secure",
      user: "device",
      login: "certificate",
      identity: "device",
      transport: "tls",
      listener: "tls",
      mqtt: "5.0",
      keepAlive: 33,
      subscriptions: 1,
      tls: { version: "TLSv1.3", suite: expect.stringMatching(/^TLS_/), resumed: false, serverName: "localhost" },
    })
    const { since, tls } = (await world.get("/client?clientId=secure")) as {
      since: string
      tls: { postQuantum: boolean; group: string }
    }
    expect(Math.abs(Date.parse(since) - Date.now())).toBeLessThan(20_000)
    expect(tls.postQuantum).toBe(/MLKEM/.test(tls.group))
    const found = (await world.get(`/clients?postQuantum=${tls.postQuantum}&listener=tls`)) as { items: unknown[] }
    expect(found.items).toHaveLength(1)
    expect(await world.get(`/clients?postQuantum=${!tls.postQuantum}`)).toEqual({ items: [] })
    expect(await world.get("/broker")).toMatchObject({ clientsBy: { group: { [tls.group]: 1 } } })
    expect(await world.get("/subscriptions?clientId=secure")).toEqual({
      items: [{ clientId: "secure", filter: "some/topic", qos: 0, noLocal: false, retainAsPublished: false }],
    })
  })

  it("a TLS 1.2 client that fails shows up with its reason and what it offered", async () => {
    const began = performance.now()
    const socket = connectTls({
      host: "127.0.0.1",
      port: world.port("tls"),
      maxVersion: "TLSv1.2",
      servername: "old.example",
    })
    socket.on("error", () => undefined)
    await once(socket, "close").catch(() => undefined)
    let first: Record<string, unknown> | undefined
    await expect
      .poll(async () => {
        const { items } = (await world.get("/handshake-failures?fault=client")) as { items: Record<string, unknown>[] }
        first = items[0]
        return first
      })
      .toMatchObject({
        serverName: "old.example",
        alert: "protocol_version",
        fault: "client",
        listener: "tls",
        turnedAway: false,
      })
    expect(performance.now() - began).toBeLessThan(2000)
    const { offer } = first as { offer: Record<string, string[]> }
    expect(offer["versions"]).toEqual(["TLSv1.2"])
    expect(offer["suites"]?.every((name) => /^TLS_|^0x[0-9a-f]{4}$/.test(name))).toBe(true)
    expect(offer["groups"]).toContain("x25519")
    expect(offer["signatureSchemes"]).toContain("rsa_pss_rsae_sha256")
  })

  it("a payload that is no text is base64 alone, and comes in parts", async () => {
    const payload = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff)
    world.broker.publish("kept/bytes", payload, { retain: true })
    expect(await world.get("/retained?topic=kept/bytes&bytes=4")).toEqual({
      items: [
        { topic: "kept/bytes", qos: 0, bytes: 1000, offset: 0, base64: "AAECAw==", text: "\0\u0001\u0002\u0003" },
      ],
    })
    const part = (await world.get("/retained-message?topic=kept/bytes&offset=200&bytes=100")) as { base64: string }
    expect(part).not.toHaveProperty("text")
    expect([...Buffer.from(part.base64, "base64")]).toEqual([...payload.subarray(200, 300)])
  })

  it("certificates have the days that are left to them", async () => {
    const { certificates } = (await world.get("/certificates")) as { certificates: Record<string, unknown>[] }
    expect(certificates.map(({ listener, role }) => `${listener} ${role}`)).toEqual(["tls server", "tls clients"])
    const [leaf] = certificates
    expect(leaf).toMatchObject({ names: expect.arrayContaining(["DNS:localhost"]), daysLeft: expect.any(Number) })
    expect(leaf?.["daysLeft"]).toBe(Math.floor((Date.parse(String(leaf?.["notAfter"])) - Date.now()) / 86_400_000))
  })
})

describe("whom it lets ask", () => {
  /** A whole answer to bytes. */
  async function raw(text: string): Promise<string> {
    const socket = connectTcp({ host: "127.0.0.1", port: world.port("admin") })
    socket.on("error", () => undefined)
    socket.write(text)
    let answer = ""
    socket.on("data", (data) => {
      answer += data
    })
    await once(socket, "close")
    return answer
  }
  const get = (headers: string) =>
    `GET /api/v1/broker HTTP/1.1\r\n${headers}authorization: Bearer ${tokens.read}\r\nconnection: close\r\n\r\n`

  it.each([
    ["Host: localhost:1\r\n", 200],
    ["Host: 127.0.0.1\r\n", 200],
    ["Host: [::1]:80\r\n", 200],
    ["Host: evil.example\r\n", 403],
    ["Host: localhost.evil.example\r\n", 403],
    ["Host: \r\n", 403],
    ["Host: localhost:1\r\nOrigin: http://localhost:1\r\n", 200],
    ["Host: localhost:1\r\nOrigin: http://localhost:2\r\n", 403],
    ["Host: localhost\r\nOrigin: https://evil.example\r\n", 403],
    ["Host: localhost\r\nOrigin: null\r\n", 403],
  ])("%j: %i", async (headers, status) => {
    expect(await raw(get(headers))).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  it("answers have no CORS headers, and nothing that a page could be made of", async () => {
    const { headers } = await world.ask("GET", "/health", { token: "none" })
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([])
    expect(headers.get("content-security-policy")).toContain("default-src 'none'")
    expect(headers.get("x-content-type-options")).toBe("nosniff")
  })
})

describe("over TLS", () => {
  it("is TLS 1.3 by our stack, on any address, and takes another certificate and other tokens", async () => {
    const secure = { host: "0.0.0.0", port: 0, cert: pem.serverCert, key: pem.serverKey }
    const other = await AdminWorld.start({ admin: { ...secure, tokens: "reader:read:".padEnd(76, "0") } })
    try {
      const ask = async (token: string) => {
        const socket = connectTls({
          host: "127.0.0.1",
          port: other.port("admin"),
          ca: pem.caCert,
          servername: "localhost",
        })
        await once(socket, "secureConnect")
        expect(socket.getProtocol()).toBe("TLSv1.3")
        socket.write(
          `GET /api/v1/listeners HTTP/1.1\r\nhost: any.name\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
        )
        let text = ""
        socket.on("data", (data) => {
          text += data
        })
        await once(socket, "close")
        return text
      }
      expect(await ask(tokens.read)).toMatch(/^HTTP\/1.1 401/)
      const tokensOf = (text: string) => ({ tokens: text, cert: pem.serverCert, key: pem.serverKey })
      const { createHash } = await import("node:crypto")
      const digest = createHash("sha256").update(tokens.read).digest("hex")
      other.broker.reload({ admin: tokensOf(`reader:read:${digest}`) })
      expect(await ask(tokens.read)).toMatch(/^HTTP\/1.1 200/)
      expect(() => other.broker.reload({ admin: tokensOf("nonsense") })).toThrow(/admin.tokens, line 1/)
      expect(() => other.broker.reload({ admin: { tokens: "" } })).toThrow(/needs a restart/)
      expect(await ask(tokens.read)).toMatch(/"name":"admin"/)
    } finally {
      await other.close()
    }
  })

  it("without TLS no address is taken that others reach", async () => {
    await expect(AdminWorld.start({ admin: { host: "0.0.0.0", port: 0, tokens: "" } })).rejects.toThrow(
      /tokens would cross the network unencrypted/,
    )
    await expect(AdminWorld.start({ admin: { port: 0, tokens: "", cert: pem.serverCert } })).rejects.toThrow(
      /go together/,
    )
  })
})
