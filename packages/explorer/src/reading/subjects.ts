// What there is to look at byte by byte: a record as it is on the wire and as its receiver opens it, or a handshake message; each with
// its fields. Those of messages are what the stack's codec read; the few bytes around them (record header, message header, the inner
// type) have their places here, as the record layer reads them without a Reader.

/// <reference path="./source-lines.d.ts" />

import { places } from "stack:source-lines"
import { equalBytes } from "@puremq/tls13/explore"
import type { Field, SpanKind } from "../recording/spans.ts"
import { mqttPacketOf } from "../run/mqtt.ts"
import type { Happening, Timeline } from "../run/step.ts"
import { messageHappening } from "../run/traced.ts"
import { contentTypeName, messageTitle } from "../words/names.ts"
import { decompressedCertificate } from "./decompressed.ts"
import { type Inside, type Rung, rungsOf } from "./ladder.ts"

export interface Form {
  readonly id: "wire" | "inside" | "message" | "decompressed" | "inner-hello"
  readonly title: string
  readonly bytes: Uint8Array
  readonly fields: readonly Field[]
  /** Which lines wrote it. */
  readonly written: readonly Field[]
  /** Bytes that somebody has changed on the way. */
  readonly changed: ReadonlySet<number>
}

export interface Subject {
  /** As it stands in the address. */
  readonly step: number
  readonly title: string
  readonly forms: readonly Form[]
}

type Message = Extract<Happening, { type: "message" }>

const tagLength = 16

/** What the step is about, or the last thing before it that has bytes. */
export function subjectAt(timeline: Timeline, index: number): Subject | undefined {
  const { steps } = timeline
  const here = steps[index]
  if (here === undefined) return undefined
  for (let at = index; at >= 0 && steps[at]!.connection === here.connection; at--) {
    const { happening, connection } = steps[at]!
    // Who gives up has what has just arrived before it, not its own answer.
    if (here.happening.type === "failed" && happening.type !== "wire") continue
    if (happening.type === "message") return messageSubject(timeline, connection, at, happening)
    if (happening.type === "inner-hello") {
      return { step: at, title: "ClientHelloInner", forms: [innerForm(timeline, connection, happening)] }
    }
    if (happening.type === "wire" || happening.type === "record") {
      const rung = rungsOf(timeline, connection).find(
        ({ wireAt, sentAt, openedAt }) => wireAt === at || sentAt === at || openedAt === at,
      )
      if (rung) return recordSubject(timeline, rung, at)
    }
  }
  return undefined
}

export function recordSubject(timeline: Timeline, rung: Rung, step: number): Subject {
  const bytes = rung.arrives.length > 0 ? rung.arrives : rung.sent
  const type = bytes[0] ?? 0
  const isProtected = rung.record?.protected === true
  const inside = isProtected ? [] : contentFields(timeline, rung, 5)
  const isChanged = (at: number) => rung.sent.length > 0 && bytes[at] !== rung.sent[at]
  const changed = new Set(Array.from(bytes.keys()).filter(isChanged))
  const wire: Form = {
    id: "wire",
    title: "On the wire",
    bytes,
    fields: recordFields(bytes, type === 23, inside),
    written: recordWritten(bytes, isProtected ? [] : contentWritten(timeline, rung, 5)),
    changed,
  }
  const forms = [wire]
  if (isProtected && rung.record !== undefined) forms.push(openedForm(timeline, rung, rung.record))
  return { step, title: `${contentTypeName(type)} record of the ${rung.from}`, forms }
}

function openedForm(timeline: Timeline, rung: Rung, record: Extract<Happening, { type: "record" }>): Form {
  const { content, innerType } = record
  const bytes = new Uint8Array(Math.max(content.length + 1, record.record.length - 5 - tagLength))
  bytes.set(content)
  bytes[content.length] = innerType
  const site = places["record opened"]
  const fields = [
    field("TLSInnerPlaintext", "content", 0, content.length, "vector", site, contentFields(timeline, rung, 0)),
    field("TLSInnerPlaintext", "type", content.length, content.length + 1, "number", site, [], innerType),
    field("TLSInnerPlaintext", "zeros", content.length + 1, bytes.length, "bytes", site),
  ].filter(({ start, end }) => end > start)
  const inside = contentWritten(timeline, rung, 0)
  return {
    id: "inside",
    title: rung.openedAt === undefined && rung.wireAt !== undefined ? "As its sender sealed it" : "Decrypted",
    bytes,
    fields,
    written: [field("", "", 0, bytes.length, "bytes", places["record sealed"], inside)],
    changed: new Set(),
  }
}

