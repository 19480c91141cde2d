// What a command line asks to be measured: subjects (servers), scenarios and how each is loaded. Plain data, as the processes that
// make the load get it too.

import { isIP } from "node:net"
import { readAddress } from "../arguments.ts"
import { type Arguments, readArguments, UsageError } from "../command-line.ts"
import { benchCommand } from "./command.ts"

export const modes = ["full", "resumed", "0-rtt", "hrr", "mtls"] as const
export type Mode = (typeof modes)[number]

/** Servers of our own, by whose cryptography they have; `node` is node:tls. */
export const ownServers = ["fast", "noble", "host", "node"] as const
export type OwnServer = (typeof ownServers)[number]

/** Names as on the command line; undefined: all that are named there are offered. */
export interface Scenario {
  readonly mode: Mode
  readonly group: string | undefined
  readonly cipher: string | undefined
  readonly sigalg: string | undefined
}

export type Subject =
  | { readonly kind: "own"; readonly server: OwnServer }
  | {
      readonly kind: "given"
      readonly host: string
      readonly port: number
      readonly pid: number | undefined
      readonly name: string | undefined
    }

export interface Load {
  /** Seconds; undefined: `count` says when it is over. */
  readonly seconds: number | undefined
  readonly count: number | undefined
  readonly warmUp: number
  readonly concurrency: number
  /** Starts a second; undefined: closed loop. */
  readonly rate: number | undefined
  readonly workers: number
  /** Milliseconds. */
  readonly rtt: number
  /** 0 to 1. */
  readonly loss: number
  readonly seed: number
}

export interface Plan {
  readonly subjects: readonly Subject[]
  readonly scenarios: readonly Scenario[]
  readonly repeat: number
  readonly load: Load
  readonly engine: "ours" | "node"
  readonly earlyData: string
  readonly abrupt: boolean
}

const defaultRequest = "GET / HTTP/1.0\r\n\r\n"

/** @throws UsageError */
export function readPlan(read: Arguments): Plan {
  const scenarios = scenariosOf(read)
  const engine = read.oneOf("engine", "ours", "node") ?? "ours"
  if (engine === "node") refuseForNode(read, scenarios)
  const subjects = subjectsOf(read)
  const isMtls = scenarios.some(({ mode }) => mode === "mtls")
  if (isMtls && read.texts("cert").length === 0 && subjects.some(({ kind }) => kind === "given"))
    throw new UsageError("--mode mtls shows the server a client certificate: give --cert and --key")
  if (read.text("early-data") !== undefined && !scenarios.some(({ mode }) => mode === "0-rtt"))
    throw new UsageError("--early-data is about --mode 0-rtt: give it too")
  const abrupt = read.flag("abrupt")
  const reads = scenarios.find(({ mode }) => mode !== "full" && mode !== "hrr")
  if (abrupt && reads !== undefined)
    throw new UsageError(`--abrupt leaves the end of a connection unread, which --mode ${reads.mode} needs`)
  return {
    subjects,
    scenarios,
    repeat: read.number("repeat", 1, 1000) ?? 1,
    load: loadOf(read),
    engine,
    earlyData: read.text("early-data")?.replaceAll("\\r", "\r").replaceAll("\\n", "\n") ?? defaultRequest,
    abrupt,
  }
}

/** @throws UsageError */
export function readBenchArguments(args: readonly string[]): Arguments {
  return readArguments(benchCommand, args)
}

/* ---------------------------------------------------------------- whom */

function subjectsOf(read: Arguments): readonly Subject[] {
  const pids = readPids(read)
  const names = read.texts("name")
  const loopback = read.flag("loopback")
  if (loopback === read.positionals.length > 0)
    throw new UsageError('give HOST:PORT, or --loopback; see "tls13 bench --help"')
  if (loopback) {
    if (pids.length > 0) throw new UsageError("--pid is about a server of yours; that of --loopback is known")
    if (names.length > 0)
      throw new UsageError("--name is what a server of yours is called; those of --loopback have names")
    return (read.list("loopback") ?? ["fast"]).map((name): Subject => {
      const server = ownServers.find((each) => each === name)
      if (server === undefined)
        throw new UsageError(`--loopback takes ${ownServers.join(", ")}, as in --loopback=fast,node, not "${name}"`)
      return { kind: "own", server }
    })
  }
  if (pids.length > read.positionals.length)
    throw new UsageError(`${pids.length} --pid but ${read.positionals.length} HOST:PORT: give one for each server`)
  if (names.length > read.positionals.length)
    throw new UsageError(`${names.length} --name but ${read.positionals.length} HOST:PORT: give one for each server`)
  return read.positionals.map((text, i) => ({ kind: "given", ...readAddress(text), pid: pids[i], name: names[i] }))
}

