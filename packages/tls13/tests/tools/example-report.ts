// Reports for tests of what is made of them.

import { distributionOf } from "../../src/measure/distribution.ts"
import { histogramOf } from "../../src/measure/histogram.ts"
import { type Report, type Run, reportFormat, type Slice } from "../../src/measure/report.ts"
import { seeded } from "../../src/measure/seeded.ts"

/** A run of two seconds in ten slices, of a server that needs about so many milliseconds. */
export function exampleRun(server: string, milliseconds: number, seed: number, more: Partial<Run> = {}): Run {
  const uniform = seeded(seed)
  const slices: Slice[] = []
  const all: number[] = []
  for (let i = 0; i < 10; i++) {
    const latencies = Array.from({ length: 40 }, () => milliseconds * (0.8 + 0.4 * uniform())).sort((a, b) => a - b)
    all.push(...latencies)
    const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))]!
    slices.push({
      at: 0.2 * i,
      seconds: 0.2,
      completed: Math.round((400 / milliseconds) * (0.95 + 0.1 * uniform())),
      failed: 0,
      latency: [at(0), at(0.25), at(0.5), at(0.75), at(0.99), at(1)],
    })
  }
  const completed = slices.reduce((sum, slice) => sum + slice.completed, 0)
  const cpu = { seconds: 1, user: 0.9, system: 0.1, cores: 0.5, busiest: 0.5, perOperation: milliseconds / 4 }
  const direction = { bytes: 300, records: 3, flights: 2 }
  return {
    name: "full",
    scenario: { mode: "full", engine: "ours", provider: "fast" },
    repetition: 1,
    target: { host: "localhost", port: 4433, address: "127.0.0.1", name: server, own: false },
    loop: { kind: "closed", concurrency: 8 },
    workers: 1,
    warmUpSeconds: 1,
    seconds: 2,
    counts: { completed, failed: 0, warmUp: 100, notBegun: 0, priming: 0, notClosedByServer: 0 },
    tallies: {},
    rate: completed / 2,
    latency: distributionOf(all),
    histogram: histogramOf(all).toJSON(),
    parts: {
      connect: distributionOf(all.map((each) => 0.2 * each)),
      client: distributionOf(all.map((each) => 0.3 * each)),
      wait: distributionOf(all.map((each) => 0.5 * each)),
      behind: null,
    },
    slices,
    failures: [],
    wire: { sent: direction, received: direction, after: { sent: 24, received: 400 }, seen: completed },
    agreed: { protocol: "TLSv1.3", "cipher suite": "TLS_AES_128_GCM_SHA256", "key exchange": "x25519" },
    authenticated: { verified: true, words: "the server's certificate was verified" },
    client: cpu,
    server: { ...cpu, pid: 1, program: server, processes: 1, threads: 1, cpusAllowed: "0-1", operations: completed },
    machine: { busy: 0.5, steal: 0 },
    ports: { timeWaitBefore: 0, timeWaitAfter: 100, sources: 32 },
    limit: { side: "server", words: "the server" },
    notes: ["a note"],
    ...more,
  }
}

export function exampleReport(runs: readonly Run[]): Report {
  return {
    format: reportFormat,
    tool: { name: "tls13 bench", version: "0.0.0" },
    command: "tls13 bench localhost:4433",
    started: "2030-01-02T03:04:05.678Z",
    operation: "handshake",
    machine: {
      host: "here",
      system: "Linux",
      kernel: "Linux 6",
      architecture: "x64",
      cpu: "a processor",
      cpus: 2,
      cpusAllowed: "0-1",
      cpuQuota: null,
      governor: null,
      turbo: null,
      virtual: true,
      memoryBytes: 2 ** 33,
      runtime: "Node.js",
      loadBefore: 0.1,
    },
    runs,
  }
}
