// Reason Codes (MQTT 5.0 section 2.4, Tables 2-6 and 3-4 to 3-11): each of the 256 in each packet of a client that has one.

import {
  accepted,
  type Bytes,
  connect,
  disconnect,
  farewell,
  packet,
  protocolError,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  two,
} from "../bytes.ts"
import { c, d, hex, joined, type Row, type Steps, wronged } from "../row.ts"

export const head = `Every Reason Code in every packet of a client that has one; those of acknowledgements also for messages that are on their way.`

/** Those of a client's packets: Tables 3-4, 3-5, 3-10 and 3-11 have others that only a server sends. */
const tables: readonly (readonly [name: string, first: number, codes: string, rule: string])[] = [
  ["PUBACK", 0x40, "00 80 83 87 90 91 97 99", "MQTT-3.4.2-1"],
  ["PUBREC", 0x50, "00 80 83 87 90 91 97 99", "MQTT-3.5.2-1"],
  ["PUBREL", 0x62, "00 92", "MQTT-3.6.2-1"],
  ["PUBCOMP", 0x70, "00 92", "MQTT-3.7.2-1"],
  ["DISCONNECT", 0xe0, "00 04 80 81 82 83 90 93 94 95 96 97 98 99", "MQTT-3.14.2-1"],
  ["AUTH", 0xf0, "18 19", "MQTT-3.15.2-1"],
]

function codesOf(list: string): ReadonlySet<number> {
  return new Set(list.split(" ").map((code) => Number.parseInt(code, 16)))
}

export function rows(): Row[] {
  return [...strayRows(), ...underWayRows(), ...qos1Rows()]
}

/** For nothing that was sent. */
function strayRows(): Row[] {
  return tables.flatMap(([name, first, list, rule]) => {
    const allowed = codesOf(list)
    return Array.from({ length: 256 }, (_, code): Row => {
      const isLast = first === 0xe0 || first === 0xf0
      const sent = packet(first, isLast ? [code] : [0, 1, code])
      const row = { name: `${name} of ${hex(code)}`, version: 5 as const, rule }
      if (first === 0xf0 && allowed.has(code)) {
        const note = "a Protocol Error in any case: CONNECT had no Authentication Method"
        return { ...row, rule: "MQTT-4.12.0-7", note, steps: wronged(5, sent, protocolError) }
      }
      if (!allowed.has(code)) return { ...row, steps: wronged(5, sent, protocolError) }
      if (isLast) return { ...row, steps: joined(c.sends(sent), c.ends) }
      return { ...row, ...strayAnswer(first, code, sent) }
    })
  })
}

function strayAnswer(first: number, code: number, sent: Bytes): Pick<Row, "steps" | "note"> {
  const note = "ours: an acknowledgement of nothing that is on its way"
  // An error ends the exchange (section 4.3.3): there is nothing to release.
  if (first === 0x50 && code < 0x80) return { note, steps: joined(c.sends(sent), c.gets(pubrel(5, 1, 0x92))) }
  if (first === 0x62) return { note, steps: joined(c.sends(sent), c.gets(pubcomp(5, 1, 0x92))) }
  return { note, steps: joined(c.sends(sent)) }
}

/** Client "d" is sent messages "1" and "2" of QoS 2, the second when the first is done: its Receive Maximum is 1. */
function delivered(qos: number): Steps {
  const connected = connect(5, { id: "d", properties: [0x17, 0, 0x21, ...two(1)] })
  return [
    d.sends(connected),
    d.gets(accepted(5)),
    d.sends(subscribe(5, 1, [["a", 2]])),
    d.gets(suback(5, 1, 2)),
    c.joins,
    c.sends(publish(5, "a", "1", { qos, id: 1 }), publish(5, "a", "2", { qos, id: 2 })),
    c.gets(...[1, 2].map((id) => (qos === 1 ? puback(5, id) : pubrec(5, id)))),
    ...(qos === 1 ? [] : [c.sends(pubrel(5, 1), pubrel(5, 2)), c.gets(pubcomp(5, 1), pubcomp(5, 2))]),
    d.gets(publish(5, "a", "1", { qos, id: 1 })),
  ]
}

