// What a client publishes: QoS 0, 1 and 2 and their Packet Identifiers (MQTT 5.0 and 3.1.1 sections 2.2.1, 3.3.4, 4.3).

import {
  type Bytes,
  farewell,
  packet,
  pingreq,
  pingresp,
  protocolError,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  two,
  unsuback,
  unsubscribe,
  type Version,
} from "../bytes.ts"
import { all, asked, both, by, c, d, joined, type Row, type Steps, told, waits, wronged } from "../row.ts"
import { goodPackets } from "./good.ts"

export const head = `What clients publish: the receiving side of QoS 1 and 2, Packet Identifiers, the broker's Receive Maximum.`

/** No subscriber is no error. */
const nobody = 0x10

export function rows(): Row[] {
  return [
    ...both.flatMap((version) => [
      ...identifierRows(version),
      ...qos1Rows(version),
      ...inUseRows(version),
      ...maximumRows(version),
      ...strayRows(version),
      ...orderRows(version),
    ]),
    ...all.flatMap(qos2Rows),
  ]
}

/** Client "d" has "a", at this QoS. */
function heard(version: Version, qos = 0): Steps {
  return [d.joins, d.sends(subscribe(version, 1, [["a", qos]])), d.gets(suback(version, 1, qos)), c.joins]
}

/** What "d" gets of it. */
function copy(version: Version, payload: string): ReturnType<typeof d.gets> {
  return d.gets(publish(version, "a", payload))
}

/** [MQTT-2.2.1-3]: never 0; and each that there is. */
function identifierRows(version: Version): Row[] {
  const withId = goodPackets(version).filter(({ first }) => ![0x30, 0xc0, 0xe0, 0xf0].includes(first))
  const rule = by(version, "MQTT-2.2.1-3", "MQTT-2.3.1-1")
  const zeros = withId.map(({ name, first, body }): Row => {
    const at = first >> 4 === 3 ? 3 : 0
    const bytes = body.map((byte, i) => (i === at || i === at + 1 ? 0 : byte))
    return {
      name: `${name} with Packet Identifier 0`,
      version,
      rule,
      steps: wronged(version, packet(first, bytes), protocolError),
    }
  })
  const ids = [1, 0xff, 0x100, 0x7fff, 0x8000, 0xffff].flatMap((id): Row[] => {
    const row = (name: string, rule: string, steps: Steps): Row => ({
      name: `${name} with Packet Identifier ${id}`,
      version,
      rule,
      steps,
    })
    const same = by(version, "MQTT-2.2.1-5", "MQTT-2.3.1-6")
    const sub = by(version, "MQTT-2.2.1-6", "MQTT-2.3.1-7")
    return [
      row("PUBLISH of QoS 1", same, asked(publish(version, "a", "x", { qos: 1, id }), puback(version, id, nobody))),
      row("PUBLISH of QoS 2", same, asked(publish(version, "a", "x", { qos: 2, id }), pubrec(version, id, nobody))),
      row("PUBREL", same, asked(pubrel(version, id), pubcomp(version, id, 0x92))),
      row("PUBREC", same, asked(pubrec(version, id), pubrel(version, id, 0x92))),
      row("SUBSCRIBE", sub, asked(subscribe(version, id, [["f", 0]]), suback(version, id, 0))),
      row("UNSUBSCRIBE", sub, asked(unsubscribe(version, id, ["f"]), unsuback(version, id, 0x11))),
    ]
  })
  return [...zeros, ...ids]
}

