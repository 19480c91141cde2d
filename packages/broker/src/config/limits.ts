// Other limits for a running broker: what it takes of them, and a line of the log about that.

import type { HandshakeLimits } from "../listen/listener.ts"
import type { Limits, ListenerLimits } from "../session/limits.ts"
import { defaultHandshakeLimits } from "./config.ts"
import type { Reread } from "./reread.ts"
import { checkObject } from "./schema/group.ts"
import { limitOptions, listenerLimitOptions, namesOf } from "./schema/limits.ts"
import { listenerParts } from "./schema/listener.ts"
import type { Option } from "./schema/option.ts"

/** Those that hold after a reload: the new ones, but for what is taken at the next start only. */
export function limitsAfter(before: Limits, next: Limits): Limits {
  const after: { -readonly [Name in keyof Limits]: number } = { ...next }
  for (const name of namesOf(after)) if (limitOptions[name]?.reload === undefined) after[name] = before[name]
  return after
}

/** Nothing, or `limits: maximumConnections 100000 -> 5000, receiveMaximum 10000 -> 20 for new connections`. */
export function rereadLimits(before: Limits, after: Limits): Reread[] {
  return reread("limits", limitOptions, before, after)
}

/** The same of a listener's handshakes, such as `listeners[0]: maxPendingHandshakes 1024 -> 50`. @param where such as `listeners[0]` */
export function rereadHandshakes(where: string, before: HandshakeLimits, after: HandshakeLimits): Reread[] {
  return reread(where, listenerParts.handshakes.rows, before, after)
}

/** The same of a listener's own limits. @param where such as `listeners.tls.limits` */
export function rereadListenerLimits(where: string, before: ListenerLimits, after: ListenerLimits): Reread[] {
  const names = ["maximumConnections", "maximumConnectionsPerAddress", "maximumPacketSize"] as const
  const shown = (value: number | undefined) => value ?? "none"
  const changes = names.flatMap((name) => {
    if (before[name] === after[name]) return []
    const whom = listenerLimitOptions[name].reload === "new connections" ? " for new connections" : ""
    return [`${name} ${shown(before[name])} -> ${shown(after[name])}${whom}`]
  })
  return changes.length === 0 ? [] : [{ text: `${where}: ${changes.join(", ")}`, changed: true }]
}

/** Throws ConfigError. @param where such as `listeners.tls.limits` */
export function listenerLimitsOf(given: ListenerLimits, where: string): ListenerLimits {
  const own = Object.entries(given).filter(([, value]) => value !== undefined)
  return checkObject<ListenerLimits>(listenerLimitOptions)(Object.fromEntries(own), where)
}

/** All of them, with the defaults. Throws ConfigError. */
export function handshakeLimitsOf(
  given: { readonly [Name in keyof HandshakeLimits]?: number | undefined },
  where: string,
): HandshakeLimits {
  const own = Object.entries(given).filter(([name, value]) => name in defaultHandshakeLimits && value !== undefined)
  const checked = checkObject<Partial<HandshakeLimits>>(listenerParts.handshakes.rows)(Object.fromEntries(own), where)
  return { ...defaultHandshakeLimits, ...checked }
}

function reread<T extends { readonly [Name in keyof T]: number }>(
  where: string,
  rows: { readonly [Name in keyof T]?: Option<number> },
  before: T,
  after: T,
): Reread[] {
  const changes = namesOf(after).flatMap((name) => {
    if (before[name] === after[name]) return []
    const whom = rows[name]?.reload === "new connections" ? " for new connections" : ""
    return [`${name} ${before[name]} -> ${after[name]}${whom}`]
  })
  return changes.length === 0 ? [] : [{ text: `${where}: ${changes.join(", ")}`, changed: true }]
}
