// The order, the bounds and the answers of password checks, with a clock that the test turns.

import { randomBytes } from "node:crypto"
import { beforeAll, describe, expect, it } from "vitest"
import { ReasonCode } from "../packet/reason-codes.ts"
import { scrypt } from "../platform/node-scrypt.ts"
import type { Decision } from "../ports/access.ts"
import { defaultLimits } from "../session/limits.ts"
import { sourceOf } from "../session/source.ts"
import { Failures, forgetAfter, maximumDelay } from "./failures.ts"
import { type CheckerLimits, PasswordChecker } from "./password-checker.ts"
import { type PasswordEntry, parsePasswordFile, passwordLine } from "./password-file.ts"
import { memoryOf, type ScryptCost } from "./scrypt.ts"

const cheap = { ln: 10, r: 1, p: 1 }
const bytes = (text: string) => new TextEncoder().encode(text)

async function entries(costs: Record<string, ScryptCost>, password = "right"): Promise<Map<string, PasswordEntry>> {
  const lines = Object.entries(costs).map(([user, cost]) => passwordLine(user, password, randomBytes(16), cost, scrypt))
  return parsePasswordFile((await Promise.all(lines)).join("\n"))
}

let users: Map<string, PasswordEntry>
beforeAll(async () => {
  users = await entries({ alice: cheap, bob: cheap })
})

/** A checker whose computations wait for `step`, and a note of each. */
class Desk {
  now = 1_000_000
  readonly checker: PasswordChecker
  /** What is being computed, in the order of its beginning. */
  readonly computing: { cost: ScryptCost; go: () => Promise<void> }[] = []
  computed = 0
  broken: Error | undefined
  readonly answers: string[] = []
  readonly faults: unknown[] = []
  #timers: { at: number; work: () => void }[] = []

  constructor(limits: Partial<CheckerLimits> = {}, passwords: ReadonlyMap<string, PasswordEntry> = users) {
    const means = {
      scrypt: (password: Uint8Array, salt: Uint8Array, cost: ScryptCost, length: number) => {
        return new Promise<Uint8Array>((resolve, reject) => {
          const go = async () => {
            this.computed++
            if (this.broken === undefined) resolve(await scrypt(password, salt, cost, length))
            else reject(this.broken)
          }
          this.computing.push({ cost, go })
        })
      },
      random: (length: number) => randomBytes(length),
      now: () => this.now,
      after: (milliseconds: number, work: () => void) => void this.#timers.push({ at: this.now + milliseconds, work }),
      fault: (error: unknown) => void this.faults.push(error),
    }
    this.checker = new PasswordChecker(passwords, means, { ...defaultLimits, maximumPasswordChecks: 1, ...limits })
  }

  login(user: string, password: string, address = "192.0.2.1", abandoned = () => false): Promise<string> {
    return new Promise((resolve) => {
      const attempt = {
        clientId: "c",
        username: user,
        password: bytes(password),
        peer: { transport: "tcp", address: `${address}:1` } as const,
        abandoned,
      }
      this.checker.check(attempt, (decision) => {
        const answer = `${user} ${password}: ${said(decision)}`
        this.answers.push(answer)
        resolve(answer)
      })
    })
  }

  /** Lets the oldest computation end, and what follows from it begin. */
  async step(): Promise<void> {
    await this.computing.shift()?.go()
    await new Promise((resolve) => setImmediate(resolve))
  }

  async finish(): Promise<void> {
    while (this.computing.length > 0) await this.step()
  }

  pass(milliseconds: number): void {
    this.now += milliseconds
    const due = this.#timers.filter(({ at }) => at <= this.now)
    this.#timers = this.#timers.filter(({ at }) => at > this.now)
    for (const { work } of due) work()
  }
}

function said(decision: Decision): string {
  return "identity" in decision ? "in" : `0x${decision.reasonCode.toString(16)}`
}

