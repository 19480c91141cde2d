// What a Topic Filter may be (MQTT 5.0 sections 4.7.1, 4.7.3 and 4.8.2), judged by its bytes: no text is made of it.

import type { ProtocolVersion } from "./packets.ts"

/** What is wrong with bytes that are no Topic Filter. */
export interface FilterFault {
  readonly rule: string
  readonly what: string
}

const faults = {
  // [MQTT-4.8.2-1] a ShareName of at least one character; [MQTT-4.8.2-2] no wildcards in it, and a filter after it
  noShareName: { rule: "MQTT-4.8.2-1", what: "a shared subscription without ShareName" },
  wildShareName: { rule: "MQTT-4.8.2-2", what: "a ShareName contains a wildcard" },
  noFilter: { rule: "MQTT-4.8.2-2", what: "a shared subscription without Topic Filter" },
  // [MQTT-4.7.3-1] at least one character
  empty: { rule: "MQTT-4.7.3-1", what: "a Topic Filter is empty" },
  // [MQTT-4.7.1-1] "#" stands alone in the last level
  hash: { rule: "MQTT-4.7.1-1", what: "# is not alone in the last level of a Topic Filter" },
  // [MQTT-4.7.1-2] "+" stands alone in its level
  plus: { rule: "MQTT-4.7.1-2", what: "+ is not alone in a level of a Topic Filter" },
} as const satisfies Record<string, FilterFault>

const slash = 0x2f
const plus = 0x2b
const hash = 0x23

/** The bytes of "$share". */
const share = [0x24, 0x73, 0x68, 0x61, 0x72, 0x65] as const

/**
 * What keeps the MQTT text at [start, end) from being a Topic Filter; undefined when it is one. MQTT 3.1.1 knows no Shared
 * Subscriptions: there `$share/+/a` is a filter like others.
 */
export function filterFault(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: ProtocolVersion = 5,
): FilterFault | undefined {
  if (version === 4 || !isShared(bytes, start, end)) return faultOfLevels(bytes, start, end)
  const name = start + share.length + 1
  let at = name
  for (; at < end && bytes[at] !== slash; at++) if (isWildcard(bytes[at]!)) return faults.wildShareName
  if (at <= name) return faults.noShareName
  return at >= end ? faults.noFilter : faultOfLevels(bytes, at + 1, end)
}

function isShared(bytes: Uint8Array, start: number, end: number): boolean {
  const after = start + share.length
  return (
    share.every((byte, i) => bytes[start + i] === byte) && after <= end && (after === end || bytes[after] === slash)
  )
}

function faultOfLevels(bytes: Uint8Array, start: number, end: number): FilterFault | undefined {
  if (start >= end) return faults.empty
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (!isWildcard(byte)) continue
    const begins = i === start || bytes[i - 1] === slash
    const ends = i + 1 === end || bytes[i + 1] === slash
    if (byte === hash && !(begins && i + 1 === end)) return faults.hash
    if (!begins || !ends) return faults.plus
  }
  return undefined
}

function isWildcard(byte: number): boolean {
  return byte === plus || byte === hash
}
