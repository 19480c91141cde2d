import { describe, expect, test } from "vitest"
import { SessionImage } from "./session-image.ts"
import { applyRecord, SessionRecords } from "./session-record.ts"

const share = "$share/g/t"
const nothing = { through: [0, 0], but: [] }

describe("what a session has taken of a Shared Subscription at QoS 2", () => {
  test("is remembered until all up to it is done, but for what is not", () => {
    const image = new SessionImage("m", 2)
    expect(image.admits(share, [7, 1], nothing)).toBe(true)
    for (const sequence of [3, 4, 9]) image.take(share, { partition: 1, sequence })
    expect(image.admits(share, [7, 2], { through: [9, 4], but: [[1, 3]] })).toBe(true)
    expect([...(image.taken.get(share)?.keys ?? [])]).toEqual(["1:3", "1:9"])
    expect(image.hasTaken).toBe(true)
    expect(image.admits(share, [7, 3], { through: [9, 9], but: [] })).toBe(true)
    expect(image.hasTaken).toBe(false)
  })

  test("an offer that comes behind a later one is void, whichever owner's, and tells nothing", () => {
    const image = new SessionImage("m", 2)
    expect(image.admits(share, [7, 5], nothing)).toBe(true)
    image.take(share, { partition: 0, sequence: 1 })
    for (const late of [
      [7, 5],
      [7, 4],
      [6, 100],
    ] as const) {
      expect(image.admits(share, late, { through: [9, 9], but: [] })).toBe(false)
    }
    expect(image.hasTaken).toBe(true)
    expect(image.admits("$share/other/t", [1, 1], nothing)).toBe(true)
    expect(image.admits(share, [8, 1], nothing)).toBe(true)
  })

  test("is in its record, also when it has ended", () => {
    const image = new SessionImage("m", 2)
    image.admits(share, [7, 5], nothing)
    image.take(share, { partition: 1, sequence: 3 })
    const taken = { [share]: { last: [7, 5] as const, keys: ["1:3"] } }
    const head = { node: "n", claim: 1, attended: false, through: [0, 0], since: {}, taken }
    const read = new SessionImage("m", 2)
    expect(applyRecord(read, new SessionRecords().encode(head, []))).toMatchObject({ node: "n" })
    expect(read.admits(share, [7, 5], nothing)).toBe(false)
    expect(read.taken.get(share)?.keys.has("1:3")).toBe(true)
  })
})

test("a session that ends before its will is published leaves the will to whoever reads its record", () => {
  const owner = { user: "", account: "c" } as unknown as NonNullable<SessionImage["owner"]>
  const beside = { qos: 1, retain: false, delayInterval: 0, messageExpiryInterval: undefined } as const
  const will = { topic: "w", payload: new Uint8Array(1), properties: new Uint8Array(0), ...beside }
  const image = new SessionImage("c", 1)
  image.apply({ type: "opened", clientId: "c", owner, expiryInterval: 60 })
  const set = { type: "will set", clientId: "c", owner, will, dueAt: 5 } as const
  image.apply(set)
  image.apply({ type: "ended", clientId: "c" })
  expect([image.exists, image.attended, image.changes()]).toEqual([false, true, [set]])
  image.apply({ type: "will cleared", clientId: "c" })
  expect([image.attended, image.changes()]).toEqual([false, []])
})
