// Properties (MQTT 5.0 section 2.2.2, Table 2-4) in every packet of a client, with values at their bounds.

import {
  accepted,
  type Bytes,
  connect,
  farewell,
  four,
  malformed,
  packet,
  protocolError,
  publish,
  refused,
  set,
  suback,
  subscribe,
  text,
  times,
  two,
  unsuback,
  unsubscribe,
} from "../bytes.ts"
import { c, hex, joined, type Row, type Steps, told } from "../row.ts"

export const head = `Every property in every packet of a client: where it may stand and where not, twice, cut, with its values at their bounds.`

type Holder =
  | "CONNECT"
  | "the will"
  | "PUBLISH"
  | "PUBACK"
  | "PUBREC"
  | "PUBREL"
  | "PUBCOMP"
  | "SUBSCRIBE"
  | "UNSUBSCRIBE"
  | "DISCONNECT"
  | "AUTH"

/** A value of the property's type that is forbidden. */
interface Wrong {
  readonly value: Bytes
  readonly code: number
  readonly rule: string
  readonly note?: string
}

interface Property {
  readonly name: string
  readonly id: number
  /** Of the packets of a client, and of the will, those that may have it (Table 2-4). */
  readonly in: readonly Holder[]
  /** Where it is told what it is. */
  readonly section: string
  /** The first is the one that is cut and doubled; the others are at its bounds. */
  readonly good: readonly Bytes[]
  readonly wrong?: readonly Wrong[]
}

const textNotTopic = "ours: a Protocol Error; it is text, and no topic that is published to"

const acks = ["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"] as const
const longest = text(times(65_535, 0x61))
const strings = (first: string): readonly Bytes[] => [text(first), text("")]

function flag(section: string): Pick<Property, "section" | "good" | "wrong"> {
  const wrong = [2, 127, 255].map((value) => ({ value: [value], code: protocolError, rule: section }))
  return { section, good: [[1], [0]], wrong }
}

const numbers4: readonly Bytes[] = [four(9), four(0), four(1), four(0x7fff_ffff), four(0x8000_0000), four(0xffff_ffff)]

