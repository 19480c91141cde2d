import { describe, expect, it } from "vitest"
import { anyChange, Seeded } from "../../tests/stores/random-changes.ts"
import type { Change, Owner } from "./change.ts"
import { decodeTurn, encodeTurn } from "./change-encoding.ts"
import { TurnWriter, turnVersion } from "./turn-fields.ts"

function encode(turn: readonly Change[]): Uint8Array {
  const writer = new TurnWriter()
  encodeTurn(turn, writer)
  return new Uint8Array(writer.bytes.subarray(0, writer.length))
}

function decode(bytes: Uint8Array) {
  const changes: Change[] = []
  const fault = decodeTurn(bytes, (change) => changes.push(change))
  return { changes, fault }
}

const turnOf = (seed: number): Change[] => {
  const random = new Seeded(seed)
  return Array.from({ length: random.below(12) }, () => anyChange(random))
}

describe("a turn as bytes", () => {
  it("any Changes come out as they went in, each type among them", () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 2000; seed++) {
      const turn = turnOf(seed)
      for (const { type } of turn) seen.add(type)
      expect(decode(encode(turn))).toEqual({ changes: turn, fault: undefined })
    }
    expect(seen.size).toBe(20)
  })

  it("a writer that has something appends, and takes bytes from a part of another array", () => {
    const [first, second] = [turnOf(7), turnOf(8)]
    const writer = new TurnWriter()
    encodeTurn(first, writer)
    const middle = writer.length
    encodeTurn(second, writer)
    expect(decode(writer.bytes.subarray(0, middle)).changes).toEqual(first)
    expect(decode(writer.bytes.subarray(middle, writer.length))).toEqual({ changes: second, fault: undefined })
  })

  it("a writer does not keep the room that a large turn has needed", () => {
    const writer = new TurnWriter()
    writer.reserve(3_000_000)
    writer.clear()
    expect(writer.bytes.length).toBeLessThan(100_000)
    writer.reserve(100_000)
    writer.clear()
    expect(writer.bytes.length).toBeGreaterThanOrEqual(100_000)
  })

  it("in outline has the same Changes, without what is in messages", () => {
    const nothing = { topic: "", properties: new Uint8Array(0), payload: new Uint8Array(0), account: undefined }
    for (let seed = 0; seed < 200; seed++) {
      const turn = turnOf(seed)
      const outline: Change[] = []
      expect(decodeTurn(encode(turn), (change) => outline.push(change), true)).toBeUndefined()
      expect(outline).toEqual(turn.map((change) => (change.type === "message" ? { ...change, ...nothing } : change)))
    }
  })

  it("is of version 2 unless an owner is of a kind that version 2 did not know", () => {
    const opened = (owner: Partial<Owner>): Change => ({
      type: "opened",
      clientId: "a",
      owner: { user: "u", source: "password", account: "user u", ...owner },
      expiryInterval: 1,
    })
    const owners: Partial<Owner>[] = [
      ...([{}, { source: "certificate" }, { source: "token" }, { source: "hook" }, { source: "bridge" }] as const),
      { ownRights: true },
    ]
    const versions = owners.map((owner) => {
      const turn = [opened({}), opened(owner)]
      const bytes = encode(turn)
      expect(decode(bytes)).toEqual({ changes: turn, fault: undefined })
      return bytes[0]
    })
    expect(versions).toEqual([2, 2, 3, 3, 3, 3])
    const owner: Owner = { user: "u", source: "password", account: "user u" }
    expect(encode([{ type: "owned", clientId: "a", owner }])[0]).toBe(3)
  })

  it("cut off anywhere it is a fault with its offset, and nothing is thrown", () => {
    for (let seed = 0; seed < 40; seed++) {
      const bytes = encode(turnOf(seed)).subarray(0, 3000)
      for (let end = 0; end < bytes.length - 1; end++) {
        const { fault } = decode(bytes.subarray(0, end))
        expect(fault?.problem).toMatch(/cut off/)
        expect(fault?.at).toBeLessThanOrEqual(end)
      }
    }
  })

  it("any bytes give Changes or a fault, never an exception", () => {
    const random = new Seeded(1)
    let faults = 0
    for (let n = 0; n < 20_000; n++) {
      const bytes = Uint8Array.from({ length: 1 + random.below(40) }, () => random.below(256))
      bytes[0] = turnVersion
      if (random.chance(0.5)) bytes[1] = 1
      if (random.chance(0.5)) bytes[2] = random.below(20)
      if (decode(bytes).fault !== undefined) faults++
    }
    expect(faults).toBeGreaterThan(10_000)
  })

  it.each<[string, number[], RegExp]>([
    ["a later version", [4, 0], /turns of version 4 are not known, only up to 3/],
    ["no version", [0, 0], /turns of version 0 are not known/],
    ["an unknown type", [3, 1, 20], /unknown type 20/],
    ["a type that version 2 did not know", [2, 1, 19], /unknown type 19/],
    ["flags that are not known", [1, 1, 0, 1, 0x20], /unknown flags 0x20/],
    ["a sign of life of version 2 that has only one time", [2, 1, 18, 2], /cut off/],
    ["QoS 3", [1, 1, 0, 1, 3, 0, 0, 0, 0], /QoS 3/],
    ["an unknown source of an owner", [1, 1, 5, 2, 0x61, 3], /unknown source/],
    ["a source that version 2 did not know", [2, 1, 5, 2, 0x61, 0x80], /unknown source/],
    ["a source that nobody knows", [3, 1, 5, 2, 0x61, 6], /unknown source/],
    ["a Client Identifier like the one before, and none before", [1, 1, 8, 0], /no Client Identifier before/],
    ["text that is not UTF-8", [1, 1, 8, 2, 0xff], /UTF-8/],
    ["a number past 2^53 - 1", [1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], /too large/],
    ["a number that goes on", [1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], /too large/],
    ["a longer form of a number", [1, 1, 0, 0x81, 0], /longer than it needs/],
    ["something after it", [1, 0, 0], /more follows/],
  ])("%s is a fault", (_what, bytes, problem) => {
    expect(decode(Uint8Array.from(bytes)).fault?.problem).toMatch(problem)
  })

  it("a message of 64 bytes, queued, sent and done for a client takes 129 bytes", () => {
    const clientId = "client-0001"
    const [properties, payload] = [new Uint8Array(0), new Uint8Array(64)]
    const turn: Change[] = [
      {
        type: "message",
        sequence: 1_000_000,
        topic: "sensor/17/temperature",
        qos: 1,
        retain: false,
        ...{ expiresAt: 0 },
        properties,
        payload,
      },
      {
        type: "queued",
        clientId,
        place: 70_000,
        sequence: 1_000_000,
        qos: 1,
        retain: false,
        identifiers: [],
        share: undefined,
      },
      { type: "sent", clientId, place: 70_000, packetId: 40_000 },
      { type: "done", clientId, place: 70_000 },
    ]
    expect(encode(turn).length).toBe(129)
  })
})
