// NATS itself, where there is a nats-server.

import { connect, createServer } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openStreams, type StreamsOptions } from "../../src/cluster/nats.ts"
import { encodeText } from "../../src/packet/bytes.ts"
import { connectNats } from "../../src/platform/nats-socket.ts"
import { freePort, NatsServers, natsServer, withoutNats } from "./nats-server.ts"
import { answer, pass, until } from "./real-time.ts"
import { done, lastOf, type StreamsWorld, streamsContract, written } from "./streams-contract.ts"

async function natsWorld(): Promise<StreamsWorld> {
  const servers = await NatsServers.start(1)
  return {
    until,
    answer,
    pass,
    open: (cluster) => openStreams({ connect: connectNats, servers: servers.addresses, cluster, partitions: 2 }),
    kill: () => servers.kill(0),
    restart: () => servers.restart(0),
    stop: () => servers.stop(),
  }
}

if (natsServer === undefined) it.skip(`keeps the promises of streams on NATS: ${withoutNats}`, () => {})
else streamsContract("NATS", natsWorld)

describe.skipIf(natsServer === undefined)("openStreams on a server", { timeout: 60_000 }, () => {
  let servers: NatsServers
  beforeAll(async () => {
    servers = await NatsServers.start(1)
  }, 60_000)
  afterAll(() => servers.stop())
  const open = (options: Partial<StreamsOptions>) =>
    openStreams({ connect: connectNats, servers: servers.addresses, ...options })

  it("refuses another number of partitions with the one that there is", async () => {
    const streams = await open({ cluster: "fixed", partitions: 2 })
    await expect(open({ cluster: "fixed", partitions: 3 })).rejects.toThrow(/are 2 partitions, and 3 are configured/)
    await answer(streams.close())
  })

  it("asks nobody by a name that is no subject: nothing behind it is said to the servers", async () => {
    const [streams, other] = [await open({ cluster: "names" }), await open({ cluster: "names" })]
    const heard: string[] = []
    other.listen("x", () => heard.push("x"))
    await answer(other.settled())
    for (const name of ["a\r\nPUB names.x 1\r\nx\r\nPUB y", "a b", "a\t", "a..b", ">", "é".repeat(3000)]) {
      expect(await answer(streams.ask(`node.${name}.there`, encodeText(""), 300))).toHaveProperty("failed")
    }
    await answer(streams.settled())
    await pass(100)
    expect([heard, streams.reachable]).toEqual([[], true])
    for (const each of [streams, other]) await answer(each.close())
  })

  it("gives messages the age of the retention, not records, and nothing that is retained", async () => {
    const streams = await open({ cluster: "aged", partitions: 1, retention: { age: 2 } })
    const batch = ["m.a", "r.a", "s.x"].map((subject) => ({ subject, headers: {}, data: encodeText(subject) }))
    lastOf(await answer(streams.append(0, batch)))
    const copied: unknown[] = []
    streams.followRetained((message) => copied.push(message))
    await until("the copy", () => copied.length === 2)
    await pass(2500)
    const left = await Promise.all(["m.a", "r.a", "s.x"].map((subject) => answer(streams.last(0, subject))))
    expect(left.map((message) => done(message)?.subject)).toEqual([undefined, undefined, "s.x"])
    const retained: unknown[] = []
    streams.followRetained((message) => retained.push(message && written(message.data)))
    await until("what is retained", () => retained.length === 2)
    expect(retained).toEqual(["r.a", undefined])
    await answer(streams.close())
  })

  // What came between the sign of how far was looked, and the answer, was told twice.
  it("tells nothing behind what it says it has told, while more comes", async () => {
    const streams = await open({ cluster: "ranges", partitions: 1 })
    let [ended, said] = [false, 0]
    const publishing = (async () => {
      for (; !ended; said += 20) {
        const batch = Array.from({ length: 20 }, () => ({ subject: "m.a", headers: {}, data: new Uint8Array(10) }))
        lastOf(await answer(streams.append(0, batch)))
      }
    })()
    const seen: number[] = []
    let after = 0
    for (const end = performance.now() + 1500; performance.now() < end; ) {
      const { messages, through } = done(await answer(streams.fetch(0, ["m.>"], after, 500)))
      expect(messages.at(-1)?.sequence ?? 0).toBeLessThanOrEqual(through)
      seen.push(...messages.map(({ sequence }) => sequence))
      after = through
    }
    ended = true
    await publishing
    expect(said).toBeGreaterThan(100)
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b))
    await answer(streams.close())
  })

  // The library throws on them where they are looked at, and read nothing more of that connection, nor of the next.
  it("takes messages whose headers make no sense as such without any, and goes on", async () => {
    const streams = await open({ cluster: "senseless", partitions: 1 })
    const [came, passed] = [[] as unknown[], [] as unknown[]]
    const following = streams.follow(0, ({ headers, subject }) => came.push([subject, headers]))
    done(await answer(following.subjects(["m.>"])))
    streams.listen("q.>", ({ headers, subject }) => passed.push([subject, headers]))
    done(await answer(streams.settled()))
    await published(servers.addresses[0]!, "senseless.q.a", "senseless.0.m.a")
    lastOf(await answer(streams.append(0, [{ subject: "m.b", headers: { Is: "there" }, data: new Uint8Array(1) }])))
    await until("what came behind it", () => came.length === 2)
    expect(passed).toEqual([["q.a", {}]])
    expect(came).toEqual([
      ["m.a", {}],
      ["m.b", { Is: "there" }],
    ])
    const { messages } = done(await answer(streams.fetch(0, ["m.>"], 0, 10)))
    expect(messages.map(({ subject }) => subject)).toEqual(["m.a", "m.b"])
    await answer(streams.close())
  })

  // Nodes that went on waited for the sequences of the stream before, and said nothing.
  it("says that a stream was deleted and made anew", async () => {
    const troubles: string[] = []
    const streams = await open({ cluster: "anew", partitions: 1, trouble: (line) => troubles.push(line) })
    const following = streams.follow(0, () => undefined)
    done(await answer(following.subjects(["m.>"])))
    const link = await connectNats({ servers: [...servers.addresses] })
    await link.request("$JS.API.STREAM.DELETE.anew-0")
    const others = await open({ cluster: "anew", partitions: 1 })
    await until("it says so", () => troubles.length > 0)
    expect(troubles).toEqual([
      expect.stringMatching(/^The stream anew-0 was deleted, and made anew: .*start all nodes/),
    ])
    await link.close()
    await answer(others.close())
    await answer(streams.close())
  })

  it("answers that there is no such partition, and does not throw", async () => {
    const streams = await open({ cluster: "few", partitions: 1 })
    expect(await answer(streams.at(7, 1))).toEqual({ failed: "A message of few-7: there is no such partition" })
    await answer(streams.close())
  })

  it("says above the bytes of the retention that it is full, and takes what comes all the same", async () => {
    const streams = await open({ cluster: "full", partitions: 1, retention: { bytes: 100_000 } })
    const append = (subject: string) =>
      answer(streams.append(0, [{ subject, headers: {}, data: new Uint8Array(60_000) }]))
    lastOf(await append("m.a"))
    expect(streams.full).toBeUndefined()
    lastOf(await append("m.a"))
    await until("it says so", () => streams.full !== undefined)
    expect(streams.full).toMatch(/^the stream full-0 has \d+ bytes of the 100000/)
    expect(await append("s.x")).toHaveProperty("last")
    await answer(streams.close())
  })
})

