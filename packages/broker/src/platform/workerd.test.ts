import { createClientConfig } from "@puremq/tls13"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { connectOverStreams } from "@puremq/tls13/streams"
import { createCertificateVerifier, loadCredential, singleCredential, trustStoreFromPem } from "@puremq/tls13/x509"
import { afterEach, describe, expect, it, vi } from "vitest"
import { WasmDatabase } from "../../tests/stores/wasm-database.ts"
import type { LogEvent } from "../admin/log.ts"
import { writeConnect } from "../codecs/mqtt-packet.ts"
import { DurableBroker, type DurableBrokerConfig, type DurableState, type WorkerSocket } from "./workerd.ts"

vi.mock("cloudflare:sockets", () => ({ connect: () => undefined }))

/** A defect while a client's certificate is named. */
const naming = vi.hoisted(() => ({ fails: false }))
vi.mock("@puremq/tls13/x509", async (original) => {
  const real = await original<typeof import("@puremq/tls13/x509")>()
  const identityName: typeof real.identityName = (...given) => {
    if (naming.fails) throw new RangeError("a defect in naming")
    return real.identityName(...given)
  }
  return { ...real, identityName }
})

/** A Durable Object, and when its alarm was set for. */
class ToyState implements DurableState {
  readonly database = new WasmDatabase()
  readonly alarms: number[] = []
  opened: Promise<unknown> = Promise.resolve()
  readonly storage: DurableState["storage"] = {
    sql: {
      exec: (query, ...bindings) => ({ toArray: () => [...this.database.run(query, ...bindings)] }),
    },
    transactionSync: <Result>(work: () => Result) => {
      let result: Result | undefined
      this.database.together(() => {
        result = work()
      })
      return result as Result
    },
    sync: () => this.database.sync(),
    setAlarm: async (time) => void this.alarms.push(time),
  }
  blockConcurrencyWhile<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = work()
    this.opened = done
    return done
  }
}

const timers: ReturnType<typeof setInterval>[] = []
const databases: WasmDatabase[] = []
afterEach(() => {
  for (const timer of timers.splice(0)) clearInterval(timer)
  for (const database of databases.splice(0)) database.close()
  vi.restoreAllMocks()
})

async function durable(config: DurableBrokerConfig = {}) {
  const state = new ToyState()
  databases.push(state.database)
  const begin = setInterval
  vi.spyOn(globalThis, "setInterval").mockImplementation(((work: () => void, milliseconds: number) => {
    const timer = begin(work, milliseconds)
    timers.push(timer)
    return timer
  }) as typeof setInterval)
  const broker = new DurableBroker(state, { login: { anonymous: true }, ...config })
  await state.opened
  return { state, broker }
}

function socket() {
  const { far, near } = pairOfStreams()
  return { far, writer: near.writable.getWriter(), reader: near.readable.getReader() }
}

function pairOfStreams() {
  const [there, back] = [1, 2].map(() => new TransformStream<Uint8Array, Uint8Array>())
  const far: WorkerSocket = {
    readable: there!.readable,
    writable: back!.writable,
    opened: Promise.resolve({ remoteAddress: "192.0.2.1:5000" }),
  }
  return { far, near: { readable: back!.readable, writable: there!.writable } }
}

describe("a broker in a Durable Object", () => {
  it("an alarm is set in the first second of a will, not each second, and again when it has rung", async () => {
    const { state, broker } = await durable()
    const { far, writer, reader } = socket()
    const served = broker.connect(far)
    const will = { topic: "w", payload: Uint8Array.of(1), qos: 0, retain: false } as const
    const connect = { protocolVersion: 5, clientId: "one", cleanStart: true, keepAlive: 0, will } as const
    await writer.write(writeConnect(connect))
    expect((await reader.read()).value?.[0]).toBe(0x20)
    await new Promise((resolve) => setTimeout(resolve, 2300))
    expect(state.alarms).toHaveLength(1)
    await broker.alarm()
    expect(state.alarms).toHaveLength(2)
    await writer.close()
    await served
    await vi.waitUntil(() => broker.embedded.broker.memory.wills === 0)
    await broker.alarm()
    expect(state.alarms).toHaveLength(2)
  })

  it("a connection that takes nothing any more is cut when the broker has ended it", async () => {
    const { broker } = await durable()
    const { far, writer } = socket()
    let cut = false
    let written = 0
    const writable = new WritableStream<Uint8Array>({
      // @ts-expect-error: TypeScript's types of streams lack it
      start: ({ signal }) =>
        signal.addEventListener("abort", () => {
          cut = true
        }),
      write: () => (written++ === 0 ? undefined : new Promise<void>(() => undefined)),
    })
    const served = broker.connect({ ...far, writable })
    await writer.write(writeConnect({ protocolVersion: 5, clientId: "one", cleanStart: true, keepAlive: 1 }))
    await writer.write(Uint8Array.of(0xc0, 0))
    await served
    expect([written, cut]).toEqual([2, true])
  })

  it("a defect while a client's certificate is named ends that connection by internal_error, and is told", async () => {
    const events: LogEvent[] = []
    const made = createDevelopmentCertificates({ names: ["localhost"], clientName: "device-1", now: Date.now() })
    const { serverCert: cert, serverKey: key, caCert: ca } = made
    const tls = { cert, key, ca, clientCertificate: "require" } as const
    const { broker } = await durable({ tls, onEvent: (event) => events.push(event) })
    const config = createClientConfig({
      provider: createFastProvider(),
      serverName: "localhost",
      verifier: createCertificateVerifier({ trust: trustStoreFromPem(ca) }),
      credentials: singleCredential(loadCredential({ cert: made.clientCert!, key: made.clientKey! })),
      alpnProtocols: ["mqtt"],
    })
    const arrive = async () => {
      const { far, near } = pairOfStreams()
      const served = broker.connect(far)
      const client = connectOverStreams(near, config)
      await client.opened
      return { served, client }
    }
    naming.fails = true
    try {
      const { served, client } = await arrive()
      await expect(client.closed).rejects.toThrow("internal_error")
      await served
    } finally {
      naming.fails = false
    }
    const faults = events.filter(({ event }) => event === "fault")
    expect(JSON.stringify(faults)).toContain("a defect in naming")
    expect(broker.embedded.broker.counters.connectionsOpened).toBe(0)
    // The next one comes in.
    const { served, client } = await arrive()
    const writer = client.writable.getWriter()
    await writer.write(writeConnect({ protocolVersion: 5, clientId: "one", cleanStart: true, keepAlive: 0 }))
    expect((await client.readable.getReader().read()).value?.[0]).toBe(0x20)
    await writer.close()
    await served
  })

  it("a storage that cannot be used is told in a line that says what to do", async () => {
    const events: LogEvent[] = []
    const state = new ToyState()
    databases.push(state.database)
    new DurableBroker(state, { login: { anonymous: true } })
    await state.opened
    state.database.run("UPDATE puremq_pieces SET bytes = randomblob(100)")
    new DurableBroker(state, { onEvent: (event) => events.push(event) })
    await expect(state.opened).rejects.toThrow("is damaged at offset 0")
    expect(events).toEqual([
      {
        event: "error",
        text: expect.stringMatching(
          /^the Durable Object's storage\/journal-0000000001 is damaged .*: bring the storage back/,
        ),
      },
    ])
  })
})
