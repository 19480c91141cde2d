// A replay tells of the connection what the recorded one has told.

import { expect, it } from "vitest"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { replay } from "../../src/recording/index.ts"
import type { TraceEvent } from "../../src/trace/events.ts"
import { record, scenarios } from "./scenes.ts"

const copied = (event: TraceEvent) =>
  Object.fromEntries(
    Object.entries(event).map(([k, v]) => [k, v instanceof Uint8Array ? Buffer.from(v).toString("hex") : v]),
  )

it.each(Object.keys(scenarios))("%s", async (name) => {
  const live: Record<"client" | "server", object[]> = { client: [], server: [] }
  const { client, server } = await record(name, undefined, {
    client: (event) => void live.client.push(copied(event)),
    server: (event) => void live.server.push(copied(event)),
  })
  for (const [role, { text }] of [
    ["client", client],
    ["server", server],
  ] as const) {
    const again: object[] = []
    replay(text, { provider: createFastProvider(), trace: (event) => void again.push(copied(event)) })
    expect(again).toEqual(live[role])
  }
})
