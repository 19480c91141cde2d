// SUBSCRIBE and UNSUBSCRIBE: options, answers, what replaces what, Subscription Identifiers (MQTT 5.0
// sections 3.8 to 3.11 and 3.3.4; 3.1.1 sections 3.8 to 3.11).

import {
  accepted,
  type Bytes,
  connect,
  disconnect,
  four,
  malformed,
  type PublishFields,
  packet,
  protocolError,
  puback,
  publish,
  suback,
  subscribe,
  times,
  two,
  unsuback,
  unsubscribe,
  type Version,
  variable,
  type Wish,
} from "../bytes.ts"
import { all, asked, both, by, c, d, e, joined, lineOf, type Row, type Steps, told, wronged } from "../row.ts"

export const head = `SUBSCRIBE and UNSUBSCRIBE: Subscription Options, answers, replacing, Subscription Identifiers, No Local.`

export function rows(): Row[] {
  return [
    ...all.flatMap(optionRows),
    ...both.flatMap((version) => [...answerRows(version), ...replaceRows(version), ...manyRows(version)]),
    ...identifierRows(),
    ...localRows(),
    ...mqtt31Rows(),
  ]
}

/** Section 3.8.3.1: Subscription Options, all 256. */
function optionRows(version: Version): Row[] {
  return Array.from({ length: 256 }, (_, options): Row => {
    const qos = options & 3
    const reserved = options & (version === 5 ? 0xc0 : 0xfc)
    const sent = subscribe(version, 1, [["f", options]])
    const name = `Subscription Options ${options.toString(2).padStart(8, "0")}`
    const note = version === 3 && reserved !== 0 ? "ours: MQTT 3.1 says only that these bits are not used" : undefined
    if (reserved !== 0) {
      return {
        name,
        version,
        rule: by(version, "MQTT-3.8.3-5", "MQTT-3.8.3-4", "3.8"),
        note,
        steps: wronged(version, sent, malformed),
      }
    }
    const rule = by(version, "3.8.3.1", "MQTT-3.8.3-4", "3.8")
    if (qos === 3 || (options & 0x30) === 0x30)
      return { name, version, rule, steps: wronged(version, sent, protocolError) }
    return {
      name,
      version,
      rule: by(version, "MQTT-3.8.4-7", "MQTT-3.8.4-5", "3.9"),
      steps: asked(sent, suback(version, 1, qos)),
    }
  })
}

