// What came of what somebody did on the way: a meddling is told by a number, and there may be nothing of that number.

import { equalBytes } from "@puremq/tls13/explore"
import type { Meddling } from "../run/meddling.ts"
import type { Timeline, WireRecord } from "../run/step.ts"
import { bytesText } from "../words/names.ts"

interface OnTheWire {
  readonly record: WireRecord
  readonly connection: number
}

/** Records as their senders made them, each once. */
export function recordsSent({ steps }: Timeline): readonly OnTheWire[] {
  const seen = new Set<number>()
  return steps.flatMap(({ happening, connection }) => {
    if (happening.type !== "wire" || happening.record.sent.length === 0 || seen.has(happening.record.id)) return []
    seen.add(happening.record.id)
    return [{ record: happening.record, connection }]
  })
}

/** Why a meddling has hit nothing in the run that it was part of, as `there is no record 99 in this run, which has 16`; undefined: it has. */
export function missOf(timeline: Timeline, meddling: Meddling): string | undefined {
  const sent = recordsSent(timeline)
  const found = sent.find(({ record }) => record.id === meddling.record)
  const title = `record ${meddling.record + 1}`
  if (found === undefined) return `there is no ${title} in this run, which has ${sent.length}`
  const { length } = found.record.sent
  if (meddling.kind === "flip" && meddling.bit >= 8 * length) return `${title} has ${bytesText(length)} only`
  const has = (fits: (record: WireRecord) => boolean) =>
    timeline.steps.some(
      ({ happening: of }) => of.type === "wire" && of.record.id === meddling.record && fits(of.record),
    )
  if (meddling.kind === "delay" && !has(({ fate }) => fate === "delayed"))
    return `nothing was on its way behind ${title}`
  if (meddling.kind === "inject" && !has(({ arrives }) => equalBytes(arrives, meddling.bytes))) {
    return `${title} never arrives`
  }
  return undefined
}
