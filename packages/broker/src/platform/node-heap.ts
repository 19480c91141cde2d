// How much memory the engine gives the process for what lives long, and how much of it limits are shares of.

import { getHeapStatistics } from "node:v8"
import { resourceLimits } from "node:worker_threads"
import { ConfigError } from "../config/config.ts"

const mebibyte = 1_048_576

/** Bytes of heap that the program takes itself (measured: 12 to 16 MiB, with TLS, once it is warm). */
const programBytes = 16 * mebibyte

/** The young generation is three semi-spaces, of so many MiB each where nothing else is said. */
const usualSemiSpace = 16

/** Bytes that must be left for clients: with less the broker does not start. */
const leastForClients = 16 * mebibyte

/** What the engine says of its heap. */
export interface HeapFacts {
  /** Bytes of all of it. */
  readonly limit: number
  /** Its options, as they were given. */
  readonly options: readonly string[]
  /** Of a worker, MiB. */
  readonly worker?: { readonly old: number; readonly young: number } | undefined
}

/** Bytes of a heap. */
export interface HeapShares {
  /** What lives long may have so much: not the young generation, which is a part of `limit`, and half of a small heap. */
  readonly old: number
  /**
   * For what clients make the broker keep, and for what it works with: without the program, and without a semi-space. The engine
   * collects all the time when the old generation has no room for as much as that to come from the young one.
   */
  readonly clients: number
}

export function heapShares({ limit, options, worker }: HeapFacts): HeapShares {
  const semiSpace =
    (worker === undefined ? mebibytesOf("max-semi-space-size", options) : worker.young / 3) ?? usualSemiSpace
  const given = worker?.old ?? mebibytesOf("max-old-space-size", options)
  // What the engine chooses itself for the young generation is less where there is little memory.
  const old = given === undefined ? limit - Math.min(limit / 3, 3 * semiSpace * mebibyte) : given * mebibyte
  return { old, clients: old - programBytes - semiSpace * mebibyte }
}

/** The last counts, as for the engine. */
function mebibytesOf(name: string, options: readonly string[]): number | undefined {
  let found: number | undefined
  for (const option of options) {
    const [before = "", value = ""] = option.split("=")
    if (before.replaceAll("_", "-") === `--${name}` && Number(value) > 0) found = Number(value)
  }
  return found
}

/** Bytes of a heap for clients. Throws ConfigError when they are too few for a broker. */
export function clientsOf(facts: HeapFacts): number {
  const shares = heapShares(facts)
  if (shares.clients < leastForClients) throw new ConfigError(tooSmall(shares))
  return shares.clients
}

/** The same of this process. */
export function heapForClients(): number {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young } = resourceLimits
  return clientsOf({
    limit: getHeapStatistics().heap_size_limit,
    options: [...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/), ...process.execArgv],
    worker: old === undefined || young === undefined ? undefined : { old, young },
  })
}

function tooSmall({ old, clients }: HeapShares): string {
  const has = Math.floor(old / mebibyte)
  const least = Math.ceil((old - clients + leastForClients) / mebibyte)
  return `a heap of ${has} MiB is too small for a broker; start node with --max-old-space-size=${least} or more`
}
