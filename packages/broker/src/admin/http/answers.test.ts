// How long answers may be, one and all of them together, and that who has no token keeps nobody out.

import { connect, type Socket } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { AdminWorld, tokens } from "../../../tests/admin-world.ts"
import { longestPage } from "./pages.ts"
import { mostConnections } from "./server.ts"

let world: AdminWorld

/** As long as topics are. */
const long = "\u20ac".repeat(21_000)
const topics = Array.from({ length: 60 }, (_, i) => `t${i.toString().padStart(2, "0")}/${long}`)

beforeAll(async () => {
  world = await AdminWorld.start()
  for (const topic of topics) world.broker.publish(topic, "x", { retain: true })
  world.broker.publish("big", "\u0001".repeat(1_048_576), { retain: true })
  const client = await world.client("hoarder", { keepalive: 600 })
  for (const topic of topics) await client.subscribeAsync(topic)
})
afterAll(() => world.close())

type Page = { readonly items: readonly Readonly<Record<string, unknown>>[]; readonly next?: string }

async function pages(path: string): Promise<Page[]> {
  const got: Page[] = []
  for (let cursor = ""; ; ) {
    const page = (await world.get(`${path}&limit=1000${cursor}`)) as Page
    got.push(page)
    if (page.next === undefined) return got
    cursor = `&cursor=${page.next}`
  }
}

const sockets: Socket[] = []

/** What comes of a request, as far as it is read. */
function open(request: string, reads: boolean): Promise<{ readonly text: () => string; readonly socket: Socket }> {
  const socket = connect(world.port("admin"), "127.0.0.1")
  sockets.push(socket)
  let text = ""
  socket.on("error", () => undefined)
  if (reads)
    socket.on("data", (data) => {
      text += data
    })
  return new Promise((resolve) => {
    socket.once("connect", () => {
      socket.write(request)
      resolve({ text: () => text, socket })
    })
  })
}

const get = (path: string) =>
  `GET /api/v1${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${tokens.read}\r\n\r\n`

describe("a page", () => {
  it.each([
    ["/retained?topic=t", "topic"],
    ["/topics?parent=t00", "topic"],
    ["/subscriptions?filter=t", "filter"],
  ])("of %s ends where its items are long together, and the next begins there", async (path, name) => {
    const got = await pages(path)
    for (const { items } of got) expect(JSON.stringify(items).length).toBeLessThan(longestPage + 100_000)
    const wanted = path.startsWith("/topics") ? topics.slice(0, 1) : topics
    expect(got.flatMap(({ items }) => items.map((item) => item[name]))).toEqual(wanted)
    if (wanted === topics) expect(got.length).toBeGreaterThan(1)
  })
})

describe("answers that nobody takes", () => {
  it("have room for so many bytes in all; one more is told to wait, and short ones come", async () => {
    const path = "/retained-message?topic=big&bytes=1048576"
    for (let i = 0; i < 8; i++) await open(get(path), false)
    const told = await open(get(path), true)
    await expect.poll(told.text, { timeout: 10_000 }).toMatch(/^HTTP\/1.1 503/)
    expect(await world.get("/token")).toEqual({ name: "reader", scope: "read" })
    for (const socket of sockets.splice(0)) socket.destroy()
    await expect.poll(async () => (await world.ask("GET", `/api/v1${path}`)).status).toBe(200)
  })
})

describe("connections without a right token", () => {
  it("give way to others, the oldest first; those that have shown one stay", async () => {
    const known = await open(get("/token"), true)
    await expect.poll(known.text).toMatch(/^HTTP\/1.1 200/)
    const idle: Awaited<ReturnType<typeof open>>[] = []
    for (let i = 0; i < mostConnections; i++) idle.push(await open("GET", true))
    const late = await open(get("/token"), true)
    await expect.poll(late.text).toMatch(/^HTTP\/1.1 200/)
    await expect.poll(() => idle.filter(({ socket }) => socket.closed).length).toBeGreaterThan(0)
    expect(idle[0]?.socket.closed).toBe(true)
    expect(idle.at(-1)?.socket.closed).toBe(false)
    known.socket.write(get("/token"))
    await expect.poll(() => known.text().match(/HTTP\/1.1 200/g)?.length).toBe(2)
    for (const socket of sockets.splice(0)) socket.destroy()
  })
})

describe("what is asked for", () => {
  const published = (topic: string) => world.ask("GET", `/api/v1/retained-message?topic=${encodeURIComponent(topic)}`)

  it.each([
    ['{"topic":"twice/a","text":"x","retain":true,"topic":"twice/b"}', "topic is given twice"],
    ['{"topic":"twice/a","text":"x","retain":true,"t\\u006fpic":"twice/b"}', "topic is given twice"],
    [Buffer.from('{"topic":"caf\xe9","text":"x","retain":true}', "latin1"), "the body is no text in UTF-8"],
  ])("is not guessed at: %s", async (body, detail) => {
    const answer = await fetch(`http://127.0.0.1:${world.port("admin")}/api/v1/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${tokens.operate}`, "content-type": "application/json" },
      body,
    })
    expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ detail })])
    for (const topic of ["twice/a", "twice/b", "caf\ufffd"]) expect((await published(topic)).status).toBe(404)
  })

  it("may say the same in values and below", async () => {
    const body = '{"topic":"said","text":"{\\"topic\\":1,\\"topic\\":2}","retain":true}'
    expect((await world.ask("POST", "/api/v1/publish", { body })).status).toBe(200)
    expect((await published("said")).body).toMatchObject({ text: '{"topic":1,"topic":2}' })
  })

  it("is refused with bytes that are no UTF-8, and with two hosts", async () => {
    for (const id of ["%ff", "%", "%zz", "%c3"])
      expect((await world.ask("DELETE", `/api/v1/session?clientId=${id}`)).status).toBe(400)
    expect((await world.ask("DELETE", "/api/v1/session?clientId=100%25+%c3%a9")).status).toBe(404)
    const twice = await open("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", true)
    await expect.poll(twice.text).toMatch(/^HTTP\/1.1 400/)
  })
})
