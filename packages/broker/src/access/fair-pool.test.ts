import { describe, expect, it } from "vitest"
import { FairPool, type PoolLimits } from "./fair-pool.ts"

interface World {
  readonly pool: FairPool
  readonly log: string[]
  readonly leave: Map<string, () => void>
  readonly gone: Set<string>
  readonly faults: unknown[]
  enter(name: string, source?: string): void
}

function world(limits: Partial<PoolLimits> = {}): World {
  const faults: unknown[] = []
  const pool = new FairPool(
    () => ({ atOnce: 4, waiting: 6, waitingPerAddress: 4, ...limits }),
    (error) => faults.push(error),
  )
  const own: World = {
    pool,
    log: [],
    leave: new Map(),
    gone: new Set(),
    faults,
    enter: (name, source = name[0] ?? "") =>
      pool.enter({
        source,
        abandoned: () => own.gone.has(name),
        begin: (leave) => {
          own.log.push(name)
          own.leave.set(name, leave)
        },
        refuse: (why) => own.log.push(`${name} ${why}`),
      }),
  }
  return own
}

describe("work of which only so much may be under way", () => {
  it("goes from address to address, of which one has half at most", () => {
    const { enter, leave, log, pool } = world()
    for (const name of ["a1", "a2", "a3", "a4", "b1", "b2", "b3", "c1"]) enter(name)
    expect(log).toEqual(["a1", "a2", "b1", "b2"])
    expect([pool.running, pool.waiting]).toEqual([4, 4])
    leave.get("b1")?.()
    expect(log.slice(4)).toEqual(["b3"])
    leave.get("b1")?.() // counts once
    leave.get("b2")?.()
    leave.get("b3")?.()
    leave.get("a1")?.()
    expect(log.slice(4)).toEqual(["b3", "c1", "a3"])
  })

  it("of one address alone has half of the places, and one that is done at once does not hold the next", () => {
    const faults: unknown[] = []
    const pool = new FairPool(
      () => ({ atOnce: 1, waiting: 10_000, waitingPerAddress: 10_000 }),
      (error) => faults.push(error),
    )
    let begun = 0
    const begin = (leave: () => void) => {
      begun++
      leave()
    }
    for (let i = 0; i < 5000; i++) pool.enter({ source: "a", abandoned: () => false, begin, refuse: () => undefined })
    expect([begun, pool.running, pool.waiting, faults]).toEqual([5000, 0, 0, []])
  })

  it("waits in a bounded line: at the bound one more of the same address is refused, at the whole the newest of whoever has most", () => {
    const { enter, log } = world()
    for (const name of ["a1", "a2", "a3", "a4", "a5", "a6"]) enter(name)
    expect(log).toEqual(["a1", "a2"])
    enter("a7")
    expect(log.slice(2)).toEqual(["a7 busy"])
    for (const name of ["b1", "b2", "b3", "b4"]) enter(name)
    expect(log.slice(3)).toEqual(["b1", "b2"]) // 6 wait: a3 a4 a5 a6 b3 b4
    enter("c1")
    expect(log.slice(5)).toEqual(["a6 busy"])
    enter("d1")
    expect(log.slice(6)).toEqual(["a5 busy"])
    enter("c2")
    expect(log.slice(7)).toEqual(["c2 busy"]) // nobody has more than it would have
  })

  it("is not begun for who has gone, who also makes room", () => {
    const { enter, gone, leave, log } = world()
    for (const name of ["a1", "a2", "b1", "b2", "a3", "a4", "a5", "a6", "b3", "b4"]) enter(name)
    for (const name of ["a3", "a4", "a5"]) gone.add(name)
    enter("c1")
    expect(log.slice(4)).toEqual(["a3 gone", "a4 gone", "a5 gone"])
    gone.add("b3")
    leave.get("a1")?.()
    leave.get("b1")?.()
    expect(log.slice(7)).toEqual(["a6", "b3 gone", "c1"])
  })

  it("goes on when some of it throws", () => {
    const { faults, log, pool, enter } = world({ atOnce: 1 })
    const refused: string[] = []
    pool.enter({
      source: "a",
      abandoned: () => false,
      begin: () => {
        throw new Error("planted")
      },
      refuse: (why) => refused.push(why),
    })
    enter("b1")
    expect([faults.length, log, pool.running, refused]).toEqual([1, ["b1"], 1, ["failed"]])
  })
})
