// Each record on the wire with what its sender put in: the messages, and how much of it is not theirs.

import { otherEnd } from "../run/meddling.ts"
import type { SecretName } from "../run/names.ts"
import type { Timeline, WireRecord } from "../run/step.ts"
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
  const records: SentRecord[] = []
  // Messages are in the records in the order in which these were sent, which may not be that in which they arrive.
  for (const { step, connection, wire, flight } of wires(steps).sort((a, b) => a.wire.id - b.wire.id)) {
    const sealed = byWire.get(wire.id)
    const type = sealed?.inner.type ?? wire.sent[0]!
    const content = sealed?.inner.content.length ?? wire.sent.length - headerLength
    const parts =
      type === 22
        ? take(messages.get(`${connection} ${wire.from}`) ?? [], content)
        : [{ title: contentTitle(type), bytes: content }]
    const protection = sealed && { secretName: sealed.secretName, generation: sealed.generation }
    records.push({ wire, step, connection, flight, parts, type, overhead: wire.sent.length - content, protection })
  }
  return records.sort((a, b) => a.step - b.step)
})

/** Records as their senders made them, each once. */
function wires(
  steps: Timeline["steps"],
): { readonly step: number; readonly connection: number; readonly flight: number; readonly wire: WireRecord }[] {
  const seen = new Set<number>()
  return steps.flatMap(({ index: step, connection, flight, happening }) => {
    if (happening.type !== "wire" || happening.record.sent.length === 0 || seen.has(happening.record.id)) return []
    seen.add(happening.record.id)
    return [{ step, connection, flight, wire: happening.record }]
  })
}

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

/** Of a record that has no handshake message. */
export function contentTitle(type: number): string {
  const titles: Readonly<Record<number, string>> = { 20: "change_cipher_spec", 21: "alert", 23: "application data" }
  return titles[type] ?? `type ${type}`
}

/** `client_handshake_traffic_secret`, or with its generation `server_application_traffic_secret_1`. */
export function keyTitle({ secretName, generation }: NonNullable<SentRecord["protection"]>): string {
  return secretName.includes("application") ? `${secretName}_${generation}` : secretName
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
