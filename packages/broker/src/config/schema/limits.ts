// `limits` and `features`: their names, values and meaning are those of session/limits.ts and session/features.ts; here is what a
// configuration may set them to.

import { allFeatures, type Features } from "../../session/features.ts"
import { defaultLimits, type Limits, type ListenerLimits } from "../../session/limits.ts"
import { flag, milliseconds, number, oneOf } from "./kinds.ts"
import type { Flag, Kind, Option, Rows, TakenAtReload } from "./option.ts"

interface LimitRow {
  readonly kind: Kind<number>
  /** For the help text; the documentation has the comment of the limit. */
  readonly about?: string
  readonly flag?: Flag
  /** Default: "at once". "next start": it is none that a running broker takes. */
  readonly reload?: "new connections" | "next start"
}

const any = Number.MAX_SAFE_INTEGER
const count: LimitRow = { kind: number(1, any) }
const bytes: LimitRow = { kind: number(1, any, "bytes") }
const time: LimitRow = { kind: milliseconds(1, any) }
const packet = number(128, 0x0fff_ffff + 5, "bytes")
/** What a client was told, or began with, holds as long as its connection. */
const reload = "new connections"

const rows: { readonly [Name in keyof Limits]: LimitRow } = {
  maximumPacketSize: {
    kind: packet,
    about: "largest packet of a client",
    flag: onCommandLine("max-packet-size"),
    reload,
  },
  maximumPayloadSize: {
    kind: number(0, 0x0fff_ffff, "bytes"),
    about: "largest payload of a message",
    flag: onCommandLine("max-payload-size"),
  },
  maximumConnectSize: { kind: packet, reload },
  connectTimeout: {
    ...time,
    about: "time from the connection to a complete CONNECT",
    flag: onCommandLine("connect-timeout"),
  },
  loginTimeout: time,
  maximumWaitingLogins: count,
  maximumWaitingLoginsPerAddress: count,
  maximumPasswordChecks: count,
  maximumPasswordMemory: bytes,
  maximumConnections: {
    ...count,
    about: "connections, all listeners together",
    flag: onCommandLine("max-connections"),
  },
  maximumConnectionsPerAddress: {
    kind: number(0, any),
    about: "those of one address, or of one /64 of IPv6; 0: any",
    flag: onCommandLine("max-connections-per-address"),
  },
  maximumConnectionsPerUser: {
    kind: number(0, any),
    about: "those of one user; 0: any",
    flag: onCommandLine("max-connections-per-user"),
  },
  maximumSessions: { ...count, about: "sessions, connected or not", flag: onCommandLine("max-sessions") },
  maximumSessionsPerOwner: count,
  maximumClientIdLength: bytes,
  maximumKeepAlive: { kind: number(0, 65_535, "seconds"), reload },
  maximumSessionExpiryInterval: { kind: number(0, 0xffff_ffff, "seconds"), reload },
  receiveMaximum: { kind: number(1, 65_535), reload },
  maximumInflight: {
    kind: number(1, 65_534),
    about: "unacknowledged messages at one client",
    flag: onCommandLine("max-inflight"),
  },
  maximumQueuedMessages: { ...count, about: "messages that wait for one session", flag: onCommandLine("max-queued") },
  maximumQueuedBytes: bytes,
  maximumTotalQueuedBytes: bytes,
  maximumTotalPartialBytes: bytes,
  maximumTotalSubscriptionBytes: bytes,
  maximumOutboundBytes: bytes,
  maximumTotalOutboundBytes: bytes,
  maximumTotalBytes: bytes,
  maximumPublisherPause: { kind: milliseconds(0, any) },
  maximumPublishRate: {
    kind: number(0, any),
    about: "messages a second that a connection may publish before it is read more slowly; 0: any",
    flag: onCommandLine("max-publish-rate"),
  },
  maximumPublishByteRate: {
    kind: number(0, any, "bytes"),
    about: "the same in bytes a second",
    flag: onCommandLine("max-publish-bytes"),
  },
  maximumSubscriptions: count,
  maximumWildcardSubscriptions: { kind: number(0, any) },
  maximumFiltersPerPacket: count,
  // Kept messages and wills have topics too, and fewer levels would end what they are.
  maximumTopicLevels: { kind: number(1, 1024), reload: "next start" },
  topicAliasMaximum: { kind: number(0, 65_535), reload },
  outboundTopicAliases: { kind: number(0, 65_535), reload },
  maximumRetainedMessages: count,
  maximumRetainedBytes: bytes,
  maximumRetainedMessagesPerOwner: {
    kind: number(0, any),
    about: "retained messages of one user, or of the anonymous clients of an address; 0: any",
    flag: onCommandLine("max-retained-per-owner"),
  },
  maximumRetainedBytesPerOwner: {
    kind: number(0, any, "bytes"),
    about: "the same in bytes of topics, properties and payloads",
    flag: onCommandLine("max-retained-bytes-per-owner"),
  },
}

function onCommandLine(name: string): Flag {
  return { name, section: "limits" }
}

function taken(reload: TakenAtReload | "next start"): { readonly reload?: TakenAtReload } {
  return reload === "next start" ? {} : { reload }
}

/** A row for every limit there is. */
export const limitOptions: Readonly<Record<string, Option<number>>> = Object.fromEntries(
  namesOf(defaultLimits).map((name) => {
    const { kind, about = "", flag, reload = "at once" } = rows[name]
    return [name, { kind, about, default: defaultLimits[name], ...(flag && { flag }), ...taken(reload) }]
  }),
)

/** What a listener may have of its own. */
export const listenerLimitOptions: Rows<ListenerLimits> = {
  maximumConnections: {
    kind: number(1, any),
    about: "connections through this listener",
    otherwise: "as many as the broker may have",
    reload: "at once",
  },
  maximumConnectionsPerAddress: {
    kind: number(0, any),
    about: "those of one address, or of one /64 of IPv6; 0: any",
    default: 0,
    reload: "at once",
  },
  maximumPacketSize: {
    kind: packet,
    about: "largest packet of a client; the broker's own limit holds too, where it is lower",
    otherwise: "that of the broker",
    reload: "new connections",
  },
}

export const featureOptions: Rows<Features> = {
  maximumQos: {
    kind: oneOf(0, 1, 2),
    about: "the highest QoS; subscriptions to a higher one are granted this",
    default: allFeatures.maximumQos,
  },
  retainAvailable: feature("retained messages", "retainAvailable"),
  wildcardSubscriptionAvailable: feature("subscriptions with + and #", "wildcardSubscriptionAvailable"),
  subscriptionIdentifierAvailable: feature("Subscription Identifiers", "subscriptionIdentifierAvailable"),
  sharedSubscriptionAvailable: feature("Shared Subscriptions", "sharedSubscriptionAvailable"),
}

function feature(about: string, name: Exclude<keyof Features, "maximumQos">): Option<boolean> {
  return { kind: flag, about, default: allFeatures[name] }
}

/** With their type. */
export function namesOf<T extends object>(value: T): (keyof T & string)[] {
  const names: (keyof T & string)[] = []
  for (const name in value) names.push(name)
  return names
}
