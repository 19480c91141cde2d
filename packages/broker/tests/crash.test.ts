// What `npm run crash` stands on: a store that answers late and is a store all the same, and clients that find what is wrong.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { DelayedStore } from "../crash/delayed-store.ts"
import { Publisher } from "../crash/publisher.ts"
import { isRetained, payloadFor, qosOf, saidIn, textOf, topicOf } from "../crash/said.ts"
import { Subscriber } from "../crash/subscriber.ts"
import type { Change } from "../src/packet/change.ts"
import { openFileStore } from "../src/stores/node-files.ts"
import { KeepingStore } from "./keeping-store.ts"
import { storeContract } from "./stores/contract.ts"
import { Seeded } from "./stores/random-changes.ts"
import { answerOf } from "./stores/small-hub.ts"

const upTo =
  (most: number, random = new Seeded(1)) =>
  () =>
    random.below(most + 1)

storeContract("files, with delays", () => {
  const directory = mkdtempSync(join(tmpdir(), "puremq-store-"))
  return {
    open: async () => new DelayedStore(await openFileStore({ directory }), upTo(2)),
    remove: () => rmSync(directory, { recursive: true }),
  }
})

describe("a store that answers late", () => {
  const cleared: Change = { type: "will cleared", clientId: "c" }

  it("gives a turn to its store, and answers, when time has passed", async () => {
    const events: string[] = []
    const store = new KeepingStore()
    const commit = store.commit.bind(store)
    store.commit = (turn) => {
      events.push("kept")
      return commit(turn)
    }
    const delayed = new DelayedStore(store, () => 5)
    const answer = answerOf(delayed.commit([cleared])).then(() => events.push("answered"))
    events.push("handed over")
    await new Promise((resolve) => setTimeout(resolve))
    events.push("a turn of the loop")
    await answer
    expect(events).toEqual(["handed over", "a turn of the loop", "kept", "answered"])
  })

  it("keeps no turn that comes after one that failed and was handed over before that was known", async () => {
    const failing = [true, false]
    const kept: string[] = []
    const store = new KeepingStore()
    store.commit = ([change]) => {
      if (failing.shift() === true) return { failed: "full" }
      kept.push(change?.type === "will cleared" ? change.clientId : "")
      return "committed"
    }
    const delayed = new DelayedStore(store, () => 1)
    const turn = (clientId: string): Change[] => [{ ...cleared, clientId } as Change]
    const answers = [delayed.commit(turn("a")), delayed.commit(turn("b"))].map((answer) => answerOf(answer))
    expect(await Promise.all(answers)).toEqual([{ failed: "full" }, { failed: "a turn before it was not kept" }])
    expect(await answerOf(delayed.commit(turn("a")))).toBe("committed")
    expect(kept).toEqual(["a"])
  })
})

describe("what publishers say", () => {
  it("tells who said it and the how manieth it is, is of both QoS, and in part retained or taken away", () => {
    const counts = Array.from({ length: 600 }, (_, i) => i + 1)
    const payloads = new Set(counts.map((count) => payloadFor({ by: "p1", count }, 30)))
    expect(saidIn(payloadFor({ by: "p3", count: 7 }, 30))).toEqual({ by: "p3", count: 7 })
    expect([saidIn("p1 1 2"), saidIn("will 4"), saidIn("p1 1 3 more")]).toEqual([undefined, undefined, undefined])
    expect(payloads.has("")).toBe(true)
    const topics = new Map<string, Set<number>>()
    for (const count of counts.filter(isRetained)) {
      const topic = topicOf({ by: "p1", count })
      topics.set(topic, (topics.get(topic) ?? new Set()).add(qosOf(count)))
    }
    // Messages of one topic are in order when they are of one QoS.
    expect([...topics.values()].map(({ size }) => size)).toEqual(Array.from({ length: 10 }, () => 1))
  })
})

describe("what a subscriber has missed", () => {
  /** Messages to its topic: each publisher's are 2, 3, 4 ... */
  function after(got: readonly number[], acknowledged: readonly number[], refused: readonly number[] = []): string[] {
    const [publisher, subscriber] = [new Publisher("p1", 5, 0), new Subscriber("there", 5)]
    for (const count of acknowledged) publisher.acknowledged[qosOf(count)].add(count)
    for (const count of refused) publisher.refused.add(count)
    for (const count of got) {
      const key = `p1/${qosOf(count)}`
      subscriber.got.set(key, [...(subscriber.got.get(key) ?? []), count])
    }
    return [...subscriber.missed(publisher)]
  }

  it.each<[string, string[], string[]]>([
    ["nothing", after([2, 3, 4, 5], [2, 3, 4, 5]), []],
    ["nothing: it was not acknowledged", after([2, 3], [2]), []],
    ["nothing: QoS 1 may come twice", after([3, 5, 3, 5, 7], [3, 5, 7]), []],
    ["one", after([2, 4], [2, 4, 6]), ["there: QoS 2 of p1: 1 acknowledged and lost, the first is 6"]],
    ["nothing, and has one twice", after([2, 4, 2], [2, 4]), ["there: QoS 2 of p1: 1 doubled"]],
    ["the order", after([5, 3], [3, 5]), ["there: QoS 1 of p1: 3 came after 5"]],
    ["a refusal", after([2, 4], [2], [4]), ["there: QoS 2 of p1: 1 refused and delivered, the first is 4"]],
  ])("%s", (_, missed, expected) => {
    expect(missed).toEqual(expected)
  })

  it("nothing where a message is retained: that goes elsewhere", () => {
    expect([isRetained(1), isRetained(10), isRetained(21)]).toEqual([true, true, true])
    expect(after([], [1, 10, 21])).toEqual([])
    expect(textOf({ by: "p1", count: 10 })).toBe("p1 2 10")
  })
})
