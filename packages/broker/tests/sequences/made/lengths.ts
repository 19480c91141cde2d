// Lengths: of packets (MQTT 5.0 sections 1.5.5 and 2.1.4, 3.1.1 section 2.2.3), of what is in them, and of Property Lengths.

import {
  accepted,
  type Bytes,
  connect,
  connectBody,
  disconnect,
  farewell,
  malformed,
  packet,
  pingreq,
  pingresp,
  protocolError,
  puback,
  publish,
  refused,
  set,
  suback,
  subscribe,
  text,
  times,
  type Version,
  variable,
} from "../bytes.ts"
import { asked, both, by, c, joined, type Row, type Steps, told, wronged } from "../row.ts"
import { fullConnect, goodPackets } from "./good.ts"

export const head = `Remaining Lengths in every form, packets that end too early or too late, and Property Lengths.`

const oneByte = "ours: section 2.2.3 of MQTT 3.1.1 says that a single byte is used for values up to 127"

export function rows(): Row[] {
  return both.flatMap((version) => [
    ...cutRows(version),
    ...longerRows(version),
    ...connectRows(version),
    ...formRows(version),
    ...sizeRows(version),
    ...streamRows(version),
    ...(version === 5 ? propertyLengthRows() : []),
  ])
}

/** A packet that ends early, by a Remaining Length that says so. */
function cutRows(version: Version): Row[] {
  return goodPackets(version).flatMap(({ name, first, body }) =>
    body.map((_, length) => ({
      name: `${name} of ${length} bytes instead of ${body.length}`,
      version,
      ...cutRule(version, first >> 4, length),
      steps: wronged(version, packet(first, body.slice(0, length)), cutCode(version, first >> 4, length)),
    })),
  )
}

/** Sections 3.8.3 and 3.10.3: "A SUBSCRIBE packet with no Payload is a Protocol Error"; all else that is cut is malformed. */
function isEmpty(version: Version, type: number, length: number): boolean {
  return (type === 8 || type === 10) && length === (version === 5 ? 3 : 2)
}

function cutCode(version: Version, type: number, length: number): number {
  return isEmpty(version, type, length) ? protocolError : malformed
}

function cutRule(version: Version, type: number, length: number): Pick<Row, "rule"> {
  // [MQTT-3.3.2-1] there is a Topic Name; [MQTT-2.2.2-1] and a Property Length
  if (type === 3 && length < 3) return { rule: "MQTT-3.3.2-1" }
  if (type === 3 && version === 5) return { rule: "MQTT-2.2.2-1" }
  if (!isEmpty(version, type, length)) return { rule: by(version, "MQTT-4.13.1-1", "MQTT-4.8.0-1") }
  return { rule: type === 8 ? by(version, "MQTT-3.8.3-2", "MQTT-3.8.3-3") : "MQTT-3.10.3-2" }
}

/** It goes on after its end. What follows a topic is payload, and what follows a filter another one. */
function longerRows(version: Version): Row[] {
  const list: Row[] = []
  for (const { name, first, body, end } of goodPackets(version)) {
    const type = first >> 4
    if (type === 3) continue
    // Of MQTT 5.0 there may be a Reason Code and properties.
    if (version === 5 && (type === 14 || type === 15)) {
      const sent = packet(first, [type === 15 ? 0x19 : 0, 0, 0])
      const row = { rule: "MQTT-4.13.1-1", version, steps: wronged(version, sent, malformed) }
      list.push({ ...row, name: `${name} with a byte after its properties` })
      continue
    }
    const optional = version === 5 && type >= 4 && type <= 7
    if (optional) {
      for (const more of [[0], [0, 0]]) {
        const ended = type === 4 || type === 7 ? [] : end
        const note = "section 3.4.2.1 and its kin: Reason Code and Property Length may stand there"
        const steps = joined(c.sends(packet(first, [...body, ...more])), ...ended)
        list.push({ name: `${name} of ${2 + more.length} bytes`, version, rule: "3.4.2.1", note, steps })
      }
    }
    for (const count of [1, 2, 100]) {
      const more = [...(optional ? [0, 0] : []), ...times(count, 0)]
      // A filter of no letters is none; 0 is its length and 0 the options.
      const steps = wronged(version, packet(first, [...body, ...more]), malformed)
      list.push({
        name: `${name} with ${count} bytes after its end`,
        version,
        rule: by(version, "MQTT-4.13.1-1", "MQTT-4.8.0-1"),
        steps,
      })
    }
  }
  return list
}

