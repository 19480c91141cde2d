import { describe, expect, it } from "vitest"
import { Pause } from "../bytes/pause.ts"
import { utf8ToBytes } from "../bytes/text.ts"
import { ClientConnection } from "../connection/client-connection.ts"
import { createClientConfig, createServerConfig, type ServerOptions } from "../connection/config.ts"
import type { ConnectionEvent } from "../connection/events.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../crypto/noble/index.ts"
import { always, testCredential, testVerifier } from "../testing/credentials.ts"
import type { Credential } from "../x509/interfaces.ts"
import { type Clock, Driver, type Taken, type Transport } from "./driver.ts"

const provider = createNobleProvider()
const key = generateEcKey("P-256", provider.random)
const credential = testCredential(key, publicKeyOf(key))

class TestClock implements Clock {
  time = 1_800_000_000_000
  timers: { readonly at: number; readonly work: () => void }[] = []

  now(): number {
    return this.time
  }

  after(milliseconds: number, work: () => void): () => void {
    const timer = { at: this.time + milliseconds, work }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter((each) => each !== timer)
    }
  }

  pass(milliseconds: number): void {
    this.time += milliseconds
    for (const { work } of this.timers.filter(({ at }) => at <= this.time)) work()
  }
}

class TestTransport implements Transport {
  readonly written: Uint8Array[] = []
  reading = true
  peer: Driver | undefined
  taken: Taken[] = []
  holds = false

  write(bytes: Uint8Array, taken: Taken): void {
    this.written.push(bytes)
    this.peer?.receive(bytes)
    if (this.holds) this.taken.push(taken)
    else taken()
  }

  setReading(wanted: boolean): void {
    this.reading = wanted
  }
}

function side(
  connection: ClientConnection | ServerConnection,
  clock: Clock,
  onEvent?: (event: ConnectionEvent) => void,
) {
  const transport = new TestTransport()
  const events: ConnectionEvent[] = []
  const driver = new Driver({
    connection,
    transport,
    clock,
    onEvent(event) {
      events.push(event)
      onEvent?.(event)
    },
  })
  const types = () => events.map(({ type }) => type)
  return { connection, transport, events, driver, types }
}

function both(serverOptions: Partial<ServerOptions> = {}) {
  const clock = new TestClock()
  const verifier = testVerifier(publicKeyOf(key))
  const first = new ClientConnection(createClientConfig({ provider, serverName: "server.test", verifier }), clock.time)
  const second = new ServerConnection(
    createServerConfig({ provider, credentials: always(credential), ...serverOptions }),
    clock.time,
  )
  const [client, server] = [side(first, clock), side(second, clock)]
  client.transport.peer = server.driver
  server.transport.peer = client.driver
  const start = () => {
    server.driver.start()
    client.driver.start(first.start())
  }
  return { clock, client, server, start }
}

