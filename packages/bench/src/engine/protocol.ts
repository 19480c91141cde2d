// What is said between the bench and a process that does one subject's work.

import type { ClientName } from "./client-handshakes.ts"
import type { SubjectName } from "./subjects.ts"
import type { Work } from "./work.ts"

export interface Task {
  readonly work: Work
  readonly subject: SubjectName | ClientName
  /** Primitives are counted and timed: of handshakes by a provider. */
  readonly timed?: boolean
  /** Microseconds that are wasted in each operation: so that it can be shown that a cost is seen. */
  readonly added?: number
}

/** Operations until so many milliseconds of processor time have gone by, in slices that are each as long. */
export type Request =
  | { readonly warmUp: { readonly slice: number; readonly least: number; readonly most: number } }
  | { readonly slice: number }

/** Of one operation, in microseconds. */
export interface Sample {
  /** Of the process: all threads, so collections and compilation too. */
  readonly cpu: number
  readonly wall: number
  readonly operations: number
  /** Of a timed subject: which share of its time was not in primitives, and how many primitives an operation calls. */
  readonly outside?: number
  readonly calls?: number
}

export interface WarmedUp {
  /** Processor time of one operation in each slice, microseconds. */
  readonly slices: readonly number[]
  /** The last slices differ little from those before: `drift` of statistics.ts is at most `mostDrift`. */
  readonly settled: boolean
}

/** An engine is called settled when three slices differ by no more than this from the three before. */
export const mostDrift = 0.05

export type Answer =
  | { readonly ready: true }
  | { readonly absent: string }
  | { readonly failed: string }
  | { readonly warmedUp: WarmedUp }
  | { readonly sample: Sample }