/** Table 2-4, in its order. */
const table: readonly Property[] = [
  { name: "Payload Format Indicator", id: 0x01, in: ["PUBLISH", "the will"], ...flag("3.3.2.3.2") },
  { name: "Message Expiry Interval", id: 0x02, in: ["PUBLISH", "the will"], section: "3.3.2.3.3", good: numbers4 },
  {
    name: "Content Type",
    id: 0x03,
    in: ["PUBLISH", "the will"],
    section: "3.3.2.3.9",
    good: [...strings("t"), longest],
  },
  {
    name: "Response Topic",
    id: 0x08,
    in: ["PUBLISH", "the will"],
    section: "3.3.2.3.5",
    good: [text("r"), text("/"), text("$r"), longest],
    wrong: [
      ...["r/#", "+", "#", "a+b", "a/+/b"].map((topic) => ({
        value: text(topic),
        code: protocolError,
        rule: "MQTT-3.3.2-14",
        note: textNotTopic,
      })),
      { value: text(""), code: protocolError, rule: "MQTT-4.7.3-1", note: textNotTopic },
    ],
  },
  {
    name: "Correlation Data",
    id: 0x09,
    in: ["PUBLISH", "the will"],
    section: "3.3.2.3.6",
    good: [[0, 2, 0, 255], [0, 0], longest],
  },
  {
    name: "Subscription Identifier",
    id: 0x0b,
    in: ["PUBLISH", "SUBSCRIBE"],
    section: "3.8.2.1.2",
    good: [[7], [1], [0x7f], [0x80, 1], [0xff, 0xff, 0xff, 0x7f]],
    wrong: [
      { value: [0], code: protocolError, rule: "3.8.2.1.2" },
      { value: [0x80, 0], code: malformed, rule: "MQTT-1.5.5-1" },
      { value: [0x87, 0], code: malformed, rule: "MQTT-1.5.5-1" },
      { value: [0x80, 0x80, 0x80, 0x80, 1], code: malformed, rule: "1.5.5" },
    ],
  },
  // The other bounds are in sessions.txt: the answer depends on them.
  { name: "Session Expiry Interval", id: 0x11, in: ["CONNECT", "DISCONNECT"], section: "3.1.2.11.2", good: [four(0)] },
  { name: "Assigned Client Identifier", id: 0x12, in: [], section: "3.2.2.3.7", good: strings("x") },
  { name: "Server Keep Alive", id: 0x13, in: [], section: "3.2.2.3.14", good: [two(9)] },
  { name: "Authentication Method", id: 0x15, in: ["CONNECT", "AUTH"], section: "4.12", good: strings("m") },
  {
    name: "Authentication Data",
    id: 0x16,
    in: ["CONNECT", "AUTH"],
    section: "3.1.2.11.10",
    good: [
      [0, 1, 9],
      [0, 0],
    ],
  },
  { name: "Request Problem Information", id: 0x17, in: ["CONNECT"], ...flag("3.1.2.11.7") },
  { name: "Will Delay Interval", id: 0x18, in: ["the will"], section: "3.1.3.2.2", good: numbers4 },
  { name: "Request Response Information", id: 0x19, in: ["CONNECT"], ...flag("3.1.2.11.6") },
  { name: "Response Information", id: 0x1a, in: [], section: "3.2.2.3.15", good: strings("x") },
  { name: "Server Reference", id: 0x1c, in: ["DISCONNECT"], section: "3.14.2.2.5", good: strings("x") },
  {
    name: "Reason String",
    id: 0x1f,
    in: [...acks, "DISCONNECT", "AUTH"],
    section: "3.4.2.2.2",
    good: [...strings("why"), longest],
  },
  {
    name: "Receive Maximum",
    id: 0x21,
    in: ["CONNECT"],
    section: "3.1.2.11.3",
    good: [two(9), two(1), two(65_535)],
    wrong: [{ value: two(0), code: protocolError, rule: "3.1.2.11.3" }],
  },
  {
    name: "Topic Alias Maximum",
    id: 0x22,
    in: ["CONNECT"],
    section: "3.1.2.11.5",
    good: [two(9), two(0), two(65_535)],
  },
  {
    name: "Topic Alias",
    id: 0x23,
    in: ["PUBLISH"],
    section: "3.3.2.3.4",
    good: [two(1), two(5)],
    wrong: [
      { value: two(0), code: 0x94, rule: "MQTT-3.3.2-8" },
      ...[6, 256, 65_535].map((alias) => ({ value: two(alias), code: 0x94, rule: "MQTT-3.3.2-9" })),
    ],
  },
  { name: "Maximum QoS", id: 0x24, in: [], section: "3.2.2.3.4", good: [[1]] },
  { name: "Retain Available", id: 0x25, in: [], section: "3.2.2.3.5", good: [[1]] },
  {
    name: "User Property",
    id: 0x26,
    in: ["CONNECT", "PUBLISH", "the will", ...acks, "SUBSCRIBE", "UNSUBSCRIBE", "DISCONNECT", "AUTH"],
    section: "1.5.7",
    good: [
      [...text("k"), ...text("v")],
      [0, 0, 0, 0],
      [...text("k"), ...longest],
    ],
  },
  {
    name: "Maximum Packet Size",
    id: 0x27,
    in: ["CONNECT"],
    section: "3.1.2.11.4",
    good: [four(65_536), four(1024), four(0x7fff_ffff), four(0x8000_0000), four(0xffff_ffff)],
    wrong: [{ value: four(0), code: protocolError, rule: "3.1.2.11.4" }],
  },
  { name: "Wildcard Subscription Available", id: 0x28, in: [], section: "3.2.2.3.11", good: [[1]] },
  { name: "Subscription Identifier Available", id: 0x29, in: [], section: "3.2.2.3.12", good: [[1]] },
  { name: "Shared Subscription Available", id: 0x2a, in: [], section: "3.2.2.3.13", good: [[1]] },
]

interface Form {
  readonly holder: Holder
  readonly make: (properties: Bytes) => Bytes
  readonly good: Steps
}

const ack = (first: number) => (properties: Bytes) => packet(first, [0, 1, 0, ...set(5, properties)])
const accepts = [c.gets(accepted(5))]

const forms: readonly Form[] = [
  { holder: "CONNECT", make: (properties) => connect(5, { properties }), good: accepts },
  { holder: "the will", make: (properties) => connect(5, { will: { properties } }), good: accepts },
  { holder: "PUBLISH", make: (properties) => publish(5, "a", "x", { properties }), good: [] },
  { holder: "PUBACK", make: ack(0x40), good: [] },
  { holder: "PUBREC", make: ack(0x50), good: [c.gets([0x62, 3, 0, 1, 0x92])] },
  { holder: "PUBREL", make: ack(0x62), good: [c.gets([0x70, 3, 0, 1, 0x92])] },
  { holder: "PUBCOMP", make: ack(0x70), good: [] },
  {
    holder: "SUBSCRIBE",
    make: (properties) => subscribe(5, 1, [["f", 0]], properties),
    good: [c.gets(suback(5, 1, 0))],
  },
  {
    holder: "UNSUBSCRIBE",
    make: (properties) => unsubscribe(5, 1, ["f"], properties),
    good: [c.gets(unsuback(5, 1, 0x11))],
  },
  { holder: "DISCONNECT", make: (properties) => packet(0xe0, [0, ...set(5, properties)]), good: [c.ends] },
  // [MQTT-4.12.0-7] no AUTH without an Authentication Method in CONNECT
  {
    holder: "AUTH",
    make: (properties) => packet(0xf0, [0x18, ...set(5, properties)]),
    good: [c.gets(farewell(protocolError)), c.ends],
  },
]

