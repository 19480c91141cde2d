import { describe, expect, it } from "vitest"
import { always, testCredential, testVerifier } from "../../tests/tools/credentials.ts"
import { concatBytes } from "../bytes/concat.ts"
import { Pause } from "../bytes/pause.ts"
import { bytesToUtf8, utf8ToBytes } from "../bytes/text.ts"
import { ClientConnection } from "../connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../connection/config.ts"
import type { ConnectionEvent } from "../connection/events.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../crypto/noble/index.ts"
import type { KeyExchange, KeyExchangeAnswer } from "../crypto/provider.ts"
import type { ClientOptions, ServerOptions } from "../handshake/options.ts"
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

function both(serverOptions: Partial<ServerOptions> = {}, clientOptions: Partial<ClientOptions> = {}) {
  const clock = new TestClock()
  const verifier = testVerifier(publicKeyOf(key))
  const first = new ClientConnection(
    createClientConfig({ provider, serverName: "server.test", verifier, ...clientOptions }),
    clock.time,
  )
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

const settled = () => new Promise(setImmediate)

/** A thenable is no promise: it may answer before `then` returns. */
function atOnce<Answer>(answer: Answer | Pause<Answer>): Pause<Answer> {
  // biome-ignore lint/suspicious/noThenProperty: what this is about
  return new Pause({ then: (resolved: (value: Answer) => void) => resolved(answer as Answer) } as PromiseLike<Answer>)
}

/** A client that gets two requests for its certificate at once. */
async function askedTwice(credentials: ClientOptions["credentials"]) {
  const verifier = testVerifier(publicKeyOf(key))
  const mode = { clientAuthentication: { mode: "post-handshake", verifier } } as const
  const pair = both(mode, { postHandshakeAuth: true, ...(credentials && { credentials }) })
  pair.start()
  const { client, server } = pair
  if (!(server.connection instanceof ServerConnection)) throw new Error("no server")
  const requests = [server.connection.requestCertificate(), server.connection.requestCertificate()]
  client.driver.receive(concatBytes(...requests.map(({ output }) => output)))
  await settled()
  return pair
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
    expect(server.events.slice(2)).toMatchObject([{ type: "data", data: utf8ToBytes("ab") }])
  })

  it("hands on data of many records that came together as one piece, in its place between the other events", () => {
    const { client, server, start } = both()
    start()
    const one = (count: number) => Array.from({ length: count }, (_, i) => Uint8Array.of(i % 256))
    const pieces = () => server.events.splice(0).map((event) => ("data" in event ? event.data.length : event.type))
    server.events.length = 0
    client.driver.send(one(1000))
    expect(server.events).toMatchObject([{ type: "data", data: Uint8Array.from({ length: 1000 }, (_, i) => i % 256) }])
    server.events.length = 0
    client.transport.peer = undefined
    const sent = client.transport.written.length
    client.driver.send(one(17))
    client.driver.close()
    server.driver.receive(concatBytes(...client.transport.written.slice(sent)))
    expect(pieces()).toEqual([17, "end"])
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

  it("awaits a pause again that is the answer to the next decision, too", async () => {
    const unknown = new Pause(Promise.resolve(undefined))
    const clock = new TestClock()
    const asked: number[] = []
    const psk = (name: number) => ({ identity: Uint8Array.of(name), key: new Uint8Array(32), hash: "sha256" as const })
    const externalPsks = [1, 2, 3].map((name) => ({ ...psk(name), kind: "external" as const }))
    const verifier = testVerifier(publicKeyOf(key))
    const lookup = ([name]: Uint8Array) => {
      asked.push(name!)
      return unknown
    }
    const client = new ClientConnection(
      createClientConfig({ provider, serverName: "server.test", verifier, externalPsks }),
      clock.time,
    )
    const config = createServerConfig({ provider, credentials: always(credential), externalPsks: { lookup } })
    const server = side(new ServerConnection(config, clock.time), clock)
    server.driver.start()
    server.driver.receive(client.start().output)
    await new Promise(setImmediate)
    expect(asked).toEqual([1, 2, 3])
    expect(server.transport.written).toHaveLength(1)
    expect(server.transport.reading).toBe(true)
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

  it("hands over a key exchange's answer that comes after the end: its secret is erased", async () => {
    const group = provider.keyExchanges[0]!
    let answer: KeyExchangeAnswer | undefined
    const late: KeyExchange = {
      ...group,
      respond: (share, random) => {
        answer = group.respond(share, random)
        return new Pause(Promise.resolve(answer))
      },
    }
    const { server, start } = both({ provider: { ...provider, keyExchanges: [late] } })
    start()
    server.driver.destroy()
    expect(answer?.secret.every((byte) => byte === 0)).toBe(false)
    await Promise.resolve()
    expect(answer?.secret.every((byte) => byte === 0)).toBe(true)
    expect(server.types()).toEqual(["offered"])
  })

  it.each(["SelectCertificate", "Sign"] as const)(
    "writes what a call wants sent ahead of what comes of its pause, whose thenable answers at once: %s",
    async (decision) => {
      const sign: Credential["signer"]["sign"] = (...args) => atOnce(credential.signer.sign(...args))
      const shown = decision === "Sign" ? { ...credential, signer: { sign } } : credential
      // The first request is answered by the call that pauses for the second.
      let asked = 0
      const resolve = () => (asked++ === 0 ? credential : decision === "Sign" ? shown : atOnce(shown))
      const { server } = await askedTwice({ resolve })
      expect(server.types().slice(2)).toEqual(["client-authenticated", "client-authenticated"])
    },
  )

  it("writes what a call wants sent ahead of the alert for a pause that nobody can ever answer", async () => {
    let asked = 0
    const { client, server } = await askedTwice({ resolve: () => (asked++ === 0 ? credential : new Pause()) })
    expect(server.events.slice(2)).toMatchObject([
      { type: "client-authenticated" },
      { type: "failed", error: { received: "internal_error" } },
    ])
    expect(client.types().at(-1)).toBe("failed")
  })

  it("takes no answer for the next decision when one is given twice", async () => {
    const signing = { ...credential, signer: { sign: () => new Pause(new Promise<Uint8Array>(() => undefined)) } }
    const work = {
      // biome-ignore lint/suspicious/noThenProperty: not every thenable keeps the rules of promises
      then(resolved: (value: Credential) => void) {
        resolved(signing)
        resolved(signing)
      },
    }
    const pause = new Pause(work as PromiseLike<Credential>)
    const { server, start } = both({ credentials: { resolve: () => pause } })
    start()
    await settled()
    expect(server.types()).toEqual(["offered"])
    expect(server.connection.tick(1_800_000_000_000).waitsFor).toMatchObject({ name: "Sign" })
  })

  it("goes on when two decisions in a row have the same pause", async () => {
    const asked: string[] = []
    const unknown = new Pause<undefined>(Promise.resolve(undefined))
    const psk = { key: new Uint8Array(32).fill(1), hash: "sha256", kind: "external" } as const
    const externalPsks = ["one", "two"].map((identity) => ({ ...psk, identity: utf8ToBytes(identity) }))
    const { clock, client, server, start } = both(
      {
        externalPsks: {
          lookup: (identity) => {
            asked.push(bytesToUtf8(identity) ?? "")
            return unknown
          },
        },
      },
      { externalPsks },
    )
    start()
    for (let i = 0; i < 10; i++) await Promise.resolve()
    expect(asked).toEqual(["one", "two"])
    expect([client.types(), server.types()]).toEqual([
      ["offered", "connected"],
      ["offered", "connected"],
    ])
    expect(clock.timers).toEqual([])
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

  /** What fills the memory that records share: what comes behind it is an event of its own. */
  const long = (text: string) => {
    const bytes = new Uint8Array(65_536)
    bytes.set(utf8ToBytes(text))
    return bytes
  }

  const closing = ["begin data", "end data", "begin data", "end data", "begin end", "end end"]
  it.each<[string, (driver: Driver) => void, string[], string[]]>([
    ["send", (driver) => driver.send([utf8ToBytes("back")]), closing, ["data", "data", "data"]],
    ["updateKeys", (driver) => driver.updateKeys("update_requested"), closing, []],
    ["close", (driver) => driver.close(), closing, ["end"]],
    ["destroy", (driver) => driver.destroy(), ["begin data", "end data"], []],
    [
      "fail",
      (driver) => driver.fail(new Error("x")),
      [...closing.slice(0, 2), "begin failed", "end failed"],
      ["failed"],
    ],
  ])("keeps the order of what came together when a handler calls %s", (_name, call, wanted, peers) => {
    const { clock, start, client, server } = both()
    const seen: string[] = []
    let isOn = false
    const driver: Driver = new Driver({
      connection: server.connection,
      transport: server.transport,
      clock,
      onEvent(event) {
        seen.push(`begin ${event.type}`)
        if (isOn) call(driver)
        seen.push(`end ${event.type}`)
      },
    })
    client.transport.peer = driver
    start()
    isOn = true
    const [before, sent] = [client.events.length, client.transport.written.length]
    seen.length = 0
    client.transport.peer = undefined
    client.driver.send([long("a"), utf8ToBytes("b")])
    client.driver.close()
    driver.receive(concatBytes(...client.transport.written.slice(sent)))
    expect(seen).toEqual(wanted)
    expect(client.types().slice(before)).toEqual(peers)
  })

  it("keeps the order when the peer answers before a handler's `send` returns", () => {
    const { clock, start, client, server } = both()
    const seen: string[] = []
    const driver: Driver = new Driver({
      connection: server.connection,
      transport: server.transport,
      clock,
      onEvent(event) {
        const text = event.type === "data" ? bytesToUtf8(event.data.subarray(0, 1)) : event.type
        seen.push(`begin ${text}`)
        if (text === "a") driver.send([utf8ToBytes("?")])
        seen.push(`end ${text}`)
      },
    })
    client.transport.peer = driver
    start()
    const answering = side(client.connection, clock, (event) => {
      if (event.type === "data") answering.driver.send([utf8ToBytes("!")])
    })
    answering.transport.peer = driver
    server.transport.peer = answering.driver
    seen.length = 0
    answering.driver.send([long("a"), utf8ToBytes("b")])
    expect(seen).toEqual(["a", "b", "!"].flatMap((text) => [`begin ${text}`, `end ${text}`]))
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
