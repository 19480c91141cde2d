// The double that the simulator has keeps the promises that NATS keeps.

import { expect, it } from "vitest"
import { seeded } from "../../../tls13/fuzz/random.ts"
import { MemoryServers } from "../../simulator/cluster/memory-servers.ts"
import { encodeText } from "../../src/packet/bytes.ts"
import type { Pause } from "../../src/ports/pause.ts"
import { type StreamsWorld, streamsContract, written } from "./streams-contract.ts"

for (const seed of [1, 2, 3]) streamsContract(`NATS in memory, seed ${seed},`, async () => memoryWorld(seed))

function memoryWorld(seed: number): StreamsWorld {
  const random = seeded(seed)
  const clusters = new Map<string, MemoryServers>()
  const advance = async () => {
    for (const servers of clusters.values()) servers.advance(1)
    await Promise.resolve()
  }
  const until = async (what: string, holds: () => boolean) => {
    for (let time = 0; time < 60_000; time++) {
      if (holds()) return
      await advance()
    }
    throw new Error(`${what}: not after 60 s`)
  }
  return {
    until,
    async open(cluster) {
      const servers = clusters.get(cluster) ?? new MemoryServers({ random, partitions: 2 })
      clusters.set(cluster, servers)
      return servers.node()
    },
    async answer<Answer>(pause: Pause<Answer>) {
      let answered: { readonly value: Answer } | undefined
      pause.onAnswer((value) => {
        answered = { value }
      })
      await until("an answer", () => answered !== undefined)
      return answered!.value
    },
    async pass(time) {
      for (let passed = 0; passed < time; passed++) await advance()
    },
    async kill() {
      for (const servers of clusters.values()) servers.allAway()
    },
    async restart() {
      for (const servers of clusters.values()) servers.allBack()
    },
    async stop() {},
  }
}

it("is cut off, slow and without a leader at random: what failed is there or not, and a fence tells which", () => {
  const counts = { "failed and there": 0, "failed and not there": 0, "late, and refused": 0, cuts: 0 }
  for (let seed = 0; seed < 25; seed++) {
    const random = seeded(seed)
    const servers = new MemoryServers({ random, partitions: 1 })
    const [publisher, follower] = [servers.node(), servers.node()]
    const told: number[] = []
    const following = follower.follow(0, ({ data }) => told.push(Number(written(data))))
    const wanted = [["m.a"], ["m.a", "m.b"], ["m.>"]]
    following.subjects(["m.a"])
    servers.advance(100)

    let [next, fence] = [0, 0]
    const publish = () => {
      const data = encodeText(String(next))
      const record = { subject: "s.x", headers: {}, data, expected: fence }
      publisher.append(0, [{ subject: "m.a", headers: {}, data }, record]).onAnswer((answer) => {
        if ("last" in answer) [fence, next] = [answer.last, next + 1]
        if ("last" in answer) servers.clock.after(random.integer(60), publish)
        else look("failed" in answer)
      })
    }
    const look = (failed: boolean) => {
      publisher.last(0, "s.x").onAnswer((last) => {
        if (last !== undefined && "failed" in last) {
          servers.clock.after(100, () => look(failed))
          return
        }
        const there = (last?.sequence ?? 0) !== fence
        counts[!failed ? "late, and refused" : there ? "failed and there" : "failed and not there"]++
        if (there && last !== undefined) [fence, next] = [last.sequence, next + 1]
        servers.clock.after(0, publish)
      })
    }
    publish()
    for (let step = 0; step < 60; step++) {
      servers.advance(random.integer(random.oneIn(5) ? 9000 : 300))
      const what = random.integer(9)
      if (what < 3) {
        counts.cuts++
        random.pick([publisher, follower]).cut(random.pick(["at once", "silently"]))
      } else if (what < 5) servers.partitions[0]?.leaderAway()
      else if (what < 6) following.subjects(random.pick(wanted))
      else {
        servers.partitions[0]?.leaderBack()
        for (const each of servers.nodes) each.heal()
      }
    }
    servers.partitions[0]?.leaderBack()
    for (const each of servers.nodes) each.heal()
    servers.advance(20_000)
    const appended = servers.partitions[0]?.content.allOf("m.a").map(({ data }) => Number(written(data))) ?? []
    expect(appended, `seed ${seed}`).toEqual(appended.map((_, index) => index))
    expect(appended.length).toBeGreaterThan(20)
    const delivered = told.length
    servers.advance(2000)
    expect(told.slice(0, delivered), `seed ${seed}`).toEqual(appended.slice(0, delivered))
    expect(delivered).toBeGreaterThan(appended.length - 5)
  }
  // Each of these has to happen: else the double is kinder than NATS.
  for (const [what, count] of Object.entries(counts)) expect(count, what).toBeGreaterThan(0)
})