export function rows(): Row[] {
  return forms.flatMap((form) => [...table.flatMap((property) => rowsOf(property, form)), ...unknownRows(form)])
}

function rowOf(
  { holder, make, good }: Form,
  what: string,
  rule: string,
  bytes: Bytes,
  code?: number,
  note?: string,
): Row {
  const isConnect = holder === "CONNECT" || holder === "the will"
  const bad = code === undefined ? good : isConnect ? [c.gets(refused(5, code)), c.ends] : told(5, code)
  const steps = isConnect ? [c.sends(make(bytes)), ...bad] : joined(c.sends(make(bytes)), ...bad)
  return { name: what, version: 5, rule, note, steps }
}

function rowsOf(property: Property, form: Form): Row[] {
  const { name, id, good, section, wrong = [] } = property
  const { holder } = form
  const one = [id, ...good[0]!]
  if (!property.in.includes(holder)) return [rowOf(form, `${name} in ${holder}`, "2.2.2.2", one, malformed)]
  const { code: always, rule = section, note } = refusal(property, holder)
  const list = good
    .filter((value) => fits(value, holder))
    .map((value) => rowOf(form, `${name} in ${holder}: ${valueName(value)}`, rule, [id, ...value], always, note))
  // More than once: a Protocol Error, except for those that may repeat.
  const isPair = id === 0x26
  const twice = isPair ? always : protocolError
  list.push(rowOf(form, `${name} twice in ${holder}`, isPair ? "1.5.7" : section, [...one, ...one], twice))
  if (good.length > 1 && fits(good[1]!, holder)) {
    const other = [...one, id, ...good[1]!]
    list.push(rowOf(form, `${name} twice in ${holder}, with another value`, isPair ? "1.5.7" : section, other, twice))
  }
  for (let length = 1; length < one.length; length++) {
    const what = `${name} in ${holder}, cut to ${length} of ${one.length} bytes`
    list.push(rowOf(form, what, "2.2.2.2", one.slice(0, length), malformed))
  }
  for (const { value, code, rule, note } of wrong) {
    const what = `${name} in ${holder}: ${valueName(value)}, which it may not be`
    list.push(rowOf(form, what, rule, [id, ...value], code, note))
  }
  return list
}

/** The largest CONNECT that the table's broker takes is too small for the longest strings twice; once is enough. */
function fits(value: Bytes, holder: Holder): boolean {
  return value.length < 60_000 || holder !== "CONNECT"
}

/** Properties that are in their place, and for which the packet is refused all the same. */
function refusal(
  property: Property,
  holder: Holder,
): { readonly code?: number; readonly rule?: string; readonly note?: string } {
  if (holder === "PUBLISH" && property.id === 0x0b) return { code: protocolError, rule: "MQTT-3.3.4-6" }
  if (holder === "CONNECT" && property.id === 0x15)
    return { code: 0x8c, rule: "MQTT-4.12.0-1", note: "ours: this broker has no method, and says so" }
  if (holder === "CONNECT" && property.id === 0x16) return { code: protocolError, rule: "3.1.2.11.10" }
  return {}
}

function valueName(value: Bytes): string {
  return value.length > 12 ? `a value of ${value.length} bytes` : value.map(hex).join(" ")
}

/** Identifiers that Table 2-4 does not have. */
function unknownRows(form: Form): Row[] {
  const ids = [0x00, 0x04, 0x05, 0x06, 0x07, 0x0a, 0x0c, 0x10, 0x14, 0x1b, 0x1d, 0x1e, 0x20, 0x2b, 0x3f, 0x7f]
  const list = ids.map((id) => rowOf(form, `property ${hex(id)} in ${form.holder}`, "2.2.2.2", [id, 0], malformed))
  const long = [
    rowOf(
      form,
      `property 0x26 in two bytes in ${form.holder}`,
      "MQTT-1.5.5-1",
      [0xa6, 0, ...text("k"), ...text("v")],
      malformed,
    ),
    rowOf(form, `property 128 in ${form.holder}`, "2.2.2.2", [0x80, 1, 0], malformed),
  ]
  return [...list, ...long]
}
