// All that is on the wire, each time that it is: what the ends send, what comes a second time, and what somebody else sends in their name.

import { codePointName, equalBytes, HandshakeType } from "@puremq/tls13/explore"
import type { Step, Timeline, WireRecord } from "../run/step.ts"
import { onceForTimeline } from "./memo.ts"
import { headerLength } from "./protection.ts"
import { titleOf } from "./transcript.ts"
import { contentTitle, type Part, type SentRecord, sentRecords } from "./wire-records.ts"

export interface SeenRecord extends SentRecord {
  /** As whoever listens sees them. */
  readonly bytes: Uint8Array
  /** Of injected bytes, when an end has sent the same before. */
  readonly origin: SentRecord | undefined
}

export const seenRecords: (timeline: Timeline) => readonly SeenRecord[] = onceForTimeline((timeline) => {
  const sent = sentRecords(timeline)
  const byId = new Map(sent.map((record) => [record.wire.id, record] as const))
  return timeline.steps.flatMap((step) => {
    if (step.happening.type !== "wire") return []
    const { record: wire } = step.happening
    const here = { wire, step: step.index, connection: step.connection, flight: step.flight }
    if (wire.sent.length > 0) {
      const known = byId.get(wire.id)
      return known === undefined ? [] : [{ ...known, ...here, bytes: wire.sent, origin: undefined }]
    }
    const origin = sent.find((record) => record.wire.from === wire.from && equalBytes(record.wire.sent, wire.arrives))
    const known = origin ?? madeUp(step, wire)
    return [{ ...known, ...here, bytes: wire.arrives, origin }]
  })
})

/** Bytes that no end has sent: what they say that they are. */
function madeUp({ index, connection, flight }: Step, wire: WireRecord): SentRecord {
  const { arrives, from } = wire
  const type = arrives[0] ?? 0
  const bytes = Math.max(0, arrives.length - headerLength)
  const isMessage = type === 22 && arrives.length > headerLength
  const title = isMessage ? titleOf(codePointName(HandshakeType, arrives[headerLength]!), from) : contentTitle(type)
  const parts: readonly Part[] = [{ title, bytes }]
  return { wire, step: index, connection, flight, parts, type, overhead: headerLength, protection: undefined }
}
