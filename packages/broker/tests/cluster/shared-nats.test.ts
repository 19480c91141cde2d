// A Shared Subscription over two brokers and NATS itself, where there is a nats-server.

import { describe, expect, it } from "vitest"
import { NodeOfCluster } from "../../src/cluster/cluster.ts"
import { openStreams } from "../../src/cluster/nats.ts"
import { clustering } from "../../src/hub/clustering.ts"
import { connectNats } from "../../src/platform/nats-socket.ts"
import { TestBroker, type TestClient } from "../harness.ts"
import { NatsServers, natsServer, withoutNats } from "./nats-server.ts"

interface Running {
  readonly test: TestBroker
  readonly stop: () => void
}

async function start(servers: NatsServers, node: string): Promise<Running> {
  const streams = await openStreams({
    connect: connectNats,
    servers: servers.addresses,
    cluster: "shared",
    partitions: 2,
  })
  const cluster = new NodeOfCluster({
    node,
    partitions: 2,
    retention: 86_400,
    now: () => Date.now(),
    trouble: () => undefined,
  })
  const test = new TestBroker({ store: cluster, bus: cluster, cluster: clustering(cluster) })
  test.checked = false
  test.now = Date.now()
  cluster.open(streams)
  test.broker.restore(test.now)
  let seconds = Math.floor(test.now / 1000)
  const timer = setInterval(() => {
    test.now = Date.now()
    if (Math.floor(test.now / 1000) > seconds) {
      seconds = Math.floor(test.now / 1000)
      cluster.tick()
      test.broker.tick(test.now)
    }
    test.settle()
  }, 2)
  return {
    test,
    stop: () => {
      clearInterval(timer)
      cluster.close()
    },
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 3))) {
    if (performance.now() > end) throw new Error(`${what}: not after 20 s`)
  }
}

async function open({ test }: Running, clientId: string): Promise<TestClient> {
  const client = test.connect({ clientId })
  await until("CONNACK", () => client.seen.some(({ type }) => type === "connack"))
  return client
}

if (natsServer === undefined) it.skip(`gives each message to one member: ${withoutNats}`, () => {})

describe.skipIf(natsServer === undefined)("a Shared Subscription on NATS", { timeout: 60_000 }, () => {
  it.each([1, 2] as const)(
    "gives each message at QoS %i to one member, and what one has not acknowledged to another",
    async (qos) => {
      const servers = await NatsServers.start(1)
      const brokers = [await start(servers, "a"), await start(servers, "b")]
      const got: string[][] = [[], []]
      const members = await Promise.all(brokers.map((broker, at) => open(broker, `m${at}`)))
      for (const member of members) {
        member.subscribe("$share/g/t/+", { qos })
        await until("SUBACK", () => member.seen.some(({ type }) => type === "suback"))
      }
      const publisher = await open(brokers[0]!, "p")
      for (let at = 0; at < 20; at++) publisher.publish("t/1", `x${at}`, { qos, packetId: at + 1 })
      await until("all", () => {
        for (const [at, member] of members.entries()) {
          for (const one of member.take()) {
            got[at]!.push(one.payload)
            if (at === 0 || qos === 2) member.ack(qos === 1 ? 4 : 5, one.packetId)
          }
        }
        return got[0]!.length + got[1]!.length >= 20
      })
      expect(new Set(got.flat()).size).toBe(20)
      expect(got[1]!.length).toBeGreaterThan(3)
      if (qos === 1) {
        members[1]!.cut()
        await until("what was handed back", () => {
          for (const one of members[0]!.take()) got[0]!.push(one.payload)
          return got[0]!.length >= 20
        })
        expect(new Set(got[0]).size).toBe(20)
      }
      for (const { stop } of brokers) stop()
      await servers.stop()
    },
  )
})
