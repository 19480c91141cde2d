// A recording without its secrets: what is left may be shown to others. It has the calls with their times, which are counted from
// the beginning, the records, messages and extensions with their lengths, what was asked by name, and how it ended. It has no byte
// that was sent, received, drawn or computed, no name, no certificate, and no sentence that could have one of these in it: all
// that is in it comes from a list of words, or is a number. Lengths and times may say something of who talks all the same.

import { ContentType, codePointName } from "../bytes/code-points.ts"
import { defaultLimits } from "../handshake/limits.ts"
import { clientAuthenticationDefaults, earlyDataDefaults } from "../handshake/settings.ts"
import type { TraceEvent } from "../trace/events.ts"
import { type FieldShape, messageShape } from "../trace/fields.ts"
import { clientKinds, recordingFormat, recordingVersion, serverKinds } from "./head.ts"
import { eventText, thrownOf } from "./lines.ts"
import { readRecording } from "./read.ts"
import { Replay, type ReplayOptions, type ReplayStep } from "./replay.ts"

/**
 * The redacted form of a recording, which is run for it: its records are opened to tell what is in them. JSON lines.
 * @param recording the text of the file
 * @throws RecordingError, and nothing else, for a text that is no recording or cannot be run
 */
export function redact(recording: string, options: ReplayOptions): string {
  const { fields } = readRecording(recording).head
  const run = new Replay(recording, options)
  const lines: object[] = [
    {
      format: `${recordingFormat}-redacted`,
      version: recordingVersion,
      role: run.role,
      options: shapeOf(fields.options),
      callbacks: shapeOf(fields.callbacks),
    },
  ]
  for (let step = run.next(); step !== undefined; step = run.next()) lines.push(stepOf(step, run))
  if (run.difference !== undefined) lines.push({ end: "the replay differs" })
  else if (run.cut !== undefined) lines.push({ end: "cut" })
  return `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`
}

function stepOf({ call, now, given, asked, traced, output, events, waitsFor, threw }: ReplayStep, run: Replay): object {
  const failure = events.some(({ type }) => type === "failed") ? thrownOf(run.connection.failure) : undefined
  return {
    do: call,
    ...(now !== undefined && { after: now - run.started }),
    ...(given !== undefined && { bytes: given }),
    ...(asked.length > 0 && { asked: asked.map(({ what, answered }) => [what, answered]) }),
    ...(traced.length > 0 && { told: traced.map(toldOf) }),
    output: output.length,
    ...(events.length > 0 && { events: events.map(eventText) }),
    ...(failure && { failure: { kind: failure.kind, alert: failure.alert } }),
    ...(waitsFor !== undefined && { waitsFor }),
    ...(threw !== undefined && { threw: true }),
  }
}

function toldOf(event: TraceEvent): object {
  const { type } = event
  switch (type) {
    case "record": {
      const { direction, contentType, innerType, record, content } = event
      const name = codePointName(ContentType, contentType)
      const inner = event.protected ? { inner: codePointName(ContentType, innerType) } : {}
      return { type, direction, name, ...inner, length: record.length, content: content.length }
    }
    case "message":
      return { type, direction: event.direction, name: event.name, ...message(event.name, event.message) }
    case "inner-hello":
      return { type, direction: event.direction, ...message("client_hello", event.message) }
    case "alert":
      return { type, direction: event.direction, level: event.level, description: event.description }
    case "secret":
      return { type, name: event.name, generation: event.generation }
    case "keys":
      return { type, direction: event.direction, secretName: event.secretName }
    case "transcript":
      return { type }
    case "state":
      return { type, from: event.from, to: event.to }
  }
}

function message(name: Parameters<typeof messageShape>[0], bytes: Uint8Array): object {
  return { length: bytes.length, fields: messageShape(name, bytes).map(pairOf) }
}

/** [name, length], and the fields in it. */
function pairOf({ name, length, fields }: FieldShape): readonly unknown[] {
  return fields === undefined ? [name, length] : [name, length, fields.map(pairOf)]
}

/** The names that values of a head have: an application, or whoever wrote the file, may have put others there. */
const headNames: ReadonlySet<string> = new Set([
  ...[clientKinds, serverKinds, defaultLimits, clientAuthenticationDefaults, earlyDataDefaults].flatMap(Object.keys),
  ...["mode", "maxBytes", "newSessionCount", "resumptionCount", "client", "server"],
  ...["leafKey", "delegatedSchemes", "signedCertificateTimestamps"],
  ...["compression", "rewriteMessage", "features", "sessionStore", "suites", "configs", "outerAlpnProtocols"],
])

/** The head's values: whether, how many, how long. */
function shapeOf(value: unknown): unknown {
  if (typeof value === "boolean" || typeof value === "number") return value
  if (typeof value === "string") return { length: value.length }
  if (Array.isArray(value)) return { count: value.length }
  if (typeof value !== "object" || value === null) return {}
  const { bytes } = value as { readonly bytes?: unknown }
  if (typeof bytes === "string") return { length: bytes.length / 2 }
  const known = Object.entries(value).filter(([name]) => headNames.has(name))
  return Object.fromEntries(known.map(([name, each]) => [name, shapeOf(each)]))
}
