// Whether one of the two ends reads a record, and why not: as its trace tells, or as what it sends shows.

import { decodeEncryptedExtensions, ExtensionType, equalBytes, handshakeMessage } from "@puremq/tls13/explore"
import { otherEnd } from "../run/meddling.ts"
import type { End, Step, Timeline } from "../run/step.ts"
import { attempt, flowOf } from "./flow.ts"
import type { SeenRecord } from "./seen-records.ts"
import type { Verdict } from "./verdict.ts"
import { keyTitle } from "./wire-records.ts"

/** @param step the last that is shown */
export function endVerdict(timeline: Timeline, record: SeenRecord, end: End, step: number): Verdict {
  if (record.wire.from === end) return senderVerdict(record)
  const { wire, protection } = record
  const came = whatCame(timeline, record)
  const has = protection ? `It has ${keyTitle(protection)}` : "It is sent in the clear"
  const section = protection ? "5.2" : "5.1"
  if (came.readAt !== undefined) {
    if (came.readAt > step) return { reads: false, why: "It has not read it yet.", section: "5.2" }
    return { reads: true, why: `${has}.`, section }
  }
  const before = (type: "failed" | "closed") =>
    timeline.steps.some(
      ({ index, end: of, connection, happening }) =>
        index < record.step && of === end && connection === record.connection && happening.type === type,
    )
  if (before("failed")) return { reads: false, why: "It has given up before this comes.", section: "6.2" }
  if (before("closed")) {
    return { reads: false, why: "It was told before that nothing more comes (close_notify).", section: "6.1" }
  }
  if (isAbsent(timeline, record.connection, end)) {
    return { reads: false, why: "It is not there: somebody else speaks in its name.", section: "5.2" }
  }
  if (wire.fate === "dropped") return { reads: false, why: "It has not arrived.", section: "6.1" }
  if (wire.fate === "cut") return { reads: false, why: "Only a part of it has arrived.", section: "6.1" }
  if (came.failedAt !== undefined) {
    if (came.failedAt > step) return { reads: false, why: "It has not read it yet.", section: "5.2" }
    const why = protection || wire.arrives[0] === 23 ? "It does not open" : "It is not what may come here"
    return { reads: false, why: `${why}: the ${end} gives up.`, section: "6.2" }
  }
  if (protection?.secretName === "client_early_traffic_secret" && !takesEarlyData(timeline, record.connection)) {
    const why = "The server takes no 0-RTT data here: it skips what does not open, and looks for the client's Finished."
    return { reads: false, why, section: "4.3.10" }
  }
  if (timeline.witness === otherEnd(end)) {
    return { reads: true, why: `${has}; only a trace of its own would tell when it reads it.`, section }
  }
  return { reads: false, why: "It has no key that opens it.", section: "5.2" }
}

function senderVerdict({ wire, origin }: SeenRecord): Verdict {
  if (wire.fate !== "injected") return { reads: true, why: "It has written it.", section: "5.2" }
  if (origin === undefined) {
    return { reads: false, why: "It has not written it: somebody else speaks in its name.", section: "appendix F.1" }
  }
  const why = `It has written it in connection ${origin.connection + 1}: here somebody else sends it again.`
  return { reads: true, why, section: "8" }
}

/** What the receiver makes of a record, before the next one comes. */
function whatCame(
  timeline: Timeline,
  { step, connection, wire }: SeenRecord,
): { readonly readAt?: number; readonly failedAt?: number } {
  const to = otherEnd(wire.from)
  for (const each of timeline.steps.slice(step + 1)) {
    if (each.connection !== connection || each.happening.type === "wire") break
    if (each.end !== to) continue
    if (isReading(each, wire.arrives)) return { readAt: each.index }
    if (each.happening.type === "failed") return { failedAt: each.index }
  }
  return {}
}

function isReading({ happening }: Step, arrives: Uint8Array): boolean {
  return happening.type === "record" && happening.direction === "received" && equalBytes(happening.record, arrives)
}

/** An end of which there is no trace of any kind. */
function isAbsent(timeline: Timeline, connection: number, end: End): boolean {
  return timeline.witness === undefined && flowOf(timeline, connection, end).messages.length === 0
}

function takesEarlyData(timeline: Timeline, connection: number): boolean {
  const { messages } = flowOf(timeline, connection, timeline.witness ?? "server")
  const extensions = messages.find(({ name }) => name === "encrypted_extensions")
  const types = extensions && attempt(() => decodeEncryptedExtensions(handshakeMessage(extensions.message)).types)
  return types?.includes(ExtensionType.early_data) ?? false
}
