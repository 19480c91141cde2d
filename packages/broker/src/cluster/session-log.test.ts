import { describe, expect, it } from "vitest"
import { encodeText } from "../packet/bytes.ts"
import type { Change, MessageKept } from "../packet/change.ts"
import { SessionImage } from "./session-image.ts"
import { SessionLog } from "./session-log.ts"
import { applyRecord, headOf, SessionRecords } from "./session-record.ts"
import type { Append } from "./streams.ts"

const clientId = "c"
const owner = { user: "", source: "anonymous", account: "a" } as const
const now = 1_800_000_000_000
const opened: Change = { type: "opened", clientId, owner, expiryInterval: 60 }

/** A session's subject, as servers have it, and the node that writes there. */
function subject(options: { readonly largest?: number } = {}) {
  const messages = new Map<number, MessageKept>()
  const needs = {
    node: "n1",
    records: new SessionRecords(),
    largest: () => options.largest ?? 1_000_000,
    known: () => [10, 20],
    message: (sequence: number) => messages.get(sequence),
  }
  const log = new SessionLog(needs, new SessionImage(clientId, 2), { subject: "s.c", partition: 1, claim: 1, fence: 0 })
  let kept: Append[] = []
  return {
    log,
    /** A turn; whether something of it went to the servers. */
    turn(...changes: Change[]) {
      for (const change of changes) if (change.type === "message") messages.set(change.sequence, change)
      const append = log.take(changes, now)
      if (append === undefined) return undefined
      kept = append.rollup === true ? [append] : [...kept, append]
      log.appended(log.fence + 1)
      return append
    },
    /** What another node finds. */
    found() {
      const image = new SessionImage(clientId, 2)
      for (const { data } of kept) expect(applyRecord(image, data)).toMatchObject({ node: "n1", claim: 1 })
      return image
    },
  }
}

function message(sequence: number, position?: MessageKept["position"]): MessageKept {
  const what = { topic: "t", qos: 1, retain: false, expiresAt: Number.POSITIVE_INFINITY } as const
  return { type: "message", sequence, ...what, properties: new Uint8Array(0), payload: encodeText("x"), position }
}

function queued(place: number, sequence: number): Change {
  return { type: "queued", clientId, place, sequence, qos: 1, retain: false, identifiers: [], share: undefined }
}

const sent = (place: number, packetId: number): Change => ({ type: "sent", clientId, place, packetId })
const done = (place: number): Change => ({ type: "done", clientId, place })
const subscribed: Change = {
  ...{ type: "subscribed", clientId, filter: "t", qos: 1 },
  ...{ noLocal: false, retainAsPublished: false, identifier: undefined },
}

