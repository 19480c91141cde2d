// What a client is sent: the sending side of QoS 1 and 2, over reconnections too (MQTT 5.0 and 3.1.1 sections 4.3, 4.4, 4.9).

import {
  accepted,
  type Bytes,
  connect,
  disconnect,
  farewell,
  type PublishFields,
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
  type Version,
} from "../bytes.ts"
import { both, by, c, d, lineOf, type Row, type Step, type Steps, waits } from "../row.ts"
import { back, staying, subscribed } from "./staying.ts"

export const head = `What clients are sent: QoS, acknowledgements right and wrong, what is sent again after a reconnection, Receive Maximum.`

/** The second and third connection of client "d". */
const d2 = lineOf("d2")
const d3 = lineOf("d3")

export function rows(): Row[] {
  return [
    ...both.flatMap((version) => [
      ...matrixRows(version),
      ...outOfPlaceRows(version),
      ...againRows(version),
      ...waitingRows(version),
    ]),
    ...receiveMaximumRows(),
  ]
}

/** "c" publishes "x" to "a"; all of it, as a broker may send a message of QoS 2 on at PUBREL only (section 4.3.3). */
function published(version: Version, qos: number, payload = "x", id = 1): Steps {
  const sent = publish(version, "a", payload, { qos, id })
  if (qos === 0) return [c.sends(sent)]
  if (qos === 1) return [c.sends(sent), c.gets(puback(version, id))]
  return [c.sends(sent), c.gets(pubrec(version, id)), c.sends(pubrel(version, id)), c.gets(pubcomp(version, id))]
}

function copy(version: Version, qos: number, id = 1, payload = "x", more: PublishFields = {}): Bytes {
  return publish(version, "a", payload, { qos, id, ...more })
}

/** [MQTT-3.8.4-8] the lower of both. */
function matrixRows(version: Version): Row[] {
  const list: Row[] = []
  for (const sent of [0, 1, 2]) {
    for (const granted of [0, 1, 2]) {
      const qos = Math.min(sent, granted)
      const done: Steps =
        qos === 0
          ? []
          : qos === 1
            ? [d.sends(puback(version, 1))]
            : [d.sends(pubrec(version, 1)), d.gets(pubrel(version, 1)), d.sends(pubcomp(version, 1))]
      const steps = [...subscribed(version, granted), ...published(version, sent), d.gets(copy(version, qos)), ...done]
      const rule = by(version, "MQTT-3.8.4-8", "MQTT-3.8.4-6")
      list.push({ name: `published at QoS ${sent}, granted QoS ${granted}`, version, rule, steps })
    }
  }
  return list
}

/** Acknowledgements that do not belong to the message: a Protocol Error. */
function outOfPlaceRows(version: Version): Row[] {
  const end: Steps = version === 5 ? [d.gets(farewell(protocolError)), d.ends] : [d.ends]
  const row = (name: string, qos: number, ...steps: Steps): Row => ({
    name,
    version,
    rule: by(version, qos === 1 ? "4.3.2" : "4.3.3", "MQTT-4.8.0-1"),
    steps: [...subscribed(version, qos), ...published(version, qos), d.gets(copy(version, qos)), ...steps],
  })
  const rec: Steps = [d.sends(pubrec(version, 1)), d.gets(pubrel(version, 1))]
  const comp = d.sends(pubcomp(version, 1))
  return [
    row("PUBREC for a message of QoS 1", 1, d.sends(pubrec(version, 1)), ...end),
    row("PUBCOMP for a message of QoS 1", 1, comp, ...end),
    row("PUBACK for a message of QoS 2", 2, d.sends(puback(version, 1)), ...end),
    row("PUBCOMP for a message of QoS 2 before PUBREC", 2, comp, ...end),
    row("PUBACK for a message of QoS 2 after PUBREC", 2, ...rec, d.sends(puback(version, 1)), ...end),
    row("PUBREC twice", 2, ...rec, ...rec, comp),
    row("PUBCOMP twice", 2, ...rec, comp, comp),
    row("PUBACK twice", 1, d.sends(puback(version, 1), puback(version, 1))),
    row("PUBREC after PUBCOMP", 2, ...rec, comp, d.sends(pubrec(version, 1)), d.gets(pubrel(version, 1, 0x92))),
    threePubrecs(version),
    row(
      "PUBREL for a message that the broker has sent",
      2,
      d.sends(pubrel(version, 1)),
      d.gets(pubcomp(version, 1, 0x92)),
      ...rec,
      comp,
    ),
  ]
}

