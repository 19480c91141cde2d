import { describe, expect, it } from "vitest"
import type { SecretName, TraceEvent } from "./events.ts"
import { keyLogLine } from "./keylog.ts"

const clientRandom = Uint8Array.from({ length: 32 }, (_, i) => i)
const secret = new Uint8Array(48).fill(0xab)
const random = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

function secretEvent(name: SecretName, generation = 0): TraceEvent {
  return { type: "secret", name, secret, clientRandom, generation }
}

describe("RFC 9850 2.1: labels of TLS 1.3", () => {
  it.each([
    ["client_early_traffic_secret", 0, "CLIENT_EARLY_TRAFFIC_SECRET"],
    ["early_exporter_secret", 0, "EARLY_EXPORTER_SECRET"],
    ["client_handshake_traffic_secret", 0, "CLIENT_HANDSHAKE_TRAFFIC_SECRET"],
    ["server_handshake_traffic_secret", 0, "SERVER_HANDSHAKE_TRAFFIC_SECRET"],
    ["client_application_traffic_secret", 0, "CLIENT_TRAFFIC_SECRET_0"],
    ["server_application_traffic_secret", 0, "SERVER_TRAFFIC_SECRET_0"],
    ["server_application_traffic_secret", 12, "SERVER_TRAFFIC_SECRET_12"],
    ["exporter_secret", 0, "EXPORTER_SECRET"],
  ] as const)("%s %i is %s", (name, generation, label) => {
    expect(keyLogLine(secretEvent(name, generation))).toBe(`${label} ${random} ${"ab".repeat(48)}`)
  })

  it.each(["early_secret", "binder_key", "handshake_secret", "main_secret", "resumption_secret"] as const)(
    "%s has none and is never logged",
    (name) => {
      expect(keyLogLine(secretEvent(name))).toBeUndefined()
    },
  )

  it("other events have no line", () => {
    expect(keyLogLine({ type: "alert", direction: "sent", level: 1, description: "close_notify" })).toBeUndefined()
  })
})
