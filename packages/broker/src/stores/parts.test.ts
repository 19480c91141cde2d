import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import type { Change } from "../packet/change.ts"
import { partsOf } from "./parts.ts"

const done = (place: number): Change => ({ type: "done", clientId: "c", place })
const retained = (topic: string, sequence: number): Change => ({ type: "retained", topic, sequence })
const types = (parts: readonly (readonly Change[])[]) => parts.map((part) => part.map(({ type }) => type))

it("what only ends something is parted anywhere, retained messages that go too", () => {
  const turn = [done(1), retained("a", 0), retained("b", 0), done(2)]
  expect(partsOf(turn, 1)).toEqual(turn.map((change) => [change]))
})

it("what comes is not parted from what is right before it, or behind", () => {
  const turn = [done(1), retained("a", 5), done(2), done(3)]
  expect(types(partsOf(turn, 1))).toEqual([["done", "retained", "done"], ["done"]])
})

describe("each part has what has come of the message with what ends elsewhere because of it", () => {
  const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const

  /** Of the last turn, parted as far as can be. */
  function partsBy(work: (test: TestBroker) => void, prepare: (test: TestBroker) => void): Change[][] {
    const test = new TestBroker({ queuePolicy: "drop-oldest", limits: { maximumQueuedMessages: 1 } })
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("t", { qos: 1 })
    sub.subscribe("$share/g/t/jobs", { qos: 1 })
    sub.cut()
    prepare(test)
    test.connect({ clientId: "pub" }).publish("t", "old", { qos: 1 })
    const before = test.store.changes.length
    work(test)
    test.settle()
    return partsOf(test.store.changes.slice(before), 1).map((part) => [...part])
  }

  it("of a will, for which an older message goes", () => {
    const will = {
      topic: "t",
      payload: new Uint8Array(1),
      qos: 1,
      retain: false,
    } as const
    let cut = () => {}
    const parts = partsBy(
      () => cut(),
      (test) => {
        const client = test.connect({ will })
        cut = () => client.cut()
      },
    )
    const at = (type: Change["type"]) => parts.findIndex((part) => part.some((one) => one.type === type))
    expect(at("queued")).toBeGreaterThanOrEqual(0)
    expect(at("will cleared")).toBeGreaterThanOrEqual(at("queued"))
  })

  it("of a shared message that goes on, for which an older one goes", () => {
    let end = () => {}
    const parts = partsBy(
      () => end(),
      (test) => {
        const worker = test.connect({ clientId: "worker", ...persistent })
        worker.subscribe("$share/g/t/jobs", { qos: 1 })
        test.connect({ clientId: "jobs" }).publish("t/jobs", "job", { qos: 1 })
        expect(worker.take()).toHaveLength(1)
        end = () => worker.disconnect(0, 0)
      },
    )
    const taken = parts.findIndex((part) => part.some((one) => one.type === "done" && one.clientId === "worker"))
    expect(taken).toBeGreaterThanOrEqual(0)
    expect(parts[taken]?.map(({ type }) => type)).toContain("queued")
  })
})
