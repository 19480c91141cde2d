import { describe, expect, it } from "vitest"
import { anyTurns, folded, Seeded } from "../../tests/stores/random-changes.ts"
import type { Change, Owner } from "../packet/change.ts"
import { Image } from "./image.ts"

const owner: Owner = { user: "alice", source: "password", account: "user alice" }
const opened = (clientId: string): Change => ({ type: "opened", clientId, owner, expiryInterval: 60 })
const message = (sequence: number, text = "x"): Change => ({
  ...{ type: "message", sequence, topic: "t", qos: 2, retain: false, expiresAt: Number.POSITIVE_INFINITY },
  ...{ properties: new Uint8Array(0), payload: new TextEncoder().encode(text) },
})
const queued = (clientId: string, place: number, sequence: number): Change => ({
  ...{ type: "queued", clientId, place, sequence, qos: 2, retain: false, identifiers: [], share: undefined },
})
const sent = (clientId: string, place: number, packetId: number): Change => ({
  type: "sent",
  clientId,
  place,
  packetId,
})
const at = (type: "released" | "done", clientId: string, place: number): Change => ({ type, clientId, place })
const retained = (sequence: number): Change => ({ type: "retained", topic: "t", sequence })

describe("what any Changes make", () => {
  it("is the same when it is said with the fewest Changes", () => {
    for (let seed = 0; seed < 400; seed++) {
      const random = new Seeded(seed)
      const once = folded(anyTurns(random, 1 + random.below(60)))
      expect(folded([once])).toEqual(once)
    }
  })

  it("is the same when what came first was said so meanwhile", () => {
    let longest = 0
    for (let seed = 0; seed < 400; seed++) {
      const random = new Seeded(seed)
      const turns = anyTurns(random, 60)
      const middle = random.below(60)
      const whole = folded(turns)
      longest = Math.max(longest, whole.length)
      expect(folded([folded(turns.slice(0, middle)), ...turns.slice(middle)])).toEqual(whole)
    }
    expect(longest).toBeGreaterThan(20)
  })
})

describe("a message", () => {
  it("is kept once for all who are to get it, until the last of them has", () => {
    const turns = [[opened("a"), opened("b")], [message(1), queued("a", 1, 1), queued("b", 1, 1)], [at("done", "a", 1)]]
    expect(folded(turns)).toEqual([message(1), opened("a"), opened("b"), queued("b", 1, 1)])
    expect(folded([...turns, [at("done", "b", 1)]])).toEqual([opened("a"), opened("b")])
  })

  it("is kept as the retained one of its topic, until there is another or none", () => {
    expect(folded([[message(1), retained(1)]])).toEqual([message(1), retained(1)])
    expect(
      folded([
        [message(1), retained(1)],
        [message(2), retained(2)],
      ]),
    ).toEqual([message(2), retained(2)])
    expect(folded([[message(1), retained(1)], [retained(0)]])).toEqual([])
  })

  it("may go from one to the other within a turn, and not later", () => {
    const ended: Change = { type: "ended", clientId: "a" }
    const before = [
      [opened("a"), opened("b")],
      [message(1), queued("a", 1, 1)],
    ]
    expect(folded([...before, [ended, queued("b", 1, 1)]])).toEqual([message(1), opened("b"), queued("b", 1, 1)])
    expect(folded([...before, [ended], [queued("b", 1, 1)]])).toEqual([opened("b")])
  })

  it("is the one that has the sequence now, should it be used again", () => {
    const turns = [[opened("a")], [message(1, "old"), queued("a", 1, 1)], [at("done", "a", 1)]]
    const again = [[message(1, "new"), queued("a", 2, 1)], [message(1, "repeated")]]
    expect(folded([...turns, ...again])).toEqual([message(1, "new"), opened("a"), queued("a", 2, 1)])
  })

  it("that is not there is nobody's, and counted", () => {
    const image = new Image()
    for (const change of [opened("a"), queued("a", 1, 9), retained(9)]) image.apply(change)
    expect([...image.changes()]).toEqual([opened("a")])
    expect(image.counts()).toMatchObject({ sessions: 1, queued: 0, retained: 0, missing: 2 })
  })

  it("after PUBREC is not kept, its Packet Identifier is, and PUBRELs keep the order of PUBRECs [MQTT-4.6.0-4]", () => {
    const first = [message(1), message(2), queued("a", 1, 1), queued("a", 2, 2), sent("a", 1, 11), sent("a", 2, 12)]
    const released = [at("released", "a", 2), at("released", "a", 1)]
    const kept = [queued("a", 1, 0), sent("a", 1, 11), queued("a", 2, 0), sent("a", 2, 12), ...released]
    expect(folded([[opened("a")], first, released])).toEqual([opened("a"), ...kept])
  })
})

