// What the broker's core and its connections are tested with, once more with the codec for any engine in the place of the one on
// mqtt-packet, which answers beside it: all that either reads and writes there is equal. So is it for the rows of
// test-vectors/mqtt.

import { readFileSync } from "node:fs"
import { afterEach, describe, expect, it, vi } from "vitest"
import { coreStage } from "../sequences/core-stage.ts"
import { made } from "../sequences/made/index.ts"
import { play } from "../sequences/play.ts"
import { readRows } from "../sequences/text.ts"
import type { Compared } from "./compared.ts"

const codec = await vi.hoisted(async () => {
  const { compared } = await import("./compared.ts")
  const { plainCodec } = await import("../../src/codecs/plain.ts")
  const holder: { both: Compared | undefined } = { both: undefined }
  return { holder, compared, plainCodec }
})

vi.mock("../../src/codecs/mqtt-packet.ts", async (original) => {
  const real = await original<typeof import("../../src/codecs/mqtt-packet.ts")>()
  const both = codec.compared(real.mqttPacketCodec, codec.plainCodec)
  codec.holder.both = both
  const { readConnect, readClientPacket, writeServerPacket } = both
  return { ...real, readConnect, readClientPacket, writeServerPacket, mqttPacketCodec: both }
})

let seen = 0
afterEach(() => {
  const { both } = codec.holder
  seen = both?.calls ?? 0
  expect(both?.differences.splice(0).slice(0, 5)).toEqual([])
})

describe("rows of test-vectors/mqtt", () => {
  it.each(Object.keys(made))("%s", { timeout: 240_000 }, async (name) => {
    const text = readFileSync(new URL(`../../../../test-vectors/mqtt/${name}.txt`, import.meta.url), "utf8")
    const wrong: string[] = []
    for (const row of readRows(text)) {
      const fault = await play(row, coreStage(row.broker ?? "plain", false))
      if (fault !== undefined) wrong.push(fault)
    }
    expect(wrong).toEqual([])
  })
})

await import("../../src/packet/guard.test.ts")
await import("../../src/client/authentication.test.ts")
await import("../../src/client/connection.test.ts")
await import("../../src/client/gone-client.test.ts")
await import("../../src/client/server-reference.test.ts")
await import("../../src/session/features.test.ts")
await import("../../src/session/login.test.ts")
await import("../../src/session/subscribe-limits.test.ts")
await import("../../src/hub/full-store.test.ts")

it("the codec was used", () => {
  expect(seen).toBeGreaterThan(1000)
})
