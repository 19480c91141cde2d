// The trace of one end, saved by `tls13 connect --explore FILE` or `tls13 serve --explore FILE`: a connection of production, as that end
// has seen it. Of the other end there is what came over the wire.

import type { SavedTrace } from "@puremq/tls13/trace"
import { otherEnd } from "../run/meddling.ts"
import type { End, Happening, Step, Timeline, WireRecord } from "../run/step.ts"
import { traced } from "../run/traced.ts"

export function savedTimeline({ role, events }: SavedTrace): Timeline {
  const steps: Step[] = []
  let flight = 0
  let lastSender: End | undefined
  let nextId = 0
  const add = (end: End | undefined, happening: Happening) =>
    steps.push({ index: steps.length, connection: 0, end, happening, flight })
  for (const { event } of events) {
    if (event.type !== "record") {
      add(role, traced(event, undefined))
      continue
    }
    const from = event.direction === "sent" ? role : otherEnd(role)
    if (lastSender !== undefined && lastSender !== from) flight++
    lastSender = from
    const id = nextId++
    const happening = traced(event, event.direction === "received" ? id : undefined)
    const record = happening.type === "record" ? happening.record : event.record
    const wire: WireRecord = { id, from, sent: record, arrives: record, fate: "carried" }
    // What is sent is made first and leaves then; what is received comes first and is opened then.
    if (event.direction === "sent") add(role, happening)
    add(undefined, { type: "wire", record: wire })
    if (event.direction === "received") add(role, happening)
  }
  return { steps, costs: [] }
}