describe("equal logins", () => {
  it("60 clients with one right login cost one computation, and each gets an Identity of its own", async () => {
    const desk = new Desk()
    const identities = new Set<unknown>()
    for (let i = 0; i < 60; i++) {
      const peer = { transport: "tcp", address: `192.0.2.${i % 7}:${i}` } as const
      const attempt = { clientId: `c${i}`, username: "alice", password: bytes("right"), peer, abandoned: () => false }
      desk.checker.check(attempt, (decision) => identities.add("identity" in decision && decision.identity))
    }
    await desk.finish()
    expect([desk.computed, identities.size, identities.has(false)]).toEqual([1, 60, false])
  })

  it("however many are equal, no more computations at once than may be", async () => {
    const desk = new Desk({ maximumPasswordChecks: 3, maximumWaitingLogins: 64, maximumWaitingLoginsPerAddress: 16 })
    for (let i = 0; i < 200; i++) void desk.login("alice", "wrong", `192.0.2.${i % 8}`)
    expect(desk.computing.length).toBeLessThanOrEqual(3)
    // From one address some may join, and some more wait; the others are told so.
    for (let i = 0; i < 200; i++) void desk.login("bob", "wrong")
    expect(desk.computing.length).toBeLessThanOrEqual(3)
    expect(desk.answers.filter((answer) => answer.endsWith("0x89")).length).toBeGreaterThan(100)
    await desk.finish()
    expect(desk.answers).toHaveLength(400)
  })

  it("those that wait cost one computation too", async () => {
    const desk = new Desk()
    void desk.login("nobody", "x")
    const all = Array.from({ length: 20 }, (_, i) => desk.login("alice", "right", `192.0.2.${i}`))
    await desk.finish()
    expect(await Promise.all(all)).toEqual(all.map(() => "alice right: in"))
    expect(desk.computed).toBe(2)
  })

  it("another password, or the same of another user, is not equal", async () => {
    const desk = new Desk()
    const all = [desk.login("alice", "right"), desk.login("bob", "right"), desk.login("alice", "wrong")]
    await desk.finish()
    expect(await Promise.all(all)).toEqual(["alice right: in", "bob right: in", "alice wrong: 0x86"])
    expect(desk.computed).toBe(3)
  })

  it("a wrong one is refused to all that tried it, and counts once against their address", async () => {
    const desk = new Desk()
    const all = Array.from({ length: 60 }, () => desk.login("alice", "wrong"))
    await desk.finish()
    expect(new Set(await Promise.all(all))).toEqual(new Set(["alice wrong: 0x86"]))
    void desk.login("bob", "right")
    expect(desk.computing).toHaveLength(1) // at once: nobody was made to wait
  })

  it("what was right meanwhile is known when its turn comes", async () => {
    const desk = new Desk({ maximumWaitingLogins: 1 })
    const first = desk.login("alice", "right")
    const second = desk.login("alice", "right") // as many as may wait for one under way, so this one queues
    await desk.finish()
    expect([await first, await second, desk.computed]).toEqual(["alice right: in", "alice right: in", 1])
  })
})

