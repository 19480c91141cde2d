import { afterEach, describe, expect, it, vi } from "vitest"
import { WasmDatabase } from "../../tests/stores/wasm-database.ts"
import { writeConnect } from "../codecs/mqtt-packet.ts"
import { DurableBroker, type DurableBrokerConfig, type DurableState, type WorkerSocket } from "./workerd.ts"

vi.mock("cloudflare:sockets", () => ({ connect: () => undefined }))

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
  const [there, back] = [1, 2].map(() => new TransformStream<Uint8Array, Uint8Array>())
  const far: WorkerSocket = {
    readable: there!.readable,
    writable: back!.writable,
    opened: Promise.resolve({ remoteAddress: "192.0.2.1:5000" }),
  }
  return { far, writer: there!.writable.getWriter(), reader: back!.readable.getReader() }
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
})
