import { describe, expect, it } from "vitest"
import type { Change } from "../packet/change.ts"
import { Pause } from "../ports/pause.ts"
import type { Committed } from "../ports/store.ts"
import { Commits } from "./commits.ts"
import { Ownership } from "./ownership.ts"
import type { SessionLog } from "./session-log.ts"
import { Slots } from "./slots.ts"
import type { Append, Appended, StreamMessage, Streams } from "./streams.ts"

/** Servers of one partition that never take a message with this payload. */
function servers(bad: number) {
  const kept: Append[] = []
  let last = 0
  const streams = {
    partitions: 1,
    batch: 999,
    largest: 1000,
    reachable: true,
    append(_: number, batch: readonly Append[]) {
      const answer = new Pause<Appended>()
      const isBad = batch.some(({ subject, data }) => subject.startsWith("m.") && data[0] === bad)
      if (!isBad) kept.push(...batch)
      if (!isBad) last += batch.length
      answer.answer(isBad ? { failed: "it is not taken", final: true } : { last })
      return answer
    },
  }
  return { kept, streams: streams as unknown as Streams }
}

const published = (publisher: string, first: number): Change => {
  const what = { topic: "t", qos: 1, retain: false, expiresAt: Number.POSITIVE_INFINITY } as const
  return {
    type: "message",
    sequence: 0,
    ...what,
    properties: new Uint8Array(0),
    payload: Uint8Array.of(first),
    publisher,
  }
}

/** A session that is this node's, beyond doubt. */
function logOf(clientId: string): SessionLog {
  const log = { lost: false, wanted: false, shownAfter: 0, touch: () => undefined, appended: () => undefined }
  return { image: { clientId }, ...log } as unknown as SessionLog
}

/** What nobody asks for is there still. */
const ownershipOn = (streams: Streams) =>
  new Ownership({ streams: () => streams, reads: new Slots(256), now: () => 0, lose: () => undefined })

describe("a turn with what servers never take", () => {
  // One client whose message was refused each time kept all others of its node from being acknowledged.
  it("is kept but for that, and ends whose it is", () => {
    const { kept, streams } = servers(7)
    const lost: string[] = []
    const troubles: string[] = []
    const strangers: string[] = []
    const logs = new Map(["a", "b", "c", "d", "e"].map((clientId) => [clientId, logOf(clientId)]))
    const commits = new Commits({
      node: "n",
      streams: () => streams,
      logOf: (clientId) => logs.get(clientId),
      ownership: ownershipOn(streams),
      lost: ({ image }) => lost.push(image.clientId),
      notOurs: (clientId) => strangers.push(clientId),
      stoodStill: () => undefined,
      now: () => 1_800_000_000_000,
      retention: 60,
      trouble: (line) => troubles.push(line),
    })
    const turn = ["a", "b", "c", "d", "e"].map((clientId, index) => published(clientId, index === 2 ? 7 : index))
    // Its session is not this node's: it is told before anything is acknowledged, and nothing of it is kept.
    turn.push(published("stranger", 9))
    const answers: Committed[] = []
    const answer = commits.commit(turn)
    if (answer instanceof Pause) answer.onAnswer((one) => answers.push(one))
    expect(answers).toEqual(["committed"])
    const messages = kept.filter(({ subject }) => subject.startsWith("m."))
    expect(messages.map(({ data }) => data[0])).toEqual([0, 1, 3, 4])
    expect(lost).toEqual(["c"])
    expect(strangers).toEqual(["stranger"])
    expect(troubles).toEqual(["what a client has said is dropped, and its connection ends: it is not taken"])
    // Each part has a mark of its own, by which it is known to be there.
    const marks = kept.filter(({ subject }) => subject === "t.n").map(({ data }) => String.fromCharCode(...data))
    expect(new Set(marks).size).toBe(marks.length)
  })

  // Servers that were told to take less held up all that the node was to keep, for as long as they took less.
  it("is not acknowledged where they take less than they did when it was published", () => {
    const { kept, streams } = servers(7)
    const lost: string[] = []
    const logs = new Map(["a", "b"].map((clientId) => [clientId, logOf(clientId)]))
    const commits = new Commits({
      ...{ node: "n", ownership: ownershipOn(streams), retention: 60 },
      streams: () => streams,
      logOf: (clientId) => logs.get(clientId),
      lost: ({ image }) => lost.push(image.clientId),
      notOurs: () => undefined,
      stoodStill: () => undefined,
      now: () => 1_800_000_000_000,
      trouble: () => undefined,
    })
    const large = { ...published("a", 1), payload: new Uint8Array(1001) } as Change
    const answers: Committed[] = []
    const answer = commits.commit([published("a", 1), large, published("b", 2)])
    if (answer instanceof Pause) answer.onAnswer((one) => answers.push(one))
    expect([answers, lost]).toEqual([["committed"], ["a"]])
    expect(kept.filter(({ subject }) => subject.startsWith("m.")).map(({ data }) => data[0])).toEqual([2])
  })
})

