// The protected records of a timeline, taken apart: RFC 9846 sections 5.2 to 5.4.

import { equalBytes } from "@puremq/tls13/explore"
import { otherEnd } from "../run/meddling.ts"
import type { SecretName } from "../run/names.ts"
import type { End, Timeline } from "../run/step.ts"
import { flowOf, isTraced } from "./flow.ts"
import { KeysInUse } from "./keys-in-use.ts"
import { onceForTimeline } from "./memo.ts"
import { headerLength, type InnerPlaintext, innerBytes, nonceOf, type Protection } from "./protection.ts"

export interface ProtectedRecord extends Protection {
  /** When its sender sealed it. */
  readonly step: number
  readonly connection: number
  readonly from: End
  readonly secretName: SecretName
  readonly generation: number
  /** Id of the record on the wire; undefined when it never left. */
  readonly wire: number | undefined
  readonly nonce: Uint8Array
  /** The header of five bytes: sent in the clear, and authenticated. */
  readonly aad: Uint8Array
  /** The whole record, header included. */
  readonly record: Uint8Array
  readonly inner: InnerPlaintext
  readonly innerPlaintext: Uint8Array
}

/** All that were sealed, in order, as far as their keys are known: by their senders or, where those are not there, by who opened them. */
export const protectedRecords: (timeline: Timeline) => readonly ProtectedRecord[] = onceForTimeline((timeline) => {
  const records: ProtectedRecord[] = []
  const wireOf = wireFinder(timeline)
  const keysInUse = new Map<string, KeysInUse>()
  for (const { index: step, connection, end, happening } of timeline.steps) {
    if (happening.type !== "record" || end === undefined) continue
    const { direction, record, content, innerType } = happening
    const from = direction === "sent" ? end : otherEnd(end)
    if (direction === "received" && isTraced(timeline, connection, from)) continue
    const wire = happening.wire ?? wireOf(connection, from, record)
    if (!happening.protected) continue
    const name = `${connection} ${from}`
    const inUse = keysInUse.get(name) ?? new KeysInUse(flowOf(timeline, connection, end), from)
    keysInUse.set(name, inUse)
    const used = inUse.next(step, record)
    if (used === undefined) continue
    const { key, iv, sequenceNumber } = used
    const padding = record.length - headerLength - used.suite.aead.tagLength - content.length - 1
    const inner = { content, type: innerType, padding }
    records.push({
      ...used,
      ...{ step, connection, from, wire, record, inner, key },
      nonce: nonceOf(iv, sequenceNumber),
      aad: record.subarray(0, headerLength),
      innerPlaintext: innerBytes(inner),
    })
  }
  return records
})

/** Ids of the records on the wire, each found once. */
function wireFinder({ steps }: Timeline): (connection: number, from: End, record: Uint8Array) => number | undefined {
  const wires = steps.flatMap(({ happening, connection }) =>
    happening.type === "wire" && happening.record.sent.length > 0 ? [{ connection, ...happening.record }] : [],
  )
  const taken = new Set<number>()
  return (connection, from, record) => {
    const fits = (other: (typeof wires)[number]) =>
      other.connection === connection && other.from === from && !taken.has(other.id) && equalBytes(other.sent, record)
    const id = wires.find(fits)?.id
    if (id !== undefined) taken.add(id)
    return id
  }
}
