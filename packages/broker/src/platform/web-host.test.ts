import { afterEach, describe, expect, it } from "vitest"
import { publishBytes } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { answerOf, restored } from "../../tests/stores/small-hub.ts"
import { toyPace } from "../../tests/stores/toy-folder.ts"
import { WasmDatabase } from "../../tests/stores/wasm-database.ts"
import { writeConnect, writeSubscribe } from "../codecs/mqtt-packet.ts"
import type { EmbeddedOptions } from "../embed/embedded.ts"
import { Framer } from "../packet/framer.ts"
import { openStoreIn } from "../stores/file-store.ts"
import { sqlFolder } from "../stores/sql-folder.ts"
import type { WebStreams } from "./web-connection.ts"
import { WebHost } from "./web-host.ts"

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Two ends of streams that hold so many bytes on the way. */
function cable(room = 65_536): [WebStreams, WebStreams] {
  const size = (chunk?: Uint8Array) => chunk?.byteLength ?? 0
  const [there, back] = [1, 2].map(
    () => new TransformStream<Uint8Array, Uint8Array>({}, { highWaterMark: room, size }, { highWaterMark: room, size }),
  )
  return [
    { readable: back!.readable, writable: there!.writable },
    { readable: there!.readable, writable: back!.writable },
  ]
}

function hostWith(options: Partial<EmbeddedOptions> = {}): WebHost {
  const host = new WebHost({ access: openAccess, ...options })
  closing.push(() => host.close())
  return host
}

class Client {
  readonly served: Promise<void>
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #framer = new Framer(0x1000_0004)
  /** What it has been sent. */
  bytes = 0

  constructor(host: WebHost, room?: number) {
    const [near, far] = cable(room)
    this.#reader = near.readable.getReader()
    this.#writer = near.writable.getWriter()
    this.#framer.connectOnly = false
    this.served = host.serve(far, { transport: "tcp", address: "198.51.100.1:5" })
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(bytes)
  }

  /** The type of the next packet; undefined: there is none, as the connection has ended. */
  async next(): Promise<number | undefined> {
    while (!this.#framer.next()) {
      const { done, value } = await this.#reader.read()
      if (done) return undefined
      this.bytes += value.length
      this.#framer.push(value)
    }
    return this.#framer.header >> 4
  }

  async connect(clientId: string, request: Partial<Parameters<typeof writeConnect>[0]> = {}): Promise<this> {
    await this.write(writeConnect({ protocolVersion: 5, clientId, cleanStart: true, keepAlive: 0, ...request }))
    expect(await this.next()).toBe(2)
    return this
  }

  async subscribe(filter: string, qos: 0 | 1): Promise<void> {
    const one = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    await this.write(writeSubscribe(1, [one], 5))
    expect(await this.next()).toBe(9)
  }

  async leave(): Promise<void> {
    await this.#writer.close()
    await this.served
  }
}

