import { expect, test } from "vitest"
import type { Arrived, FetchedMessages, Taken } from "../ports/cluster.ts"
import { Pause } from "../ports/pause.ts"
import type { StoreFailed } from "../ports/store.ts"
import { GroupMembers } from "./group-members.ts"
import { GroupMessages } from "./group-messages.ts"

function messageAt(sequence: number): Arrived {
  const empty = new Uint8Array(0)
  const beside = { retain: false, expiresAt: Number.POSITIVE_INFINITY, properties: empty, payload: empty }
  return { topic: "t", qos: 1, publisher: "p", position: { partition: 0, sequence }, ...beside }
}

test("messages that are on their way when a group begins anew are not fewer here than none", () => {
  const members = new GroupMembers()
  members.join({ clientId: "a", qos: 1, claim: 1, lasting: true }, "n")
  const reads: Pause<Arrived | undefined | StoreFailed>[] = []
  let [offers, mayOffer] = [0, true]
  const group = new GroupMessages(
    { share: "$share/g/t", path: "t", partitions: 1 },
    members,
    { through: [100], open: Array.from({ length: 100 }, (_, at): [number, number] => [0, at + 1]) },
    {
      largest: () => 1_000_000,
      now: () => 0,
      fetch: (_, _path, after, most) => {
        const messages = Array.from({ length: most }, (_, at) => messageAt(after + at + 1))
        const fetched = new Pause<FetchedMessages | StoreFailed>()
        fetched.answer({ messages, through: after + most, more: true })
        return fetched
      },
      at: () => {
        const read = new Pause<Arrived | undefined | StoreFailed>()
        reads.push(read)
        return read
      },
      offer: () => {
        offers++
        return new Pause<Taken | StoreFailed>()
      },
      session: () => new Pause(),
      goes: () => true,
      mayOffer: () => mayOffer,
      changed: () => undefined,
      write: () => undefined,
      manyDone: () => undefined,
      parted: () => undefined,
      doneOf: () => ({ through: [], but: [] }),
    },
  )
  group.pump()
  expect([reads.length, offers]).toEqual([100, 0])
  group.restart([100])
  mayOffer = false
  for (const [at, read] of reads.entries()) read.answer(messageAt(at + 1))
  mayOffer = true
  group.pump()
  // No more are fetched while 64 are with somebody who has not answered.
  expect(offers).toBe(64)
})