/** CONNECT with every field, cut at each byte, and with bytes after it. */
function connectRows(version: Version): Row[] {
  const body = fullConnect(version)
  const rule = by(version, "MQTT-3.1.4-1", "MQTT-3.1.4-1")
  // [MQTT-3.1.4-1] of MQTT 3.1.1: without a CONNACK. Of 5.0 it MAY be sent, and is as soon as the version can be read.
  const end = (length: number): Steps => [
    ...(version === 5 && length >= 7 ? [c.gets(refused(5, malformed))] : []),
    c.ends,
  ]
  const note = version === 5 ? "ours: CONNACK where the version can be read" : undefined
  const cut = body.map((_, length): Row => {
    const steps = [c.sends(packet(0x10, body.slice(0, length))), ...end(length)]
    return { name: `CONNECT of ${length} bytes instead of ${body.length}`, version, rule, note, steps }
  })
  const longer = [1, 2, 40].map((count): Row => {
    const steps = [c.sends(packet(0x10, [...body, ...times(count, 0)])), ...end(body.length)]
    return { name: `CONNECT with ${count} bytes after its end`, version, rule, note, steps }
  })
  const fields: readonly (readonly [string, Bytes])[] = [
    ["Client Identifier", [...connectBody(version, { flags: 2, id: "" }).slice(0, -2), 0xff, 0xff, 0x63]],
    ["User Name", [...connectBody(version, { flags: 0x82 }), 0, 9, 0x75]],
    ["Password", [...connectBody(version, { flags: 0xc2 }), ...text("u"), 0, 9, 0x70]],
    ["Will Topic", [...connectBody(version, { flags: 6 }), ...set(version), 0, 9, 0x77]],
    ["Will Payload", [...connectBody(version, { flags: 6 }), ...set(version), ...text("w"), 0, 9, 0x78]],
  ]
  const overlong = fields.map(([name, bytes]): Row => {
    const steps = [c.sends(packet(0x10, bytes)), ...end(bytes.length)]
    return { name: `CONNECT whose ${name} is longer than the packet`, version, rule, note, steps }
  })
  const good: Row = {
    name: "CONNECT with every field",
    version,
    rule: by(version, "MQTT-3.1.4-5", "MQTT-3.1.4-4"),
    steps: [c.sends(packet(0x10, body)), c.gets(accepted(version))],
  }
  return [good, ...cut, ...longer, ...overlong]
}

/** The Remaining Length itself. */
function formRows(version: Version): Row[] {
  const list: Row[] = []
  const note = version === 4 ? oneByte : undefined
  for (const { name, first, body } of goodPackets(version)) {
    const length = body.length
    const forms: readonly (readonly [string, Bytes])[] = [
      ["two bytes", [length | 0x80, 0]],
      ["three bytes", [length | 0x80, 0x80, 0]],
      ["four bytes", [length | 0x80, 0x80, 0x80, 0]],
    ]
    for (const [form, bytes] of forms) {
      const steps = wronged(version, [first, ...bytes, ...body], malformed)
      const rule = by(version, "MQTT-1.5.5-1", "2.2.3")
      list.push({ name: `${name} whose Remaining Length has ${form}, and needs one`, version, rule, note, steps })
    }
    for (const fifth of [0, 1, 0x80]) {
      const steps = wronged(version, [first, length | 0x80, 0x80, 0x80, 0x80, fifth], malformed)
      const what = `${name} whose Remaining Length has a fifth byte, ${fifth}`
      list.push({ name: what, version, rule: by(version, "1.5.5", "2.2.3"), steps })
    }
  }
  return list
}