describe("a session's record", () => {
  it("says nothing of a message that waits and is in a partition", () => {
    const { turn, found } = subject()
    turn(opened)
    expect(turn(message(1, { partition: 0, sequence: 11 }), queued(1, 1))).toBeUndefined()
    expect(found().waiting.size).toBe(0)
    expect(found().through).toEqual([0, 0])
  })

  it("moves the cursor when a message was sent, and not before", () => {
    const { turn, found } = subject()
    turn(opened)
    turn(
      message(1, { partition: 0, sequence: 11 }),
      queued(1, 1),
      message(2, { partition: 0, sequence: 12 }),
      queued(2, 2),
    )
    turn(sent(1, 7))
    expect(found().through).toEqual([11, 0])
    expect(found().waiting.get(1)).toMatchObject({ content: { partition: 0, sequence: 11 }, packetId: 7 })
    turn(done(1))
    expect(found().waiting.size).toBe(0)
    expect(found().through).toEqual([11, 0])
  })

  it("leaves the cursor where it is for what came as a retained message", () => {
    const { turn, found } = subject()
    turn(opened)
    turn(message(1, { partition: 0, sequence: 99, aside: true }), queued(1, 1), sent(1, 7))
    expect(found().through).toEqual([0, 0])
    expect(found().waiting.get(1)?.content).toEqual({ partition: 0, sequence: 99, aside: true })
  })

  it("has the content of what is nowhere else", () => {
    const { turn, found } = subject()
    turn(opened)
    turn(message(1), queued(1, 1))
    expect(found().waiting.get(1)?.content).toMatchObject({ topic: "t", payload: encodeText("x") })
  })

  it("says since when a subscription has what comes", () => {
    const { turn, found } = subject()
    turn(opened, subscribed)
    expect(found().since.get("t")).toEqual([10, 20])
    turn({ type: "unsubscribed", clientId, filter: "t" })
    expect(found().since.size).toBe(0)
  })

  it("expects the one before it", () => {
    const { log, turn } = subject()
    turn(opened)
    log.appended(41)
    expect(turn(subscribed)?.expected).toBe(41)
  })

  it("of a session that ends with its connection has nothing of what it was sent", () => {
    const { turn, found } = subject()
    turn({ ...opened, expiryInterval: 0 })
    expect(turn(message(1, { partition: 0, sequence: 11 }), queued(1, 1), sent(1, 7))).toBeUndefined()
    expect(turn({ type: "received", clientId, packetId: 3 })).toBeUndefined()
    expect(found().exists).toBe(true)
  })

  it("is a snapshot, which ends by itself, when its client has left", () => {
    const { log, turn, found } = subject()
    turn(opened, subscribed)
    const left = turn({ type: "left", clientId, endsAt: now + 60_000 })
    expect(left).toMatchObject({ rollup: true, lifetime: 60 })
    expect(headOf(left!.data)).toMatchObject({ attended: false })
    expect(log.over).toBe(true)
    expect(found().subscriptions.size).toBe(1)
  })

  it("waits for its will, and for ever where it never expires", () => {
    const will = {
      topic: "w",
      payload: new Uint8Array(0),
      qos: 0,
      retain: false,
      properties: new Uint8Array(0),
    } as const
    const pending = { ...will, delayInterval: 5, messageExpiryInterval: undefined }
    const { log, turn } = subject()
    turn(opened, { type: "will set", clientId, owner, will: pending, dueAt: now + 5000 })
    const left = turn({ type: "left", clientId, endsAt: now + 60_000 })
    expect(left?.lifetime).toBeUndefined()
    expect(headOf(left!.data)).toMatchObject({ attended: true })
    expect(log.over).toBe(false)
    expect(turn({ type: "will cleared", clientId })).toMatchObject({ rollup: true, lifetime: 60 })
    const other = subject()
    other.turn({ ...opened, expiryInterval: 0xffff_ffff })
    expect(other.turn({ type: "left", clientId, endsAt: Number.POSITIVE_INFINITY })?.lifetime).toBeUndefined()
  })

  it("is a snapshot after many, with all that they said", () => {
    const { turn, found } = subject()
    turn(opened, subscribed)
    let snapshots = 0
    for (let place = 1; place <= 200; place++) {
      const position = { partition: 1, sequence: 20 + place }
      if (turn(message(place, position), queued(place, place), sent(place, place))?.rollup) snapshots++
      if (place > 3) turn(done(place - 3))
    }
    expect(snapshots).toBeGreaterThan(2)
    expect([...found().waiting.keys()]).toEqual([198, 199, 200])
    expect(found().through).toEqual([0, 220])
    expect(found().subscriptions.size).toBe(1)
  })

  it("leaves out what is nowhere else rather than be too large, and says when even that does not help", () => {
    const { log, turn, found } = subject({ largest: 2000 })
    turn(opened)
    turn({ ...message(1), payload: new Uint8Array(3000) }, queued(1, 1))
    expect(found().waiting.size).toBe(0)
    expect(log.tooLarge).toBe(false)
    turn({ ...subscribed, filter: "f".repeat(3000) } as Change)
    expect(log.tooLarge).toBe(true)
  })

  const taken = (value: string) => `{"node":"n","claim":1,"attended":true,"through":[],"since":{},"taken":${value}}`
  it.each([
    ...["null", "{}", '{"node":1,"claim":1,"attended":true,"through":[],"since":{}}', "[", '"n"'],
    // Who read the record never answered, and the client could not connect to this node any more.
    ...["null", "1", '{"g":null}', '{"g":{"last":1,"keys":[]}}', '{"g":{"last":[1,1],"keys":1}}'].map(taken),
  ])("that others have written, with the head %s, is damaged", (head) => {
    const text = encodeText(head)
    const record = Uint8Array.from([1, 0, 0, 0, 0, text.length, ...text])
    expect(headOf(record)).toBe("the head of a session's record is damaged")
    expect(applyRecord(new SessionImage(clientId, 2), record)).toBe("the head of a session's record is damaged")
  })

  it("of a later version is refused in one line", () => {
    const record = new SessionRecords().encode({ node: "n", claim: 1, attended: true, through: [], since: {} }, [
      opened,
    ])
    record[0] = 2
    expect(applyRecord(new SessionImage(clientId, 2), record)).toMatch(/of version 2, and this broker reads 1$/)
    expect(applyRecord(new SessionImage(clientId, 2), record.subarray(0, 3))).toBe("a record of a session is cut off")
  })
})