function messageSubject(timeline: Timeline, connection: number, step: number, message: Message): Subject {
  const form: Form = {
    id: "message",
    title: "Message",
    bytes: message.message,
    fields: messageFields(timeline, connection, message),
    written: writtenOf(timeline, connection, message),
    changed: new Set(),
  }
  const nested =
    message.name === "compressed_certificate"
      ? decompressedForm(timeline, connection, message)
      : message.name === "client_hello" && innerOf(timeline, connection, step)
  return { step, title: messageTitle(message.name), forms: nested ? [form, nested] : [form] }
}

/** ClientHelloInner of a ClientHello: whoever writes it has told of it before, who reads it tells of it next. */
function innerOf({ steps, ...timeline }: Timeline, connection: number, step: number): Form | undefined {
  const here = steps[step]!
  const by = here.happening.type === "message" && here.happening.direction === "sent" ? -1 : 1
  for (let at = step + by; steps[at]?.connection === connection; at += by) {
    const { end, happening } = steps[at]!
    if (happening.type === "wire" || (end === here.end && happening.type === "message")) return undefined
    if (end === here.end && happening.type === "inner-hello") {
      return innerForm({ steps, ...timeline }, connection, happening)
    }
  }
  return undefined
}

function innerForm(timeline: Timeline, connection: number, inner: Extract<Happening, { type: "inner-hello" }>): Form {
  const message: Message = { ...inner, type: "message", name: "client_hello", words: [] }
  return {
    id: "inner-hello",
    title: "ClientHelloInner",
    bytes: inner.message,
    fields: messageFields(timeline, connection, message),
    written: inner.written,
    changed: new Set(),
  }
}

/** The Certificate inside of a CompressedCertificate, as the codec reads it. */
function decompressedForm(timeline: Timeline, connection: number, { direction, message }: Message): Form | undefined {
  const inside = decompressedCertificate(message)
  const read = inside && messageHappening({ type: "message", direction, name: "certificate", message: inside })
  if (read?.type !== "message") return undefined
  return {
    id: "decompressed",
    title: "Decompressed",
    bytes: read.message,
    fields: messageFields(timeline, connection, read),
    written: [],
    changed: new Set(),
  }
}

/* ---------------------------------------------------------------- records */

function recordFields(bytes: Uint8Array, isSealed: boolean, inside: readonly Field[]): readonly Field[] {
  const header = places["record header read"]
  const structure = isSealed ? "TLSCiphertext" : "TLSPlaintext"
  const tagAt = bytes.length - tagLength
  const body = isSealed
    ? field(structure, "encrypted_record", 5, bytes.length, "vector", places["record opened"], [
        field(structure, "ciphertext", 5, tagAt, "bytes", places["record opened"]),
        field(structure, "tag", tagAt, bytes.length, "bytes", places["record opened"]),
      ])
    : field(structure, "fragment", 5, bytes.length, "vector", header, inside)
  return [
    field(structure, isSealed ? "opaque_type" : "type", 0, 1, "number", header, [], bytes[0]),
    field(structure, "legacy_record_version", 1, 3, "number", header, [], number(bytes, 1, 3)),
    field(structure, "length", 3, 5, "number", header, [], number(bytes, 3, 5)),
    body,
  ].filter(({ start, end }) => end > start && end <= bytes.length)
}

function recordWritten(bytes: Uint8Array, inside: readonly Field[]): readonly Field[] {
  const body = bytes[0] === 23 ? places["record sealed"] : places["record header written"]
  return [
    field("", "", 0, Math.min(5, bytes.length), "bytes", places["record header written"]),
    ...(bytes.length > 5 ? [field("", "", 5, bytes.length, "bytes", body, inside)] : []),
  ]
}

function contentFields(timeline: Timeline, { record, inside, arrives }: Rung, at: number): readonly Field[] {
  const type = record?.innerType ?? arrives[0]
  const content = record?.content ?? arrives.subarray(5)
  const end = at + content.length
  if (content.length === 0) return []
  if (type === 20) return [field("ChangeCipherSpec", "value", at, end, "number", undefined, [], content[0])]
  if (type === 21 && content.length === 2) {
    return [
      field("Alert", "level", at, at + 1, "number", undefined, [], content[0]),
      field("Alert", "description", at + 1, end, "number", undefined, [], content[1]),
    ]
  }
  if (type === 23) return applicationFields(content, at)
  return eachInside(inside, at, end, (part, start, stop) => {
    const whole =
      part.part === "whole" ? shifted(messageFields(timeline, connectionOf(timeline, part), part.message), start) : []
    return field("Handshake", messageTitle(part.name), start, stop, "vector", places["message header read"], whole)
  })
}

