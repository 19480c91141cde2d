import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { describe, expect, it, onTestFinished } from "vitest"
import { hookServer, json, rawServer } from "../../tests/hook-server.ts"
import { encodeText } from "../packet/bytes.ts"
import type { HttpCall, HttpOutcome } from "../ports/http.ts"
import { HttpClient } from "./client.ts"
import { placeOf } from "./place.ts"

const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })

function client(url: string, ca?: string): HttpClient {
  const place = placeOf(url)
  if (typeof place === "string") throw new Error(place)
  const onFault = (error: unknown) => {
    throw error
  }
  const made = new HttpClient({ place, ca, idle: 4, onFault })
  onTestFinished(() => made.close())
  return made
}

function post(caller: HttpClient, more: Partial<HttpCall> = {}): Promise<HttpOutcome> {
  const call = {
    method: "POST",
    headers: { "x-a": "b" },
    body: encodeText("{}"),
    timeout: 3000,
    maximumBody: 1000,
    ...more,
  } as const
  return new Promise((resolve) => caller.call(call, resolve))
}

const text = (outcome: HttpOutcome) => ("body" in outcome ? new TextDecoder().decode(outcome.body) : outcome.failed)

describe("a call", () => {
  it("over our TLS believes the authority that it was given, and connections are used again", async () => {
    const server = await hookServer((_, response) => json(response, { fine: true }), {
      cert: pem.serverCert,
      key: pem.serverKey,
    })
    const caller = client(server.url, pem.caCert)
    for (let i = 0; i < 3; i++) expect(text(await post(caller))).toBe('{"fine":true}')
    expect(server.asked[0]).toMatchObject({ method: "POST", path: "/hook", body: "{}" })
    expect(server.asked[0]?.headers).toMatchObject({
      host: `localhost:${server.port}`,
      "x-a": "b",
      "content-length": "2",
    })
    expect(server.connections).toBe(1)
  })

  it("over TLS to who has another certificate, or another name, is none", async () => {
    const server = await hookServer((_, response) => json(response, {}), { cert: pem.serverCert, key: pem.serverKey })
    const stranger = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
    const outcomes = [
      await post(client(server.url, stranger.caCert)),
      await post(client(server.url)), // the authorities of the machine
      await post(client(server.url.replace("localhost", "127.0.0.1"), pem.caCert)),
    ]
    for (const outcome of outcomes)
      expect(outcome).toEqual({ failed: expect.stringMatching(/certificate/i), gone: true })
    expect(server.asked).toEqual([])
  })

  it("that finds a connection closed meanwhile is made again, once", async () => {
    let answered = 0
    const server = await rawServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na")
      if (answered++ === 0) setTimeout(() => socket.destroy(), 20)
    })
    const caller = client(server.url)
    expect(text(await post(caller))).toBe("a")
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(text(await post(caller))).toBe("a")
    expect(server.connections).toBe(2)
  })

  it("over a connection that is closed when the call comes, before any answer, too; a fresh one is not tried again", async () => {
    let calls = 0
    const server = await rawServer((socket) => {
      if (++calls === 1) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na")
      else socket.destroy()
    })
    const caller = client(server.url)
    await post(caller)
    expect(await post(caller)).toEqual({ failed: expect.stringMatching(/ended|closed|reset/), gone: false })
    expect([calls, server.connections]).toEqual([3, 2])
  })

  it("where nobody listens, or with a host name that nobody knows, says so, and that nobody is there", async () => {
    const server = await rawServer(() => undefined)
    const url = server.url.replace(String(server.port), "1")
    expect(await post(client(url))).toEqual({ failed: "the connection is refused: nothing listens there", gone: true })
    expect(await post(client("https://nobody.invalid"))).toMatchObject({ gone: true })
  })

  it("has its bytes and its time", async () => {
    const large = await rawServer((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n${"a".repeat(11)}`),
    )
    expect(await post(client(large.url), { maximumBody: 11 })).toMatchObject({ status: 200 })
    expect(await post(client(large.url), { maximumBody: 10 })).toMatchObject({
      failed: "its answer has more than 10 bytes",
      gone: false,
    })
    const silent = await rawServer(() => undefined)
    expect(await post(client(silent.url), { timeout: 50 })).toEqual({
      failed: "no whole answer has come within 50 ms",
      gone: false,
    })
  })

  it("is called off, and then nothing is heard of it", async () => {
    const server = await rawServer(() => undefined)
    const caller = client(server.url)
    let heard = 0
    const callOff = caller.call(
      { method: "GET", headers: {}, body: undefined, timeout: 100, maximumBody: 1 },
      () => heard++,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    callOff()
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(heard).toBe(0)
  })

  it("to a server that says more than it was asked is over, and the rest is nobody's answer", async () => {
    const answer = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n"
    const server = await rawServer((socket) => socket.write(`${answer}a${answer}b`))
    const caller = client(server.url)
    expect([text(await post(caller)), text(await post(caller))]).toEqual(["a", "a"])
    expect(server.connections).toBe(2)
  })
})