function answerRows(version: Version): Row[] {
  const five = version === 5
  const row = (name: string, rule: string, steps: Steps, note?: string): Row => ({ name, version, rule, note, steps })
  const none = (first: number) => packet(first, [0, 1, ...(five ? [0] : [])])
  const filters: readonly Wish[] = [
    ["a", 2],
    ["b", 0],
    ["c/#", 1],
    ["a", 1],
  ]
  const subscribed = (...wishes: readonly Wish[]): Steps =>
    asked(subscribe(version, 1, wishes), suback(version, 1, ...wishes.map(([, qos]) => qos)))
  const bye = unsubscribe(version, 2, ["x", "a", "a"])
  return [
    row(
      "SUBSCRIBE without filters",
      by(version, "MQTT-3.8.3-2", "MQTT-3.8.3-3"),
      wronged(version, none(0x82), protocolError),
    ),
    row("UNSUBSCRIBE without filters", "MQTT-3.10.3-2", wronged(version, none(0xa2), protocolError)),
    row("SUBSCRIBE to four filters is answered in their order", "MQTT-3.9.3-1", subscribed(...filters)),
    row("SUBSCRIBE to one filter twice", by(version, "MQTT-3.8.4-5", "MQTT-3.8.4-4"), subscribed(["a", 1], ["a", 2])),
    row("UNSUBSCRIBE is answered in the order of its filters", by(version, "MQTT-3.11.3-1", "MQTT-3.10.4-6"), [
      ...subscribed(["a", 1]),
      c.sends(bye),
      c.gets(unsuback(version, 2, 0x11, 0, 0x11)),
    ]),
    row(
      "UNSUBSCRIBE from what is not subscribed to",
      "MQTT-3.10.4-5",
      asked(unsubscribe(version, 1, ["a", "b"]), unsuback(version, 1, 0x11, 0x11)),
    ),
    row("UNSUBSCRIBE compares letter by letter", "MQTT-3.10.4-1", [
      ...subscribed(["a/#", 1]),
      c.sends(unsubscribe(version, 2, ["a/+", "a/b", "A/#", "#"])),
      c.gets(unsuback(version, 2, 0x11, 0x11, 0x11, 0x11)),
      c.sends(publish(version, "a/b", "x")),
      c.gets(publish(version, "a/b", "x")),
    ]),
    row("after UNSUBSCRIBE nothing comes", "MQTT-3.10.4-2", [
      ...subscribed(["a", 0], ["b", 0]),
      c.sends(unsubscribe(version, 2, ["a"])),
      c.gets(unsuback(version, 2, 0)),
      c.sends(publish(version, "a", "x"), publish(version, "b", "y")),
      c.gets(publish(version, "b", "y")),
    ]),
    row("after UNSUBSCRIBE what was sent is acknowledged", "MQTT-3.10.4-3", [
      d.joins,
      d.sends(subscribe(version, 1, [["a", 1]])),
      d.gets(suback(version, 1, 1)),
      c.joins,
      c.sends(publish(version, "a", "x", { qos: 1 })),
      c.gets(puback(version, 1)),
      d.gets(publish(version, "a", "x", { qos: 1 })),
      d.sends(unsubscribe(version, 2, ["a"]), puback(version, 1)),
      d.gets(unsuback(version, 2, 0)),
    ]),
    row("SUBSCRIBE again after UNSUBSCRIBE", "MQTT-3.10.4-1", [
      ...subscribed(["a", 0]),
      c.sends(unsubscribe(version, 2, ["a"]), subscribe(version, 3, [["a", 1]])),
      c.gets(unsuback(version, 2, 0), suback(version, 3, 1)),
    ]),
    row(
      "a message to oneself",
      "MQTT-4.5.0-1",
      [
        ...subscribed(["a", 1]),
        c.sends(publish(version, "a", "x", { qos: 1, id: 5 })),
        c.gets(publish(version, "a", "x", { qos: 1 }), puback(version, 5)),
      ],
      "ours: it is sent before it is acknowledged",
    ),
    row(
      "overlapping subscriptions: one copy, of the highest QoS",
      by(version, "MQTT-3.3.4-2", "MQTT-3.3.5-1"),
      [
        d.joins,
        d.sends(
          subscribe(version, 1, [
            ["a/#", 0],
            ["a/b", 2],
            ["+/b", 1],
          ]),
        ),
        d.gets(suback(version, 1, 0, 2, 1)),
        c.joins,
        c.sends(publish(version, "a/b", "x", { qos: 1 })),
        c.gets(puback(version, 1)),
        d.gets(publish(version, "a/b", "x", { qos: 1 })),
        d.sends(puback(version, 1)),
      ],
      "ours: further copies MAY be delivered",
    ),
  ]
}

/** [MQTT-3.8.4-3] of both: the same filter again. */
function replaceRows(version: Version): Row[] {
  const rule = "MQTT-3.8.4-3"
  const first = (qos: number): Steps => [
    d.joins,
    d.sends(subscribe(version, 1, [["a", qos]])),
    d.gets(suback(version, 1, qos)),
  ]
  const published: Steps = [c.joins, c.sends(publish(version, "a", "x", { qos: 1 })), c.gets(puback(version, 1))]
  const again = (qos: number): Steps => [d.sends(subscribe(version, 2, [["a", qos]])), d.gets(suback(version, 2, qos))]
  const got = (fields: PublishFields) => d.gets(publish(version, "a", "x", fields))
  return [
    { name: "SUBSCRIBE again at a lower QoS", version, rule, steps: [...first(1), ...again(0), ...published, got({})] },
    {
      name: "SUBSCRIBE again at a higher QoS",
      version,
      rule,
      steps: [...first(0), ...again(1), ...published, got({ qos: 1 })],
    },
    { name: "SUBSCRIBE again: one copy", version, rule, steps: [...first(0), ...again(0), ...published, got({})] },
  ]
}

