import { describe, expect, it } from "vitest"
import { KeepingStore } from "../../tests/keeping-store.ts"
import { anyTurns, orderlyTurns, Seeded } from "../../tests/stores/random-changes.ts"
import type { Change } from "../packet/change.ts"
import { Image } from "./image.ts"
import { problemOf } from "./image-problem.ts"

const empty = new Uint8Array(0)
const owner = { user: "", source: "anonymous", account: "" } as const
const said = (sequence: number): Change => ({
  ...({ type: "message", sequence, topic: "t", qos: 1, retain: false, expiresAt: 0 } as const),
  ...{ properties: empty, payload: empty },
})
const queued = (place: number, sequence: number): Change => ({
  ...({ type: "queued", clientId: "a", place, sequence, qos: 1, retain: false } as const),
  ...{ identifiers: [], share: undefined },
})
const opened: Change = { type: "opened", clientId: "a", owner, expiryInterval: 1 }
const of = { clientId: "a", filter: "f", place: 1, packetId: 7 } as const
const subscribed: Change = {
  ...({ type: "subscribed", clientId: "a", filter: "f", qos: 1 } as const),
  ...{ noLocal: false, retainAsPublished: false, identifier: undefined },
}

describe("what is wrong with a Change after those before it", () => {
  it.each<readonly [string, readonly Change[], Change]>([
    ["there is a message 1 already", [said(1)], said(1)],
    ["there is no message 2", [said(1)], { type: "retained", topic: "t", sequence: 2 }],
    ['no message is retained on "t"', [], { type: "retained", topic: "t", sequence: 0 }],
    ['"a" has no will', [opened], { type: "will cleared", clientId: "a" }],
    ['there is a session "a" already', [opened], opened],
    ['there is no session "a"', [], { type: "left", clientId: "a", endsAt: 1 }],
    ['there is no session "a"', [opened, { type: "ended", clientId: "a" }], { type: "ended", clientId: "a" }],
    ['session "a" has something at place 1 already', [said(1), opened, queued(1, 1)], queued(1, 1)],
    ['session "a" is to be sent one that is not there: there is no message 2', [said(1), opened], queued(1, 2)],
    ['session "a" has nothing at place 1', [opened], { type: "sent", ...of }],
    ['session "a" has nothing at place 1', [opened], { type: "released", ...of }],
    ['session "a" has nothing at place 1', [opened], { type: "done", ...of }],
    [
      'session "a" was sent what is at place 1 already',
      [opened, queued(1, 0), { type: "sent", ...of }],
      { type: "sent", ...of },
    ],
    ['session "a" has no subscription to "f"', [opened], { type: "unsubscribed", ...of }],
    ['session "a" has no subscription to "f"', [opened], { type: "walk begun", ...of, before: 1, sent: [] }],
    ['session "a" is owed no retained messages of "f"', [opened, subscribed], { type: "walk ended", ...of }],
    [
      'session "a" has received Packet Identifier 7 already',
      [opened, { type: "received", ...of }],
      { type: "received", ...of },
    ],
    ['session "a" has not received Packet Identifier 7', [opened], { type: "freed", ...of }],
  ])("%s", (problem, before, change) => {
    const image = new Image()
    for (const each of before) {
      expect(problemOf(image, each)).toBeUndefined()
      image.apply(each)
    }
    const lacking = !problem.endsWith("already")
    expect(problemOf(image, change)).toEqual({ what: problem, lacking })
  })

  it("nothing with those of a broker", () => {
    for (let seed = 0; seed < 20; seed++) {
      const image = new Image()
      for (const change of orderlyTurns(new Seeded(seed), 200).flat()) {
        expect(problemOf(image, change)).toBeUndefined()
        image.apply(change)
      }
    }
  })

  it("it is what the check of the simulator finds", () => {
    let [right, wrong] = [0, 0]
    for (let seed = 0; seed < 50; seed++) {
      const image = new Image()
      const good: Change[] = []
      for (const change of anyTurns(new Seeded(seed), 300).flat()) {
        // That a message is not kept any more is said by stores alone.
        if (change.type === "queued" && change.sequence === 0) continue
        const problem = problemOf(image, change)
        const judge = new KeepingStore()
        // In one turn, as lines are: messages are there though nobody refers to them yet.
        judge.commit([...good, change])
        // The order of places is for the simulator to judge.
        if (judge.wrong[0]?.endsWith("places go backwards")) continue
        expect([change, problem, judge.wrong.length]).toEqual([change, problem, problem === undefined ? 0 : 1])
        if (problem !== undefined) wrong++
        else {
          right++
          image.apply(change)
          good.push(change)
        }
      }
    }
    expect(Math.min(right, wrong)).toBeGreaterThan(1000)
  })
})