describe("the order", () => {
  it("a right login is checked next but one, behind 100 wrong ones of its own address", async () => {
    const desk = new Desk()
    for (let i = 0; i < 100; i++) void desk.login(`nobody${i}`, "x")
    const right = desk.login("alice", "right")
    for (let i = 0; i < 3; i++) await desk.step()
    expect(desk.answers).toContain("alice right: in")
    expect(desk.answers.length).toBeLessThanOrEqual(3)
    await desk.finish()
    expect(desk.answers).toHaveLength(101)
    await right
  })

  it("one address after the other: 100 logins of one do not come before one of another", async () => {
    const desk = new Desk()
    for (let i = 0; i < 100; i++) void desk.login(`nobody${i}`, "x", "198.51.100.9")
    void desk.login("alice", "right", "192.0.2.1")
    void desk.login("bob", "right", "192.0.2.2")
    for (let i = 0; i < 4; i++) await desk.step()
    expect(desk.answers.filter((one) => one.endsWith(": in"))).toHaveLength(2)
  })

  describe("a crowd of addresses that guess", () => {
    const address = (i: number) => `198.51.100.${i}`
    const crowd = async (desk: Desk, size: number) => {
      for (let i = 0; i < size; i++) void desk.login(`nobody${i}`, "x", address(i))
      await desk.finish()
      for (let i = 0; i < size; i++) void desk.login(`nobody${i}`, "y", address(i))
    }

    it("does not keep an address without failures waiting, nor that one the crowd", async () => {
      const desk = new Desk()
      await crowd(desk, 100)
      const before = desk.answers.length
      void desk.login("alice", "right", "192.0.2.1")
      for (let i = 0; i < 3; i++) await desk.step()
      expect(desk.answers.slice(before)).toContain("alice right: in")
      await desk.finish()
      expect(desk.answers).toHaveLength(201)
    })

    it("nor does a crowd of new addresses keep those waiting that failed once", async () => {
      const desk = new Desk()
      await crowd(desk, 1)
      void desk.login("alice", "right", address(0))
      for (let i = 1; i < 100; i++) void desk.login(`nobody${i}`, "x", address(i))
      const before = desk.answers.length
      for (let i = 0; i < 5; i++) await desk.step()
      expect(desk.answers.slice(before)).toContain("alice right: in")
    })

    it("gives its places up to those without failures", async () => {
      const desk = new Desk({ maximumWaitingLogins: 20 })
      await crowd(desk, 21) // one is computed, twenty wait
      const before = desk.answers.length
      void desk.login("nobody", "x", address(50))
      expect(desk.answers.slice(before)).toEqual([expect.stringMatching(/^nobody\d+ y: 0x89$/)])
      void desk.login("nobody0", "z", address(0)) // one of them
      expect(desk.answers.slice(before + 1)).toEqual(["nobody0 z: 0x89"])
    })

    it("takes no places of those without failures", async () => {
      const desk = new Desk({ maximumWaitingLogins: 6 })
      for (const i of [1, 2]) void desk.login("nobody", `${i}`, address(i))
      await desk.finish()
      void desk.login("nobody", "computed", "192.0.2.9")
      for (let i = 0; i < 4; i++) void desk.login(`user${i}`, "x", "192.0.2.1")
      for (let i = 0; i < 2; i++) void desk.login(`guess${i}`, "x", address(1))
      const before = desk.answers.length
      void desk.login("guess", "y", address(2))
      // One of the guessers goes, and none of the others, though they are more.
      expect(desk.answers.slice(before)).toEqual(["guess1 x: 0x89"])
    })

    it("and what an address has waiting when its first login fails goes behind the others, too", async () => {
      const desk = new Desk()
      for (let i = 0; i < 50; i++) for (const n of [1, 2, 3]) void desk.login(`nobody${i}`, `${n}`, address(i))
      for (let i = 0; i < 101; i++) await desk.step() // each line has its turns
      const before = desk.answers.length
      void desk.login("alice", "right", "192.0.2.1")
      for (let i = 0; i < 3; i++) await desk.step()
      expect(desk.answers.slice(before)).toContain("alice right: in")
    })
  })

  it("so many are computed at once, and no more", async () => {
    const desk = new Desk({ maximumPasswordChecks: 2 })
    for (let i = 0; i < 5; i++) void desk.login(`nobody${i}`, "x")
    expect(desk.computing).toHaveLength(2)
    await desk.step()
    expect(desk.computing).toHaveLength(2)
  })

  it("computations together take no more memory than they may; one always goes on", async () => {
    const one = 128 * 1 * (2 ** 10 + 1)
    for (const [memory, expected] of [
      [3 * one, 3],
      [3 * one - 1, 2],
      [1, 1],
    ] as const) {
      const desk = new Desk({ maximumPasswordChecks: 8, maximumPasswordMemory: memory })
      for (let i = 0; i < 6; i++) void desk.login(`nobody${i}`, "x")
      expect(desk.computing).toHaveLength(expected)
      await desk.finish()
      expect(desk.answers).toHaveLength(6)
    }
  })
})

