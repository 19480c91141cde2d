import { expect, it } from "vitest"
import { Pause } from "../ports/pause.ts"
import { Ownership, unheard } from "./ownership.ts"
import { SessionImage } from "./session-image.ts"
import { SessionLog, type SessionLogNeeds } from "./session-log.ts"
import { Slots } from "./slots.ts"
import type { Streams } from "./streams.ts"

/** Servers whose answers are given by hand, and what is asked of them about so many sessions. */
function asking(many: number) {
  const clock = { now: 1_800_000_000_000 }
  const asked: (() => void)[] = []
  const count = { reads: 0 }
  const last = (_partition: number, subject: string) => {
    const pause = new Pause<unknown>()
    count.reads++
    asked.push(() => pause.answer({ subject, headers: {}, data: new Uint8Array(), sequence: 1 }))
    return pause
  }
  const streams = { last } as unknown as Streams
  const lose = () => expect.unreachable("nobody else has taken one")
  const ownership = new Ownership({ streams: () => streams, reads: new Slots(256), now: () => clock.now, lose })
  const logs = Array.from({ length: many }, (_, number) => {
    const image = new SessionImage(`client-${number}`, 1)
    const where = { subject: `s.${number}`, partition: 0, claim: 1, fence: 1 }
    return new SessionLog({ node: "n" } as SessionLogNeeds, image, where)
  })
  const answers: unknown[] = []
  ownership.confirm(logs).onAnswer((answer) => answers.push(answer))
  return { clock, asked, count, answers, ownership, logs }
}

// Each was certain from when all were given, and none was in the end: so they were asked for again, for ever.
it("confirms more sessions than can be looked at in the time for which one is certain", () => {
  const many = 6000
  const { clock, asked, count, answers } = asking(many)
  // 3,000 a second.
  for (; answers.length === 0 && count.reads <= 3 * many; clock.now++) for (const one of asked.splice(0, 3)) one()
  expect(answers).toEqual([undefined])
  expect(count.reads).toBeLessThan(2 * many)
})

it.each([
  [1299, [undefined]],
  [1300, [{ failed: "3 times the servers took longer than 1300 ms to say whose sessions these are" }]],
])("servers that take %i ms for an answer", (time, expected) => {
  const { clock, asked, answers } = asking(2)
  for (let rounds = 0; rounds < 10; rounds++) {
    clock.now += time
    for (const one of asked.splice(0)) one()
  }
  expect(answers).toEqual(expected)
})

it.each([
  [unheard - 1, true],
  [unheard, false],
])("what servers show %i ms after the connection was lost leaves a session in doubt: %s", (time, doubtful) => {
  const { clock, ownership, logs } = asking(1)
  const [before, after] = [logs[0]!, asking(1).logs[0]!]
  ownership.shown(before, clock.now, ownership.doubts)
  expect(ownership.isDoubtful(before)).toBe(false)
  clock.now++
  ownership.deaf()
  expect(ownership.isDoubtful(before)).toBe(true)
  // This one was asked for since, if at all, and that was heard.
  ownership.shown(after, clock.now, ownership.doubts)
  expect(ownership.isDoubtful(after)).toBe(false)
  clock.now += time
  ownership.shown(before, clock.now, ownership.doubts)
  expect(ownership.isDoubtful(before)).toBe(doubtful)
})
