// What a benchmark's run leaves behind, as it is kept in a JSON file: `tls13 bench --json`, and what else measures operations
// against a server. report-schema.ts says the same as a JSON Schema.

import type { HistogramData } from "./histogram.ts"

/** Changes when a reader of the old form would misunderstand the new one. */
export const reportFormat = "puremq-bench/1"

export interface Report {
  readonly format: typeof reportFormat
  readonly tool: { readonly name: string; readonly version: string }
  /** The command line, as it was typed. */
  readonly command: string
  /** ISO 8601, UTC. */
  readonly started: string
  /** What an operation is: `handshake`, `message`, `connection`. */
  readonly operation: string
  readonly machine: Machine
  readonly runs: readonly Run[]
}

export interface Machine {
  readonly host: string
  readonly system: string
  readonly kernel: string
  readonly architecture: string
  readonly cpu: string
  readonly cpus: number
  /** CPUs that this process may run on, such as `0-3`; null: not known. */
  readonly cpusAllowed: string | null
  /** CPUs' worth of time that a control group leaves; null: no limit, or not known. */
  readonly cpuQuota: number | null
  /** Of all CPUs, such as `performance`; null: the system tells none (as in most virtual machines). */
  readonly governor: string | null
  /** Whether clocks may rise above nominal; null: not known. */
  readonly turbo: boolean | null
  readonly virtual: boolean | null
  readonly memoryBytes: number
  readonly runtime: string
  /** Processes that wanted to run, one minute's average, before the first run; null: not known. */
  readonly loadBefore: number | null
}

/** Milliseconds. */
export interface Distribution {
  readonly count: number
  readonly mean: number
  readonly min: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** Failures are never left out of a report: each reason with its count. */
export interface Failure {
  readonly reason: string
  readonly count: number
}

export interface Slice {
  /** Seconds since the measurement began. */
  readonly at: number
  readonly seconds: number
  /** Completed in it. */
  readonly completed: number
  readonly failed: number
  /** Of those that began in it, in milliseconds: least, quartiles, p99, most. null: none. */
  readonly latency: readonly [min: number, q1: number, p50: number, q3: number, p99: number, max: number] | null
}

export interface Cpu {
  /** CPU seconds in the measurement, user and system together. */
  readonly seconds: number
  readonly user: number
  readonly system: number
  /** CPUs in use, on average. */
  readonly cores: number
  /** Of the busiest thread or process, 0 to 1; null: not known. */
  readonly busiest: number | null
  /** Milliseconds for each operation completed; null: there was none. */
  readonly perOperation: number | null
}

export interface ServerCpu extends Cpu {
  readonly pid: number
  readonly program: string
  readonly processes: number
  readonly threads: number
  readonly cpusAllowed: string | null
  /** Operations that were completed between the two readings. */
  readonly operations: number
}

export interface DirectionBytes {
  readonly bytes: number
  readonly records: number
  readonly flights: number
}

/** Means for each operation. */
export interface Wire {
  readonly sent: DirectionBytes
  readonly received: DirectionBytes
  /** What followed, such as tickets and close_notify. */
  readonly after: { readonly sent: number; readonly received: number }
  /** How many were looked at. */
  readonly seen: number
}

export interface Target {
  readonly host: string
  readonly port: number
  /** That was connected to. */
  readonly address: string
  /** What it is called; null: by its host and port. */
  readonly name: string | null
  /** Whether it was started for the measurement, on the client's machine. */
  readonly own: boolean
}

export type Loop =
  | { readonly kind: "closed"; readonly concurrency: number }
  /** `rate`: starts a second. `concurrency`: the most at once; 0: there is no such limit. */
  | { readonly kind: "open"; readonly rate: number; readonly concurrency: number }

export interface Run {
  /** The scenario in words: runs of one name are compared with each other. */
  readonly name: string
  readonly scenario: Readonly<Record<string, string | number | boolean | null>>
  /** 1, 2, ...: of `--repeat`. */
  readonly repetition: number
  readonly target: Target
  readonly loop: Loop
  readonly workers: number
  readonly warmUpSeconds: number
  readonly seconds: number
  readonly counts: {
    /** Completed within the measurement. */
    readonly completed: number
    readonly failed: number
    /** Completed in the warm-up. */
    readonly warmUp: number
    /** Due, and not begun at the end: an open loop that the server could not follow. */
    readonly notBegun: number
    /** Full handshakes that were made in the measurement for their tickets alone: not in the other counts. */
    readonly priming: number
    readonly notClosedByServer: number
  }
  /** Counts that only such operations have, by what they are: in words, warm-up included. */
  readonly tallies?: Readonly<Record<string, number>>
  /** Completed a second. */
  readonly rate: number
  /** Of those that began in the measurement, however late they ended. In an open loop from when they were due. */
  readonly latency: Distribution | null
  readonly histogram: HistogramData
  /** Where the time of an operation went. */
  readonly parts: Readonly<Record<string, Distribution | null>>
  readonly slices: readonly Slice[]
  readonly failures: readonly Failure[]
  readonly wire: Wire | null
  readonly agreed: Readonly<Record<string, string>>
  readonly authenticated: { readonly verified: boolean; readonly words: string }
  readonly client: Cpu
  readonly server: ServerCpu | null
  /** Shares of all CPU time of the machine in the measurement, 0 to 1. */
  readonly machine: { readonly busy: number; readonly steal: number } | null
  readonly ports: { readonly timeWaitBefore: number; readonly timeWaitAfter: number; readonly sources: number } | null
  readonly limit: { readonly side: Limit; readonly words: string }
  /** What a reader must know to believe the figures. */
  readonly notes: readonly string[]
}

export type Limit = "client" | "server" | "both" | "machine" | "rate" | "waiting" | "unknown"
