// One message to many sessions that are away: copies in turns to come, and nobody can tell.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient } from "../../tests/harness.ts"
import { Acl, parseAcl } from "../access/acl.ts"
import { createAccess } from "../access/login.ts"
import { nobleScrypt } from "../access/scrypt.ts"
import { writeSubscribe, writeUnsubscribe } from "../codecs/mqtt-packet.ts"
import { defaultLimits } from "../session/limits.ts"
import type { BrokerOptions } from "./options.ts"

const pingreq = Uint8Array.of(0xc0, 0)

interface Scene {
  readonly test: TestBroker
  readonly publisher: TestClient
  readonly neighbour: TestClient
}

/** Two of the six sessions that are away have their copies at once, and two more in each turn. */
function scene(options: Partial<BrokerOptions> = {}): Scene {
  const test = new TestBroker({ awayPerTurn: 2, ...options })
  for (let i = 0; i < 6; i++) {
    const client = back(test, i)
    client.subscribe("t")
    client.cut()
  }
  return { test, publisher: test.connect({ clientId: "p" }), neighbour: test.connect({ clientId: "n" }) }
}

function back(test: TestBroker, i: number): TestClient {
  return test.connect({ clientId: `away${i}`, cleanStart: false, sessionExpiryInterval: 1000 })
}

/** Comes in, and nothing more. */
function sends(test: TestBroker, client: TestClient, bytes: Uint8Array): void {
  client.connection!.receive(bytes, test.now)
}

function publishes(test: TestBroker, client: TestClient, payload: string, qos: 0 | 1 | 2 = 1, packetId = 1): void {
  sends(test, client, publishBytes(5, "t", payload, { qos, packetId }))
}

function waiting(test: TestBroker): number[] {
  return Array.from({ length: 6 }, (_, i) => {
    const session = [...test.broker.sessions()].find(({ clientId }) => clientId === `away${i}`)
    return session?.queuedMessages ?? -1
  })
}

/** What each of them is sent in the end. */
function got(test: TestBroker): string[] {
  return Array.from({ length: 6 }, (_, i) => {
    const client = back(test, i)
    const payloads = client.payloads().join(" ")
    client.cut()
    return payloads
  })
}

const all = (payloads: string) => Array<string>(6).fill(payloads)

