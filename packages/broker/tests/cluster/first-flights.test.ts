// Early data of TLS: a flight is taken by one node of a cluster, once.

import { expect, it } from "vitest"
import { seeded } from "../../../tls13/fuzz/random.ts"
import { MemoryServers } from "../../simulator/cluster/memory-servers.ts"
import { FirstFlights } from "../../src/cluster/first-flights.ts"
import type { Pause } from "../../src/ports/pause.ts"

const start = 1_800_000_000_000
/** As the stack asks: twice the freshness of 10 s, and 1 ms. */
const window = 20_001

function world(seed = 3) {
  const servers = new MemoryServers({ random: seeded(seed), partitions: 2, now: start })
  const node = () => {
    const streams = servers.node()
    const flights = new FirstFlights({ streams, after: (time, work) => servers.clock.after(time, work) })
    const take = (binder: Uint8Array) => flights.take(binder, servers.clock.now + window, servers.clock.now)
    return { streams, take }
  }
  const answers = async (...pauses: Pause<boolean>[]) => {
    const all: (boolean | undefined)[] = pauses.map(() => undefined)
    for (const [at, pause] of pauses.entries()) {
      pause.onAnswer((taken) => {
        all[at] = taken
      })
    }
    for (let time = 0; time < 2000 && all.includes(undefined); time++) {
      servers.advance(1)
      await Promise.resolve()
    }
    return all
  }
  return { servers, node, answers }
}

const binder = (byte: number) => new Uint8Array(32).fill(byte)

it("the same flight to several nodes at once is one's", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { node, answers } = world(seed)
    const [a, b, c] = [node(), node(), node()]
    const taken = await answers(a.take(binder(1)), b.take(binder(1)), c.take(binder(1)), a.take(binder(1)))
    expect(taken.filter((each) => each === true)).toHaveLength(1)
    expect(await answers(b.take(binder(2)), c.take(binder(3)))).toEqual([true, true])
  }
})

it("it is remembered while it can be fresh on a node whose clock is a minute behind, and not much longer", async () => {
  const { servers, node, answers } = world()
  const [a, b] = [node(), node()]
  expect(await answers(a.take(binder(1)))).toEqual([true])
  servers.advance(window + 60_000)
  expect(await answers(b.take(binder(1)))).toEqual([false])
  servers.advance(2000)
  expect(await answers(b.take(binder(1)))).toEqual([true])
})

it("while the servers are away, or say nothing for a second, none is taken", async () => {
  const { servers, node, answers } = world()
  const a = node()
  servers.allAway()
  expect(await answers(a.take(binder(1)))).toEqual([false])
  servers.allBack()
  await answers()
  const slow = new FirstFlights({
    streams: { ...a.streams, partitions: 2, append: () => ({ onAnswer() {} }) as never } as never,
    after: (time, work) => servers.clock.after(time, work),
  })
  const before = servers.clock.now
  expect(await answers(slow.take(binder(2), before + window, before))).toEqual([false])
  expect(servers.clock.now - before).toBe(1000)
})
