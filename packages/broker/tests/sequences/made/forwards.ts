// What of a message reaches its subscribers: properties, the rest of its Message Expiry Interval, and what other versions have of
// it (MQTT 5.0 sections 3.3.2.3 and 3.3.4).

import {
  type Bytes,
  four,
  type PublishFields,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  text,
  user,
  type Version,
} from "../bytes.ts"
import { by, c, d, lineOf, type Row, type Steps, waits } from "../row.ts"
import { back, subscribed } from "./staying.ts"

export const head = `What is forwarded of a message: its properties, its Message Expiry Interval, and between versions.`

/** The second connection of client "d". */
const d2 = lineOf("d2")

export function rows(): Row[] {
  return [...forwardRows(), ...expiryRows(), ...betweenRows()]
}

/** What of a PUBLISH reaches a subscriber as it was. */
function forwardRows(): Row[] {
  const reaches = (properties: Bytes, out = properties): Steps => {
    const start = [d.joins, d.sends(subscribe(5, 1, [["a", 0]])), d.gets(suback(5, 1, 0)), c.joins]
    return [...start, c.sends(publish(5, "a", "x", { properties })), d.gets(publish(5, "a", "x", { properties: out }))]
  }
  const row = (name: string, rule: string, properties: Bytes, out?: Bytes): Row => ({
    name: `forwarded: ${name}`,
    version: 5,
    rule,
    steps: reaches(properties, out),
  })
  const users = [...user("b", "1"), ...user("a", "2"), ...user("b", "3"), ...user("b", "1"), ...user("", "")]
  const request = [0x08, ...text("reply/c"), 0x09, 0, 3, 0, 0xff, 1]
  const allOf = [0x01, 1, ...user("k", "1"), 0x03, ...text("text/plain"), ...request, ...user("k", "0")]
  return [
    row("Payload Format Indicator 1", "MQTT-3.3.2-4", [0x01, 1]),
    row("Payload Format Indicator 0", "MQTT-3.3.2-4", [0x01, 0]),
    row("Content Type", "MQTT-3.3.2-20", [0x03, ...text("application/json")]),
    row("Content Type of no letters", "MQTT-3.3.2-20", [0x03, 0, 0]),
    row("Response Topic", "MQTT-3.3.2-15", [0x08, ...text("reply/c")]),
    row("Correlation Data", "MQTT-3.3.2-16", [0x09, 0, 3, 0, 0xff, 1]),
    row("Correlation Data of no bytes", "MQTT-3.3.2-16", [0x09, 0, 0]),
    row("User Properties in their order", "MQTT-3.3.2-18", users),
    row("all of them", "MQTT-3.3.2-17", allOf),
    row("Topic Alias is not", "3.3.2.3.4", [0x23, 0, 1, ...user("k", "v")], user("k", "v")),
    row("Message Expiry Interval", "MQTT-3.3.2-6", [0x02, ...four(100)]),
    row("Message Expiry Interval 0xFFFFFFFF", "MQTT-3.3.2-6", [0x02, ...four(0xffff_ffff)]),
    {
      ...row(
        "Message Expiry Interval behind others",
        "MQTT-3.3.2-6",
        [...user("k", "v"), 0x02, ...four(100)],
        [0x02, ...four(100), ...user("k", "v")],
      ),
      note: "ours: it comes first; section 2.2.2.2 gives the order no meaning",
    },
  ]
}

/** [MQTT-3.3.2-5], [MQTT-3.3.2-6], [MQTT-4.3.3-7] */
function expiryRows(): Row[] {
  const sent = (seconds: number, qos = 1) => publish(5, "a", "x", { qos, properties: [0x02, ...four(seconds)] })
  const away: Steps = [...subscribed(5, 2), d.cuts]
  const row = (name: string, rule: string, ...steps: Steps): Row => ({ name, version: 5, rule, steps })
  const first = (seconds: number, more: PublishFields = {}) =>
    publish(5, "a", "x", { qos: 1, properties: [0x02, ...four(seconds)], ...more })
  const taken = c.gets(puback(5, 1))
  return [
    row(
      "a message that waits for 5 of its 20 seconds",
      "MQTT-3.3.2-6",
      ...away,
      c.sends(sent(20)),
      taken,
      waits(5),
      ...back(5, d2, first(15)),
    ),
    row(
      "a message that waits for longer than it lasts",
      "MQTT-3.3.2-5",
      ...away,
      c.sends(sent(4)),
      taken,
      waits(5),
      ...back(5, d2),
    ),
    row(
      "a message that was sent does not expire",
      "MQTT-4.3.3-7",
      ...subscribed(5, 2),
      c.sends(sent(4, 2)),
      c.gets(pubrec(5, 1)),
      c.sends(pubrel(5, 1)),
      c.gets(pubcomp(5, 1)),
      d.gets(publish(5, "a", "x", { qos: 2, properties: [0x02, ...four(4)] })),
      d.cuts,
      waits(5),
      ...back(5, d2, publish(5, "a", "x", { qos: 2, dup: true, properties: [0x02, ...four(0)] })),
    ),
    row(
      "Message Expiry Interval 0, to who is there",
      "MQTT-3.3.2-6",
      ...subscribed(5, 0),
      c.sends(publish(5, "a", "x", { properties: [0x02, ...four(0)] })),
      d.gets(publish(5, "a", "x", { properties: [0x02, ...four(0)] })),
    ),
    row(
      "Message Expiry Interval 0, to who is not",
      "MQTT-3.3.2-5",
      ...away,
      c.sends(sent(0)),
      taken,
      waits(1),
      ...back(5, d2),
    ),
  ]
}

/** Between versions: properties are of MQTT 5.0 alone (section 3.3.4, comment). */
function betweenRows(): Row[] {
  const row = (name: string, version: Version, rule: string, ...steps: Steps): Row => ({ name, version, rule, steps })
  const hears = (version: Version): Steps => [
    d.joinsAs(version),
    d.sends(subscribe(version, 1, [["a", 2]])),
    d.gets(suback(version, 1, 2)),
  ]
  const properties = [...user("k", "v"), 0x02, ...four(100)]
  return (
    [
      [5, 4],
      [5, 3],
      [4, 5],
      [3, 5],
      [4, 3],
      [3, 4],
    ] as const
  ).flatMap(([from, to]) =>
    [0, 1, 2].map((qos) => {
      const sent = publish(from, "a", "x", { qos, properties })
      const released = [c.gets(pubrec(from, 1)), c.sends(pubrel(from, 1)), c.gets(pubcomp(from, 1))]
      const ack = qos === 0 ? [] : qos === 1 ? [c.gets(puback(from, 1))] : released
      const name = `QoS ${qos} from version ${from} to version ${to}`
      return row(
        name,
        from,
        by(from, "3.3.4", "3.3.5", "3.3"),
        ...hears(to),
        c.joinsAs(from),
        c.sends(sent),
        ...ack,
        d.gets(publish(to, "a", "x", { qos })),
      )
    }),
  )
}