/** Messages with a header whose name is none. */
async function published(address: string, ...subjects: readonly string[]): Promise<void> {
  const head = "NATS/1.0\r\nNo Name: 1\r\n\r\n"
  const socket = connect(Number(new URL(address).port), "127.0.0.1")
  socket.write('CONNECT {"verbose":false,"headers":true}\r\n')
  for (const subject of subjects) socket.write(`HPUB ${subject} ${head.length} ${head.length + 1}\r\n${head}x\r\n`)
  socket.write("PING\r\n")
  let said = ""
  for await (const bytes of socket) {
    said += String(bytes)
    if (said.includes("PONG")) break
  }
  socket.destroy()
}

describe("openStreams", { timeout: 60_000 }, () => {
  it("says in one line that nobody is there", async () => {
    const servers = [`nats://127.0.0.1:${await freePort()}`]
    const line = `NATS at ${servers[0]} cannot be used: connection refused. Is nats-server running there, with "jetstream" on, and are address and credentials right?`
    await expect(openStreams({ connect: connectNats, servers })).rejects.toThrow(line)
  })

  it("says in one line which version is needed", async () => {
    const old = createServer((socket) => {
      const info = { server_id: "x", version: "2.9.10", proto: 1, headers: true, max_payload: 1048576, jetstream: true }
      socket.write(`INFO ${JSON.stringify(info)}\r\n`)
      socket.on("data", (data) => {
        if (data.includes("PING")) socket.write("PONG\r\n")
      })
      socket.on("error", () => {})
    })
    await new Promise<void>((resolve) => old.listen(0, "127.0.0.1", resolve))
    const address = old.address()
    const port = typeof address === "object" ? address?.port : 0
    const opening = openStreams({ connect: connectNats, servers: [`nats://127.0.0.1:${port}`] })
    await expect(opening).rejects.toThrow(
      /^NATS at \S+: nats-server has version 2\.9\.10, and 2\.15 or newer is needed/,
    )
    old.close()
  })

  it.each([
    [{ cluster: "a.b" }, /The cluster's name is "a\.b"/],
    [{ partitions: 0 }, /The cluster has 0 partitions/],
    [{ replicas: 2 }, /The cluster has 2 replicas/],
  ])("refuses %j", async (options, line) => {
    await expect(openStreams({ connect: connectNats, servers: [], ...options })).rejects.toThrow(line)
  })
})
