// A broker with a store in files, on a machine whose clock is not set at the start: only what says the date is made up.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import mqtt from "mqtt"
import { afterAll, afterEach, expect, it, vi } from "vitest"
import { createBroker, type PureMqBroker } from "./node.ts"

const year2026 = Date.UTC(2026, 5, 1)
const minute = 60_000
const directory = mkdtempSync(join(tmpdir(), "puremq-clock-"))
const brokers: PureMqBroker[] = []

afterEach(() => vi.useRealTimers())
afterAll(async () => {
  await Promise.all(brokers.map((broker) => broker.close()))
  rmSync(directory, { recursive: true })
})

async function start(date: number): Promise<{ broker: PureMqBroker; port: number }> {
  vi.useFakeTimers({ toFake: ["Date"], now: date })
  const broker = createBroker({ store: { directory }, sysInterval: 0, listeners: [{ type: "tcp", port: 0 }] })
  brokers.push(broker)
  return { broker, port: (await broker.listen())[0]!.port }
}

/** Ticks come once a second. */
async function ticks(count: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, count * 1000 + 200))
}

it("keeps a session of an hour for an hour, whatever that clock is set to and when", async () => {
  const first = await start(3000)
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${first.port}`, {
    ...{ protocolVersion: 5, clientId: "c", clean: false, reconnectPeriod: 0 },
    properties: { sessionExpiryInterval: 3600 },
  })
  await client.publishAsync("r", "x", { retain: true, qos: 1, properties: { messageExpiryInterval: 3600 } })
  await client.endAsync()
  const there = ({ broker }: { broker: PureMqBroker }) => [broker.stats().sessions, broker.stats().retainedMessages]
  vi.setSystemTime(year2026)
  await ticks(2)
  expect(there(first)).toEqual([1, 1])
  await first.broker.close()

  // 30 minutes later, and it is known.
  const second = await start(year2026 + 30 * minute)
  expect(there(second)).toEqual([1, 1])
  await ticks(1)
  await second.broker.close()

  // After another hour or so, and the clock is not set: nobody knows.
  const third = await start(3000)
  await ticks(1)
  expect(there(third)).toEqual([1, 1])
  vi.setSystemTime(year2026 + 90 * minute)
  await ticks(2)
  expect(there(third)).toEqual([1, 1])
  expect(third.broker.stats().uptimeSeconds).toBeLessThan(1000)
  await third.broker.close()

  // 25 minutes later: some are left. 10 more: none.
  const fourth = await start(year2026 + 115 * minute)
  await ticks(1)
  expect(there(fourth)).toEqual([1, 1])
  await fourth.broker.close()
  const fifth = await start(year2026 + 125 * minute)
  await ticks(1)
  expect(there(fifth)).toEqual([0, 0])
})
