// The lines of --csv and --samples.

import { type Cell, type Column, handshakeColumns } from "@puremq/tls13/bench"
import { arrivalColumns } from "./message-record.ts"

/** Columns that only handshakes have. */
const ofHandshakes = /^(mode|group|signature|engine|provider|handshakes_per_s|bytes_|records_|flights_|client_p50)/

/** Columns are only ever added, at the end. Times are milliseconds. */
export function columnsOf(operation: "message" | "connection"): readonly Column[] {
  const tally = (name: string): Column => [name.replaceAll(" ", "_"), (run) => run.tallies?.[name]]
  const part = (name: string): Column => [`${name}_p50_ms`, (run) => run.parts[name]?.p50]
  return [
    ...handshakeColumns.filter(([name]) => !ofHandshakes.test(name)),
    ["protocol", (run) => run.agreed["protocol"]],
    [`${operation}s_per_s`, (run) => run.rate],
    ...["publishers", "subscribers", "topics", "qos"].map((name): Column => [name, (run) => run.scenario[name]]),
    ["payload_bytes", (run) => run.scenario["payload (bytes)"]],
    ...["sent", "delivered", "lost", "doubled", "out of order"].map(tally),
    ...["late", "handshake", "connack", "suback", "puback", "pubcomp"].map(part),
  ]
}

export function* arrivalRows(rows: Float64Array): Generator<readonly Cell[]> {
  const { length } = arrivalColumns
  for (let at = 0; at < rows.length; at += length) {
    yield Array.from(rows.subarray(at, at + length), (value, i) => (i < 3 ? value : Math.round(value * 1e4) / 1e4))
  }
}
