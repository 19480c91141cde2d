// The runs that docs/performance.md has the figures of: together they take less than 25 minutes.

import type { RuntimeName } from "../runtimes.ts"

export interface PerformanceRun {
  /** Of its place in the document, and of its file in docs/performance. */
  readonly name: string
  /** About, on a machine of two cores with nothing else to do. */
  readonly seconds: number
  /** Of `npm run bench`. */
  readonly args: readonly string[]
  /** Default: the runtime that it is started with. */
  readonly on?: RuntimeName
}

const inMemory = ["full", "resumed", "0-rtt", "full,mtls", "full,group=X25519MLKEM768"]

export const performanceRuns: readonly PerformanceRun[] = [
  { name: "check-node20", seconds: 285, args: ["--check", "--quick"], on: "node20" },
  { name: "check-node26", seconds: 285, args: ["--check", "--quick"], on: "node26" },
  { name: "engine", seconds: 200, args: inMemory.flatMap((scenario) => ["--scenario", scenario]) },
  { name: "clients", seconds: 60, args: ["clients"] },
  { name: "memory", seconds: 20, args: ["memory"] },
  { name: "x509", seconds: 30, args: ["x509"] },
  { name: "messages", seconds: 15, args: ["messages"] },
  { name: "stores", seconds: 60, args: ["stores"] },
  { name: "stores-node26", seconds: 60, args: ["stores"], on: "node26" },
  { name: "cluster", seconds: 60, args: ["cluster"] },
  { name: "absent", seconds: 60, args: ["absent"] },
  { name: "restart", seconds: 90, args: ["restart"] },
  { name: "idle", seconds: 90, args: ["idle"] },
  { name: "stalled", seconds: 180, args: ["stalled"] },
]
