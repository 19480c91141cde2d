import { expect, it } from "vitest"
import type { Claimed } from "../ports/cluster.ts"
import { Pause } from "../ports/pause.ts"
import type { StoreFailed } from "../ports/store.ts"
import { Claims } from "./claims.ts"
import { Ownership } from "./ownership.ts"
import type { SessionLog } from "./session-log.ts"
import { SessionRecords } from "./session-record.ts"
import { Slots } from "./slots.ts"
import type { Appended, Streams } from "./streams.ts"

/** Servers that have nothing, and whose answer to an append is awaited. */
function servers() {
  const appended: Pause<Appended>[] = []
  const streams = {
    ...{ partitions: 1, largest: 1000, reachable: true },
    all() {
      const answer = new Pause<[]>()
      answer.answer([])
      return answer
    },
    append() {
      const answer = new Pause<Appended>()
      appended.push(answer)
      return answer
    },
  }
  return { appended, streams: streams as unknown as Streams }
}

function claiming() {
  const { appended, streams } = servers()
  const logs: SessionLog[] = []
  const common = { streams: () => streams, reads: new Slots(256), now: () => 5000 }
  const ownership = new Ownership({ ...common, lose: () => undefined })
  const claims = new Claims({
    ...{ ...common, ownership, node: "n", records: new SessionRecords(), largest: () => 1000, known: () => [0] },
    message: () => undefined,
    claimed: (log) => logs.push(log),
    doubtful: () => undefined,
    alive: () => true,
    mayBeThere: () => true,
  })
  const claim = (clientId: string) => {
    const answers: (Claimed | StoreFailed)[] = []
    claims.claim(clientId, false, () => true).onAnswer((answer) => answers.push(answer))
    return answers
  }
  return { appended, claim, claims, logs, ownership }
}

// It was asked before it had anything to let go of, and sent on what another node had by then.
it("a session that another node asks for while it is claimed is doubtful from its beginning", () => {
  const { appended, claim, claims, logs, ownership } = claiming()
  claims.asked("before anybody claims it")
  const answers = claim("c")
  claims.asked("another")
  claims.asked("c")
  appended[0]?.answer({ last: 7 })
  claims.asked("c")
  expect(answers).toHaveLength(1)
  expect(logs.map((log) => ownership.isDoubtful(log))).toEqual([true])
})

it("one that nobody asks for is not, until there is a reason; also when that comes before it is claimed whole", () => {
  const { appended, claim, logs, ownership } = claiming()
  ownership.doubt()
  claim("c")
  appended[0]?.answer({ last: 7 })
  expect(logs.map((log) => ownership.isDoubtful(log))).toEqual([false])
  claim("d")
  ownership.doubt()
  appended[1]?.answer({ last: 8 })
  expect(logs.map((log) => ownership.isDoubtful(log))).toEqual([true, true])
})

it("one whose claim has failed is claimed anew without it", () => {
  const { appended, claim, claims, logs, ownership } = claiming()
  const answers = claim("c")
  claims.asked("c")
  for (let times = 0; times < 8; times++) appended[times]?.answer({ refused: "wrong last sequence" })
  expect(answers).toEqual([{ failed: "8 times somebody else was first to have the session" }])
  claim("c")
  appended[8]?.answer({ last: 9 })
  expect(logs.map((log) => ownership.isDoubtful(log))).toEqual([false])
})

it("one that the servers do not keep has failed for their reason", () => {
  const { appended, claim } = claiming()
  const answers = claim("c")
  for (let times = 0; times < 8; times++) appended[times]?.answer({ failed: "insufficient storage" })
  expect(answers).toEqual([{ failed: "insufficient storage" }])
})
