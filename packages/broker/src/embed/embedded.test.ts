import { describe, expect, it } from "vitest"
import { publishBytes } from "../../tests/harness.ts"
import { KeepingStore } from "../../tests/keeping-store.ts"
import { openAccess } from "../../tests/open-access.ts"
import { writeConnect, writeSubscribe } from "../codecs/mqtt-packet.ts"
import { Framer } from "../packet/framer.ts"
import type { ByteLink } from "./byte-link.ts"
import { EmbeddedBroker, type EmbeddedOptions } from "./embedded.ts"

class World {
  passed = 0
  wall = 0
  readonly embedded: EmbeddedBroker

  constructor(options: Partial<EmbeddedOptions> = {}, soon: () => void = () => {}) {
    const random = (length: number) => new Uint8Array(length).fill(0xa5)
    this.embedded = new EmbeddedBroker(
      { passed: () => this.passed, wall: () => this.wall, soon, random },
      { access: openAccess, ...options },
    )
  }

  turns(): number {
    for (let i = 0; i < 1000; i++) {
      const wait = this.embedded.turn()
      if (wait > 0) return wait
    }
    throw new Error("it never has enough")
  }

  pass(milliseconds: number): void {
    const until = this.passed + milliseconds
    while (this.passed < until) {
      this.passed = Math.min(until, this.passed + Math.ceil(this.turns()))
      this.turns()
    }
  }

  open(): ByteLink {
    const link = this.embedded.open()
    if (link === undefined) throw new Error("refused")
    return link
  }

  say(link: ByteLink, ...packets: Uint8Array[]): readonly number[] {
    for (const packet of packets) link.receive(packet)
    this.turns()
    return types(link.take())
  }

  connected(request: Partial<Parameters<typeof writeConnect>[0]> = {}): ByteLink {
    const link = this.open()
    expect(this.say(link, connect(request))).toEqual([2])
    return link
  }
}

function connect(request: Partial<Parameters<typeof writeConnect>[0]> = {}): Uint8Array {
  return writeConnect({ protocolVersion: 5, clientId: "c", cleanStart: true, keepAlive: 0, ...request })
}

function subscribe(filter: string, qos: 0 | 1 = 0): Uint8Array {
  const one = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
  return writeSubscribe(1, [one], 5)
}

/** Of the packets in there. */
function types(bytes: Uint8Array): number[] {
  const framer = new Framer(0x1000_0004)
  framer.connectOnly = false
  framer.push(bytes)
  const found: number[] = []
  while (framer.next()) found.push(framer.header >> 4)
  expect(framer.buffered).toBe(0)
  return found
}