describe("the driver", () => {
  it("carries a handshake and data, each flight in one write", () => {
    const { client, server, start } = both()
    start()
    expect(client.types()).toEqual(["offered", "connected"])
    expect(server.types()).toEqual(["offered", "connected"])
    // ClientHello, and Certificate to Finished.
    expect(client.transport.written).toHaveLength(2)
    client.driver.send([utf8ToBytes("a"), utf8ToBytes("b")])
    expect(client.transport.written).toHaveLength(3)
    expect(server.types().slice(2)).toEqual(["data", "data"])
  })

  it("tells when the transport has taken what was sent", () => {
    const { client, start } = both()
    start()
    client.transport.holds = true
    let taken = 0
    client.driver.send([utf8ToBytes("a")], () => taken++)
    expect(taken).toBe(0)
    for (const each of client.transport.taken) each()
    expect(taken).toBe(1)
  })

  it("stops reading while a decision is due, and goes on with its answer", async () => {
    let decide: (answer: Credential) => void = () => undefined
    const work = new Promise<Credential>((resolve) => {
      decide = resolve
    })
    const { client, server, start } = both({ credentials: { resolve: () => new Pause(work) } })
    start()
    expect(server.transport.reading).toBe(false)
    expect(server.transport.written).toHaveLength(0)
    decide(credential)
    await work
    await Promise.resolve()
    expect(server.transport.reading).toBe(true)
    expect(client.types()).toEqual(["offered", "connected"])
    expect(server.types()).toEqual(["offered", "connected"])
  })

  it("ends the handshake with internal_error when a decision fails", async () => {
    const work = Promise.reject(new Error("the key store is away"))
    const { client, server, start } = both({ credentials: { resolve: () => new Pause(work) } })
    start()
    await work.catch(() => undefined)
    await Promise.resolve()
    expect(server.events.at(-1)).toMatchObject({
      type: "failed",
      error: { alert: "internal_error", message: "SelectCertificate failed: the key store is away" },
    })
    expect(client.events.at(-1)).toMatchObject({ type: "failed", error: { received: "internal_error" } })
  })

  it("ends the handshake when nobody can ever answer a decision", () => {
    const { server, start } = both({ credentials: { resolve: () => new Pause() } })
    start()
    expect(server.events.at(-1)).toMatchObject({ type: "failed", error: { alert: "internal_error" } })
  })

  it("drops the answer to a decision that time has overtaken", async () => {
    let decide: (answer: Credential) => void = () => undefined
    const work = new Promise<Credential>((resolve) => {
      decide = resolve
    })
    const { clock, server, start } = both({ credentials: { resolve: () => new Pause(work) } })
    start()
    clock.pass(10_000)
    expect(server.events.at(-1)).toMatchObject({ type: "failed", error: { limit: "handshakeTime" } })
    const events = server.events.length
    decide(credential)
    await work
    await Promise.resolve()
    expect(server.events).toHaveLength(events)
  })

  it("ends a handshake that takes too long, and keeps no timer after one that did not", () => {
    const late = both()
    late.server.driver.start()
    late.clock.pass(9_999)
    expect(late.server.types()).toEqual([])
    late.clock.pass(1)
    expect(late.server.events).toMatchObject([{ type: "failed", error: { limit: "handshakeTime" } }])
    const good = both()
    good.start()
    expect(good.clock.timers).toEqual([])
  })

  it("asks again when the timer was a millisecond early", () => {
    const { clock, server } = both()
    server.driver.start()
    clock.time += 9_999
    clock.timers.shift()!.work()
    expect(server.types()).toEqual([])
    clock.pass(1)
    expect(server.types()).toEqual(["failed"])
  })

  it("reads only while the application wants data", () => {
    const { server, start } = both()
    start()
    server.driver.want(false)
    expect(server.transport.reading).toBe(false)
    server.driver.want(true)
    expect(server.transport.reading).toBe(true)
  })

  it("delivers events in order when the application calls back in the middle", () => {
    const { clock, start, client, server } = both()
    const seen: string[] = []
    const driver: Driver = new Driver({
      connection: server.connection,
      transport: server.transport,
      clock,
      onEvent(event) {
        seen.push(`begin ${event.type}`)
        if (event.type === "data") driver.receiveEnd()
        seen.push(`end ${event.type}`)
      },
    })
    client.transport.peer = driver
    start()
    seen.length = 0
    client.driver.send([utf8ToBytes("x")])
    expect(seen).toEqual(["begin data", "end data", "begin failed", "end failed"])
  })

  it("is silent once it is destroyed", () => {
    const { client, server, start } = both()
    start()
    server.driver.destroy()
    const [events, written] = [server.events.length, server.transport.written.length]
    client.driver.send([utf8ToBytes("x")])
    server.driver.receiveEnd()
    let closed = 0
    server.driver.close(() => closed++)
    expect([server.events.length, server.transport.written.length, closed]).toEqual([events, written, 1])
  })

  it("RFC 9846 section 6.1: closes its own half", () => {
    const { client, server, start } = both()
    start()
    client.driver.close()
    expect(server.types().at(-1)).toBe("end")
    server.driver.send([utf8ToBytes("still here")])
    expect(client.types().at(-1)).toBe("data")
  })
})

describe("what is thrown behind an entry", () => {
  it("of a handler of events ends the connection: internal_error, and `failed` is the last event", async () => {
    const clock = new TestClock()
    const config = createServerConfig({ provider, credentials: always(credential) })
    const server = side(new ServerConnection(config, clock.time), clock, (event) => {
      if (event.type === "offered") throw new TypeError("a defect")
    })
    const verifier = testVerifier(publicKeyOf(key))
    const client = side(
      new ClientConnection(createClientConfig({ provider, serverName: "server.test", verifier }), clock.time),
      clock,
    )
    client.transport.peer = server.driver
    server.transport.peer = client.driver
    server.driver.start()
    expect(() => client.driver.start((client.connection as ClientConnection).start())).not.toThrow()
    expect(server.types()).toEqual(["offered", "failed"])
    const last = server.events.at(-1)
    expect(last).toMatchObject({ error: { alert: "internal_error", cause: { message: "a defect" } } })
    expect(client.events.at(-1)).toMatchObject({ type: "failed", error: { received: "internal_error" } })
    expect(clock.timers).toHaveLength(0)
  })

  it("of a transport that cannot write, and of what handles the failure, goes no further", () => {
    const clock = new TestClock()
    const config = createServerConfig({ provider, credentials: always(credential) })
    const connection = new ServerConnection(config, clock.time)
    const driver = new Driver({
      connection,
      clock,
      transport: {
        write() {
          throw new TypeError("the transport is broken")
        },
        setReading: () => undefined,
      },
      onEvent(event) {
        throw new Error(`of ${event.type}`)
      },
    })
    driver.start()
    expect(() => driver.receive(utf8ToBytes("GET / HTTP/1.0\r\n\r\n"))).not.toThrow()
    expect(() => driver.receive(utf8ToBytes("more"))).not.toThrow()
    expect(connection.failure).toBeDefined()
    expect(clock.timers).toHaveLength(0)
  })
})
