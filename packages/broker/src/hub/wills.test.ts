import { expect, it } from "vitest"
import type { Change } from "../packet/change.ts"
import type { Will } from "../packet/packets.ts"
import type { Session } from "../session/session.ts"
import type { Chore } from "./chores.ts"
import { Wills, type WillsNeeds } from "./wills.ts"

const empty = new Uint8Array(0)
const beside = { properties: empty, messageExpiryInterval: undefined, qos: 0, retain: false } as const
const will: Will = { topic: "w", payload: empty, delayInterval: 60, ...beside }
const owner = { user: "", source: "anonymous", account: "a" } as const

function world() {
  const changes: Change[] = []
  const chores: Chore[] = []
  const needs = {
    recorder: { turn: 1, mayGrow: () => true, record: (change: Change) => changes.push(change) },
    counters: { willsPublished: 0, dropped: {} },
    faults: { attempt: (work: () => void) => work() },
    topics: { of: (name: string) => ({ name }) },
    keptBytes: () => 0,
    now: () => 0,
    later: (chore: Chore) => chores.push(chore),
    publish: () => undefined,
  }
  const of = (clientId: string) =>
    ({ clientId, owner, expiryInterval: 600, partWithWill: () => () => undefined }) as unknown as Session
  const publishAll = () => {
    for (const chore of chores.splice(0)) while (chore.next().done !== true);
  }
  return { wills: new Wills(needs as unknown as WillsNeeds), of, publishAll, changes }
}

// A name of each session with a will that had moved to another node was kept for as long as the process lived.
it("what goes on at another node with its will is forgotten here", () => {
  const { wills, of } = world()
  for (let at = 0; at < 100; at++) {
    wills.set(of(`c${at}`), will)
    wills.moved(`c${at}`)
  }
  expect(wills.keptCount).toBe(0)
})

it("but for a will that is published here: that it was is said", () => {
  const { changes, wills, of, publishAll } = world()
  const session = of("c")
  wills.set(session, will)
  wills.consider(session, will, { takenOverBy: { cleanStart: true } } as never, 0)
  wills.moved("c")
  expect(wills.keptCount).toBe(1)
  publishAll()
  expect(wills.keptCount).toBe(0)
  expect(changes.map(({ type }) => type)).toEqual(["will set", "will cleared"])
})
