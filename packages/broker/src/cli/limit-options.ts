// The limits that "puremq start" has options for: one row an option, its place in the configuration, and its help. The file has
// all of them.

import type { FileListener } from "../config/check.ts"
import { defaultHandshakeLimits } from "../config/config.ts"
import { defaultLimits, type Limits } from "../session/limits.ts"
import type { Arguments } from "./arguments.ts"

type HandshakeLimitName = keyof typeof defaultHandshakeLimits

interface Row<Name> {
  readonly option: string
  readonly name: Name
  readonly unit: "N" | "BYTES" | "SECONDS"
  readonly low: number
  readonly high: number
  readonly help: string
}

/** Of the broker: `limits` in the file. */
const brokerRows: readonly Row<keyof Limits>[] = [
  row("max-connections", "maximumConnections", "N", 1, 10_000_000, "connections, all listeners together"),
  row("max-sessions", "maximumSessions", "N", 1, 10_000_000, "sessions, connected or not"),
  row("connect-timeout", "connectTimeout", "SECONDS", 1, 600, "from the connection to a complete CONNECT"),
  row("max-packet-size", "maximumPacketSize", "BYTES", 128, 268_435_460, "largest packet of a client"),
  row("max-queued", "maximumQueuedMessages", "N", 1, 10_000_000, "messages that wait for one session"),
  row("max-inflight", "maximumInflight", "N", 1, 65_534, "unacknowledged messages at one client"),
]

/** Of each listener with TLS. */
const handshakeRows: readonly Row<HandshakeLimitName>[] = [
  row("handshake-timeout", "handshakeTimeout", "SECONDS", 1, 600, "for a TLS handshake"),
  row("max-handshakes", "maxPendingHandshakes", "N", 1, 1_000_000, "TLS handshakes under way; more wait"),
  row("max-handshakes-per-address", "maxPendingHandshakesPerAddress", "N", 1, 1_000_000, "those of one address"),
  row("max-waiting", "maxWaitingHandshakes", "N", 0, 1_000_000, "connections that wait; more are closed"),
  row("max-waiting-per-address", "maxWaitingHandshakesPerAddress", "N", 0, 1_000_000, "those of one address"),
  row("max-wait", "handshakeWaitTimeout", "SECONDS", 1, 600, "that one of them waits"),
]

function row<Name>(
  option: string,
  name: Name,
  unit: Row<Name>["unit"],
  low: number,
  high: number,
  help: string,
): Row<Name> {
  return { option, name, unit, low, high, help }
}

const rows = [...brokerRows, ...handshakeRows]

export const limitOptions: Readonly<Record<string, { readonly type: "string" }>> = Object.fromEntries(
  rows.map(({ option }) => [option, { type: "string" } as const]),
)

export const limitsHelp: string = [
  ...brokerRows.map((each) => line(each, defaultLimits[each.name])),
  ...handshakeRows.map((each) => line(each, defaultHandshakeLimits[each.name])),
].join("\n")

function line({ option, unit, help }: Row<unknown>, value: number): string {
  const shown = unit === "SECONDS" ? value / 1000 : value
  return `  ${`--${option} ${unit}`.padEnd(34)} ${help} (default ${shown})`
}

/** What was given, as in the file. Throws UsageError. */
export function limitsOf(given: Arguments): Partial<Limits> {
  return valuesOf(given, brokerRows)
}

/** The same for listeners with TLS. Throws UsageError. */
export function handshakeLimitsOf(given: Arguments): Pick<FileListener, HandshakeLimitName> {
  return valuesOf(given, handshakeRows)
}

function valuesOf<Name extends string>(given: Arguments, rows: readonly Row<Name>[]): Partial<Record<Name, number>> {
  const values: Partial<Record<Name, number>> = {}
  for (const { option, name, unit, low, high } of rows) {
    const value = given.number(option, low, high)
    if (value !== undefined) values[name] = unit === "SECONDS" ? 1000 * value : value
  }
  return values
}
