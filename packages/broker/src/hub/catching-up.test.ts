import { describe, expect, it, vi } from "vitest"
import { Message } from "../packet/message.ts"
import { TopicTable } from "../packet/topic.ts"
import type { Arrived, Cluster, FetchedMessages } from "../ports/cluster.ts"
import { Pause } from "../ports/pause.ts"
import { Router } from "../routing/router.ts"
import { Faults } from "../session/faults.ts"
import type { Session } from "../session/session.ts"
import { CatchingUp } from "./catching-up.ts"

const topics = new TopicTable(10)

/** A session that is behind, with what the partitions have for it, and a client that takes as many as it may. */
function world(partitions: readonly (readonly number[])[]) {
  const waiting: (() => void)[] = []
  const taken: string[] = []
  const fetches: number[] = []
  let room = Number.POSITIVE_INFINITY
  let memory = Number.POSITIVE_INFINITY
  const cluster = {
    reachable: true,
    wants: () => undefined,
    routed: () => 0,
    known: () => 0,
    fetch(partition: number, _: readonly string[], after: number, most: number) {
      fetches.push(partition)
      const all = partitions[partition]!.filter((sequence) => sequence > after)
      const messages = all.slice(0, most).map((sequence) => arrived(partition, sequence))
      const answer = new Pause<FetchedMessages>()
      const more = all.length > most
      answer.answer({ messages, more, through: messages.at(-1)?.position.sequence ?? after })
      return answer
    },
  } as unknown as Cluster
  const subscription = { filter: { text: "#", path: "#", shareName: undefined }, qos: 1, identifiers: [] }
  const session = {
    clientId: "c",
    connected: true,
    quiet: true,
    ready: true,
    lasting: true,
    recorded: true,
    behind: undefined as unknown,
    subscriptions: new Map([["#", subscription]]),
    waiters: new Set<{ resumeSoon(): void }>(),
    isFullFor: () => room <= 0,
    hasRoom: () => room > 0,
    deliverBehind({ position }: Message) {
      if (memory-- <= 0) return false
      room--
      taken.push(`${position?.partition}:${position?.sequence}`)
      return true
    },
  }
  const one = new CatchingUp(
    {
      cluster,
      faults: new Faults(() => undefined),
      now: () => 0,
      messageOf: ({ topic, payload, position }) => {
        const message = Message.of(topics.of(topic), payload, 1, false)
        message.position = position
        return message
      },
      after: (_, work) => waiting.push(work),
      askForFlush: () => undefined,
    },
    session as unknown as Session,
    { through: partitions.map(() => 0), since: new Map() },
  )
  session.behind = one
  return {
    one,
    subscriptions: session.subscriptions,
    taken,
    fetches,
    limit: (limits: { readonly room?: number; readonly memory?: number }) => {
      room = limits.room ?? Number.POSITIVE_INFINITY
      memory = limits.memory ?? Number.POSITIVE_INFINITY
    },
    /** All that is due, until nothing is. */
    pass: (most = 1000) => {
      for (let done = 0; done < most && waiting.length > 0; done++) waiting.shift()?.()
    },
    acknowledges: () => {
      for (const waiter of session.waiters) waiter.resumeSoon()
    },
  }
}

function arrived(partition: number, sequence: number): Arrived {
  const what = { topic: "t", qos: 1, retain: false, expiresAt: Number.POSITIVE_INFINITY, publisher: "p" } as const
  return { ...what, properties: new Uint8Array(0), payload: new Uint8Array(1), position: { partition, sequence } }
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

describe("a session that is behind", () => {
  it("gets all of each partition in its order, and then what comes live", () => {
    const { one, pass, taken } = world([upTo(100), upTo(3)])
    expect(one.takes({ partition: 0, sequence: 101 })).toBe(false)
    one.begin()
    pass()
    expect(taken.filter((one) => one.startsWith("0:"))).toEqual(upTo(100).map((sequence) => `0:${sequence}`))
    expect(taken.filter((one) => one.startsWith("1:"))).toEqual(["1:1", "1:2", "1:3"])
    expect(one.takes({ partition: 0, sequence: 100 })).toBe(false)
    expect(one.takes({ partition: 0, sequence: 101 })).toBe(true)
  })

  it("waits for its client, and loses nothing by that", () => {
    const { acknowledges, limit, one, pass, taken } = world([upTo(10)])
    limit({ room: 4 })
    one.begin()
    pass()
    expect(taken).toEqual(["0:1", "0:2", "0:3", "0:4"])
    limit({})
    acknowledges()
    pass()
    expect(taken).toHaveLength(10)
  })

  // It was dropped, and the cursor moved over it with the next that was sent.
  it("waits for memory that others have taken, and loses nothing by that", () => {
    const { limit, one, pass, taken } = world([upTo(5)])
    limit({ memory: 2 })
    one.begin()
    pass(3)
    expect(taken).toEqual(["0:1", "0:2"])
    limit({})
    pass()
    expect(taken).toEqual(["0:1", "0:2", "0:3", "0:4", "0:5"])
  })

  it("is fetched each partition in turns, however much one has", () => {
    const { fetches, one, pass } = world([upTo(1000), upTo(1000), upTo(1)])
    one.begin()
    pass()
    expect(fetches.slice(0, 6)).toEqual([0, 1, 2, 0, 1, 0])
  })

  it("makes what it is routed by once, and anew when its subscriptions are others", () => {
    const { one, pass, subscriptions, taken } = world([upTo(1000)])
    const added = vi.spyOn(Router.prototype, "add")
    one.begin()
    pass(10)
    expect(taken.length).toBeGreaterThan(200)
    expect(added.mock.calls).toHaveLength(1)
    const [first] = subscriptions.values()
    const filter = { text: "t", path: "t", shareName: undefined }
    subscriptions.set("t", { ...first!, filter })
    one.begins("t")
    pass(5)
    expect(added.mock.calls).toHaveLength(3)
    subscriptions.delete("#")
    pass(5)
    expect(added.mock.calls).toHaveLength(4)
    added.mockRestore()
  })
})
