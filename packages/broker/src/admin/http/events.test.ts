// Events of a running broker, read over HTTP as they happen.

import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { AdminWorld, tokenFile, tokens } from "../../../tests/admin-world.ts"
import { mostReaders } from "../live.ts"

let world: AdminWorld
const readers: Socket[] = []

beforeEach(async () => {
  world = await AdminWorld.start()
})
afterEach(async () => {
  for (const socket of readers.splice(0)) socket.destroy()
  await world.close()
})

async function reader(
  query = "",
  more = "",
  token: string = tokens.read,
): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect({ host: "127.0.0.1", port: world.port("admin") })
  readers.push(socket)
  socket.on("error", () => undefined)
  let got = ""
  socket.on("data", (data) => {
    got += data
  })
  await once(socket, "connect")
  socket.write(
    `GET /api/v1/events${query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`,
  )
  return { socket, text: () => got }
}

describe("a reader of events", () => {
  it("gets what happens, and what it asked for", async () => {
    const [all, some] = [await reader(), await reader("?events=client%20disconnected,tls%20failure")]
    await expect.poll(() => all.text() + some.text()).toMatch(/events of the broker.*events of the broker/s)
    expect(all.text()).toMatch(/^HTTP\/1.1 200 OK\r\n.*content-type: text\/event-stream/s)
    const client = await world.client("one")
    await client.endAsync()
    await expect
      .poll(() => all.text())
      .toMatch(
        /event: client connected\ndata: {.*"clientId":"one".*\nid: \d+\nevent: client disconnected\n|event: client connected[\s\S]*event: client disconnected/,
      )
    await expect.poll(() => some.text()).toContain("event: client disconnected")
    expect(some.text()).not.toContain("client connected")
  })

  it("are so many at a time; one that goes makes room", async () => {
    const all = await Promise.all(Array.from({ length: mostReaders }, () => reader()))
    await expect.poll(() => all.filter(({ text }) => text().includes("events of the broker")).length).toBe(mostReaders)
    expect(await world.ask("GET", "/api/v1/events", { token: tokens.read })).toMatchObject({
      status: 503,
      body: { detail: `there are ${mostReaders} readers of events already: close one` },
    })
    all[0]?.socket.destroy()
    await expect
      .poll(async () => {
        const { text, socket } = await reader()
        await new Promise((resolve) => setTimeout(resolve, 50))
        if (!text().includes("HTTP/1.1 200")) socket.destroy()
        return text()
      })
      .toContain("HTTP/1.1 200")
  })

  it("that stops reading is cut, and nobody else is held up", { timeout: 60_000 }, async () => {
    const [stopped, going] = [await reader(), await reader()]
    await expect.poll(() => stopped.text()).toContain("events of the broker")
    stopped.socket.pause()
    let ended = false
    stopped.socket.on("close", () => {
      ended = true
    })
    // As much as the log tells: what is sent to who does not read is more than its buffers take.
    const text = "x".repeat(60_000)
    const tell = world.broker
    for (let i = 0; i < 400; i++) {
      await world.ask("POST", "/api/v1/publish", { body: { topic: `t/${text}`, text: "" } })
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(tell.stats().faults).toBe(0)
    stopped.socket.resume()
    await expect.poll(() => ended, { timeout: 20_000 }).toBe(true)
    expect(going.socket.destroyed).toBe(false)
    const before = going.text().length
    await world.client("later")
    await expect.poll(() => going.text().slice(before)).toContain("client connected")
  })

  it("ends with its token, which a reload has taken away, and the log says that tokens have changed", async () => {
    const [revoked, going] = [await reader(), await reader("", "", tokens.operate)]
    await expect.poll(() => revoked.text() + going.text()).toMatch(/events of the broker.*events of the broker/s)
    world.broker.reload({ admin: { tokens: tokenFile } })
    world.broker.reload({ admin: { tokens: tokenFile.replace(/^reader:.*$/m, "") } })
    await expect.poll(() => revoked.text()).toMatch(/\r\n0\r\n\r\n$/) // the last chunk
    await expect.poll(() => going.text()).toContain("tokens of the admin API, changed")
    expect(going.text().match(/event: unchanged/g)).toHaveLength(1)
    expect(going.socket.destroyed).toBe(false)
  })

  it("ends with the broker", async () => {
    const { socket, text } = await reader()
    await expect.poll(text).toContain("events of the broker")
    const closed = once(socket, "close")
    await world.close()
    await closed
  })
})
