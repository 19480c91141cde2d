// Ten thousand requests of somebody who wants to do harm: nothing changes, nobody's connection ends, and nothing was a defect.

import { connect, type Socket } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createAdminApp } from "../src/admin/http/app.ts"
import type { AdminParts } from "../src/admin/http/parts.ts"
import { AdminWorld, tokens } from "./admin-world.ts"

const requests = 10_000

let world: AdminWorld

beforeAll(async () => {
  world = await AdminWorld.start()
  await world.client("one", { keepalive: 600 })
  await world.client("two", { keepalive: 600, properties: { sessionExpiryInterval: 1000 }, clean: false })
  world.broker.publish("kept/one", "1", { retain: true })
  world.broker.publish("kept/two", "2", { retain: true })
})
afterAll(() => world.close())

const { routes } = createAdminApp({
  parts: {} as AdminParts,
  tokens: () => [],
  onRefused: () => undefined,
  onFault: () => undefined,
})

/** Repeatable. */
let state = 20261130
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}
const pick = <T>(list: readonly T[]): T => list[random(list.length)]!

const nasty = [
  ...[
    "",
    " ",
    "\0",
    "..",
    "../..",
    "%00",
    "%",
    "%ff",
    "%2e%2e",
    "a".repeat(300),
    "'",
    '"',
    "<script>",
    "$" + "{x}",
    "{{x}}",
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "NaN",
    "Infinity",
    "-1",
    "1e309",
    "9".repeat(400),
    "true",
    "null",
    "[]",
    "{}",
  ],
  ...["one", "two", "kept/one", "#", "+", "$SYS/#", "\u202e", "\ud83d", "é", "\r\nx: y", "one\r\n\r\nGET / HTTP/1.1"],
]

function path(): string {
  const base =
    random(4) === 0
      ? pick(["/", "//", "*", "/api", "/api/v1/", "/health", "http://evil/", "/api/v1/client/one"])
      : pick(routes).path
  const mangled = random(6) === 0 ? base + pick(nasty).replaceAll(/[\r\n ]/g, "") : base
  if (random(2) === 0) return mangled
  const names = [
    "clientId",
    "topic",
    "limit",
    "cursor",
    "user",
    "address",
    "bytes",
    "offset",
    "parent",
    "filter",
    "events",
    "x",
    "__proto__",
  ]
  const pairs = Array.from(
    { length: 1 + random(4) },
    () => `${pick(names)}=${encodeURIComponent(pick(nasty).replaceAll(/[\ud800-\udfff]/g, ""))}`,
  )
  return `${mangled}?${pairs.join("&")}`
}

/** Never one that is right: a member that no operation knows is always there. */
function body(): string {
  const members = Object.fromEntries(
    Array.from({ length: random(5) }, () => [
      pick(["clientId", "topic", "server", "text", "seconds", "forget"]),
      pick(nasty),
    ]),
  )
  const whole = JSON.stringify({ ...members, nonsense: pick(nasty) })
  return pick([
    whole,
    whole,
    whole.slice(0, -1),
    "[".repeat(5000),
    "",
    "null",
    "\xff\xfe",
    `${whole}${whole}`,
    '{"__proto__":{"a":1},"nonsense":1}',
  ])
}

