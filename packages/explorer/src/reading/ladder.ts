// The records of a connection in the order in which they arrive, each with what is inside of it.

import { equalBytes } from "@puremq/tls13/explore"
import type { End, Fate, Happening, Step, Timeline, WireRecord } from "../run/step.ts"

type Of<Type extends Happening["type"]> = Extract<Happening, { type: Type }>

/** A handshake message, or a part of one, in a record. */
export interface Inside {
  /** The step at which its sender wrote it, or its receiver read it when nobody sent it. */
  readonly step: number
  readonly name: string
  readonly message: Of<"message">
  /** A message may begin in one record and end in another. */
  readonly part: "whole" | "first part" | "later part"
}

export interface Rung {
  readonly key: string
  readonly from: End
  readonly flight: number
  readonly fate: Fate
  /** When its sender made it; undefined: nobody did. */
  readonly sentAt: number | undefined
  /** When it arrived, or should have; undefined: it never left. */
  readonly wireAt: number | undefined
  /** When its receiver opened it; undefined: it could not. */
  readonly openedAt: number | undefined
  readonly sent: Uint8Array
  readonly arrives: Uint8Array
  /** As one end knows it: content and its type. */
  readonly record: Of<"record"> | undefined
  readonly inside: readonly Inside[]
}

interface Sent {
  readonly step: number
  readonly flight: number
  readonly record: Of<"record">
  readonly inside: readonly Inside[]
  taken: boolean
}

export function rungsOf({ steps }: Timeline, connection: number): readonly Rung[] {
  const here = steps.filter((step) => step.connection === connection)
  const sent = { client: sentOf(here, "client"), server: sentOf(here, "server") }
  const rungs: Rung[] = []
  for (const step of here) {
    if (step.happening.type === "wire") rungs.push(rungOf(step, step.happening.record, sent, here))
  }
  for (const from of ["client", "server"] as const) {
    for (const { step, flight, record, inside, taken } of sent[from]) {
      if (taken) continue
      const bytes = record.record
      const key = `sent ${step}`
      rungs.push({
        key,
        from,
        flight,
        fate: "carried",
        sentAt: step,
        wireAt: undefined,
        openedAt: undefined,
        sent: bytes,
        arrives: bytes,
        record,
        inside,
      })
    }
  }
  return rungs
}

function rungOf(
  step: Step,
  { from, sent, arrives, fate, id }: WireRecord,
  all: Readonly<Record<End, readonly Sent[]>>,
  here: readonly Step[],
): Rung {
  const same = ({ record }: Sent) => sent.length > 0 && equalBytes(record.record, sent)
  const origin = all[from].find((candidate) => !candidate.taken && same(candidate)) ?? all[from].find(same)
  if (origin) origin.taken = true
  const opened = openedAfter(here, step, from)
  return {
    key: `${id} ${step.index}`,
    from,
    flight: step.flight,
    fate,
    sentAt: origin?.step,
    wireAt: step.index,
    openedAt: opened?.index,
    sent,
    arrives,
    record: origin?.record ?? (opened?.happening.type === "record" ? opened.happening : undefined),
    inside: origin?.inside ?? readAfter(here, opened),
  }
}

/** The receiver's record event that belongs to what has just arrived. */
function openedAfter(here: readonly Step[], wire: Step, from: End): Step | undefined {
  for (const step of after(here, wire)) {
    if (step.happening.type === "wire") return undefined
    if (step.end !== from && step.happening.type === "record" && step.happening.direction === "received") return step
  }
  return undefined
}

/** What was read of a record that nobody sent. */
function readAfter(here: readonly Step[], opened: Step | undefined): readonly Inside[] {
  if (opened === undefined) return []
  const inside: Inside[] = []
  for (const { index, end, happening } of after(here, opened)) {
    if (happening.type === "wire" || happening.type === "record") break
    if (end === opened.end && happening.type === "message" && happening.direction === "received")
      inside.push({ step: index, name: happening.name, message: happening, part: "whole" })
  }
  return inside
}

function after(here: readonly Step[], step: Step): readonly Step[] {
  return here.slice(here.indexOf(step) + 1)
}

/** What an end has sent: its handshake messages are one stream of bytes, which its records cut. */
function sentOf(here: readonly Step[], end: End): Sent[] {
  const messages: {
    readonly start: number
    readonly end: number
    readonly step: number
    readonly message: Of<"message">
  }[] = []
  const sent: Sent[] = []
  let written = 0
  let carried = 0
  for (const { end: of, happening, index, flight } of here) {
    if (of !== end) continue
    if (happening.type === "message" && happening.direction === "sent") {
      messages.push({ start: written, end: written + happening.message.length, step: index, message: happening })
      written += happening.message.length
    }
    if (happening.type !== "record" || happening.direction !== "sent") continue
    const from = carried
    if (happening.innerType === 22) carried += happening.content.length
    const to = carried
    const inside = messages
      .filter((message) => message.start < to && message.end > from)
      .map(({ start, end: last, step, message }): Inside => {
        const part = start < from ? "later part" : last > to ? "first part" : "whole"
        return { step, name: message.name, message, part }
      })
    sent.push({ step: index, flight, record: happening, inside, taken: false })
  }
  return sent
}
