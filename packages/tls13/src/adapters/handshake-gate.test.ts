import { describe, expect, it } from "vitest"
import type { Clock } from "./driver.ts"
import { addressKey, HandshakeGate, type HandshakeLimits, handshakeLimits, type Place } from "./handshake-gate.ts"

class TestClock implements Clock {
  time = 0
  readonly timers = new Map<() => void, number>()

  now(): number {
    return this.time
  }

  after(milliseconds: number, work: () => void): () => void {
    this.timers.set(work, this.time + milliseconds)
    return () => this.timers.delete(work)
  }

  pass(milliseconds: number): void {
    this.time += milliseconds
    for (const [work, at] of [...this.timers]) {
      if (at > this.time) continue
      this.timers.delete(work)
      work()
    }
  }
}

function gateOf(limits: Partial<HandshakeLimits> = {}) {
  const clock = new TestClock()
  const usual = { total: 2, perAddress: 2, waiting: 3, waitingPerAddress: 3, waitingTime: 1000 }
  const gate = new HandshakeGate({ ...usual, ...limits }, clock)
  /** What happened, in order: `+name` for a handshake that begins, `-name limit` for a refusal. */
  const story: string[] = []
  const enter = (name: string, address = "192.0.2.1"): Place =>
    gate.enter(address, {
      begin: () => story.push(`+${name}`),
      refuse: (limit) => story.push(`-${name} ${limit}`),
    })
  return { gate, clock, story, enter }
}

describe("a place in the handshakes under way", () => {
  it("at the limit one begins, one past it waits, and past those who may wait one is refused", () => {
    const { gate, story, enter } = gateOf()
    for (const name of ["a", "b", "c", "d", "e"]) enter(name)
    expect(story).toEqual(["+a", "+b"])
    expect(gate).toMatchObject({ pending: 2, waiting: 3, refused: 0 })
    enter("f")
    expect(story).toEqual(["+a", "+b", "-f perAddress"])
    enter("g", "192.0.2.2")
    expect(story.at(-1)).toBe("-g total")
    expect(gate).toMatchObject({ pending: 2, waiting: 3, refused: 2 })
  })

  it("goes to who waits, first come first served, and never twice", () => {
    const { gate, story, enter } = gateOf()
    const [a] = ["a", "b", "c", "d"].map((name) => enter(name))
    a!.leave()
    a!.leave()
    expect(story).toEqual(["+a", "+b", "+c"])
    expect(gate).toMatchObject({ pending: 2, waiting: 1 })
  })

  it("one address has its own limits: of those under way, and of those that wait", () => {
    const { story, enter } = gateOf({ total: 10, perAddress: 1, waiting: 10, waitingPerAddress: 1 })
    for (const name of ["a", "b", "c"]) enter(name)
    enter("other", "192.0.2.2")
    expect(story).toEqual(["+a", "-c perAddress", "+other"])
  })

  it("an address with many that wait does not hold up another one's first", () => {
    const { story, enter } = gateOf({ total: 1, perAddress: 1, waiting: 1000, waitingPerAddress: 600 })
    const inside = [enter("first")]
    const begin = (name: string, address: string) => inside.push(enter(name, address))
    for (let n = 0; n < 500; n++) begin(`crowd${n}`, "192.0.2.1")
    begin("neighbour1", "192.0.2.2")
    begin("neighbour2", "192.0.2.2")
    begin("third", "192.0.2.3")
    for (let n = 0; n < 5; n++) inside.find(({ state }) => state === "inside")!.leave()
    expect(story).toEqual(["+first", "+neighbour1", "+third", "+crowd0", "+neighbour2", "+crowd1"])
  })

  it("an address that has all of its own under way does not keep the others from free places", () => {
    const { story, enter } = gateOf({ total: 3, perAddress: 2, waiting: 10, waitingPerAddress: 10 })
    const [a1] = ["a1", "a2", "a3"].map((name) => enter(name))
    const b1 = enter("b1", "192.0.2.2")
    enter("b2", "192.0.2.2")
    b1.leave()
    expect(story).toEqual(["+a1", "+a2", "+b1", "+b2"])
    a1!.leave()
    expect(story.at(-1)).toBe("+a3")
  })

  it("whoever leaves while waiting frees the place in the line", () => {
    const { gate, story, enter } = gateOf()
    const places = ["a", "b", "c", "d", "e"].map((name) => enter(name))
    places[2]!.leave()
    enter("f")
    expect(gate.waiting).toBe(3)
    places[0]!.leave()
    expect(story).toEqual(["+a", "+b", "+d"])
  })

  it("nobody waits longer than the limit: at it one is refused, before it not", () => {
    const { gate, clock, story, enter } = gateOf()
    for (const name of ["a", "b", "c"]) enter(name)
    clock.pass(500)
    enter("d")
    clock.pass(499)
    expect(story).toEqual(["+a", "+b"])
    clock.pass(1)
    expect(story).toEqual(["+a", "+b", "-c waitingTime"])
    clock.pass(500)
    expect(story.at(-1)).toBe("-d waitingTime")
    expect(gate.waiting).toBe(0)
    expect(clock.timers.size).toBe(0)
  })

  it("clear empties the line, and leaves no timer", () => {
    const { gate, clock, story, enter } = gateOf()
    const places = ["a", "b", "c"].map((name) => enter(name))
    gate.clear()
    expect(gate).toMatchObject({ pending: 2, waiting: 0 })
    expect(clock.timers.size).toBe(0)
    for (const place of places) place.leave()
    expect(story).toEqual(["+a", "+b"])
    expect(gate.pending).toBe(0)
  })

  it("while it is held, places that become free stay free", () => {
    const { gate, story, enter } = gateOf()
    const [a] = ["a", "b", "c"].map((name) => enter(name))
    gate.hold()
    a!.leave()
    expect(story).toEqual(["+a", "+b"])
    gate.resume()
    expect(story).toEqual(["+a", "+b", "+c"])
  })

  it("so many begin in a turn, one of each address after the other; one that leaves before does not", () => {
    const clock = new TestClock()
    const turns: (() => void)[] = []
    const pace = { perTurn: 2, nextTurn: (work: () => void) => turns.push(work) }
    const gate = new HandshakeGate({ ...handshakeLimits({}), total: 10, perAddress: 10 }, clock, pace)
    const story: string[] = []
    const enter = (name: string, address: string) =>
      gate.enter(address, { begin: () => story.push(name), refuse: () => story.push("refused") })
    const places = [1, 2, 3, 4, 5, 6].map((n) => enter(`a${n}`, "192.0.2.1"))
    enter("b1", "192.0.2.2")
    expect(story).toEqual(["a1", "a2"])
    expect(gate).toMatchObject({ pending: 7, waiting: 0 })
    places[3]!.leave()
    const turn = () => {
      for (const work of turns.splice(0)) work()
    }
    turn()
    expect(story).toEqual(["a1", "a2", "a3", "b1"])
    gate.hold()
    turn()
    expect(story).toEqual(["a1", "a2", "a3", "b1"])
    gate.resume()
    expect(story).toEqual(["a1", "a2", "a3", "b1", "a5", "a6"])
    turn()
    expect(turns).toEqual([])
    expect(gate.pending).toBe(6)
  })

  it("many come and go, and the books stay right", () => {
    const { gate, enter } = gateOf({ total: 8, perAddress: 3, waiting: 40, waitingPerAddress: 12 })
    let seed = 1
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    const places: Place[] = []
    for (let n = 0; n < 20_000; n++) {
      if (places.length === 0 || random(2) === 0) places.push(enter("x", `192.0.2.${random(6)}`))
      else places.splice(random(places.length), 1)[0]!.leave()
      const count = (state: Place["state"]) => places.filter((place) => place.state === state).length
      expect(gate.pending).toBe(count("inside"))
      expect(gate.waiting).toBe(count("waiting"))
      expect(gate.pending).toBeLessThanOrEqual(8)
    }
    for (const place of places) place.leave()
    expect(gate).toMatchObject({ pending: 0, waiting: 0 })
  })
})