function contentWritten(timeline: Timeline, { inside, record }: Rung, at: number): readonly Field[] {
  if (record === undefined) return []
  return eachInside(inside, at, at + record.content.length, (part, start, stop) => {
    const whole =
      part.part === "whole" ? shifted(writtenOf(timeline, connectionOf(timeline, part), part.message), start) : []
    return field("", "", start, stop, "vector", undefined, whole)
  })
}

function connectionOf({ steps }: Timeline, { step }: Inside): number {
  return steps[step]?.connection ?? 0
}

/** Places of the messages of a record, in order: whole ones have their length, and one part takes what is left. */
function eachInside(
  inside: readonly Inside[],
  from: number,
  to: number,
  make: (part: Inside, start: number, end: number) => Field,
): readonly Field[] {
  const whole = inside.reduce((sum, { part, message }) => sum + (part === "whole" ? message.message.length : 0), 0)
  const parts = inside.filter(({ part }) => part !== "whole").length
  let at = from
  return inside.map((part) => {
    const length = part.part === "whole" ? part.message.message.length : Math.ceil((to - from - whole) / parts)
    const start = at
    at = Math.min(to, at + length)
    return make(part, start, at)
  })
}

function applicationFields(content: Uint8Array, at: number): readonly Field[] {
  const packet = mqttPacketOf(content)
  if (packet === undefined) return [field("Application", "data", at, at + content.length, "bytes", undefined)]
  return packet.fields.map(({ start, end, name, value }) => ({
    ...field(`MQTT ${packet.name}`, name, at + start, at + end, "bytes", undefined),
    text: value,
  }))
}

/* ---------------------------------------------------------------- messages */

function messageFields(timeline: Timeline, connection: number, message: Message): readonly Field[] {
  const { message: bytes, name } = message
  const title = messageTitle(name)
  const header = places["message header read"]
  return [
    field("Handshake", "msg_type", 0, 1, "number", header, [], bytes[0]),
    field("Handshake", "length", 1, 4, "number", header, [], number(bytes, 1, 4)),
    ...bodyFields(timeline, connection, message, title),
  ]
}

/** As the codec reads it; what it is not asked to read when a message is only told about, as it was written. */
function bodyFields(timeline: Timeline, connection: number, message: Message, title: string): readonly Field[] {
  const { message: bytes, fields } = message
  // The reader of a body counts from behind the header; its places are those of the message.
  if (fields.length > 0 || bytes.length === 4) return fields
  if (title === "Finished") return [field("Finished", "verify_data", 4, bytes.length, "bytes", places["finished read"])]
  const named = (written: readonly Field[]): readonly Field[] =>
    written.flatMap((one) => {
      if (one.start < 4) return named(one.fields)
      return [{ ...one, structure: title, fields: named(one.fields) }]
    })
  return named(writtenOf(timeline, connection, message))
}

/** Of a received message, the lines that wrote the same bytes at the other end. */
function writtenOf({ steps }: Timeline, connection: number, { message: bytes, written }: Message): readonly Field[] {
  if (written.length > 0) return written
  const sent = steps.find(
    ({ happening, connection: of }) =>
      of === connection &&
      happening.type === "message" &&
      happening.direction === "sent" &&
      equalBytes(happening.message, bytes),
  )?.happening
  return sent?.type === "message" ? sent.written : []
}

/* ---------------------------------------------------------------- fields */

/** A field with a value that is a text already. */
export interface TextField extends Field {
  readonly text?: string
}

function field(
  structure: string,
  name: string,
  start: number,
  end: number,
  kind: SpanKind,
  site: Field["site"],
  fields: readonly Field[] = [],
  value?: number,
): TextField {
  return { structure, name, start, end, kind, site, fields, ...(value === undefined ? {} : { value }) }
}

function shifted(fields: readonly Field[], by: number): readonly Field[] {
  return fields.map((one) => ({
    ...one,
    start: one.start + by,
    end: one.end + by,
    fields: shifted(one.fields, by),
  }))
}

function number(bytes: Uint8Array, start: number, end: number): number {
  return bytes.subarray(start, end).reduce((value, byte) => value * 256 + byte, 0)
}

/** The smallest span that holds the field: of the line that wrote it. */
export function writerOf(written: readonly Field[], { start, end }: Field): Field | undefined {
  let best: Field | undefined
  const walk = (fields: readonly Field[]) => {
    for (const one of fields) {
      if (one.start > start || one.end < end) continue
      if (one.site !== undefined) best = one
      walk(one.fields)
    }
  }
  walk(written)
  return best
}

/** The deepest field at a byte, with those around it, the outermost first. */
export function pathTo(fields: readonly Field[], at: number): readonly Field[] {
  const found = fields.find(({ start, end }) => start <= at && at < end)
  return found === undefined ? [] : [found, ...pathTo(found.fields, at)]
}