function qos1Rows(version: Version): Row[] {
  const again = by(version, "MQTT-4.3.2-5", "MQTT-4.3.2-2")
  const sent = publish(version, "a", "1", { qos: 1 })
  const dup = publish(version, "a", "1", { qos: 1, dup: true })
  const ack = c.gets(puback(version, 1))
  const twice = (second: Bytes): Steps => [
    ...heard(version),
    c.sends(sent),
    ack,
    copy(version, "1"),
    c.sends(second),
    ack,
    copy(version, "1"),
  ]
  const three = [1, 2, 3].map((id) => publish(version, "a", `${id}`, { qos: 1, id }))
  return [
    { name: "QoS 1, the same Packet Identifier after PUBACK", version, rule: again, steps: twice(sent) },
    { name: "QoS 1, the same Packet Identifier and DUP after PUBACK", version, rule: again, steps: twice(dup) },
    {
      name: "QoS 1, DUP the first time, is not propagated",
      version,
      rule: "MQTT-3.3.1-3",
      steps: [...heard(version, 1), c.sends(dup), ack, d.gets(publish(version, "a", "1", { qos: 1 }))],
    },
    {
      name: "QoS 1, three at once, are acknowledged in their order",
      version,
      rule: "MQTT-4.6.0-2",
      steps: [
        ...heard(version),
        c.sends(...three),
        c.gets(...[1, 2, 3].map((id) => puback(version, id))),
        ...["1", "2", "3"].map((one) => copy(version, one)),
      ],
    },
    {
      name: "QoS 1 without payload",
      version,
      rule: "3.3.3",
      steps: [...heard(version), c.sends(publish(version, "a", "", { qos: 1 })), ack, copy(version, "")],
    },
    {
      name: "QoS 0 is not answered",
      version,
      rule: "MQTT-3.3.4-1",
      steps: [...heard(version), c.sends(publish(version, "a", "1")), copy(version, "1")],
    },
  ]
}

/** MQTT 3.1 has the same flow. */
function qos2Rows(version: Version): Row[] {
  const rule = (five: string) => by(version, five, "MQTT-4.3.3-2", "4.1")
  const sent = publish(version, "a", "1", { qos: 2, id: 7 })
  const dup = publish(version, "a", "1", { qos: 2, id: 7, dup: true })
  const other = publish(version, "a", "2", { qos: 2, id: 7 })
  const first: Steps = [...heard(version), c.sends(sent), c.gets(pubrec(version, 7)), copy(version, "1")]
  const end: Steps = [c.sends(pubrel(version, 7)), c.gets(pubcomp(version, 7))]
  const unknown = c.gets(pubcomp(version, 7, 0x92))
  const rec = c.gets(pubrec(version, 7))
  const row = (name: string, five: string, ...steps: Steps): Row => ({ name, version, rule: rule(five), steps })
  const released = (again: Bytes, payload: string): Steps => [
    ...first,
    ...end,
    c.sends(again),
    rec,
    copy(version, payload),
    ...end,
  ]
  return [
    row("QoS 2, all of it", "MQTT-4.3.3-11", ...first, ...end),
    row("QoS 2, sent again with DUP before PUBREL", "MQTT-4.3.3-10", ...first, c.sends(dup), rec, ...end),
    row("QoS 2, sent again without DUP before PUBREL", "MQTT-4.3.3-10", ...first, c.sends(sent), rec, ...end),
    row(
      "QoS 2, another message with the same Packet Identifier before PUBREL",
      "MQTT-4.3.3-10",
      ...first,
      c.sends(other),
      rec,
      ...end,
    ),
    row(
      "QoS 2, sent again three times before PUBREL",
      "MQTT-4.3.3-10",
      ...first,
      c.sends(dup, dup, dup),
      rec,
      rec,
      rec,
      ...end,
    ),
    row("QoS 2, the same Packet Identifier after PUBCOMP", "MQTT-4.3.3-12", ...released(other, "2")),
    row("QoS 2, the same message with DUP after PUBCOMP", "MQTT-4.3.3-12", ...released(dup, "1")),
    row("QoS 2, PUBREL twice", "MQTT-4.3.3-11", ...first, ...end, c.sends(pubrel(version, 7)), unknown),
    row(
      "QoS 2, PUBREL of another Packet Identifier",
      "MQTT-4.3.3-11",
      ...first,
      c.sends(pubrel(version, 8)),
      c.gets(pubcomp(version, 8, 0x92)),
      c.sends(dup),
      rec,
    ),
    row("QoS 2, DUP the first time", "MQTT-3.3.1-3", ...heard(version), c.sends(dup), rec, copy(version, "1"), ...end),
    row(
      "QoS 2, PUBLISH and PUBREL at once",
      "MQTT-4.3.3-11",
      ...heard(version),
      c.sends(sent, pubrel(version, 7)),
      c.gets(pubrec(version, 7), pubcomp(version, 7)),
      copy(version, "1"),
    ),
    row(
      "QoS 2, two messages that cross",
      "MQTT-4.3.3-8",
      ...first,
      c.sends(publish(version, "a", "2", { qos: 2, id: 8 })),
      c.gets(pubrec(version, 8)),
      copy(version, "2"),
      c.sends(pubrel(version, 8)),
      c.gets(pubcomp(version, 8)),
      ...end,
    ),
    row(
      "QoS 2, three at once, are acknowledged in their order",
      "MQTT-4.6.0-3",
      ...heard(version),
      c.sends(...[7, 8, 9].map((id) => publish(version, "a", `${id}`, { qos: 2, id }))),
      c.gets(...[7, 8, 9].map((id) => pubrec(version, id))),
      ...["7", "8", "9"].map((one) => copy(version, one)),
      c.sends(...[9, 7, 8].map((id) => pubrel(version, id))),
      c.gets(...[9, 7, 8].map((id) => pubcomp(version, id))),
    ),
    ...(version === 3 ? [dupPubrel(first)] : []),
    ...(version === 5 ? qos2Of5() : []),
  ]
}