describe("how many wait", () => {
  it("as many of an address as may, and one more is answered 0x89 at once", async () => {
    const desk = new Desk({ maximumWaitingLoginsPerAddress: 2 })
    for (let i = 0; i < 3; i++) void desk.login(`nobody${i}`, "x") // one is computed, two wait
    expect(desk.answers).toEqual([])
    void desk.login("nobody3", "x")
    expect(desk.answers).toEqual(["nobody3 x: 0x89"])
    void desk.login("alice", "right", "192.0.2.2") // another address has its own places
    await desk.finish()
    expect(desk.answers).toContain("alice right: in")
  })

  it("in all: an address that has fewer takes the place of the newest of the one that has most", () => {
    const desk = new Desk({ maximumWaitingLogins: 3 })
    for (let i = 0; i < 4; i++) void desk.login(`nobody${i}`, "x", "198.51.100.9")
    expect(desk.answers).toEqual([])
    void desk.login("alice", "right", "192.0.2.1")
    expect(desk.answers).toEqual(["nobody3 x: 0x89"])
    void desk.login("nobody4", "x", "198.51.100.9") // who has most already gets no more
    expect(desk.answers).toEqual(["nobody3 x: 0x89", "nobody4 x: 0x89"])
  })

  it("a client that has gone is not checked, and gives its place up", async () => {
    const desk = new Desk({ maximumWaitingLogins: 2 })
    let gone = false
    void desk.login("nobody", "x")
    for (let i = 0; i < 2; i++) void desk.login(`nobody${i}`, "x", "192.0.2.1", () => gone)
    gone = true
    void desk.login("alice", "right")
    await desk.finish()
    expect([desk.answers, desk.computed]).toEqual([["nobody x: 0x86", "alice right: in"], 2])
  })
})

describe("after failures", () => {
  const fail = async (desk: Desk, times: number, user: (i: number) => string, address?: string) => {
    for (let i = 0; i < times; i++) {
      const done = desk.login(user(i), `wrong${i}`, address)
      desk.pass(maximumDelay)
      await desk.finish()
      await done
    }
  }

  it("the address waits, at most so long, and only its own logins do", async () => {
    const desk = new Desk()
    await fail(desk, 6, (i) => `nobody${i}`)
    void desk.login("alice", "right")
    expect(desk.computing).toHaveLength(0)
    desk.pass(99)
    expect(desk.computing).toHaveLength(0)
    desk.pass(1)
    expect(desk.computing).toHaveLength(1)
    await desk.finish()
    expect(desk.answers.at(-1)).toBe("alice right: in")
    await fail(desk, 20, (i) => `nobody${i}`)
    void desk.login("bob", "right")
    desk.pass(maximumDelay - 1)
    expect(desk.computing).toHaveLength(0)
    void desk.login("bob", "right", "192.0.2.99")
    expect(desk.computing).toHaveLength(1)
    await desk.finish()
  })

  it("a login that is known goes on at once, whatever the others of its address do", async () => {
    const desk = new Desk()
    void desk.login("alice", "right")
    await desk.finish()
    await fail(desk, 12, (i) => `nobody${i}`)
    void desk.login("alice", "right")
    expect(desk.answers.at(-1)).toBe("alice right: in")
  })

  it("failures of a user from everywhere do not hold up the user at an address without any", async () => {
    const desk = new Desk()
    for (let i = 0; i < 20; i++) await fail(desk, 1, () => "alice", `198.51.100.${i}`)
    void desk.login("alice", "guess", "198.51.100.1") // has failed once: waits for what others did to this user
    expect(desk.computing).toHaveLength(0)
    void desk.login("alice", "right", "192.0.2.77")
    expect(desk.computing).toHaveLength(1)
    await desk.finish()
    expect(desk.answers.at(-1)).toBe("alice right: in")
  })

  it("a minute without failure is a clean slate", async () => {
    const desk = new Desk()
    await fail(desk, 12, (i) => `nobody${i}`)
    desk.pass(forgetAfter)
    void desk.login("alice", "right")
    expect(desk.computing).toHaveLength(1)
    await desk.finish()
  })

  it("4,096 addresses are remembered, and one more takes the place of the one that failed longest ago", () => {
    const failures = new Failures()
    const failed = (address: string) => failures.delay(address, "u", 1) > 0
    for (let i = 0; i < 4096; i++) for (let n = 0; n < 6; n++) failures.failedFrom(`a${i}`, 0)
    expect([failed("a0"), failed("a1"), failed("a4095")]).toEqual([true, true, true])
    for (let n = 0; n < 6; n++) failures.failedFrom("more", 0)
    expect([failed("a0"), failed("a1"), failed("more")]).toEqual([false, true, true])
  })
})

