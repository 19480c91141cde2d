// Judging by a long access control list is part of the work that turns are measured by, whatever it is about.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker } from "../../tests/harness.ts"
import { Acl, parseAcl } from "../access/acl.ts"
import { createAccess } from "../access/login.ts"
import { nobleScrypt } from "../access/scrypt.ts"
import { defaultLimits } from "../session/limits.ts"

/** Below `a/a/...` half of all that the rules have matches each level: 512 nodes at the last one. */
const levels = 9
const deep = "a/".repeat(levels)
const dear = [
  ...Array.from({ length: 2 ** levels }, (_, n) => {
    const path = Array.from({ length: levels }, (_, at) => ((n >> at) & 1 ? "a" : "+"))
    return `all deny ${path.join("/")}/x`
  }),
  "all readwrite #",
].join("\n")
const cheap = "all deny b/x\nall readwrite #"
const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const

function broker(acl: string) {
  const means = {
    scrypt: nobleScrypt,
    random: (length: number) => new Uint8Array(length),
    now: () => 0,
    after: () => undefined,
    fault: () => undefined,
  }
  const rules = () => ({ anonymous: true, passwords: undefined, certificates: true, acl: new Acl(parseAcl(acl)) })
  const access = createAccess(rules(), means, defaultLimits)
  const test = new TestBroker({ access })
  const reload = () => test.broker.rulesChanged(access.replace(rules()), { rights: true, disconnect: false })
  return { test, reload }
}

type Made = ReturnType<typeof broker>

const kinds: readonly [string, (made: Made) => () => void][] = [
  [
    "a PUBLISH to another topic",
    ({ test }) => {
      const client = test.connect({ clientId: "c" })
      return () => client.publish(`${deep}y`, "")
    },
  ],
  [
    "SUBSCRIBE",
    ({ test }) => {
      const client = test.connect({ clientId: "c" })
      return () => client.subscribe(`${deep}y`)
    },
  ],
  [
    "the will of a CONNECT",
    ({ test }) => {
      const will = { topic: `${deep}y`, payload: new Uint8Array(0), qos: 0, retain: false, delayInterval: 0 } as const
      return () => test.connect({ clientId: "c", will })
    },
  ],
  [
    "what comes through a subscription that a rule touches",
    ({ test }) => {
      test.connect({ clientId: "c" }).subscribe("#")
      return () => test.broker.publishOwn(`${deep}y`, new Uint8Array(0), 0, false)
    },
  ],
  [
    "a retained message on its way",
    ({ test }) => {
      test.broker.publishOwn(`${deep}y`, Uint8Array.of(1), 0, true)
      const client = test.connect({ clientId: "c" })
      return () => client.subscribe("#")
    },
  ],
  [
    "new rules for a subscription",
    ({ test, reload }) => {
      test.connect({ clientId: "c" }).subscribe(`${deep}y`)
      return reload
    },
  ],
  [
    "new rules for a message that waits",
    ({ test, reload }) => {
      const client = test.connect({ clientId: "c", ...persistent })
      client.subscribe("#", { qos: 1 })
      client.cut()
      test.broker.publishOwn(`${deep}y`, Uint8Array.of(1), 1, false)
      return reload
    },
  ],
  [
    "new rules for a will",
    ({ test, reload }) => {
      const will = { topic: `${deep}y`, payload: new Uint8Array(0), qos: 0, retain: false, delayInterval: 0 } as const
      test.connect({ clientId: "c", will })
      return reload
    },
  ],
]

describe("judging counts", () => {
  it.each(kinds)("%s", (_, prepare) => {
    const costs = [cheap, dear].map((acl) => {
      const made = broker(acl)
      const work = prepare(made)
      made.test.settle()
      const before = made.test.broker.work
      work()
      made.test.settle()
      return made.test.broker.work - before
    })
    expect(costs[0]).toBeLessThan(150)
    expect(costs[1]).toBeGreaterThan(900)
  })

  it("and what was counted of the lists before still does", () => {
    const { test, reload } = broker(dear)
    const client = test.connect({ clientId: "c" })
    for (let i = 0; i < 3; i++) {
      const before = test.broker.work
      client.publish(`${deep}y${i}`, "")
      reload()
      test.settle()
      expect(test.broker.work - before).toBeGreaterThan(900)
    }
  })

  it("a turn is over sooner with a list that takes long", () => {
    const handled = [cheap, dear].map((acl) => {
      const { test } = broker(acl)
      test.schedule = () => undefined
      const flood = test.connect({ clientId: "c" })
      test.broker.flush(test.now)
      const packets = Array.from({ length: 500 }, (_, i) => [...publishBytes(5, `${deep}y${i}`, "")])
      flood.connection!.receive(Uint8Array.from(packets.flat()), test.now)
      const now = test.broker.counters.publishReceived
      for (let turns = 0; test.broker.counters.publishReceived < 500 && turns < 1000; turns++)
        test.broker.flush(test.now)
      expect(test.broker.counters.publishReceived).toBe(500)
      return now
    })
    expect(handled[0]).toBe(500)
    expect(handled[1]).toBeLessThan(100)
  })
})
