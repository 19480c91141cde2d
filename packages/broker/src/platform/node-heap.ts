// How much memory the engine gives the process for what lives long, and how much of it limits are shares of.

import { totalmem } from "node:os"
import { getHeapStatistics } from "node:v8"
import { resourceLimits } from "node:worker_threads"
import { ConfigError } from "../config/config.ts"

const mebibyte = 1_048_576

/** Bytes of heap that the program takes itself (measured: 12 to 16 MiB, with TLS, once it is warm). */
const programBytes = 16 * mebibyte

/** The young generation is three semi-spaces, of so many MiB each where nothing else is said: of Node.js 20, and of Deno. */
const usualSemiSpace = 16
const semiSpaceOfDeno = 32

/** Bytes that V8 takes at most where nothing else is said; less where that is more than a quarter of the memory. */
const mostUnasked = 4096 * mebibyte

/** Bytes that must be left for clients: with less the broker does not start. */
const leastForClients = 16 * mebibyte

/** What the engine says of its heap. */
export interface HeapFacts {
  /** Bytes of all of it. */
  readonly limit: number
  /** Its options, as they were given. */
  readonly options: readonly string[]
  /** MiB of one where another than Node's is usual, and where no option can be seen: the most that it may be. */
  readonly semiSpace?: number | undefined
  /** How more is asked for; default: as with Node.js. */
  readonly ask?: ((mebibytes: number) => string) | undefined
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

export function heapShares({ limit, options, semiSpace: usual, worker }: HeapFacts): HeapShares {
  const said = worker === undefined ? mebibytesOf("max-semi-space-size", options) : worker.young / 3
  const given = worker?.old ?? mebibytesOf("max-old-space-size", options)
  const young = 3 * (said ?? usual ?? usualSemiSpace) * mebibyte
  // What the engine chooses itself for the young generation is less where there is little memory.
  const chosen = usual === undefined ? Math.min(limit / 3, young) : young
  const old = given === undefined ? limit - chosen : given * mebibyte
  // Larger semi-spaces that the engine has by itself do with this, too: `npm run hostile -- --only "a heap of"` on Node.js 24 and 26.
  return { old, clients: old - programBytes - (said ?? usualSemiSpace) * mebibyte }
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
  if (shares.clients < leastForClients) throw new ConfigError(tooSmall(shares, facts.ask ?? asNode))
  return shares.clients
}

/** The same of this process. */
export function heapForClients(): number {
  return clientsOf(factsOf(process.versions, process.env))
}

/** @param versions those of the process */
export function factsOf(
  versions: Readonly<Record<string, string | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
): HeapFacts {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young } = resourceLimits
  const options = [...(env["NODE_OPTIONS"] ?? "").split(/\s+/), ...process.execArgv]
  // JavaScriptCore has no limit, and what Bun calls one is ten times what the process takes at the moment.
  if (versions["bun"] !== undefined) return { limit: limitWithoutOne(), options, ask: asBun }
  const limit = getHeapStatistics().heap_size_limit
  // Deno tells nobody what --v8-flags has said: it is in the limit alone.
  if (versions["deno"] !== undefined)
    return { limit, options: (env["DENO_V8_FLAGS"] ?? "").split(","), semiSpace: semiSpaceOfDeno, ask: asDeno }
  return { limit, options, worker: old === undefined || young === undefined ? undefined : { old, young } }
}

/** What V8 would take of this machine, or of the container. */
function limitWithoutOne(): number {
  // The same where there is no bound, or a number beyond all memory.
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
  return Math.min(mostUnasked, memory / 4)
}

const asNode = (mebibytes: number) => `node with --max-old-space-size=${mebibytes}`
const asDeno = (mebibytes: number) => `deno with --v8-flags=--max-old-space-size=${mebibytes}`
const asBun = (mebibytes: number) => `bun with --max-old-space-size=${mebibytes}`

function tooSmall({ old, clients }: HeapShares, ask: (mebibytes: number) => string): string {
  const has = Math.floor(old / mebibyte)
  const least = Math.ceil((old - clients + leastForClients) / mebibyte)
  return `a heap of ${has} MiB is too small for a broker; start ${ask(least)} or more`
}