describe("what a login tells", () => {
  const costs = { a: cheap, b: { ln: 11, r: 1, p: 1 }, c: { ln: 12, r: 2, p: 1 }, d: { ln: 12, r: 2, p: 1 } }
  let address = 0
  /** The costs of the computations before the answer, in their order. */
  const paid = async (desk: Desk, user: string, password: string): Promise<number[]> => {
    const costs: number[] = []
    const answer = desk.login(user, password, `192.0.2.${++address}`)
    for (; desk.computing.length > 0; await desk.step()) costs.push(desk.computing[0]!.cost.ln)
    await answer
    return costs
  }
  const ascending = (costs: number[]): number[] => costs.sort((a, b) => a - b)

  it("one that fails costs a computation of each cost in the file, whether there is such a user or not", async () => {
    const desk = new Desk({}, await entries(costs))
    for (const user of ["a", "b", "c", "d", "nobody", "somebody"])
      expect([user, ascending(await paid(desk, user, "x"))]).toEqual([user, [10, 11, 12]])
    expect(await paid(desk, "nobody", "y")).toEqual([12, 11, 10])
    for (const [user, { ln }] of Object.entries(costs)) expect(await paid(desk, user, "right")).toEqual([ln])
    expect(desk.answers.filter((answer) => answer.endsWith("in"))).toHaveLength(4)
  })

  it("and where all users have one cost, one", async () => {
    const desk = new Desk()
    for (const user of ["alice", "nobody"]) expect(await paid(desk, user, "x")).toEqual([cheap.ln])
    const empty = new Desk({}, new Map())
    expect(await paid(empty, "nobody", "x")).toEqual([15])
  })

  it("what a reload changes of it, it changes for users and others alike", async () => {
    const desk = new Desk({}, await entries(costs))
    const names = ["a", "c", "nobody", "somebody"]
    const all = async (): Promise<number[][]> => {
      const found: number[][] = []
      for (const user of names) found.push(ascending(await paid(desk, user, `x${address}`)))
      return found
    }
    const before = await all()
    desk.checker.replace(await entries({ ...costs, e: cheap, f: costs.c }))
    expect(await all()).toEqual(before)
    desk.checker.replace(await entries({ ...costs, e: { ln: 13, r: 1, p: 1 } }))
    expect(await all()).toEqual(names.map(() => [10, 11, 12, 13]))
    desk.checker.replace(await entries({ a: cheap, c: costs.c }))
    expect(await all()).toEqual(names.map(() => [10, 12]))
  })

  it("a password that becomes right before the answer is", async () => {
    const desk = new Desk({}, await entries(costs))
    const answer = desk.login("a", "new")
    await desk.step()
    desk.checker.replace(await entries(costs, "new"))
    await desk.finish()
    expect(await answer).toBe("a new: in")
  })

  it("nothing more is computed for clients that have gone, and equal attempts share all of it", async () => {
    const desk = new Desk({}, await entries(costs))
    let gone = false
    void desk.login("a", "x", "192.0.2.200", () => gone)
    gone = true
    await desk.finish()
    expect(desk.computed).toBe(1)
    const answers = [1, 2, 3].map((n) => desk.login("b", "x", `198.51.100.${n}`))
    await desk.step()
    answers.push(desk.login("b", "x", "198.51.100.4"))
    await desk.finish()
    expect(await Promise.all(answers)).toEqual(answers.map(() => "b x: 0x86"))
    expect(desk.computed).toBe(4)
  })

  it("a later computation that fails is answered 0x88 too, and the next login is checked", async () => {
    const desk = new Desk({}, await entries(costs))
    const answer = desk.login("a", "x")
    await desk.step()
    desk.broken = new Error("out of memory")
    await desk.step()
    expect(await answer).toBe("a x: 0x88")
    desk.broken = undefined
    const next = desk.login("a", "right")
    await desk.finish()
    expect(await next).toBe("a right: in")
  })

  it("each computation takes the memory of its own cost, as far as there is", async () => {
    const limits = { maximumPasswordChecks: 8, maximumPasswordMemory: memoryOf(costs.c) + memoryOf(costs.b) }
    const desk = new Desk(limits, await entries(costs))
    const answers = ["a", "b", "nobody", "somebody"].map((user, n) => desk.login(user, "x", `203.0.113.${n}`))
    for (; desk.computing.length > 0; await desk.step()) {
      const memory = desk.computing.reduce((sum, { cost }) => sum + memoryOf(cost), 0)
      expect(memory).toBeLessThanOrEqual(limits.maximumPasswordMemory)
    }
    expect((await Promise.all(answers)).map((answer) => answer.slice(-4))).toEqual(answers.map(() => "0x86"))
  })

  it("a password that cannot be checked is answered 0x88 and told, and the next one is checked", async () => {
    const desk = new Desk()
    desk.broken = new Error("out of memory")
    void desk.login("alice", "right")
    void desk.login("bob", "right")
    await desk.step()
    desk.broken = undefined
    await desk.finish()
    expect(desk.answers).toEqual(["alice right: 0x88", "bob right: in"])
    expect(desk.faults).toEqual([expect.objectContaining({ message: "out of memory" })])
    expect(ReasonCode.ServerUnavailable).toBe(0x88)
  })
})

