// The trace of one end, saved by `tls13 connect --explore FILE` or `tls13 serve --explore FILE`: a connection of production, as that end
// has seen it. Of the other end there is what it must have done to send what came.

import type { SavedTrace } from "@puremq/tls13/trace"
import { otherEnd } from "../run/meddling.ts"
import type { End, Happening, Step, Timeline, WireRecord } from "../run/step.ts"
import { traced } from "../run/traced.ts"
import { OtherEnd } from "./other-end.ts"

export function savedTimeline({ role, events }: SavedTrace): Timeline {
  const steps: Step[] = []
  let flight = 0
  let lastSender: End | undefined
  let nextId = 0
  const add = (end: End | undefined, happening: Happening) =>
    steps.push({ index: steps.length, connection: 0, end, happening, flight })
  const other = new OtherEnd(otherEnd(role), (happening) => add(otherEnd(role), happening))
  for (const { event } of events) {
    if (event.type !== "record") {
      const happening = traced(event, undefined)
      add(role, happening)
      other.saw(happening)
      continue
    }
    const isSent = event.direction === "sent"
    const from = isSent ? role : otherEnd(role)
    if (lastSender !== undefined && lastSender !== from) flight++
    lastSender = from
    const id = nextId++
    const happening = traced(event, isSent ? undefined : id)
    if (happening.type !== "record") continue
    const { record } = happening
    const wire: WireRecord = { id, from, sent: record, arrives: record, fate: "carried" }
    // What is sent is made first and leaves then; what is received comes first and is opened then.
    if (isSent) add(role, happening)
    else other.sent(happening)
    add(undefined, { type: "wire", record: wire })
    if (!isSent) add(role, happening)
  }
  return { steps, costs: [], witness: role }
}