describe("a session", () => {
  it("that is opened anew has nothing of the one before, but the will that waits", () => {
    const will: Change = {
      ...{ type: "will set", clientId: "a", owner, dueAt: 7 },
      will: {
        ...{ topic: "w", payload: new Uint8Array(1), qos: 0, retain: false, properties: new Uint8Array(0) },
        ...{ delayInterval: 0, messageExpiryInterval: undefined },
      },
    }
    const turn: Change[] = [
      opened("a"),
      will,
      message(1),
      queued("a", 1, 1),
      { type: "received", clientId: "a", packetId: 3 },
    ]
    expect(folded([turn, [opened("a")]])).toEqual([opened("a"), will])
    expect(folded([turn, [{ type: "ended", clientId: "a" }]])).toEqual([will])
    expect(
      folded([
        turn,
        [
          { type: "ended", clientId: "a" },
          { type: "will cleared", clientId: "a" },
        ],
      ]),
    ).toEqual([])
  })

  it("has the last expiry interval; those without a connection come in the order in which they were left", () => {
    const left = (clientId: string, endsAt: number): Change => ({ type: "left", clientId, endsAt })
    const turns: Change[][] = [[opened("a"), opened("b"), opened("c")], [left("b", 9)], [left("a", 8), left("c", 7)]]
    expect(folded(turns)).toEqual([opened("b"), left("b", 9), opened("a"), left("a", 8), opened("c"), left("c", 7)])
    const attended: Change = { type: "attended", clientId: "b", expiryInterval: 5 }
    expect(folded([...turns, [attended]])[0]).toEqual({ ...opened("b"), expiryInterval: 5 })
    expect(folded([...turns, [attended]])[1]).toEqual(opened("a"))
  })

  it("ends a walk over retained messages with the subscription", () => {
    const [clientId, filter] = ["a", "x/#"]
    const subscribed: Change = {
      ...{ type: "subscribed", clientId, filter, qos: 1, noLocal: true, retainAsPublished: false, identifier: 4 },
    }
    const turn: Change[] = [opened("a"), subscribed, { type: "walk begun", clientId, filter, before: 3, sent: [2] }]
    expect(folded([turn])).toEqual(turn)
    expect(folded([turn, [{ type: "unsubscribed", clientId, filter }]])).toEqual([opened("a")])
  })

  it("says of a walk which retained messages have been queued for it, and not what came live or by another", () => {
    const clientId = "a"
    const subscribed = (filter: string): Change => ({
      ...{ type: "subscribed", clientId, filter, qos: 1, noLocal: true, retainAsPublished: false, identifier: 4 },
    })
    const retained = (sequence: number): Change[] => [
      message(sequence),
      { type: "retained", topic: `t/${sequence}`, sequence },
    ]
    const queued = (place: number, sequence: number, retain: boolean, share?: string): Change => ({
      ...{ type: "queued", clientId, place, sequence, qos: 1, retain, identifiers: [], share },
    })
    const walk = (filter: string, sent: number[] = []): Change => ({
      ...{ type: "walk begun", clientId, filter, before: 3, sent },
    })
    const done = [1, 2, 3, 4].map((place): Change => ({ type: "done", clientId, place }))
    const turn = [opened("a"), subscribed("x"), subscribed("y"), ...[1, 2, 3].flatMap(retained), walk("x"), walk("y")]
    const sent = [
      queued(1, 2, true),
      message(4),
      queued(2, 4, true),
      queued(3, 1, true, "$share/a/b"),
      queued(4, 3, false),
    ]
    const ofSession = (changes: readonly Change[]) => changes.filter(({ type }) => type === "walk begun")
    expect(ofSession(folded([[...turn, ...sent], done]))).toEqual([walk("x", [2]), walk("y")])
    const next: Change[] = [{ type: "walk ended", clientId, filter: "x" }, queued(5, 2, true)]
    expect(ofSession(folded([[...turn, ...sent], next]))).toEqual([walk("y", [2])])
    // What a snapshot says as queued is not of a walk that it says as well.
    const again = folded([[...turn, queued(1, 2, true)]])
    expect(ofSession(folded([again]))).toEqual(ofSession(again))
  })
})

it("only the last clock counts", () => {
  const clocks = [5, 9].map((now) => ({ type: "clock", now, wall: now + 1, until: now + 2 }) as const)
  expect(folded(clocks.map((clock) => [clock]))).toEqual(clocks.slice(1))
})