describe("what servers say is not as it is expected", () => {
  /** Servers that refuse all, and have these as the last of a node's marks, and of a session's subject. */
  function refusing(partitions: number, last: (subject: string) => StreamMessage | undefined) {
    const questions = { appends: 0, looks: 0 }
    const waiting: (() => void)[] = []
    const answered = <Answer>(answer: Answer) => {
      const pause = new Pause<Answer>()
      waiting.push(() => pause.answer(answer))
      return pause
    }
    const streams = {
      ...{ partitions, batch: 999, largest: 1000, reachable: true },
      append() {
        questions.appends++
        return answered<Appended>({ refused: "wrong last sequence" })
      },
      last(_: number, subject: string) {
        questions.looks++
        return answered(last(subject))
      },
    }
    /** As long as somebody waits for an answer, a thousand times at most. */
    const run = () => {
      for (let times = 0; times < 1000 && waiting.length > 0; times++) for (const one of waiting.splice(0)) one()
    }
    return { questions, run, streams: streams as unknown as Streams }
  }

  function commitsOn(streams: Streams, logOf: (clientId: string) => SessionLog | undefined) {
    return new Commits({
      ...{ node: "n", streams: () => streams, logOf, now: () => 1_800_000_000_000, retention: 60 },
      ...{
        ownership: ownershipOn(streams),
        lost: () => undefined,
        notOurs: () => undefined,
        stoodStill: () => undefined,
        trouble: () => undefined,
      },
    })
  }

  it("a batch of each partition is tried once more, and then later", () => {
    const { questions, run, streams } = refusing(4, () => undefined)
    const commits = commitsOn(streams, logOf)
    const turn = Array.from({ length: 40 }, (_, at) => published(`c${at}`, 1))
    const answers: Committed[] = []
    for (const times of [1, 2]) {
      const answer = commits.commit(turn)
      if (answer instanceof Pause) answer.onAnswer((one) => answers.push(one))
      run()
      expect(answers).toEqual(Array.from({ length: times }, () => ({ failed: "wrong last sequence" })))
      expect(questions.appends).toBe(times * 4 * 2)
    }
  })

  it("what is about to show is looked for a few times, and then later", () => {
    const record: StreamMessage = { sequence: 9, subject: "s.c", headers: {}, data: new Uint8Array(0) }
    const { questions, run, streams } = refusing(1, (subject) => (subject.startsWith("s.") ? record : undefined))
    const log = {
      ...{
        image: { clientId: "c" },
        lost: false,
        wanted: true,
        shownAfter: 0,
        fence: 3,
        subject: "s.c",
        appended: () => undefined,
      },
      wrote: () => true,
      touch: () => ({ subject: "s.c", headers: {}, data: new Uint8Array(0) }),
    }
    const commits = commitsOn(streams, () => log as unknown as SessionLog)
    const answers: Committed[] = []
    const answer = commits.commit([published("c", 1)])
    if (answer instanceof Pause) answer.onAnswer((one) => answers.push(one))
    run()
    expect(answers).toEqual([{ failed: "wrong last sequence" }])
    expect(questions.looks).toBeLessThan(20)
  })

  // It threw, and nobody heard of the turn any more, nor of those after it.
  it("a mark that is no text is not this node's", () => {
    const mark: StreamMessage = { sequence: 5, subject: "t.n", headers: {}, data: Uint8Array.of(0xff) }
    const { run, streams } = refusing(1, (subject) => (subject.startsWith("t.") ? mark : undefined))
    const answers: Committed[] = []
    const answer = commitsOn(streams, logOf).commit([published("c", 1)])
    if (answer instanceof Pause) answer.onAnswer((one) => answers.push(one))
    run()
    expect(answers).toEqual([{ failed: "wrong last sequence" }])
  })
})

describe("a node that has stood still", () => {
  it("is told so once, also when it sends something as it hears that", () => {
    let [now, times] = [0, 0]
    const { streams } = servers(7)
    const commits: Commits = new Commits({
      ...{ node: "n", streams: () => streams, logOf, now: () => now, retention: 60, ownership: ownershipOn(streams) },
      ...{ lost: () => undefined, notOurs: () => undefined, trouble: () => undefined },
      stoodStill: () => {
        if (++times < 10) commits.runs()
      },
    })
    commits.runs()
    now = 1299
    commits.runs()
    expect(times).toBe(0)
    now = 2599
    commits.runs()
    expect(times).toBe(1)
  })
})