describe("copies for many sessions that are away", () => {
  it("are made in turns, and a neighbour is answered between them", () => {
    const { test, publisher, neighbour } = scene()
    publishes(test, publisher, "a")
    expect(waiting(test)).toEqual([1, 1, 0, 0, 0, 0])
    test.broker.flush(test.now)
    expect(waiting(test)).toEqual([1, 1, 1, 1, 0, 0])
    sends(test, neighbour, pingreq)
    test.broker.flush(test.now)
    expect(neighbour.seen.at(-1)?.type).toBe("pingresp")
    test.settle()
    expect(got(test)).toEqual(all("a"))
  })

  it("[MQTT-4.3.2-4] PUBACK leaves when all of them are committed, in one turn", () => {
    const { test, publisher } = scene()
    const before = test.store.changes.length
    publishes(test, publisher, "a")
    while (waiting(test).includes(0)) {
      expect(publisher.acks()).toEqual([])
      expect(test.store.changes.length).toBe(before)
      test.broker.flush(test.now)
    }
    test.settle()
    expect(test.store.changes.slice(before).map(({ type }) => type)).toEqual(["message", ...all("queued")])
    expect(publisher.acks()).toEqual([{ type: "puback", packetId: 1, reasonCode: 0 }])
  })

  it("PUBACK waits for them too where nothing else of the message is kept yet", () => {
    const { test, publisher } = scene({ awayPerTurn: 0 })
    const here = test.connect({ clientId: "here" })
    here.subscribe("t")
    publishes(test, publisher, "a")
    test.broker.flush(test.now)
    expect(waiting(test)).toContain(0)
    expect(here.payloads()).toEqual(["a"])
    expect(publisher.acks()).toEqual([])
    test.settle()
    expect(publisher.acks()).toHaveLength(1)
  })

  it("PUBACK leaves with a store that answers late, too", () => {
    const { test, publisher, neighbour } = scene()
    test.store.mode = "late"
    sends(test, neighbour, publishBytes(5, "t", "before", { qos: 1, packetId: 9 }))
    test.settle()
    expect(test.store.waits).toBe(true)
    publishes(test, publisher, "a")
    test.broker.flush(test.now)
    test.store.answer()
    expect(publisher.acks()).toEqual([])
    test.settle()
    while (test.store.waits) {
      test.store.answer()
      test.settle()
    }
    expect(publisher.acks()).toHaveLength(1)
    expect(neighbour.acks()).toHaveLength(1)
    test.store.mode = "at once"
    expect(got(test)).toEqual(all("before a"))
  })

  it("[MQTT-4.3.3-10] after a crash between them there are all or none: QoS 2 comes once when it is sent again", () => {
    const { test, publisher } = scene()
    publisher.disconnect()
    const first = test.connect({ clientId: "p2", cleanStart: false, sessionExpiryInterval: 1000 })
    publishes(test, first, "a", 2)
    test.broker.flush(test.now)
    expect(waiting(test)).toEqual([1, 1, 1, 1, 0, 0])
    const next = test.restart()
    const again = next.connect({ clientId: "p2", cleanStart: false, sessionExpiryInterval: 1000 })
    again.send(publishBytes(5, "t", "a", { qos: 2, packetId: 1, dup: true }))
    expect(got(next)).toEqual(all("a"))
  })

  it("[MQTT-4.6.0-6] a second message comes behind them, of the same client and of another", () => {
    for (const which of ["publisher", "neighbour"] as const) {
      const made = scene()
      const { test } = made
      publishes(test, made.publisher, "a")
      publishes(test, made[which], "b", 1, 2)
      test.broker.flush(test.now)
      publishes(test, made[which], "c", 1, 3)
      test.settle()
      expect(got(test)).toEqual(all("a b c"))
    }
  })

  it("[MQTT-4.6.0-6] a message to few of them comes behind them, too", () => {
    const { test, publisher, neighbour } = scene()
    const fifth = back(test, 5)
    fifth.subscribe("u")
    fifth.cut()
    publishes(test, publisher, "a")
    sends(test, neighbour, publishBytes(5, "u", "b", { qos: 1, packetId: 1 }))
    expect(waiting(test)).toEqual([1, 1, 0, 0, 0, 2])
    test.settle()
    expect(back(test, 5).payloads()).toEqual(["a", "b"])
  })

  it("[MQTT-4.6.0-6] one who is back meanwhile gets them in order", () => {
    const { test, publisher } = scene()
    publishes(test, publisher, "a")
    const fifth = test.open(5)
    // It sends CONNECT before the turn is over.
    const { settle } = test
    test.settle = () => undefined
    fifth.connect({ clientId: "away5", cleanStart: false, sessionExpiryInterval: 1000 })
    publishes(test, publisher, "b", 1, 2)
    test.settle = settle
    test.settle()
    expect(fifth.payloads()).toEqual(["a", "b"])
  })

  it("[MQTT-3.10.4-2] come before UNSUBSCRIBE, and nothing after it", () => {
    const { test, publisher } = scene()
    publishes(test, publisher, "a")
    const fifth = test.open(5)
    const { settle } = test
    test.settle = () => undefined
    fifth.connect({ clientId: "away5", cleanStart: false, sessionExpiryInterval: 1000 })
    sends(test, fifth, writeUnsubscribe(2, ["t"], 5))
    const types = () => fifth.seen.map(({ type }) => type)
    test.settle = settle
    test.settle()
    expect(types()).toContain("unsuback")
    expect(fifth.payloads()).toEqual(["a"])
    publishes(test, publisher, "b", 1, 2)
    test.settle()
    expect(fifth.payloads()).toEqual([])
  })

  it("[MQTT-3.8.4-3] come before what is retained to who subscribes again meanwhile", () => {
    const { test, publisher } = scene()
    sends(test, publisher, publishBytes(5, "t", "a", { qos: 1, packetId: 1, retain: true }))
    const fifth = test.open(5)
    const { settle } = test
    test.settle = () => undefined
    fifth.connect({ clientId: "away5", cleanStart: false, sessionExpiryInterval: 1000 })
    const how = { filter: "t", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    sends(test, fifth, writeSubscribe(2, [how], 5, undefined))
    test.settle = settle
    test.settle()
    expect(fifth.take().map(({ payload, retain }) => [payload, retain])).toEqual([
      ["a", false],
      ["a", true],
    ])
  })

  it("a session that ends meanwhile takes its copy with it, and the others have theirs", () => {
    const { test, publisher } = scene()
    publishes(test, publisher, "a")
    const fifth = test.open(5)
    fifth.connect({ clientId: "away5", cleanStart: true })
    test.settle()
    expect(fifth.payloads()).toEqual([])
    fifth.cut()
    expect(got(test)).toEqual(["a", "a", "a", "a", "a", ""])
  })

  it("who publishes is told 0x97 when none of them has room, as before; not when one has", () => {
    for (const [rooms, code] of [
      [[0, 0, 0, 0, 0, 0], 0x97],
      [[0, 0, 0, 0, 0, 1], 0],
    ] as const) {
      const { test, publisher } = scene({ limits: { maximumQueuedMessages: 1 } })
      for (const [i, room] of rooms.entries()) {
        const client = back(test, i)
        client.subscribe("own")
        client.cut()
        if (room === 0) continue
        const again = back(test, i)
        again.unsubscribe("own")
        again.cut()
      }
      publisher.publish("own", "x", { qos: 1, packetId: 1 })
      publishes(test, publisher, "a", 1, 2)
      test.settle()
      expect(publisher.acks().at(-1)).toEqual({ type: "puback", packetId: 2, reasonCode: code })
    }
  })

  it("all of them are there when the broker closes", () => {
    const { test, publisher } = scene()
    publishes(test, publisher, "a")
    test.broker.close(test.now)
    expect(got(test.restart())).toEqual(all("a"))
  })

  it("QoS 0 goes to nobody who is away, nor to one who comes back in the same turn", () => {
    const { test, publisher } = scene()
    publishes(test, publisher, "a", 0)
    const fifth = test.open(5)
    fifth.connect({ clientId: "away5", cleanStart: false, sessionExpiryInterval: 1000 })
    expect(fifth.payloads()).toEqual([])
    expect(test.broker.counters.dropped.offline).toBe(6)
  })

  it("a publisher whose turn is over is not read on before they are made", () => {
    const { test, publisher } = scene()
    const dear = "x".repeat(1_000_000)
    const three = [1, 2, 3].map((packetId) => publishBytes(5, "t", dear, { qos: 1, packetId }))
    publisher.connection!.receive(Buffer.concat(three), test.now)
    test.broker.flush(test.now)
    expect(Math.max(...waiting(test))).toBe(2)
    test.settle()
    expect(waiting(test)).toEqual([3, 3, 3, 3, 3, 3])
  })

  it("new rules hold for copies that are still to be made", () => {
    const login = (acl: string) => ({
      anonymous: true,
      passwords: undefined,
      certificates: true,
      acl: new Acl(parseAcl(acl)),
    })
    const means = {
      scrypt: nobleScrypt,
      random: (length: number) => new Uint8Array(length),
      now: () => 0,
      after: () => undefined,
      fault: () => undefined,
    }
    const access = createAccess(login("all readwrite #"), means, defaultLimits)
    const { test, publisher } = scene({ access })
    publishes(test, publisher, "a")
    const lost = access.replace(login("all readwrite u"))
    test.broker.rulesChanged(lost, { rights: true, disconnect: false })
    test.settle()
    expect(waiting(test)).toEqual([0, 0, 0, 0, 0, 0])
  })
})

describe("one message after the other to many who are away", () => {
  it("keeps no turn open: everybody is answered meanwhile, and each has all of them, in order", () => {
    const { test, neighbour } = scene()
    const { schedule } = test
    const publishers = Array.from({ length: 30 }, (_, i) => test.connect({ clientId: `p${i}` }))
    // No turn by itself.
    test.schedule = () => undefined
    publishes(test, publishers[0]!, "0")
    sends(test, neighbour, publishBytes(5, "own", "x", { qos: 1, packetId: 7 }))
    const answered: number[] = []
    for (let i = 1; i < publishers.length; i++) {
      test.broker.flush(test.now)
      if (neighbour.acks().length > 0) answered.push(i)
      publishes(test, publishers[i]!, `${i}`)
    }
    expect(answered[0]).toBeLessThanOrEqual(3)
    for (let i = 0; i < 10; i++) test.broker.flush(test.now)
    expect(publishers.every((publisher) => publisher.acks().length === 1)).toBe(true)
    test.schedule = schedule
    const all = publishers.map((_, i) => `${i}`).join(" ")
    expect(got(test)).toEqual(Array.from({ length: 6 }, () => all))
  })

  it("nor do wills that are due together", () => {
    const { test, neighbour } = scene()
    const { schedule } = test
    const payload = new TextEncoder().encode("gone")
    const will = { topic: "t", payload, qos: 1, retain: false } as const
    const clients = Array.from({ length: 40 }, (_, i) => test.connect({ clientId: `w${i}`, will }))
    test.schedule = () => undefined
    for (const client of clients) client.cut()
    sends(test, neighbour, publishBytes(5, "own", "x", { qos: 1, packetId: 7 }))
    for (let i = 0; i < 4; i++) test.broker.flush(test.now)
    expect(neighbour.acks()).toHaveLength(1)
    for (let i = 0; i < 100; i++) test.broker.flush(test.now)
    expect(waiting(test)).toEqual([40, 40, 40, 40, 40, 40])
    test.schedule = schedule
  })
})