function request(): string {
  const method = pick([
    "GET",
    "GET",
    "POST",
    "DELETE",
    "PUT",
    "PATCH",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "BREW",
    "get",
  ])
  // With the operator's token only bodies, which are never right, and nothing that works by its path alone.
  const target = path()
  const isRight = method === "DELETE" || /reload|rotate|events/.test(target)
  const token = pick([
    "",
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    `Bearer ${pick(nasty).replaceAll(/[\r\n]/g, "")}`,
    `Bearer ${tokens.read}`,
    isRight ? "" : `Bearer ${tokens.operate}`,
  ])
  const host = random(10) === 0 ? pick(["evil.example", "", "localhost:99999", "[::1", "127.0.0.1@evil"]) : "localhost"
  const text = method === "GET" || method === "HEAD" ? (random(10) === 0 ? body() : "") : body()
  const bytes = Buffer.from(text, "latin1")
  const length =
    random(20) === 0 ? pick(["-1", "abc", "99999999", String(bytes.length + 10), "0, 0"]) : String(bytes.length)
  const more =
    random(12) === 0
      ? pick([
          "Transfer-Encoding: chunked",
          "Expect: 100-continue",
          "Upgrade: websocket\r\nConnection: upgrade",
          "Origin: http://evil.example",
          `X: ${"y".repeat(17_000)}`,
          " folded: x",
          "Content-Length: 5",
          "Connection: close",
          "bad header",
          "\0: x",
        ])
      : "X-Y: z"
  return `${method} ${target} HTTP/1.${random(20) === 0 ? 0 : 1}\r\nHost: ${host}\r\n${token === "" ? "" : `Authorization: ${token}\r\n`}Content-Type: application/json\r\nContent-Length: ${length}\r\n${more}\r\n\r\n${bytes.toString("latin1")}`
}

/** Sends some at once, now and then cut short, and waits for the end: answers are counted by their status. */
async function attack(port: number, count: number, statuses: Map<string, number>): Promise<void> {
  const socket: Socket = connect({ host: "127.0.0.1", port })
  socket.on("error", () => undefined)
  let text = ""
  socket.on("data", (data) => {
    text += data.toString("latin1")
  })
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()))
  let all = Array.from({ length: count }, request).join("")
  if (random(8) === 0) all = all.slice(0, random(all.length))
  socket.write(Buffer.from(all, "latin1"))
  if (random(8) === 0) socket.destroy()
  else socket.end()
  await closed
  for (const [, status = ""] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g))
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
}

async function fingerprint(): Promise<unknown> {
  const { clients, sessions, subscriptions, retainedMessages, draining, health } = (await world.get(
    "/broker",
  )) as Record<string, unknown>
  const strip = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(/"(outboundBytes)":\d+/g, '"$1":0'))
  return {
    ...{ clients, sessions, subscriptions, retainedMessages, draining, health },
    list: strip(await world.get("/clients")),
    kept: await world.get("/retained?topic=kept"),
    kind: await world.get("/sessions"),
    listeners: ((await world.get("/listeners")) as { name: string }[]).map(({ name }) => name),
  }
}

describe("ten thousand hostile requests", () => {
  it("change nothing and end nothing", { timeout: 300_000 }, async () => {
    const before = await fingerprint()
    const { faults } = world.broker.stats()
    const statuses = new Map<string, number>()
    let sent = 0
    while (sent < requests) {
      const some = Array.from({ length: 16 }, () => 1 + random(6))
      await Promise.all(some.map((count) => attack(world.port("admin"), count, statuses)))
      sent += some.reduce((total, count) => total + count, 0)
    }
    expect(await fingerprint()).toEqual(before)
    expect(world.broker.stats().faults).toBe(faults)
    expect(world.events.filter(({ event }) => event === "fault" || event === "client disconnected")).toEqual([])
    const done = world.events.filter((event) => event.event === "admin operation" && event.outcome === "done")
    expect(done).toEqual([])
    // They came to something: all kinds of refusals, and no defect.
    for (const status of ["400", "401", "403", "404", "405"]) expect(statuses.get(status)).toBeGreaterThan(5)
    expect(statuses.get("500")).toBeUndefined()
    // The right token is let in at once, from the same address.
    expect((await world.ask("GET", "/api/v1/broker", { token: tokens.read })).status).toBe(200)
  })

  it("wrong tokens are told to wait, and the log has a line a second at most", async () => {
    const before = world.events.length
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => world.ask("GET", "/api/v1/broker", { token: "wrong" })),
    )
    const waiting = answers.filter(({ status }) => status === 429)
    expect(waiting.length).toBeGreaterThan(30)
    expect(Number(waiting[0]?.headers.get("retry-after"))).toBeGreaterThan(0)
    expect(world.events.slice(before).filter(({ event }) => event === "warning").length).toBeLessThanOrEqual(2)
  })
})
