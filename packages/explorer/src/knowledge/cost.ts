// What a connection costs: bytes each way by message, round trips, and computing time.

import type { End, Timeline } from "../run/step.ts"
import { onceForTimeline } from "./memo.ts"
import { type SentRecord, sentRecords } from "./wire-records.ts"

export interface PartCost {
  readonly from: End
  /** A message by its title, `application data`, or `record overhead`. */
  readonly title: string
  readonly bytes: number
}

export interface FlightCost {
  /** Half round trips since the connection began. */
  readonly flight: number
  readonly from: End
  readonly records: number
  readonly bytes: number
  readonly titles: readonly string[]
}

export interface ConnectionCost {
  readonly connection: number
  /** Sent by each end. */
  readonly bytes: Readonly<Record<End, number>>
  /** Of them, up to the record with the client's Finished. */
  readonly handshakeBytes: Readonly<Record<End, number>>
  /** In the order of the first of each; the overhead of all records of an end comes last. */
  readonly parts: readonly PartCost[]
  readonly flights: readonly FlightCost[]
  /** Round trips before application data of the client can leave: with its Finished, or as 0-RTT data; undefined: never. */
  readonly roundTrips: number | undefined
  /** Microseconds of each end; 0 when nobody has measured. */
  readonly micros: Readonly<Record<End, number>>
}

export const overheadTitle = "record overhead"

/** One for each connection that sends anything. */
export const costsOf: (timeline: Timeline) => readonly ConnectionCost[] = onceForTimeline((timeline) => {
  const records = sentRecords(timeline)
  const connections = [...new Set(records.map(({ connection }) => connection))]
  return connections.map((connection) =>
    costOf(
      timeline,
      connection,
      records.filter((record) => record.connection === connection),
    ),
  )
})

function costOf(timeline: Timeline, connection: number, records: readonly SentRecord[]): ConnectionCost {
  const last = records.findLastIndex(({ parts }) => parts.some(({ title }) => title === "client Finished"))
  const early = records.find(({ protection }) => protection?.secretName === "client_early_traffic_secret")
  const first = early ?? records[last]
  return {
    connection,
    bytes: bytesOf(records),
    handshakeBytes: bytesOf(last === -1 ? records : records.filter((_, at) => at <= last)),
    parts: partsOf(records),
    flights: flightsOf(records),
    roundTrips: first && first.flight / 2,
    micros: microsOf(timeline, connection),
  }
}

function bytesOf(records: readonly SentRecord[]): Record<End, number> {
  const bytes = { client: 0, server: 0 }
  for (const { wire } of records) bytes[wire.from] += wire.sent.length
  return bytes
}

function partsOf(records: readonly SentRecord[]): PartCost[] {
  const parts = new Map<string, PartCost>()
  const add = (from: End, title: string, bytes: number) => {
    const key = `${from} ${title}`
    parts.set(key, { from, title, bytes: bytes + (parts.get(key)?.bytes ?? 0) })
  }
  for (const { wire, parts: of } of records) for (const { title, bytes } of of) add(wire.from, title, bytes)
  for (const { wire, overhead } of records) add(wire.from, overheadTitle, overhead)
  return [...parts.values()]
}

function flightsOf(records: readonly SentRecord[]): FlightCost[] {
  const flights: FlightCost[] = []
  for (const { flight, wire, parts } of records) {
    const before = flights.at(-1)
    const isSame = before?.flight === flight && before.from === wire.from
    const { records: count, bytes, titles } = isSame ? before : noFlight
    const all = [...new Set([...titles, ...parts.map(({ title }) => title)])]
    if (isSame) flights.pop()
    flights.push({ flight, from: wire.from, records: count + 1, bytes: bytes + wire.sent.length, titles: all })
  }
  return flights
}

const noFlight: Pick<FlightCost, "records" | "bytes" | "titles"> = { records: 0, bytes: 0, titles: [] }

function microsOf({ steps, costs }: Timeline, connection: number): Record<End, number> {
  const micros = { client: 0, server: 0 }
  for (const { step, end, micros: spent } of costs) {
    // What a call costs is told of the step that it begins with.
    if ((steps[step] ?? steps.at(-1))?.connection === connection) micros[end] += spent
  }
  return micros
}

/* ---------------------------------------------------------------- in time */

export interface WaterfallRow extends Omit<FlightCost, "flight"> {
  /** Undefined: TCP's own round trip. */
  readonly flight: number | undefined
  /** Milliseconds after the client began. */
  readonly leaves: number
  readonly arrives: number
}

/** Flights over a network of this round-trip time in milliseconds, with TCP's handshake first; bandwidth is no limit. */
export function waterfallOf({ flights }: ConnectionCost, roundTrip: number): readonly WaterfallRow[] {
  const half = roundTrip / 2
  const tcp = { flight: undefined, from: "client", records: 0, bytes: 0, titles: ["TCP"], leaves: 0 } as const
  return [
    { ...tcp, arrives: roundTrip },
    ...flights.map((flight) => {
      const leaves = roundTrip + flight.flight * half
      return { ...flight, leaves, arrives: leaves + half }
    }),
  ]
}

/** When the server can have the client's first application data, in milliseconds; undefined: never. */
export function firstDataAt({ roundTrips }: ConnectionCost, roundTrip: number): number | undefined {
  return roundTrips === undefined ? undefined : roundTrip * (1 + roundTrips + 0.5)
}

/* ---------------------------------------------------------------- beside another */

export interface ComparedPart {
  readonly from: End
  readonly title: string
  /** Bytes; 0 where there is none. */
  readonly left: number
  readonly right: number
}

/** The parts of both, in the order of the first one's. */
export function comparedParts(left: ConnectionCost, right: ConnectionCost): readonly ComparedPart[] {
  const find = (parts: readonly PartCost[], { from, title }: PartCost) =>
    parts.find((part) => part.from === from && part.title === title)
  const only = right.parts.filter((part) => find(left.parts, part) === undefined)
  return [...left.parts, ...only].map((part) => ({
    from: part.from,
    title: part.title,
    left: find(left.parts, part)?.bytes ?? 0,
    right: find(right.parts, part)?.bytes ?? 0,
  }))
}
