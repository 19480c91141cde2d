import { describe, expect, it } from "vitest"
import { Pause } from "../ports/pause.ts"
import { Interests } from "./interests.ts"
import type { StreamMessage, Streams } from "./streams.ts"

/** Servers of one partition that answer when they are told to. */
function servers() {
  let arrived: (message: StreamMessage) => void = () => undefined
  const waiting: Pause<{ readonly through: number }>[] = []
  const asked: string[][] = []
  const streams = {
    partitions: 1,
    follow: (_: number, told: typeof arrived) => {
      arrived = told
      const subjects = (wanted: readonly string[]) => {
        asked.push([...wanted])
        const answer = new Pause<{ readonly through: number }>()
        waiting.push(answer)
        return answer
      }
      return { subjects, pause: () => undefined, resume: () => undefined }
    },
    listen: () => ({ stop: () => undefined }),
    settled: () => {
      const settled = new Pause<undefined>()
      settled.answer(undefined)
      return settled
    },
  }
  return {
    streams: streams as unknown as Streams,
    asked,
    answer: (through: number) => waiting.shift()?.answer({ through }),
    bring: (sequence: number, subject: string) => arrived({ sequence, subject, headers: {}, data: new Uint8Array(0) }),
  }
}

describe("what a node is told of", () => {
  function node() {
    const { streams, ...hand } = servers()
    const told: number[] = []
    const interests = new Interests({ arrived: (_, { sequence }) => told.push(sequence), passed: () => undefined })
    interests.open(streams)
    hand.answer(0)
    const wants = (path: string, through: number) => {
      interests.wants([path])?.onAnswer(() => interests.add(path))
      hand.answer(through)
    }
    return { ...hand, interests, told, wants }
  }

  // With servers that choose a leader for seconds, sessions lost what was published meanwhile.
  it("is all that older filters are owed, when a wider one has taken their place", () => {
    const { asked, bring, told, wants } = node()
    wants("x/1", 4)
    wants("x/#", 10)
    expect(asked.at(-1)).not.toContain("*.t.x.1")
    bring(5, "m.t.x.1")
    bring(9, "m.t.x.1")
    bring(11, "m.t.x.2")
    expect(told).toEqual([5, 9, 11])
  })

  it("is each message once, whatever consumers bring again", () => {
    const { bring, told, wants } = node()
    wants("x/#", 3)
    for (const sequence of [4, 5, 4, 5, 6]) bring(sequence, "m.t.x.1")
    expect(told).toEqual([4, 5, 6])
  })

  it("stands at once where it is asked for already, and is asked for no more when nobody wants it", () => {
    const { answer, asked, interests, wants } = node()
    wants("a", 1)
    expect(interests.wants(["a"])).toBeUndefined()
    interests.remove("a")
    answer(1)
    expect(asked.at(-1)).toEqual([])
    expect(interests.wants(["a"])).toBeInstanceOf(Pause)
  })

  it("knows how far partitions are: what a new subscription has nothing of", () => {
    const { bring, interests, wants } = node()
    wants("a", 7)
    expect(interests.known).toEqual([7])
    bring(9, "m.t.a")
    expect(interests.known).toEqual([9])
    expect(interests.seen(0)).toBe(9)
  })
})