/** What only MQTT 5.0 has a word for. */
function qos2Of5(): Row[] {
  const expiring = publish(5, "a", "x", { qos: 2, id: 7, properties: [0x02, 0, 0, 0, 1] })
  return [
    {
      name: "QoS 2, refused with PUBREC of 0x87, and another message with its Packet Identifier",
      version: 5,
      rule: "MQTT-4.3.3-9",
      note: "ours: a topic that begins with $ is refused",
      steps: [
        ...heard(5),
        c.sends(publish(5, "$a", "x", { qos: 2, id: 7 })),
        c.gets(pubrec(5, 7, 0x87)),
        c.sends(publish(5, "a", "1", { qos: 2, id: 7 })),
        c.gets(pubrec(5, 7)),
        copy(5, "1"),
        c.sends(pubrel(5, 7)),
        c.gets(pubcomp(5, 7)),
      ],
    },
    {
      name: "QoS 2 goes on although the message has expired",
      version: 5,
      rule: "MQTT-4.3.3-13",
      steps: joined(
        c.sends(expiring),
        c.gets(pubrec(5, 7, nobody)),
        waits(5),
        c.sends(pubrel(5, 7)),
        c.gets(pubcomp(5, 7)),
      ),
    },
  ]
}

/** [MQTT-4.6.0-5], [MQTT-4.6.0-6]: every topic is an Ordered Topic. */
function orderRows(version: Version): Row[] {
  const payloads = Array.from({ length: 9 }, (_, i) => `${i + 1}`)
  return [0, 1, 2].map((qos): Row => {
    const sent = payloads.map((payload, i) => publish(version, "a", payload, { qos, id: i + 1 }))
    const acks = payloads.map((_, i) => (qos === 1 ? puback(version, i + 1) : pubrec(version, i + 1)))
    return {
      name: `nine messages of QoS ${qos} come in their order`,
      version,
      rule: by(version, "MQTT-4.6.0-6", "MQTT-4.6.0-6"),
      steps: [...heard(version, qos), c.sends(...sent), ...(qos === 0 ? [] : [c.gets(...acks)]), d.gets(...sent)],
    }
  })
}

/** MQTT 3.1 section 2.1: PUBREL has DUP when it is sent again. */
function dupPubrel(first: Steps): Row {
  const steps = [...first, c.sends(packet(0x6a, two(7))), c.gets(pubcomp(3, 7))]
  return { name: "QoS 2, PUBREL with DUP", version: 3, rule: "2.1", steps }
}

/** "A Packet Identifier cannot be used by more than one command at any time" is said to who sends. */
function inUseRows(version: Version): Row[] {
  const rule = by(version, "2.2.1", "MQTT-2.3.1-2")
  const note = by(
    version,
    "ours: it is not asked of SUBSCRIBE, UNSUBSCRIBE and QoS 1 whether the client uses it elsewhere (0x91 MAY say so)",
    "ours: it is not asked whether the client uses it elsewhere",
  )
  const first = joined(c.sends(publish(version, "a", "x", { qos: 2, id: 7 })), c.gets(pubrec(version, 7, nobody)))
  const row = (name: string, ...steps: Steps): Row => ({ name, version, rule, note, steps: [...first, ...steps] })
  return [
    row(
      "SUBSCRIBE with the Packet Identifier of a QoS 2 message",
      c.sends(subscribe(version, 7, [["f", 0]])),
      c.gets(suback(version, 7, 0)),
    ),
    row(
      "UNSUBSCRIBE with the Packet Identifier of a QoS 2 message",
      c.sends(unsubscribe(version, 7, ["f"])),
      c.gets(unsuback(version, 7, 0x11)),
    ),
    row(
      "QoS 1 with the Packet Identifier of a QoS 2 message",
      c.sends(publish(version, "a", "y", { qos: 1, id: 7 })),
      c.gets(puback(version, 7, nobody)),
    ),
    {
      name: "both sides use the same Packet Identifier",
      version,
      rule,
      note: "they are each side's own",
      steps: [
        ...heard(version, 1),
        c.sends(publish(version, "a", "1", { qos: 1, id: 1 })),
        c.gets(puback(version, 1)),
        d.gets(publish(version, "a", "1", { qos: 1, id: 1 })),
        d.sends(publish(version, "b", "2", { qos: 1, id: 1 })),
        d.gets(puback(version, 1, nobody)),
        d.sends(puback(version, 1)),
      ],
    },
  ]
}

