// The bounds of what may wait for a store, each at its value and one past it.

import { describe, expect, it } from "vitest"
import type { Change } from "../packet/change.ts"
import { encodeTurn } from "../packet/change-encoding.ts"
import { Message } from "../packet/message.ts"
import { Topic } from "../packet/topic.ts"
import { TurnWriter } from "../packet/turn-fields.ts"
import { Pause } from "../ports/pause.ts"
import type { Committed, Store } from "../ports/store.ts"
import { Journal } from "./journal.ts"

const change: Change = { type: "clock", now: 1, wall: 1, until: 1 }
const far = Number.POSITIVE_INFINITY

const most = { changes: 50_000, changeBytes: 16 * 1024 * 1024 }

function late() {
  const pause = new Pause<Committed>()
  const told: string[] = []
  const store: Store = {
    lasting: true,
    restore: () => "restored",
    commit: () => pause,
    full: () => undefined,
    close: () => undefined,
  }
  const events = {
    begun: () => undefined,
    committed: () => told.push("committed"),
    failed: (why: string) => told.push(why),
    recovered: () => told.push("recovered"),
  }
  const journal = new Journal(store, events, () => 0, most)
  const record = (count: number) => {
    for (let i = 0; i < count; i++) journal.record(change)
  }
  return { journal, record, pause, told }
}

function message(size: number): Message {
  return Message.of(new Topic("t", Uint8Array.of(0x74)), new Uint8Array(size), 1, false, new Uint8Array(0), far)
}

it("the store is asked for no less room than a turn takes, whatever texts are in it", () => {
  const text = (letter: string) => letter.repeat(50_000)
  const [clientId, topic, filter] = [text("c"), text("é"), text("f")]
  const owner = { user: text("u"), source: "password", account: text("a") } as const
  const nothing = new Uint8Array(0)
  const how = { qos: 1, retain: false } as const
  const will = { topic, payload: nothing, properties: new Uint8Array(9000), delayInterval: 0, messageExpiryInterval: 1 }
  const changes: Change[] = [
    { type: "message", sequence: 1, topic, ...how, expiresAt: far, properties: nothing, payload: nothing },
    { type: "opened", clientId, owner, expiryInterval: 1 },
    { type: "subscribed", clientId, filter, qos: 1, noLocal: false, retainAsPublished: false, identifier: undefined },
    { type: "queued", clientId, place: 1, sequence: 1, ...how, identifiers: [], share: filter },
    { type: "retained", topic, sequence: 1 },
    { type: "will set", clientId, owner, dueAt: far, will: { ...will, ...how } },
    { type: "left", clientId, endsAt: 1 },
  ]
  for (const each of changes) {
    let asked = 0
    const store: Store = {
      lasting: true,
      restore: () => "restored",
      commit: () => "committed",
      full: (more = 0) => {
        asked = more
        return undefined
      },
      close: () => undefined,
    }
    const events = { begun() {}, committed() {}, failed() {}, recovered() {} }
    const journal = new Journal(store, events, () => 0, most)
    const writer = new TurnWriter()
    encodeTurn([each], writer)
    journal.record(each)
    expect(asked, each.type).toBeGreaterThanOrEqual(writer.length)
  }
})

describe("what waits for a store", () => {
  it("is far behind at 50,000 Changes, not at one less", () => {
    const { journal, record } = late()
    record(49_999)
    expect(journal.behind).toBe(false)
    record(1)
    expect(journal.behind).toBe(true)
  })

  it("is far behind at 16 MiB of bodies, not at one byte less", () => {
    const { journal } = late()
    journal.keep(message(16 * 1024 * 1024 - 1))
    expect(journal.behind).toBe(false)
    journal.keep(message(1))
    expect(journal.behind).toBe(true)
  })

  it("counts as a store that fails at four times as much, until it has caught up", () => {
    const { journal, record, pause, told } = late()
    record(1)
    journal.endTurn(0) // with a sign of life
    record(199_997)
    journal.endTurn(0)
    expect([journal.failing, told]).toEqual([false, []])
    record(1)
    journal.endTurn(0)
    expect([journal.failing, told.length]).toEqual([true, 1])
    expect(told[0]).toMatch(/^the store has 200000 changes to keep and does not keep up/)
    pause.answer("committed")
    journal.endTurn(0) // the same pause answers for what came meanwhile
    expect([journal.failing, journal.behind, told.at(-1)]).toEqual([false, false, "recovered"])
  })
})

describe("a store that throws when it is asked for room", () => {
  it("counts as one that has none, until it answers again", () => {
    let throws = true
    const told: string[] = []
    const store: Store = {
      lasting: true,
      restore: () => "restored",
      commit: () => "committed",
      full: () => {
        if (throws) throw new Error("the disk is gone")
        return undefined
      },
      close: () => undefined,
    }
    const events = {
      begun: () => undefined,
      committed: () => undefined,
      failed: (why: string) => told.push(why),
      recovered: () => told.push("recovered"),
    }
    const journal = new Journal(store, events, () => 0)
    journal.endTurn(0)
    expect([journal.failing, told]).toEqual([true, ["the disk is gone"]])
    throws = false
    journal.endTurn(0)
    expect([journal.failing, told]).toEqual([false, ["the disk is gone", "recovered"]])
  })
})

describe("a message that is kept", () => {
  it.each([10, 64, 65, 1000])("of %i bytes: is said once, with its parts", (size) => {
    const turns: Change[] = []
    const store: Store = {
      lasting: true,
      restore: () => "restored",
      commit: (turn) => {
        turns.push(...turn)
        return "committed"
      },
      full: () => undefined,
      close: () => undefined,
    }
    const nothing = () => undefined
    const events = { begun: nothing, committed: nothing, failed: nothing, recovered: nothing }
    const journal = new Journal(store, events, () => 0)
    const payload = new Uint8Array(size).map((_, at) => at)
    const kept = Message.of(new Topic("t", Uint8Array.of(0x74)), payload, 1, false, Uint8Array.of(0x01, 1), far)
    expect([journal.keep(kept), journal.keep(kept)]).toEqual([1, 1])
    journal.endTurn(0)
    const said = turns.filter(({ type }) => type === "message")
    expect(said).toMatchObject([{ sequence: 1, topic: "t", payload, properties: Uint8Array.of(0x01, 1) }])
  })
})