/** [MQTT-4.6.0-4] */
function threePubrecs(version: Version): Row {
  const ids = [1, 2, 3]
  const steps = [
    ...subscribed(version, 2),
    ...ids.flatMap((id) => published(version, 2, `${id}`, id)),
    d.gets(...ids.map((id) => copy(version, 2, id, `${id}`))),
    d.sends(...[2, 1, 3].map((id) => pubrec(version, id))),
    d.gets(...[2, 1, 3].map((id) => pubrel(version, id))),
  ]
  return { name: "three PUBREC at once are answered in their order", version, rule: "MQTT-4.6.0-4", steps }
}

/** [MQTT-4.4.0-1] What is not acknowledged is sent again when the client comes back, and at no other time. */
function againRows(version: Version): Row[] {
  const rule = by(version, "MQTT-4.4.0-1", "MQTT-4.4.0-1")
  const start = (qos: number): Steps => [
    ...subscribed(version, qos),
    ...published(version, qos),
    d.gets(copy(version, qos)),
  ]
  const dup = (qos: number) => copy(version, qos, 1, "x", { dup: true })
  const row = (name: string, steps: Steps, more: Partial<Row> = {}): Row => ({ name, version, rule, steps, ...more })
  const rec: Steps = [d.sends(pubrec(version, 1)), d.gets(pubrel(version, 1))]
  const clean = staying(version, true)
  const three = [1, 2, 3].flatMap((id) => published(version, 1, `${id}`, id))
  const copies = [1, 2, 3].map((id) => copy(version, 1, id, `${id}`))
  return [
    row("QoS 1 without PUBACK is sent again, with DUP", [
      ...start(1),
      d.cuts,
      ...back(version, d2, dup(1)),
      d2.sends(puback(version, 1)),
    ]),
    row("QoS 1 with PUBACK is not sent again", [
      ...start(1),
      d.sends(puback(version, 1)),
      d.cuts,
      ...back(version, d2),
    ]),
    row("QoS 1 is sent again each time", [
      ...start(1),
      d.cuts,
      ...back(version, d2, dup(1)),
      d2.cuts,
      ...back(version, d3, dup(1)),
    ]),
    row("QoS 2 without PUBREC is sent again, with DUP", [
      ...start(2),
      d.cuts,
      ...back(version, d2, dup(2)),
      d2.sends(pubrec(version, 1)),
      d2.gets(pubrel(version, 1)),
      d2.sends(pubcomp(version, 1)),
      d2.cuts,
      ...back(version, d3),
    ]),
    row(
      "QoS 2 with PUBREC: PUBREL is sent again",
      [
        ...start(2),
        ...rec,
        d.cuts,
        ...back(version, d2, pubrel(version, 1)),
        d2.sends(pubcomp(version, 1)),
        d2.cuts,
        ...back(version, d3),
      ],
      {
        rule: by(version, "MQTT-4.3.3-6", "MQTT-4.3.3-1"),
      },
    ),
    row("QoS 2 with PUBCOMP: nothing is sent again", [
      ...start(2),
      ...rec,
      d.sends(pubcomp(version, 1)),
      d.cuts,
      ...back(version, d2),
    ]),
    row("after DISCONNECT it is sent again too", [
      ...start(1),
      d.sends(disconnect(version)),
      d.ends,
      ...back(version, d2, dup(1)),
    ]),
    row(
      "three of QoS 1 are sent again in their order",
      [
        ...subscribed(version, 1),
        ...three,
        d.gets(...copies),
        d.sends(puback(version, 2)),
        d.cuts,
        ...back(version, d2, copy(version, 1, 1, "1", { dup: true }), copy(version, 1, 3, "3", { dup: true })),
      ],
      { rule: "MQTT-4.6.0-1" },
    ),
    row("to a new session nothing is sent again", [...start(1), d.cuts, d2.sends(clean), d2.gets(accepted(version))], {
      rule: by(version, "MQTT-3.1.2-4", "MQTT-3.1.2-6"),
    }),
    row("nothing is sent again while the connection lasts", [...start(1), waits(100), d.sends(puback(version, 1))]),
  ]
}

