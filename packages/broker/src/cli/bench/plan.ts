// What a command line asks to be measured. Plain data, as the processes that make the load read the same command line.

import { type Load, readDecimal, readPids } from "@puremq/tls13/bench"
import { type Arguments, readArguments, UsageError } from "@puremq/tls13/command-line"
import type { ProtocolVersion, Qos } from "../../packet/packets.ts"
import { addressText, type Place } from "../../platform/dial.ts"
import { type Address, addressOf } from "../client/address.ts"
import type { ConnectRequest } from "../client/mqtt-client.ts"
import type { TlsEngine } from "../client/open-stream.ts"
import { connectRequest } from "../client/options.ts"
import type { GivenProperties } from "../client/properties.ts"
import { benchCommand } from "./command.ts"
import { headerLength } from "./payload.ts"
import { readShape, type Shape } from "./shape.ts"

const hint = 'see "puremq bench --help"'

export type Subject =
  | { readonly kind: "own"; readonly transport: Place["transport"] }
  | {
      readonly kind: "given"
      readonly address: Address
      /** The argument that says where; undefined: options do. */
      readonly word: string | undefined
      readonly pid: number | undefined
      readonly name: string | undefined
    }

/** Undefined: connections are measured, which have neither. */
export type Scenario = { readonly qos: Qos; readonly size: number } | undefined

export interface Plan {
  readonly subjects: readonly Subject[]
  readonly scenarios: readonly Scenario[]
  readonly repeat: number
  readonly load: Load
  readonly shape: Shape
  readonly engine: TlsEngine
  /** Of each publisher; undefined: as it is best. */
  readonly inflight: number | undefined
  readonly retain: boolean
  /** Seconds. */
  readonly drain: number
  /** Milliseconds. */
  readonly timeout: number
}

/** @throws UsageError */
export function readBenchArguments(args: readonly string[]): Arguments {
  return readArguments(benchCommand, args)
}

/** @throws UsageError */
export function readPlan(read: Arguments): Plan {
  const storm = read.flag("connect-storm")
  const load = loadOf(read, storm)
  if (storm) refuseForStorm(read)
  const shape = readShape(read)
  const scenarios = storm ? [undefined] : scenariosOf(read)
  return {
    subjects: subjectsOf(read),
    scenarios,
    repeat: read.number("repeat", 1, 1000) ?? 1,
    load,
    shape,
    engine: engineOf(read),
    inflight: read.number("inflight", 1, 65_535),
    retain: read.flag("retain"),
    drain: readDecimal(read, "drain", 0.1, 3600) ?? 5,
    timeout: read.number("timeout", 1, 3_600_000) ?? 10_000,
  }
}

/** Messages of a publisher that wait for an answer; undefined: QoS 0 in an open loop has none. */
export function windowOf(
  { inflight, load }: Plan,
  qos: Qos,
  version: ProtocolVersion,
  receiveMaximum: number,
): number | undefined {
  if (qos === 0 && load.rate !== undefined) return undefined
  const wanted = inflight ?? (load.rate !== undefined ? 1000 : version === 5 ? 100 : 20)
  return qos === 0 ? wanted : Math.min(wanted, receiveMaximum)
}

const noProperties: GivenProperties = {
  connect: [],
  publish: [],
  subscribe: [],
  unsubscribe: [],
  disconnect: [],
  will: [],
}

/** What all clients say of themselves, but for their Client Identifiers. @throws UsageError */
export function commonRequest(read: Arguments, address: Address): ConnectRequest {
  return connectRequest(read, noProperties, address)
}

/** Whose TLS the clients are. @throws UsageError */
export function engineOf(read: Arguments): TlsEngine {
  return read.oneOf("engine", "ours", "node") ?? "ours"
}

/* ---------------------------------------------------------------- whom */

