// What a snapshot of the numbers is made of beside the core, as a platform would have it.

import { HandshakeCounts } from "../src/admin/handshake-counts.ts"
import type { Sources } from "../src/admin/metrics.ts"
import { Timings } from "../src/admin/timings.ts"

export function metricSources(given: Partial<Sources> = {}): Sources {
  return {
    tls: new HandshakeCounts(),
    load: { pending: 0, waiting: 0, waitingBytes: 0 },
    timings: new Timings().read(),
    process: {
      cpuSeconds: 1.5,
      residentBytes: 50_000_000,
      startTimeSeconds: 1_795_910_400.25,
      openDescriptors: 20,
      maximumDescriptors: 1024,
    },
    heapBytes: 7_000_000,
    store: { bytes: 4096, diskFree: 1_000_000_000, folds: 2, foldsFailed: 0 },
    certificates: [{ listener: "tls", expirySeconds: 1_800_000_000 }],
    build: { version: "9.9", runtime: "node", runtimeVersion: "20.19.0" },
    logins: { "password denied": 3 },
    webhookEvents: { delivered: 7, dropped: 0, refused: 0 },
    bridges: [
      {
        name: "far",
        address: "mqtts://far.example",
        connected: true,
        since: 1000,
        handedOn: { out: 20, in: 3 },
        dropped: { out: { "not authorized": 2 }, in: {} },
        waiting: 4,
        failures: 1,
        lastFailure: { at: 500, reason: "connect ECONNREFUSED" },
      },
    ],
    cluster: { nodes: 3, clients: 12, reachable: true },
    startedAt: 0,
    now: 5000,
    ...given,
  }
}