describe("other users while a password is checked", () => {
  it.each([
    ["deleted", {}, "alice right: 0x86"],
    ["with another password", { alice: "other" }, "alice right: 0x86"],
    ["who is there again as before", undefined, "alice right: in"],
  ] as const)("a user %s", async (_what, next, expected) => {
    const desk = new Desk()
    const login = desk.login("alice", "right")
    desk.checker.replace(
      next === undefined ? new Map(users) : "alice" in next ? await entries({ alice: cheap }, "other") : new Map(),
    )
    await desk.finish()
    expect(await login).toBe(expected)
  })

  it("a remembered login is forgotten with its user or password, and kept with both", async () => {
    const desk = new Desk()
    void desk.login("alice", "right")
    await desk.finish()
    expect([...desk.checker.replace(new Map(users))]).toEqual([])
    void desk.login("alice", "right")
    expect(desk.computing).toHaveLength(0)
    const bob = users.get("bob")!
    expect([...desk.checker.replace(new Map([["bob", bob]]))]).toEqual(["alice"])
    void desk.login("alice", "right")
    expect(desk.computing).toHaveLength(1)
    await desk.finish()
    expect(desk.answers.at(-1)).toBe("alice right: 0x86")
  })
})

it.each([
  ["192.0.2.1:50412", "192.0.2.1"],
  ["192.0.2.1", "192.0.2.1"],
  ["[2001:db8::1]:50412", "2001:db8:0:0::/64"],
  ["[2001:DB8:0:0:9::1]:1", "2001:db8:0:0::/64"],
  ["[2001:db8:0001:2:3:4:5:6]:1", "2001:db8:1:2::/64"],
  ["[fe80::1%eth0]:1", "fe80:0:0:0::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["[::1]:1", "0:0:0:0::/64"],
  ["embedded", "embedded"],
])("a login from %s counts for %s", (address, source) => {
  expect(sourceOf(address)).toBe(source)
})