function subjectsOf(read: Arguments): readonly Subject[] {
  const pids = readPids(read)
  const names = read.texts("name")
  const isPlaced = ["host", "port", "url"].some((name) => read.text(name) !== undefined)
  const words = read.positionals.length > 0 || !isPlaced ? read.positionals : [undefined]
  if (read.flag("loopback")) {
    if (words.length > 0) throw new UsageError(`--loopback starts a broker: leave out where to connect to; ${hint}`)
    if (pids.length > 0) throw new UsageError("--pid is about a broker of yours; that of --loopback is known")
    if (names.length > 0) throw new UsageError("--name is what a broker of yours is called; that of --loopback has one")
    const { place } = addressOf(read)
    return [{ kind: "own", transport: place.transport }]
  }
  if (words.length === 0) throw new UsageError(`give HOST[:PORT], a URL, or --loopback; ${hint}`)
  if (isPlaced && words[0] !== undefined)
    throw new UsageError(`where the broker is is told by ${words[0]}, and by --host, --port or -L: one of them at most`)
  for (const [option, { length }] of [["--pid", pids] as const, ["--name", names] as const])
    if (length > words.length)
      throw new UsageError(
        `${length} ${option} but ${words.length} broker${words.length === 1 ? "" : "s"}: give one for each`,
      )
  return words.map((word, i) => ({
    kind: "given",
    word,
    address: addressOf(read, word),
    pid: pids[i],
    name: names[i],
  }))
}

export function nameOfSubject(subject: Subject): string {
  if (subject.kind === "own") return "puremq"
  return subject.name ?? addressText(subject.address.place)
}

/* ---------------------------------------------------------------- what */

/** Bytes; the largest packet of MQTT has room for a topic beside it. */
const largestPayload = 268_000_000

function scenariosOf(read: Arguments): readonly Scenario[] {
  const numbers = (name: string, fallback: string, least: number, most: number) =>
    (read.text(name) ?? fallback).split(",").map((word) => {
      const number = /^\d{1,9}$/.test(word) ? Number(word) : Number.NaN
      if (number >= least && number <= most) return number
      throw new UsageError(`--${name} must be of whole numbers from ${least} to ${most}, not "${word}"; ${hint}`)
    })
  const sizes = numbers("size", "64", headerLength, largestPayload)
  return numbers("qos", "0", 0, 2).flatMap((qos) => sizes.map((size) => ({ qos: qos as Qos, size })))
}

export function nameOfScenario(scenario: Scenario, { load, shape, retain }: Plan): string {
  const rate = load.rate === undefined ? undefined : `${load.rate}/s due`
  const parts =
    scenario === undefined
      ? ["connect storm", rate]
      : [
          `${shape.publishers} to ${shape.subscribers}${shape.share === undefined ? "" : " (shared)"}`,
          `QoS ${scenario.qos}`,
          `${scenario.size} bytes`,
          retain ? "retained" : undefined,
          rate,
        ]
  return parts.filter((part) => part !== undefined).join(", ")
}

function refuseForStorm(read: Arguments): void {
  const flags = ["retain"].filter((name) => read.flag(name))
  const texts = [
    "publishers",
    "subscribers",
    "topic",
    "topic-count",
    "filter",
    "share",
    "qos",
    "size",
    "inflight",
    "drain",
  ]
  const [name] = [...flags, ...texts.filter((each) => read.text(each) !== undefined)]
  if (name !== undefined) throw new UsageError(`--${name} is about messages, and --connect-storm sends none`)
}

/* ---------------------------------------------------------------- how much */

function loadOf(read: Arguments, storm: boolean): Load {
  const count = read.number("count", 1, 1_000_000_000)
  const seconds = readDecimal(read, "duration", 0.1, 86_400)
  if (count !== undefined && seconds !== undefined) throw new UsageError("--duration and --count exclude each other")
  const rate = readDecimal(read, "rate", 0.01, 10_000_000)
  const workers = read.number("workers", 1, 256) ?? 1
  const usual = storm && rate !== undefined ? 1000 : 50
  const concurrency = read.number("concurrency", 1, 100_000) ?? Math.max(workers, usual)
  if (concurrency < workers)
    throw new UsageError(`--concurrency ${concurrency} is not one connection for each of ${workers} --workers`)
  return {
    seconds: count === undefined ? (seconds ?? 10) : undefined,
    count,
    warmUp: readDecimal(read, "warm-up", 0, 3600) ?? 2,
    concurrency,
    rate,
    workers,
    rtt: 0,
    loss: 0,
    seed: 1,
  }
}