/** Section 4.9: what gives back a place in the client's Receive Maximum, and so lets the next message come. */
function underWayRows(): Row[] {
  const recs = [...codesOf("00 80 83 87 90 91 97 99")].map((code): Row => {
    const sent = d.sends(pubrec(5, 1, code))
    const next = d.gets(publish(5, "a", "2", { qos: 2, id: 2 }))
    const steps = code < 0x80 ? [sent, d.gets(pubrel(5, 1)), d.sends(pubcomp(5, 1)), next] : [sent, next]
    const rule = code < 0x80 ? "MQTT-4.3.3-4" : "MQTT-4.4.0-2"
    return {
      name: `PUBREC of ${hex(code)} for a message of QoS 2`,
      version: 5,
      rule,
      steps: [...delivered(2), ...steps],
    }
  })
  const comps = [0x00, 0x92].map((code): Row => {
    const steps = [
      d.sends(pubrec(5, 1)),
      d.gets(pubrel(5, 1)),
      d.sends(pubcomp(5, 1, code)),
      d.gets(publish(5, "a", "2", { qos: 2, id: 2 })),
    ]
    return {
      name: `PUBCOMP of ${hex(code)} for a message of QoS 2`,
      version: 5,
      rule: "4.9",
      steps: [...delivered(2), ...steps],
    }
  })
  const rels = [0x00, 0x92].map(
    (code): Row => ({
      name: `PUBREL of ${hex(code)} for a message of QoS 2`,
      version: 5,
      rule: "MQTT-4.3.3-11",
      steps: joined(
        c.sends(publish(5, "a", "x", { qos: 2, id: 9 })),
        c.gets(pubrec(5, 9, 0x10)),
        c.sends(pubrel(5, 9, code)),
        c.gets(pubcomp(5, 9)),
        c.sends(pubrel(5, 9)),
        c.gets(pubcomp(5, 9, 0x92)),
      ),
    }),
  )
  const wrongs: readonly (readonly [name: string, make: typeof pubrec, code: number, rule: string])[] = [
    ["PUBREC", pubrec, 0x92, "MQTT-3.5.2-1"],
    ["PUBREC", pubrec, 0x10, "MQTT-3.5.2-1"],
    ["PUBREC", pubrec, 0x01, "MQTT-3.5.2-1"],
    ["PUBCOMP", pubcomp, 0x10, "MQTT-3.7.2-1"],
    ["PUBCOMP", pubcomp, 0x80, "MQTT-3.7.2-1"],
  ]
  const bad = wrongs.map(
    ([name, make, code, rule]): Row => ({
      name: `${name} of ${hex(code)}, which it may not have, for a message of QoS 2`,
      version: 5,
      rule,
      steps: [...delivered(2), d.sends(make(5, 1, code)), d.gets(farewell(protocolError)), d.ends],
    }),
  )
  return [...recs, ...comps, ...rels, ...bad]
}

function qos1Rows(): Row[] {
  const good = [...codesOf("00 80 83 87 90 91 97 99")].map((code): Row => {
    const steps = [
      d.sends(puback(5, 1, code)),
      d.gets(publish(5, "a", "2", { qos: 1, id: 2 })),
      d.sends(disconnect(5)),
      d.ends,
    ]
    const rule = code < 0x80 ? "4.9" : "MQTT-4.4.0-2"
    return {
      name: `PUBACK of ${hex(code)} for a message of QoS 1`,
      version: 5,
      rule,
      steps: [...delivered(1), ...steps],
    }
  })
  const bad = [0x01, 0x10, 0x92, 0xff].map(
    (code): Row => ({
      name: `PUBACK of ${hex(code)}, which it may not have, for a message of QoS 1`,
      version: 5,
      rule: "MQTT-3.4.2-1",
      steps: [...delivered(1), d.sends(puback(5, 1, code)), d.gets(farewell(protocolError)), d.ends],
    }),
  )
  return [...good, ...bad]
}