describe("a broker by bytes", () => {
  it("serves clients, and publishes as itself", () => {
    const world = new World()
    const link = world.connected()
    expect(world.say(link, subscribe("t"))).toEqual([9])
    world.embedded.publish("t", "hello")
    world.turns()
    const bytes = link.take()
    expect(types(bytes)).toEqual([3])
    expect(new TextDecoder().decode(bytes.subarray(-5))).toBe("hello")
    expect(types(link.take())).toEqual([])
  })

  it("gives names to clients that have none, of the host's random bytes", () => {
    const world = new World()
    const link = world.open()
    link.receive(connect({ clientId: "" }))
    world.turns()
    expect(new TextDecoder().decode(link.take())).toContain(`auto-${"a5".repeat(16)}`)
  })

  it("the array that was received is its owner's again", () => {
    const world = new World()
    const link = world.open()
    const packet = connect()
    const parts = [packet.subarray(0, 9), packet.subarray(9)].map((part) => Uint8Array.from(part))
    for (const part of parts) {
      link.receive(part)
      part.fill(0xee)
    }
    world.turns()
    expect(types(link.take())).toEqual([2])
  })

  it("keeps no more for a link than there is room for, and goes on when it was taken", () => {
    const world = new World({ limits: { maximumOutboundBytes: 200_000 } })
    const [slow, busy] = [world.connected({ clientId: "slow" }), world.connected({ clientId: "busy" })]
    world.say(slow, subscribe("t", 1))
    for (let i = 0; i < 40; i++) {
      world.say(busy, publishBytes(5, "t", "x".repeat(20_000), { qos: 1, packetId: i + 1 }))
    }
    const { waiting } = slow
    expect(waiting).toBeGreaterThan(65_536)
    expect(waiting).toBeLessThan(200_000)
    let messages = 0
    for (let i = 0; i < 100; i++) {
      messages += types(slow.take()).filter((type) => type === 3).length
      world.turns()
    }
    expect(messages).toBe(40)
  })

  it("says when it does not want to read, and when it does again", () => {
    const world = new World({ limits: { maximumPublishRate: 1 } })
    const link = world.connected()
    world.say(link, publishBytes(5, "t", "1"), publishBytes(5, "t", "2"), publishBytes(5, "t", "3"))
    expect(link.reads).toBe(false)
    world.pass(3000)
    expect(link.reads).toBe(true)
    expect(world.embedded.broker.counters.connectionsClosed).toBe(0)
  })

  it("a client that breaks the protocol is told, and its link ends after that", () => {
    const world = new World()
    const link = world.connected()
    link.receive(Uint8Array.of(0xf0, 0))
    world.turns()
    expect(link.state).toBe("ending")
    expect(types(link.take())).toEqual([14])
    expect(link.state).toBe("closed")
    link.receive(connect())
    expect(link.take()).toHaveLength(0)
  })

  it("[MQTT-3.1.2-8] a link that is lost publishes the will, and one that is refused has none", () => {
    const world = new World({ limits: { maximumConnections: 2 } })
    const [watcher, other] = [world.connected({ clientId: "w" }), world.open()]
    world.say(watcher, subscribe("will"))
    expect(world.embedded.open()).toBeUndefined()
    const will = { topic: "will", payload: Uint8Array.of(1), qos: 0, retain: false } as const
    world.say(other, connect({ clientId: "o", will }))
    other.lost()
    expect(other.state).toBe("closed")
    world.turns()
    expect(types(watcher.take())).toEqual([3])
  })

  it("[MQTT-3.1.2-22] what ends by itself ends while turns are called: a silent client after its Keep Alive", () => {
    const world = new World()
    const link = world.connected({ keepAlive: 10 })
    world.pass(14_000)
    expect(link.state).toBe("open")
    world.pass(2500)
    expect(types(link.take())).toEqual([14])
    expect(link.state).toBe("closed")
  })

  it("close tells every client", () => {
    const world = new World()
    const link = world.connected()
    expect(world.embedded.close()).toBeUndefined()
    expect(types(link.take())).toEqual([14])
    expect(world.embedded.open()).toBeUndefined()
  })

  it("asks for a turn when a store that takes its time has answered", () => {
    const store = new KeepingStore()
    let asked = 0
    const world = new World({ store }, () => asked++)
    const link = world.connected({ cleanStart: false, sessionExpiryInterval: 3600 })
    store.mode = "late"
    expect(world.say(link, publishBytes(5, "t", "x", { qos: 1, retain: true }))).toEqual([])
    const before = asked
    store.answer()
    expect(asked).toBe(before + 1)
    world.embedded.turn()
    expect(types(link.take())).toEqual([4])
  })

  it("goes on with what a store has kept, by the clock of before", () => {
    const store = new KeepingStore()
    const before = new World({ store })
    before.wall = Date.UTC(2026, 1, 1)
    expect(before.embedded.restore()).toBe("restored")
    const link = before.connected({ cleanStart: false, sessionExpiryInterval: 3600 })
    before.say(link, subscribe("t", 1))
    before.pass(120_000)
    const after = new World({ store })
    after.wall = before.wall + 60_000
    expect(after.embedded.restore()).toBe("restored")
    expect([...after.embedded.broker.sessions()].map(({ clientId }) => clientId)).toEqual(["c"])
    expect(after.turns()).toBeGreaterThan(0)
    after.pass(3_700_000)
    expect([...after.embedded.broker.sessions()]).toEqual([])
  })
})
