import { expect, test } from "vitest"
import type { Arrived, FetchedMessages, Taken } from "../ports/cluster.ts"
import { Pause } from "../ports/pause.ts"
import type { StoreFailed } from "../ports/store.ts"
import type { SessionSeen } from "./group-messages.ts"
import { GroupOwner, type RecordContent } from "./group-owner.ts"
import type { GroupRecord, Marks } from "./group-record.ts"
import type { GroupNews } from "./group-words.ts"

function answered<Answer>(answer: Answer): Pause<Answer> {
  const pause = new Pause<Answer>()
  pause.answer(answer)
  return pause
}

function messageAt(sequence: number, qos: 1 | 2 = 1): Arrived {
  const empty = new Uint8Array(0)
  const beside = { retain: false, expiresAt: Number.POSITIVE_INFINITY, properties: empty, payload: empty }
  return { topic: "t", qos, publisher: "p", position: { partition: 0, sequence }, ...beside }
}

interface WorldOptions {
  /** What another owner has written. */
  readonly before?: GroupRecord
  readonly largest?: number
  readonly qos?: 1 | 2
  /** Writes are answered by the test. */
  readonly writes?: Pause<"written" | "lost">[]
}

/** A group with messages 1, 2, ... on servers that answer at once; offers are answered by the test. */
function world(count: number, { before, largest = 1_000_000, qos = 1, writes }: WorldOptions = {}) {
  const clock = { now: 0 }
  const records: RecordContent[] = []
  const offers: {
    readonly to: string
    readonly sequence: number
    readonly done: Marks
    readonly answer: Pause<Taken | StoreFailed>
  }[] = []
  const owner = new GroupOwner("$share/g/t", 1, before, {
    now: () => clock.now,
    reachable: () => true,
    largest: () => largest,
    fetch: (_, _path, after, most) => {
      const messages = Array.from({ length: Math.min(most, count - after) }, (_, at) => messageAt(after + at + 1, qos))
      return answered<FetchedMessages | StoreFailed>({
        messages,
        through: after + messages.length,
        more: after + messages.length < count,
      })
    },
    at: (_, sequence) => answered<Arrived | undefined | StoreFailed>(messageAt(sequence, qos)),
    wants: () => answered<readonly number[] | StoreFailed>([0]),
    unwanted: () => undefined,
    write: (record) => {
      records.push(record)
      if (writes === undefined) return answered<"written" | "lost">("written")
      const answer = new Pause<"written" | "lost">()
      writes.push(answer)
      return answer
    },
    offer: (_, { clientId, done, message }) => {
      const answer = new Pause<Taken | StoreFailed>()
      offers.push({ to: clientId, sequence: message.position.sequence, done, answer })
      return answer
    },
    session: () => answered<SessionSeen | StoreFailed>({ member: false, taken: () => false }),
    ended: () => undefined,
  })
  const news = (some: Partial<GroupNews>) => {
    const nothing = { settled: [], parting: [], coming: [], joining: [] }
    return owner.news({ share: "$share/g/t", node: "n", all: false, ...nothing, ...some })
  }
  return { clock, offers, news, owner, records }
}

const member = (clientId: string) => ({ clientId, qos: 1, lasting: false, held: [] }) as const

test("what a member hands back before its node's first answer has come is offered anew, by an answer of its own", () => {
  const { offers, news } = world(1)
  news({ coming: [member("m")], joining: [member("m")] })
  expect(offers.map(({ to }) => to)).toEqual(["m"])
  news({ settled: [[0, 1, "m", false]] })
  expect(offers.map(({ to }) => to)).toEqual(["m", "m"])
  offers[0]!.answer.answer("sent")
  news({ joining: [member("other")] })
  offers[1]!.answer.answer("away")
  expect(offers.map(({ to }) => to)).toEqual(["m", "m", "other"])
})

