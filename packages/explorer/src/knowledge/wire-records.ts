// Each record on the wire with what its sender put in: the messages, and how much of it is not theirs.

import { equalBytes } from "@puremq/tls13/explore"
import { otherEnd } from "../run/meddling.ts"
import type { SecretName } from "../run/names.ts"
import type { End, Timeline, WireRecord } from "../run/step.ts"
import { isTraced } from "./flow.ts"
import { onceForTimeline } from "./memo.ts"
import { headerLength } from "./protection.ts"
import { protectedRecords } from "./records.ts"
import { titleOf } from "./transcript.ts"

export interface Part {
  /** `ServerHello`, `application data`, `alert`, `change_cipher_spec`. */
  readonly title: string
  /** Of it in this record: a message may go on in the next. */
  readonly bytes: number
}

export interface SentRecord {
  readonly wire: WireRecord
  /** When it leaves. */
  readonly step: number
  readonly connection: number
  readonly flight: number
  readonly parts: readonly Part[]
  /** Content type, the inner one when it is protected. */
  readonly type: number
  /** Header, inner type, padding and tag. */
  readonly overhead: number
  readonly protection: { readonly secretName: SecretName; readonly generation: number } | undefined
}

/** All that an end has sent, injected ones left out. */
export const sentRecords: (timeline: Timeline) => readonly SentRecord[] = onceForTimeline((timeline) => {
  const { steps } = timeline
  const byWire = new Map(protectedRecords(timeline).map((record) => [record.wire, record] as const))
  const messages = sentMessages(timeline)
  const seen = new Set<number>()
  const records: SentRecord[] = []
  for (const { index: step, connection, happening, flight } of steps) {
    if (happening.type !== "wire" || happening.record.sent.length === 0 || seen.has(happening.record.id)) continue
    const { record: wire } = happening
    seen.add(wire.id)
    const sealed = byWire.get(wire.id)
    const type = sealed?.inner.type ?? wire.sent[0]!
    const content = sealed?.inner.content.length ?? wire.sent.length - headerLength
    const parts = type === 22 ? take(messages.get(`${connection} ${wire.from}`) ?? [], content) : [other(type, content)]
    const protection = sealed && { secretName: sealed.secretName, generation: sealed.generation }
    records.push({ wire, step, connection, flight, parts, type, overhead: wire.sent.length - content, protection })
  }
  return records
})

/** What each end of each connection sends, in order: as it tells or, where it does not, as the other has received it. */
function sentMessages(timeline: Timeline): Map<string, Part[]> {
  const messages = new Map<string, Part[]>()
  for (const { connection, end, happening } of timeline.steps) {
    if (happening.type !== "message" || end === undefined) continue
    const { direction, name, message } = happening
    const from = direction === "sent" ? end : otherEnd(end)
    if (direction === "received" && isTraced(timeline, connection, from)) continue
    const queue = messages.get(`${connection} ${from}`) ?? []
    queue.push({ title: titleOf(name, from), bytes: message.length })
    messages.set(`${connection} ${from}`, queue)
  }
  return messages
}

function other(type: number, bytes: number): Part {
  const titles: Readonly<Record<number, string>> = { 20: "change_cipher_spec", 21: "alert", 23: "application data" }
  return { title: titles[type] ?? `type ${type}`, bytes }
}

/** The next `length` bytes of the messages that were sent, which are taken away. */
function take(queue: Part[], length: number): Part[] {
  const parts: Part[] = []
  let left = length
  while (left > 0) {
    const next = queue[0]
    if (next === undefined) return [...parts, { title: "handshake", bytes: left }]
    const bytes = Math.min(left, next.bytes)
    parts.push({ title: next.title, bytes })
    left -= bytes
    if (bytes === next.bytes) queue.shift()
    else queue[0] = { ...next, bytes: next.bytes - bytes }
  }
  return parts
}

/** The same record as it came in at the other end; undefined: it was not read there, or not yet. */
export function readAt({ steps }: Timeline, { wire, connection }: SentRecord): number | undefined {
  return steps.find(
    ({ connection: of, happening }) =>
      of === connection &&
      happening.type === "record" &&
      happening.direction === "received" &&
      happening.wire === wire.id &&
      equalBytes(happening.record, wire.arrives),
  )?.index
}

export function receiverOf({ wire }: SentRecord): End {
  return wire.from === "client" ? "server" : "client"
}