/** What was published while the client was away (MQTT 5.0 section 4.1, 3.1.1 [MQTT-3.1.2-5]). */
function waitingRows(version: Version): Row[] {
  const rule = by(version, "MQTT-4.5.0-1", "MQTT-3.1.2-5")
  const away = (qos: number, ...steps: readonly Steps[]): Steps => [
    ...subscribed(version, qos),
    d.cuts,
    ...steps.flat(),
  ]
  const row = (name: string, steps: Steps, note?: string): Row => ({ name, version, rule, note, steps })
  return [
    row("QoS 1 waits", [...away(1, published(version, 1)), ...back(version, d2, copy(version, 1))]),
    row("QoS 2 waits", [...away(2, published(version, 2)), ...back(version, d2, copy(version, 2))]),
    row("QoS 1 and 2 wait in their order", [
      ...away(2, published(version, 1, "1", 1), published(version, 2, "2", 2), published(version, 1, "3", 3)),
      ...back(version, d2, copy(version, 1, 1, "1"), copy(version, 2, 2, "2"), copy(version, 1, 3, "3")),
    ]),
    row(
      "QoS 0 does not wait",
      [...away(0, published(version, 0)), ...back(version, d2)],
      "ours: that they wait is OPTIONAL",
    ),
    row(
      "QoS 0 to a subscription of QoS 1 does not wait",
      [...away(1, published(version, 0)), ...back(version, d2)],
      "ours: that they wait is OPTIONAL",
    ),
    row(
      "QoS 1 to a subscription of QoS 0 does not wait",
      [...away(0, published(version, 1)), ...back(version, d2)],
      "ours: it is of QoS 0 for this client",
    ),
    row("what is sent again comes before what waits", [
      ...subscribed(version, 1),
      ...published(version, 1, "1", 1),
      d.gets(copy(version, 1, 1, "1")),
      d.cuts,
      ...published(version, 1, "2", 2),
      ...back(version, d2, copy(version, 1, 1, "1", { dup: true }), copy(version, 1, 2, "2")),
    ]),
  ]
}

/** [MQTT-3.3.4-9], [MQTT-4.9.0-2]: no more than the client's Receive Maximum. */
function receiveMaximumRows(): Row[] {
  const starts = (maximum: number, qos: number): Steps => [
    d.sends(connect(5, { id: "d", properties: [0x17, 0, 0x21, ...two(maximum)] })),
    d.gets(accepted(5)),
    d.sends(subscribe(5, 1, [["a", qos]])),
    d.gets(suback(5, 1, qos)),
    c.joins,
  ]
  const four4 = (qos: number) => [1, 2, 3, 4].flatMap((id) => published(5, qos, `${id}`, id))
  const row = (name: string, rule: string, ...steps: Steps): Row => ({ name, version: 5, rule, steps })
  const come = (qos: number, ...ids: readonly number[]): Step => d.gets(...ids.map((id) => copy(5, qos, id, `${id}`)))
  return [
    row(
      "Receive Maximum 1, QoS 1",
      "MQTT-4.9.0-2",
      ...starts(1, 1),
      ...four4(1),
      come(1, 1),
      d.sends(puback(5, 1)),
      come(1, 2),
      d.sends(puback(5, 2)),
      come(1, 3),
    ),
    row(
      "Receive Maximum 3, QoS 1",
      "MQTT-4.9.0-2",
      ...starts(3, 1),
      ...four4(1),
      come(1, 1, 2, 3),
      d.sends(puback(5, 2)),
      come(1, 4),
    ),
    row(
      "Receive Maximum 1, QoS 2: PUBREC gives nothing back",
      "4.9",
      ...starts(1, 2),
      ...four4(2),
      come(2, 1),
      d.sends(pubrec(5, 1)),
      d.gets(pubrel(5, 1)),
      d.sends(pubcomp(5, 1)),
      come(2, 2),
    ),
    row(
      "Receive Maximum 1, QoS 0 comes all the same",
      "MQTT-4.9.0-2",
      ...starts(1, 1),
      ...four4(1),
      come(1, 1),
      ...published(5, 0, "0"),
      d.gets(copy(5, 0, 0, "0")),
    ),
    row(
      "Receive Maximum 1: other packets are answered",
      "MQTT-4.9.0-3",
      ...starts(1, 1),
      ...four4(1),
      come(1, 1),
      d.sends(pingreq, subscribe(5, 9, [["b", 0]])),
      d.gets(pingresp, suback(5, 9, 0)),
    ),
    row(
      "Receive Maximum 1: a PUBACK of nothing gives nothing back",
      "4.9",
      ...starts(1, 1),
      ...four4(1),
      come(1, 1),
      d.sends(puback(5, 9)),
      d.sends(puback(5, 1)),
      come(1, 2),
    ),
    row(
      "Receive Maximum 1: PUBACK twice gives one back",
      "4.9",
      ...starts(1, 1),
      ...four4(1),
      come(1, 1),
      d.sends(puback(5, 1), puback(5, 1)),
      come(1, 2),
    ),
  ]
}