it("the defaults", () => {
  expect(handshakeLimits({})).toEqual({
    total: 1024,
    perAddress: 1024,
    waiting: 4096,
    waitingPerAddress: 1024,
    waitingTime: 30_000,
  })
  expect(handshakeLimits({ maxPendingHandshakes: 10 }).perAddress).toBe(10)
})

describe("what counts as one address", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:DB8:0001:2::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["", ""],
  ])("%s is of %s", (address, key) => expect(addressKey(address)).toBe(key))
})

describe("other limits", () => {
  const usual = { total: 2, perAddress: 2, waiting: 3, waitingPerAddress: 3, waitingTime: 1000 }

  it("that are higher let in who waits, as far as they go, and one of each address in turn", () => {
    const { gate, story, enter } = gateOf({ perAddress: 1, total: 1 })
    for (const name of ["a", "b", "c"]) enter(name)
    enter("x", "192.0.2.2")
    expect(story).toEqual(["+a"])
    gate.limit({ ...usual, total: 3, perAddress: 2 })
    expect(story).toEqual(["+a", "+x", "+b"])
    gate.limit({ ...usual, total: 4, perAddress: 3 })
    expect(story).toEqual(["+a", "+x", "+b", "+c"])
    expect(gate).toMatchObject({ pending: 4, waiting: 0, refused: 0 })
  })

  it("a shorter time holds for who comes later, also behind those who may wait longer", () => {
    const { gate, clock, story, enter } = gateOf({ total: 1, waitingTime: 30_000 })
    for (const name of ["a", "b"]) enter(name)
    gate.limit({ ...usual, total: 1, waitingTime: 1000 })
    enter("c")
    clock.pass(999)
    expect(story).toEqual(["+a"])
    clock.pass(1)
    expect(story).toEqual(["+a", "-c waitingTime"])
    clock.pass(29_000)
    expect(story).toEqual(["+a", "-c waitingTime", "-b waitingTime"])
  })

  it("that are lower give up nobody: those that are there count, and the next one waits or is refused", () => {
    const { gate, clock, story, enter } = gateOf({ waiting: 9, waitingPerAddress: 9 })
    const [a, b] = ["a", "b", "c", "d"].map((name) => enter(name))
    gate.limit({ ...usual, total: 1, waiting: 1, waitingPerAddress: 1, waitingTime: 10 })
    expect(story).toEqual(["+a", "+b"])
    enter("e")
    expect(story).toEqual(["+a", "+b", "-e perAddress"])
    a?.leave()
    expect(story).toHaveLength(3)
    b?.leave()
    expect(story.at(-1)).toBe("+c")
    clock.pass(500) // who waits already, waits as long as it would have
    expect(story).toHaveLength(4)
    clock.pass(500)
    expect(story.at(-1)).toBe("-d waitingTime")
  })

  it("while nobody may begin, they let in nobody", () => {
    const { gate, story, enter } = gateOf({ total: 1 })
    for (const name of ["a", "b"]) enter(name)
    gate.hold()
    gate.limit({ ...usual, total: 2 })
    expect(story).toEqual(["+a"])
    gate.resume()
    expect(story).toEqual(["+a", "+b"])
  })
})