/** @throws UsageError */
export function readPids(read: Arguments): readonly number[] {
  return read.texts("pid").map((text) => {
    if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
    throw new UsageError(`--pid must be the number of a process, not "${text}"; see --help`)
  })
}

export function nameOfSubject(subject: Subject): string {
  if (subject.kind === "own") return subject.server === "node" ? "node:tls" : `tls13 ${subject.server}`
  if (subject.name !== undefined) return subject.name
  return `${isIP(subject.host) === 6 ? `[${subject.host}]` : subject.host}:${subject.port}`
}

/* ---------------------------------------------------------------- what */

function scenariosOf(read: Arguments): readonly Scenario[] {
  const wanted = (read.text("mode") ?? "full").split(",").filter((name) => name !== "")
  const chosen = wanted.map((name): Mode => {
    const mode = modes.find((each) => each === name)
    if (mode === undefined) throw new UsageError(`--mode must be of ${modes.join(", ")}, not "${name}"`)
    return mode
  })
  const each = read.list("each") ?? []
  const lists = ["groups", "ciphers", "sigalgs"].map((option) => {
    if (!each.includes(option)) return [undefined]
    const names = read.list(option) ?? []
    if (names.length === 0) throw new UsageError(`--each ${option} needs names: give --${option}`)
    return names
  })
  const other = each.find((name) => !["groups", "ciphers", "sigalgs"].includes(name))
  if (other !== undefined) throw new UsageError(`--each must be of groups, ciphers, sigalgs, not "${other}"`)
  const [groups = [], ciphers = [], sigalgs = []] = lists
  return chosen.flatMap((mode) =>
    groups.flatMap((group) =>
      ciphers.flatMap((cipher) => sigalgs.map((sigalg): Scenario => ({ mode, group, cipher, sigalg }))),
    ),
  )
}

export function nameOfScenario({ mode, group, cipher, sigalg }: Scenario, { rate, rtt, loss }: Load): string {
  const parts = [
    mode,
    group,
    cipher,
    sigalg,
    rate === undefined ? undefined : `${rate}/s due`,
    rtt > 0 ? `rtt ${rtt} ms` : undefined,
    loss > 0 ? `loss ${Number((100 * loss).toPrecision(6))}%` : undefined,
  ]
  return parts.filter((part) => part !== undefined).join(" ")
}

/** OpenSSL, as Node lets it be used, does no 0-RTT, and cannot be told to send no key share. */
function refuseForNode(read: Arguments, scenarios: readonly Scenario[]): void {
  const odd = scenarios.find(({ mode }) => mode === "0-rtt" || mode === "hrr")
  if (odd !== undefined) throw new UsageError(`--mode ${odd.mode} needs --engine ours: node:tls cannot do it`)
  const ours = ["provider", "ca-names", "crl", "revocation", "pin", "profile", "record-size-limit"]
  const named = ours.find((name) => read.text(name) !== undefined || read.texts(name).length > 0)
  if (named !== undefined) throw new UsageError(`--${named} is about --engine ours: node:tls has no such thing`)
  if (read.flag("cert-compression")) throw new UsageError("--cert-compression is about --engine ours")
}

/* ---------------------------------------------------------------- how much */

function loadOf(read: Arguments): Load {
  const count = read.number("count", 1, 1_000_000_000)
  const seconds = readDecimal(read, "duration", 0.1, 86_400)
  if (count !== undefined && seconds !== undefined) throw new UsageError("--duration and --count exclude each other")
  const rate = readDecimal(read, "rate", 0.01, 1_000_000)
  const workers = read.number("workers", 1, 256) ?? 1
  const concurrency = read.number("concurrency", 1, 100_000) ?? Math.max(workers, rate === undefined ? 8 : 1000)
  if (concurrency < workers)
    throw new UsageError(`--concurrency ${concurrency} is not one connection for each of ${workers} --workers`)
  return {
    seconds: count === undefined ? (seconds ?? 10) : undefined,
    count,
    warmUp: readDecimal(read, "warm-up", 0, 3600) ?? 2,
    concurrency,
    rate,
    workers,
    rtt: readDecimal(read, "rtt", 0, 60_000) ?? 0,
    loss: (readDecimal(read, "loss", 0, 50) ?? 0) / 100,
    seed: read.number("seed", 0, 2 ** 32 - 1) ?? 1,
  }
}

/** @throws UsageError */
export function readDecimal(read: Arguments, name: string, least: number, most: number): number | undefined {
  const value = read.text(name)
  if (value === undefined) return undefined
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
  if (number >= least && number <= most) return number
  throw new UsageError(`--${name} must be a number from ${least} to ${most}, not "${value}"; see --help`)
}

/** Worker `index`'s part of a whole, so that the parts add up to it. */
export function shareOf(whole: number, index: number, workers: number): number {
  return Math.floor((whole * (index + 1)) / workers) - Math.floor((whole * index) / workers)
}
