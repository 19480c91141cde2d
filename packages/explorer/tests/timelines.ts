// What tests of timelines share.

import type { Timeline } from "../src/run/step.ts"

export const scenarioIds = [
  ...["full", "hello-retry", "resumption", "psk-ke", "0-rtt", "0-rtt-rejected", "0-rtt-replayed", "client-certificate"],
  ...["post-handshake", "external-psk", "key-update", "compression", "raw-public-key", "hybrid", "stateless-retry"],
  ...["ech", "ech-retry", "ech-rejected", "ech-grease", "close"],
]

export function connectionsOf({ steps }: Timeline): readonly number[] {
  return [...new Set(steps.map(({ connection }) => connection))]
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex")
}