/** The sizes where the Remaining Length grows by a byte, and the largest packet that the broker takes. */
function sizeRows(version: Version): Row[] {
  const list: Row[] = []
  const overhead = version === 5 ? 6 : 5
  for (const remaining of [127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const sent = publish(version, "a", times(remaining - overhead, 0x78), { qos: 1 })
    const broker = remaining > 90_000 ? "large" : undefined
    const rule = by(version, "1.5.5", "2.2.3")
    list.push({
      name: `PUBLISH whose Remaining Length is ${remaining}`,
      version,
      rule,
      broker,
      steps: asked(sent, puback(version, 1, 0x10)),
    })
  }
  // [MQTT-3.2.2-15] MQTT 3.1.1 has no word for it; a limit is a Transient Error there.
  const rule = by(version, "MQTT-3.2.2-15", "MQTT-4.8.0-2")
  const most = 100_000
  const exact = publish(version, "a", times(most - overhead - 4, 0x78), { qos: 1 })
  list.push({
    name: "PUBLISH of 100,000 bytes, the most",
    version,
    rule,
    steps: asked(exact, puback(version, 1, 0x10)),
  })
  const note = "the fixed header alone is sent: it says enough"
  for (const [name, first] of [
    ["PUBLISH", 0x32],
    ["SUBSCRIBE", 0x82],
    ["UNSUBSCRIBE", 0xa2],
    ["PUBACK", 0x40],
  ] as const) {
    for (const length of [most - 3, 0x0fff_ffff]) {
      const sent = [first, ...variable(length)]
      list.push({
        name: `${name} whose Remaining Length is ${length}`,
        version,
        rule,
        note,
        steps: wronged(version, sent, 0x95),
      })
    }
  }
  const subscribed = subscribe(version, 1, [[times(65_535, 0x66), 0]])
  list.push({
    name: "SUBSCRIBE to a filter of 65,535 bytes",
    version,
    rule: "MQTT-4.7.3-3",
    steps: asked(subscribed, suback(version, 1, 0)),
  })
  const long = publish(version, times(65_535, 0x66), "x", { qos: 1 })
  list.push({
    name: "PUBLISH to a topic of 65,535 bytes",
    version,
    rule: "MQTT-4.7.3-3",
    steps: asked(long, puback(version, 1, 0x10)),
  })
  // What is before CONNECT may be smaller: the table's broker takes 90,000 bytes.
  const start = [0x10, ...variable(89_997), ...text("MQTT"), version]
  const connectRule = by(version, "MQTT-3.1.4-2", "3.1.4")
  const answer = version === 5 ? [c.gets(refused(5, 0x95)), c.ends] : [c.ends]
  list.push({
    name: "CONNECT of 90,001 bytes, whose beginning says so",
    version,
    rule: connectRule,
    steps: [c.sends(start), ...answer],
  })
  const largest = [0x10, 0xff, 0xff, 0xff, 0x7f, ...text("MQTT"), version]
  list.push({
    name: "CONNECT of 268,435,460 bytes, whose beginning says so",
    version,
    rule: connectRule,
    steps: [c.sends(largest), ...answer],
  })
  list.push(largestConnect(version, connectRule))
  return list
}

/** A Password has at most 65,535 bytes: the rest is a will. */
function largestConnect(version: Version, rule: string): Row {
  const without = connect(version, { will: { payload: "" }, name: "u", password: times(60_000, 0x70) }).length
  const payload = times(90_000 - without, 0x78)
  const sent = connect(version, { will: { payload }, name: "u", password: times(60_000, 0x70) })
  return { name: "CONNECT of 90,000 bytes, the most", version, rule, steps: [c.sends(sent), c.gets(accepted(version))] }
}

/** Packets do not come as they were written. */
function streamRows(version: Version): Row[] {
  const rule = by(version, "4.2", "4.2")
  const [first, ...rest] = publish(version, "a", "x", { qos: 1 })
  const ack = puback(version, 1, 0x10)
  const bye = disconnect(version)
  const one = publish(version, "a", "x", { qos: 1 })
  return [
    { name: "two packets at once", version, rule, steps: asked([...pingreq, ...pingreq], pingresp, pingresp) },
    { name: "a packet in two parts", version, rule, steps: joined(c.sends([first!]), c.sends(rest), c.gets(ack)) },
    { name: "a packet that does not come to its end", version, rule, steps: joined(c.sends(one.slice(0, -1))) },
    { name: "a packet and a half", version, rule, steps: joined(c.sends(pingreq, one.slice(0, 3)), c.gets(pingresp)) },
    { name: "half a packet, and the end", version, rule, steps: joined(c.sends(one.slice(0, 3)), c.cuts) },
    {
      name: "what comes after DISCONNECT is not read",
      version,
      rule: by(version, "MQTT-3.14.4-1", "MQTT-3.14.4-2"),
      steps: joined(c.sends(bye, pingreq), c.ends),
    },
    {
      name: "what comes after an error is not read",
      version,
      rule: by(version, "MQTT-4.13.1-1", "MQTT-4.8.0-1"),
      steps: joined(c.sends([0xc1, 0], pingreq), ...told(version, malformed)),
    },
    {
      name: "what comes with CONNECT is answered after it",
      version,
      rule: by(version, "MQTT-3.2.0-1", "MQTT-3.2.0-1"),
      steps: [c.sends(connect(version), pingreq), c.gets(accepted(version), pingresp)],
    },
    {
      name: "what comes with a CONNECT that is refused is not read",
      version,
      rule: by(version, "MQTT-3.1.4-6", "MQTT-3.1.4-5"),
      steps: [
        c.sends(connect(version, { flags: 3 }), pingreq),
        ...(version === 5 ? [c.gets(refused(5, malformed))] : []),
        c.ends,
      ],
    },
  ]
}

/** Section 2.2.2.1: in every packet of a client that has properties. */
function propertyLengthRows(): Row[] {
  const before: readonly (readonly [name: string, first: number, start: Bytes, after: Bytes, end: Steps])[] = [
    ["PUBLISH", 0x30, text("a"), [0x78], []],
    ["PUBACK", 0x40, [0, 1, 0], [], []],
    ["PUBREC", 0x50, [0, 1, 0], [], [c.gets([0x62, 3, 0, 1, 0x92])]],
    ["PUBREL", 0x62, [0, 1, 0], [], [c.gets([0x70, 3, 0, 1, 0x92])]],
    ["PUBCOMP", 0x70, [0, 1, 0], [], []],
    ["SUBSCRIBE", 0x82, [0, 1], [...text("f"), 0], [c.gets(suback(5, 1, 0))]],
    ["UNSUBSCRIBE", 0xa2, [0, 1], text("f"), [c.gets([0xb0, 4, 0, 1, 0, 0x11])]],
    ["DISCONNECT", 0xe0, [0], [], [c.ends]],
    ["AUTH", 0xf0, [0x19], [], [c.gets(farewell(protocolError)), c.ends]],
  ]
  const pair = [0x26, ...text("k"), ...text("v")]
  return before.flatMap(([name, first, start, after, end]) => {
    const sent = (length: Bytes, properties: Bytes = []) =>
      packet(first, [...start, ...length, ...properties, ...after])
    const bad = (what: string, bytes: Bytes, rule: string): Row => ({
      name: `${name} whose Property Length ${what}`,
      version: 5,
      rule,
      steps: wronged(5, bytes, malformed),
    })
    const long = { name: `${name} with 128 bytes of properties`, version: 5 as const, rule: "2.2.2.1" }
    const [repeated] = [times(16, 0).flatMap(() => [0x26, 0, 1, 0x6b, 0, 2, 0x76, 0x76])]
    return [
      { ...long, steps: joined(c.sends(sent(variable(128), repeated)), ...end) },
      bad("has two bytes, and needs one", sent([0x80, 0]), "MQTT-1.5.5-1"),
      bad("has four bytes, and needs one", sent([0x80, 0x80, 0x80, 0]), "MQTT-1.5.5-1"),
      bad("has five bytes", sent([0x80, 0x80, 0x80, 0x80, 1]), "1.5.5"),
      bad("is more than the packet has", sent(variable(pair.length + after.length + 1), pair), "2.2.2.1"),
      bad("is 268,435,455", sent([0xff, 0xff, 0xff, 0x7f], pair), "2.2.2.1"),
      bad("ends within a property", sent([pair.length - 1], pair), "2.2.2.1"),
    ]
  })
}