describe("a broker over WHATWG streams", () => {
  it("serves clients until they close, and publishes their wills", async () => {
    const host = hostWith()
    const one = await new Client(host).connect("one")
    await one.subscribe("#", 1)
    const will = { topic: "will", payload: Uint8Array.of(1), qos: 0, retain: false } as const
    const other = await new Client(host).connect("other", { will })
    await other.write(publishBytes(5, "t", "hello", { qos: 1 }))
    expect(await other.next()).toBe(4)
    expect(await one.next()).toBe(3)
    await other.leave()
    expect(await one.next()).toBe(3)
    expect(host.embedded.broker.connectionCount).toBe(1)
  })

  it("acknowledges what the store has, and no sooner", async () => {
    class LateDatabase extends WasmDatabase {
      syncs = 0
      override async sync() {
        this.syncs++
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    const database = new LateDatabase()
    const open = () => openStoreIn(sqlFolder(database), toyPace, { durability: "power" }, async () => {})
    const host = hostWith({ store: await open() })
    await host.restore()
    const client = await new Client(host).connect("one", { sessionExpiryInterval: 60 })
    for (let i = 1; i <= 5; i++) {
      const before = database.syncs
      await client.write(publishBytes(5, `t/${i}`, "kept", { qos: 1, packetId: i, retain: true }))
      expect(await client.next()).toBe(4)
      expect(database.syncs).toBeGreaterThan(before)
    }
    await host.close()
    closing.splice(0)
    const again = await open()
    expect((await restored(again)).filter(({ type }) => type === "retained")).toHaveLength(5)
    await answerOf(again.close())
    database.close()
  })

  it("a client that does not read holds up nobody, and little is kept for it", async () => {
    const host = hostWith({ limits: { maximumOutboundBytes: 200_000, maximumQueuedMessages: 10 } })
    const room = 10_000
    const stopped = new Client(host, room)
    await stopped.connect("stopped")
    await stopped.subscribe("t", 0)
    const reading = await new Client(host).connect("reading")
    await reading.subscribe("t", 0)
    const publisher = await new Client(host).connect("publisher")
    for (let i = 0; i < 100; i++) {
      await publisher.write(publishBytes(5, "t", "x".repeat(20_000)))
      expect(await reading.next()).toBe(3)
    }
    expect(host.embedded.broker.memory.outbound).toBeLessThan(300_000)
    expect(stopped.bytes).toBeLessThan(1000)
    let taken = 0
    for (const until = 65_536; stopped.bytes < until; taken++) expect(await stopped.next()).toBe(3)
    expect(taken).toBeLessThan(20)
  })

  it("a client that is too fast is not read", async () => {
    const host = hostWith({ limits: { maximumPublishRate: 1 } })
    const client = new Client(host, 2000)
    await client.connect("fast")
    let taken = 0
    const writing = (async () => {
      for (let i = 0; i < 200; i++) {
        await client.write(publishBytes(5, "t", "x".repeat(1000)))
        taken++
      }
    })()
    writing.catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(taken).toBeLessThan(100)
  })

  it("what a stream gives at once is received in pieces, each when it has a place", async () => {
    const host = hostWith({ limits: { maximumPublishRate: 1 } })
    const client = await new Client(host, 1_000_000).connect("fast")
    const one = publishBytes(5, "t", "x".repeat(1000))
    const all = new Uint8Array(400 * one.length)
    for (let i = 0; i < 400; i++) all.set(one, i * one.length)
    await client.write(all)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(host.embedded.broker.memory.partial).toBeLessThan(70_000)
  })

  it("a client that does not read is let go of when its connection ends", async () => {
    const host = hostWith()
    const stopped = await new Client(host, 1000).connect("one")
    await stopped.subscribe("t", 0)
    const publisher = await new Client(host).connect("publisher")
    for (let i = 0; i < 10; i++) await publisher.write(publishBytes(5, "t", "x".repeat(20_000)))
    await publisher.subscribe("other", 0)
    const began = performance.now()
    await new Client(host).connect("one")
    await stopped.served
    expect(performance.now() - began).toBeLessThan(4000)
    await expect(stopped.write(Uint8Array.of(0xc0, 0))).rejects.toBeUndefined()
  })

  it("a client that breaks the protocol is told, and its connection ends", async () => {
    const client = await new Client(hostWith()).connect("one")
    await client.write(Uint8Array.of(0xf1, 0))
    expect(await client.next()).toBe(14)
    expect(await client.next()).toBeUndefined()
    await client.served
  })

  it("a fault ends the one connection it happened on, and is counted", async () => {
    const told: string[] = []
    const host = hostWith({
      events: ({ event }) => told.push(event),
      access: {
        ...openAccess,
        publishRefusal(_identity, clientId) {
          if (clientId === "bad") throw new Error("a defect")
          return undefined
        },
      },
    })
    const [bad, good] = [await new Client(host).connect("bad"), await new Client(host).connect("good")]
    await bad.write(publishBytes(5, "t", "x", { qos: 1 }))
    await bad.served
    await good.write(publishBytes(5, "t", "x", { qos: 1 }))
    expect(await good.next()).toBe(4)
    expect(host.embedded.broker.faults.total).toBe(1)
    expect(told).toContain("fault")
  })

  it("streams that fail end their connection", async () => {
    const host = hostWith()
    const [near, far] = cable()
    const served = host.serve(far)
    await near.writable.abort(new Error("reset"))
    await served
    const locked = cable()[1]
    locked.readable.getReader()
    await host.serve(locked)
    expect(host.embedded.broker.connectionCount).toBe(0)
  })

  it("closes all of them with Reason Code 0x8B", async () => {
    const host = hostWith()
    const client = await new Client(host).connect("one")
    await host.close()
    closing.splice(0)
    expect(await client.next()).toBe(14)
    expect(await client.next()).toBeUndefined()
    await client.served
  })
})
