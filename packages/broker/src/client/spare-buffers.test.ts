import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient } from "../../tests/harness.ts"
import type { Sink } from "../ports/peer.ts"
import { SpareBuffers, spareBytes } from "./spare-buffers.ts"

const topic = "t"
const sizes = [10, 1000, 3000, 5000, 16_384, 30_000, 40_000, 70_000]

/** A subscriber, what it was written by reference, and what that was when it was written. */
function watched(test: TestBroker, clientId: string, keeps: boolean) {
  const client = test.connect({ clientId })
  client.subscribe(topic, { qos: 1 })
  const chunks: { readonly chunk: Uint8Array; readonly was: Uint8Array }[] = []
  const { write } = client.sink
  Object.assign(client.sink, {
    keeps,
    write: (given: readonly Uint8Array[]) => {
      for (const chunk of given) chunks.push({ chunk, was: Uint8Array.from(chunk) })
      return write(given)
    },
  } satisfies Partial<Sink>)
  return { client, chunks }
}

function send(test: TestBroker, publisher: TestClient, length: number, fill: number, qos: 0 | 1 = 0): void {
  const bytes = publishBytes(publisher.version, topic, String.fromCharCode(fill).repeat(length), { qos, packetId: 1 })
  publisher.connection!.receive(bytes, test.now)
  bytes.fill(0xee)
}

describe("memory of what is written", () => {
  it("is not written to while a transport may refer to it", () => {
    const test = new TestBroker()
    const readers = [watched(test, "keeps", true), watched(test, "keeps too", true), watched(test, "copies", false)]
    const publisher = test.connect({ clientId: "publisher" })
    let fill = 65
    for (const qos of [0, 1, 0] as const) {
      for (const length of sizes) {
        for (let i = 0; i < 5; i++) send(test, publisher, length, fill, qos)
        fill++
        test.settle()
      }
    }
    for (const { chunks, client } of readers.slice(0, 2)) {
      expect(chunks.every(({ chunk, was }) => chunk.every((byte, i) => byte === was[i]))).toBe(true)
      expect(client.seen.filter(({ type }) => type === "publish")).toHaveLength(sizes.length * 15)
    }
    for (const { client } of readers) {
      const payloads = client.seen.flatMap((packet) => (packet.type === "publish" ? [packet.payload] : []))
      expect(payloads.every((payload) => new Set(payload).size === 1)).toBe(true)
      expect(payloads.map(({ length }) => length)).toEqual(
        [1, 2, 3].flatMap(() => sizes.flatMap((length) => Array(5).fill(length))),
      )
    }
  })

  it("is used again where the transport has no use for it any more", () => {
    const test = new TestBroker()
    const { chunks } = watched(test, "copies", false)
    const publisher = test.connect({ clientId: "publisher" })
    for (let i = 0; i < 50; i++) {
      for (const length of [3000, 20_000]) send(test, publisher, length, 65 + (i % 20))
      test.settle()
    }
    expect(new Set(chunks.map(({ chunk }) => chunk.buffer)).size).toBeLessThanOrEqual(2)
  })

  it("is with one client at a time, also where a message was above a client's Maximum Packet Size", () => {
    const test = new TestBroker()
    const small = test.connect({ clientId: "small", maximumPacketSize: 10_000 })
    const other = test.connect({ clientId: "other" })
    for (const filter of [topic, "both", "small"]) small.subscribe(filter)
    for (const filter of ["both", "other"]) other.subscribe(filter)
    const publisher = test.connect({ clientId: "publisher" })
    const publish = (name: string, length: number, letter: string) =>
      publisher.connection!.receive(publishBytes(publisher.version, name, letter.repeat(length)), test.now)
    publish(topic, 20_000, "A")
    publish("both", 6000, "B")
    test.settle()
    publish("other", 5000, "O")
    publish("small", 5000, "S")
    test.settle()
    expect(other.payloads()).toEqual(["B".repeat(6000), "O".repeat(5000)])
    expect(small.payloads()).toEqual(["B".repeat(6000), "S".repeat(5000)])
  })

  it("comes back, or is let go of, when a transport throws", () => {
    const test = new TestBroker()
    const publisher = test.connect({ clientId: "publisher" })
    for (let i = 0; i < 20; i++) {
      const { client } = watched(test, `c${i}`, false)
      client.sink.write = () => {
        throw new Error("planted")
      }
      send(test, publisher, 3000, 65)
      test.settle()
    }
    const { chunks } = watched(test, "copies", false)
    for (let i = 0; i < 5; i++) {
      send(test, publisher, 3000, 65)
      test.settle()
    }
    expect(new Set(chunks.slice(1).map(({ chunk }) => chunk.buffer)).size).toBe(1)
  })

  it("of a client that does not take it is what it needs, and counted", () => {
    const test = new TestBroker()
    const readers = Array.from({ length: 40 }, (_, i) => watched(test, `slow${i}`, true))
    for (const { client } of readers) client.taking = false
    const publisher = test.connect({ clientId: "publisher" })
    for (let i = 0; i < 5; i++) {
      send(test, publisher, 3000, 65 + i)
      test.settle()
    }
    const arrays = readers.flatMap(({ chunks }) => chunks.map(({ chunk }) => chunk.buffer))
    const held = [...new Set(arrays)].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(held).toBeLessThanOrEqual(test.broker.memory.outbound)
    test.checked = false
  })
})

it("there are sixteen spare buffers at once, and one that was lost makes room for another", () => {
  const spares = new SpareBuffers()
  const taken = Array.from({ length: 16 }, () => spares.take()!)
  expect(new Set(taken).size).toBe(16)
  expect(taken.every(({ length }) => length === spareBytes)).toBe(true)
  expect(spares.take()).toBeUndefined()
  spares.lose()
  expect(taken).not.toContain(spares.take())
  spares.give(taken[3]!)
  expect(spares.take()).toBe(taken[3])
  expect(spares.take()).toBeUndefined()
})