/** A limit of ours: 1,000 filters. */
function manyRows(version: Version): Row[] {
  const note = "ours: 1,000 filters a packet"
  const names = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`)
  const subs = (count: number) =>
    subscribe(
      version,
      1,
      names(count).map((name) => [name, 0] as const),
    )
  const row = (name: string, steps: Steps): Row => ({
    name,
    version,
    rule: by(version, "4.13.2", "MQTT-4.8.0-2"),
    note,
    steps,
  })
  return [
    row("SUBSCRIBE to 1,000 filters", asked(subs(1000), suback(version, 1, ...times(1000, 0)))),
    row("SUBSCRIBE to 1,001 filters", wronged(version, subs(1001), 0x97)),
    row(
      "UNSUBSCRIBE from 1,000 filters",
      asked(unsubscribe(version, 1, names(1000)), unsuback(version, 1, ...times(1000, 0x11))),
    ),
    row("UNSUBSCRIBE from 1,001 filters", wronged(version, unsubscribe(version, 1, names(1001)), 0x97)),
  ]
}

/** MQTT 5.0 sections 3.8.2.1.2 and 3.3.4. */
function identifierRows(): Row[] {
  const id = (value: number): Bytes => [0x0b, ...variable(value)]
  const subs = (packetId: number, wishes: readonly Wish[], value?: number): Steps => [
    d.sends(subscribe(5, packetId, wishes, value === undefined ? [] : id(value))),
    d.gets(suback(5, packetId, ...wishes.map(([, qos]) => qos))),
  ]
  const gets = (topic: string, ...ids: readonly number[]): Steps => [
    c.sends(publish(5, topic, "x")),
    d.gets(publish(5, topic, "x", { properties: ids.flatMap(id) })),
  ]
  const row = (name: string, rule: string, ...steps: readonly Steps[]): Row => ({
    name,
    version: 5,
    rule,
    steps: [d.joins, c.joins, ...steps.flat()],
  })
  const order = "ours: their order, which is not significant"
  return [
    ...[1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455].map((value) =>
      row(`Subscription Identifier ${value}`, "MQTT-3.3.4-3", subs(1, [["a", 0]], value), gets("a", value)),
    ),
    row(
      "one Subscription Identifier for two filters",
      "3.8.2.1.2",
      subs(
        1,
        [
          ["a", 0],
          ["b", 0],
        ],
        7,
      ),
      gets("a", 7),
      gets("b", 7),
    ),
    {
      ...row(
        "two subscriptions, both with identifiers",
        "MQTT-3.3.4-4",
        subs(1, [["a/b", 0]], 7),
        subs(2, [["a/+", 0]], 8),
        gets("a/b", 7, 8),
      ),
      note: order,
    },
    row(
      "two subscriptions with the same identifier",
      "3.3.4",
      subs(
        1,
        [
          ["a/b", 0],
          ["a/+", 0],
        ],
        7,
      ),
      gets("a/b", 7, 7),
    ),
    row(
      "two subscriptions, one with an identifier",
      "MQTT-3.3.4-4",
      subs(1, [["a/b", 0]], 7),
      subs(2, [["a/+", 0]]),
      gets("a/b", 7),
    ),
    row(
      "SUBSCRIBE again with another identifier",
      "3.8.4",
      subs(1, [["a", 0]], 7),
      subs(2, [["a", 0]], 8),
      gets("a", 8),
    ),
    row("SUBSCRIBE again without an identifier", "3.8.4", subs(1, [["a", 0]], 7), subs(2, [["a", 0]]), gets("a")),
    row("SUBSCRIBE again with an identifier", "3.8.4", subs(1, [["a", 0]]), subs(2, [["a", 0]], 9), gets("a", 9)),
    row(
      "UNSUBSCRIBE takes its identifier away",
      "3.8.4",
      subs(1, [["a", 0]], 7),
      [d.sends(unsubscribe(5, 2, ["a"])), d.gets(unsuback(5, 2, 0))],
      subs(3, [["a", 0]]),
      gets("a"),
    ),
    row("an identifier stays with its session", "3.8.4", [
      e.sends(connect(5, { id: "e", clean: false, properties: [0x17, 0, 0x11, ...four(100)] })),
      e.gets(accepted(5)),
      e.sends(subscribe(5, 1, [["a", 1]], id(7))),
      e.gets(suback(5, 1, 1)),
      e.sends(disconnect(5)),
      e.ends,
      c.sends(publish(5, "a", "x", { qos: 1 })),
      c.gets(puback(5, 1)),
      lineOf("e2").sends(connect(5, { id: "e", clean: false, properties: [0x17, 0, 0x11, ...four(100)] })),
      lineOf("e2").gets(accepted(5, true), publish(5, "a", "x", { qos: 1, properties: id(7) })),
    ]),
    row("Subscription Identifiers of a Shared Subscription", "3.3.4", subs(1, [["$share/g/a", 0]], 7), gets("a", 7)),
  ]
}

/** MQTT 5.0 section 3.8.3.1: No Local. */
function localRows(): Row[] {
  const own = (options: number): Steps => asked(subscribe(5, 1, [["a", options]]), suback(5, 1, options & 3))
  const row = (name: string, rule: string, ...steps: Steps): Row => ({ name, version: 5, rule, steps })
  const sent = publish(5, "a", "x")
  const acked = [c.sends(publish(5, "a", "x", { qos: 1 }))]
  return [
    row("No Local: not to who published it", "MQTT-3.8.3-3", ...own(4), c.sends(sent)),
    row("No Local: QoS 1 to nobody else", "MQTT-3.8.3-3", ...own(5), ...acked, c.gets(puback(5, 1, 0x10))),
    row("without No Local: to who published it", "3.8.3.1", ...own(0), c.sends(sent), c.gets(sent)),
    row("No Local: to others", "MQTT-3.8.3-3", ...own(4), d.joins, d.sends(sent), c.gets(sent)),
    row(
      "No Local, and another subscription without",
      "MQTT-3.8.3-3",
      ...joined(
        c.sends(
          subscribe(5, 1, [
            ["a", 4],
            ["+", 0],
          ]),
        ),
        c.gets(suback(5, 1, 0, 0)),
        c.sends(sent),
        c.gets(sent),
      ),
    ),
    ...[4, 5, 6, 12, 20, 44].map((options) =>
      row(
        `No Local on a Shared Subscription, options ${options}`,
        "MQTT-3.8.3-4",
        ...wronged(5, subscribe(5, 1, [["$share/g/a", options]]), protocolError),
      ),
    ),
    row(
      "No Local on the second filter, a shared one",
      "MQTT-3.8.3-4",
      ...wronged(
        5,
        subscribe(5, 1, [
          ["a", 4],
          ["$share/g/a", 4],
        ]),
        protocolError,
      ),
    ),
  ]
}

/** MQTT 3.1 sections 3.8 to 3.11: DUP in what is sent again; it has no word for a failure. */
function mqtt31Rows(): Row[] {
  const again = (bytes: Bytes) => [bytes[0]! | 8, ...bytes.slice(1)]
  const levels = Array.from({ length: 33 }, () => "a").join("/")
  return [
    {
      name: "SUBSCRIBE with DUP",
      version: 3,
      rule: "3.8",
      steps: asked(again(subscribe(3, 1, [["a", 1]])), suback(3, 1, 1)),
    },
    {
      name: "UNSUBSCRIBE with DUP",
      version: 3,
      rule: "3.10",
      steps: asked(again(unsubscribe(3, 1, ["a"])), unsuback(3, 1)),
    },
    {
      name: "SUBSCRIBE that fails",
      version: 3,
      rule: "3.9",
      note: "ours: to more levels than there are; MQTT 3.1 cannot say it",
      steps: asked(subscribe(3, 1, [[levels, 1]]), suback(3, 1, 1)),
    },
    {
      name: "SUBSCRIBE with a filter that is none",
      version: 3,
      rule: "3.8",
      steps: joined(c.sends(subscribe(3, 1, [["a#", 1]])), ...told(3, malformed)),
    },
    {
      name: "SUBSCRIBE with Packet Identifier 0",
      version: 3,
      rule: "2.4",
      steps: wronged(3, packet(0x82, [...two(0), 0, 1, 0x61, 0]), protocolError),
    },
  ]
}