/** The table's broker has a Receive Maximum of 10. */
function maximumRows(version: Version): Row[] {
  const rule = by(version, "MQTT-3.3.4-7", "MQTT-4.8.0-2")
  const note =
    version === 4 ? "ours: MQTT 3.1.1 has no Receive Maximum, and the broker remembers as many identifiers" : undefined
  const many = (count: number, qos: number) =>
    Array.from({ length: count }, (_, i) => publish(version, "a", "x", { qos, id: i + 1 }))
  const recs = Array.from({ length: 10 }, (_, i) => pubrec(version, i + 1, nobody))
  const ten = joined(c.sends(...many(10, 2)), c.gets(...recs))
  const eleventh = publish(version, "a", "x", { qos: 2, id: 11 })
  const row = (name: string, steps: Steps): Row => ({ name, version, rule, note, steps })
  const acks = Array.from({ length: 25 }, (_, i) => puback(version, i + 1, nobody))
  return [
    row("10 of QoS 2 without PUBREL", ten),
    row("11 of QoS 2 without PUBREL", [...ten, c.sends(eleventh), ...told(version, 0x93)]),
    row(
      "11 of QoS 2 without PUBREL, at once",
      joined(c.sends(...many(11, 2)), c.gets(...recs, ...(version === 5 ? [farewell(0x93)] : [])), c.ends),
    ),
    row("11 of QoS 2, one of them released", [
      ...ten,
      c.sends(pubrel(version, 3)),
      c.gets(pubcomp(version, 3)),
      c.sends(eleventh),
      c.gets(pubrec(version, 11, nobody)),
    ]),
    row("10 of QoS 2, and one of them again", [
      ...ten,
      c.sends(publish(version, "a", "x", { qos: 2, id: 3, dup: true })),
      c.gets(pubrec(version, 3)),
    ]),
    row("10 of QoS 2, and QoS 0 and PINGREQ beside them", [
      ...ten,
      c.sends(publish(version, "a", "x"), pingreq),
      c.gets(pingresp),
    ]),
    {
      ...row("25 of QoS 1 at once", joined(c.sends(...many(25, 1)), c.gets(...acks))),
      note: "each is acknowledged before the next is read: none counts",
    },
    {
      ...row("10 of QoS 2, and one of QoS 1", [
        ...ten,
        c.sends(publish(version, "a", "x", { qos: 1, id: 11 })),
        c.gets(puback(version, 11, nobody)),
      ]),
      note: "ours: one of QoS 1 is acknowledged at once, and never counts",
    },
  ]
}

/** Acknowledgements of nothing. */
function strayRows(version: Version): Row[] {
  const rule = by(version, "MQTT-2.2.1-5", "MQTT-2.3.1-6")
  const note = "ours: what acknowledges nothing is not an error"
  const row = (name: string, sent: Bytes, ...answer: readonly Bytes[]): Row => ({
    name,
    version,
    rule,
    note,
    steps: asked(sent, ...answer),
  })
  return [
    row("PUBACK of nothing", puback(version, 5)),
    row("PUBCOMP of nothing", pubcomp(version, 5)),
    row("PUBREC of nothing", pubrec(version, 5), pubrel(version, 5, 0x92)),
    row("PUBREL of nothing", pubrel(version, 5), pubcomp(version, 5, 0x92)),
    row(
      "PUBREL of what was of QoS 1",
      [...publish(version, "a", "x", { qos: 1, id: 5 }), ...pubrel(version, 5)],
      puback(version, 5, nobody),
      pubcomp(version, 5, 0x92),
    ),
  ]
}