test("a member without room is offered nothing until it joins again, and others get what it did not", () => {
  const { offers, news } = world(3)
  news({ joining: [member("m"), member("other")] })
  for (const { to, answer } of [...offers]) answer.answer(to === "m" ? "full" : "sent")
  for (const { answer } of offers) answer.answer("sent")
  const before = offers.length
  expect(new Set(offers.filter(({ to }) => to === "other").map(({ sequence }) => sequence))).toEqual(new Set([1, 2, 3]))
  news({ joining: [member("m")] })
  expect(offers).toHaveLength(before)
})

test("a message that nobody keeps is not passed on when it was held on its way, or is of before this owner", () => {
  const { clock, offers, news, owner } = world(0)
  clock.now = 10_000
  news({ joining: [member("m")] })
  const passing = (publishedAt: number | undefined) => {
    owner.passing({ ...messageAt(0), qos: 0, publishedAt })
    return offers.splice(0).length
  }
  expect([passing(undefined), passing(10_000), passing(9001), passing(9000)]).toEqual([1, 1, 1, 0])
  const later = world(0)
  later.news({ joining: [member("m")] })
  later.clock.now = 500
  later.owner.passing({ ...messageAt(0), qos: 0, publishedAt: 0 })
  expect(later.offers).toEqual([])
  later.owner.passing({ ...messageAt(0), qos: 0, publishedAt: 1 })
  expect(later.offers).toHaveLength(1)
})

const two = (clientId: string) => ({ clientId, qos: 2, lasting: true, held: [] }) as const

test("what was offered at QoS 2 to members who are away keeps no others from being fetched, and is theirs when they are back", () => {
  const { clock, offers, news, owner } = world(300, { qos: 2 })
  news({ joining: [two("away")] })
  const before = offers.length
  expect(before).toBeGreaterThanOrEqual(64)
  // Their answers are lost, and then it is away.
  for (const { answer } of offers.splice(0)) answer.answer({ failed: "no answer" })
  news({ parting: [{ clientId: "away", gone: false }], joining: [two("here")] })
  clock.now += 1000
  owner.tick(clock.now)
  for (let rounds = 0; rounds < 100; rounds++) for (const { answer } of offers.splice(0)) answer.answer("kept")
  clock.now += 1000
  owner.tick(clock.now)
  news({ joining: [two("away")] })
  const again: number[] = []
  for (let rounds = 0; rounds < 100; rounds++) {
    for (const { to, sequence, answer } of offers.splice(0)) {
      expect(to).toBe("away")
      again.push(sequence)
      answer.answer("kept")
    }
  }
  expect(again.sort((a, b) => a - b)).toEqual(Array.from({ length: before }, (_, at) => at + 1))
})

// They forgot what they had taken, as it was none of what was open, and took it a second time.
test("an owner whose first record is not written yet tells members what the last one's says is open", () => {
  const open = [
    [0, 5, "m"],
    [0, 6],
    [0, 7, "other"],
  ] as const
  const common = { share: "$share/g/t", node: "last", claim: 1, number: 9, over: false }
  const before: GroupRecord = { ...common, through: [7], open, members: ["m", "other"] }
  const writes: Pause<"written" | "lost">[] = []
  const { clock, news, offers, owner } = world(7, { before, qos: 2, writes })
  news({ joining: [two("m"), two("other")] })
  expect(offers).toEqual([])
  clock.now += 2000
  owner.tick(clock.now)
  expect(writes).toHaveLength(1)
  expect(offers.map(({ done, sequence, to }) => [to, sequence, done])).toEqual([
    ["m", 5, { through: [7], but: [[0, 5]] }],
    ["other", 7, { through: [7], but: [[0, 7]] }],
  ])
})

test("whom messages were offered to has its part of the record, and the next waits until others are done", () => {
  // A quarter of it has room for ten of these.
  const { news, offers, records } = world(300, { qos: 2, largest: 40_000 })
  const name = "m".repeat(997)
  news({ joining: [{ ...two(name), lasting: false }] })
  expect(offers).toHaveLength(10)
  expect(records.at(-1)!.open.filter((one) => one.length === 3)).toHaveLength(10)
  offers[0]!.answer.answer("kept")
  news({ joining: [{ ...two(name), lasting: false }] })
  expect(offers).toHaveLength(11)
})
