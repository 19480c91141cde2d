import type { TraceEvent } from "../../src/trace/events.ts"

/** One event of each kind, and of those that differ. */
export const everyKindOfEvent: readonly TraceEvent[] = [
  { type: "state", role: "client", from: "START", message: undefined, to: "WAIT_SH" },
  { type: "message", direction: "sent", name: "client_hello", message: Uint8Array.of(1, 0, 0, 1, 0) },
  {
    type: "record",
    direction: "sent",
    contentType: 22,
    innerType: 22,
    record: Uint8Array.of(22, 3, 1, 0, 5, 1, 0, 0, 1, 0),
    content: Uint8Array.of(1, 0, 0, 1, 0),
    protected: false,
  },
  { type: "message", direction: "received", name: "hello_retry_request", message: new Uint8Array(0) },
  { type: "state", role: "client", from: "WAIT_SH", message: "server_hello", to: "WAIT_SH" },
  { type: "transcript", upTo: "ServerHello", hash: new Uint8Array(32).fill(7) },
  {
    type: "secret",
    name: "server_application_traffic_secret",
    secret: new Uint8Array(48).fill(0xab),
    clientRandom: new Uint8Array(32).fill(1),
    generation: 3,
  },
  {
    type: "keys",
    direction: "received",
    secretName: "server_application_traffic_secret",
    key: new Uint8Array(16).fill(2),
    iv: new Uint8Array(12).fill(3),
  },
  { type: "alert", direction: "received", level: 2, description: "alert(77)" },
]
