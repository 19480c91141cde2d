// Retained messages (MQTT 5.0 sections 3.3.1.3 and 3.8.3.1, 3.1.1 section 3.3.1.3).

import {
  type Bytes,
  four,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  times,
  unsuback,
  unsubscribe,
  user,
  type Version,
} from "../bytes.ts"
import { all, both, by, c, d, joined, type Row, type Steps, waits } from "../row.ts"

export const head = `Retained messages: kept, replaced, removed, sent to whom and when, Retain Handling, Retain As Published.`

export function rows(): Row[] {
  return [...all.flatMap(keptRows), ...both.flatMap(moreRows), ...optionRows()]
}

/** "c" publishes this to be retained. */
function retains(version: Version, payload: string, topic = "a"): Steps {
  return [c.sends(publish(version, topic, payload, { retain: true }))]
}

/** "d" subscribes, and gets what is retained. */
function finds(version: Version, filter: string, ...found: readonly Bytes[]): Steps {
  return [d.joins, d.sends(subscribe(version, 1, [[filter, 0]])), d.gets(suback(version, 1, 0), ...found)]
}

function old(version: Version, payload: string, topic = "a"): Bytes {
  return publish(version, topic, payload, { retain: true })
}

function keptRows(version: Version): Row[] {
  const row = (name: string, five: string, four: string, ...steps: readonly Steps[]): Row => ({
    name,
    version,
    rule: by(version, five, four, "3.3"),
    steps: joined(...steps.flat()),
  })
  const plain = [c.sends(publish(version, "a", "2"))]
  return [
    row(
      "a retained message is sent to who subscribes",
      "MQTT-3.3.1-9",
      "MQTT-3.3.1-6",
      retains(version, "1"),
      finds(version, "a", old(version, "1")),
    ),
    row(
      "the last one",
      "MQTT-3.3.1-5",
      "MQTT-3.3.1-5",
      retains(version, "1"),
      retains(version, "2"),
      finds(version, "a", old(version, "2")),
    ),
    row("without RETAIN nothing is kept", "MQTT-3.3.1-8", "MQTT-3.3.1-12", plain, finds(version, "a")),
    row(
      "without RETAIN nothing is replaced",
      "MQTT-3.3.1-8",
      "MQTT-3.3.1-12",
      retains(version, "1"),
      plain,
      finds(version, "a", old(version, "1")),
    ),
    row(
      "an empty one removes it",
      "MQTT-3.3.1-6",
      "MQTT-3.3.1-10",
      retains(version, "1"),
      retains(version, ""),
      finds(version, "a"),
    ),
    row("an empty one is not kept", "MQTT-3.3.1-7", "MQTT-3.3.1-11", retains(version, ""), finds(version, "a")),
    row(
      "an empty one without RETAIN removes nothing",
      "MQTT-3.3.1-8",
      "MQTT-3.3.1-12",
      retains(version, "1"),
      [c.sends(publish(version, "a", ""))],
      finds(version, "a", old(version, "1")),
    ),
    row(
      "to who has subscribed, without RETAIN",
      "MQTT-3.3.1-12",
      "MQTT-3.3.1-9",
      finds(version, "a"),
      retains(version, "1"),
      [d.gets(publish(version, "a", "1"))],
    ),
    row(
      "an empty one to who has subscribed, without RETAIN",
      "MQTT-3.3.1-6",
      "MQTT-3.3.1-10",
      finds(version, "a"),
      retains(version, ""),
      [d.gets(publish(version, "a", ""))],
    ),
  ]
}

function moreRows(version: Version): Row[] {
  const row = (name: string, five: string, four: string, ...steps: readonly Steps[]): Row => ({
    name,
    version,
    rule: by(version, five, four),
    steps: joined(...steps.flat()),
  })
  const three: Steps = [...retains(version, "1", "a/b"), ...retains(version, "2", "a"), ...retains(version, "3", "/a")]
  const held = (qos: number): Steps => [
    c.sends(publish(version, "a", "x", { qos, retain: true, id: 3 })),
    ...(qos === 1
      ? [c.gets(puback(version, 3, 0x10))]
      : [c.gets(pubrec(version, 3, 0x10)), c.sends(pubrel(version, 3)), c.gets(pubcomp(version, 3))]),
  ]
  const at = (qos: number, granted: number): Steps => [
    d.joins,
    d.sends(subscribe(version, 1, [["a", granted]])),
    d.gets(suback(version, 1, granted), publish(version, "a", "x", { qos: Math.min(qos, granted), retain: true })),
  ]
  const matrix = [1, 2].flatMap((qos) =>
    [0, 1, 2].map((granted) =>
      row(
        `retained at QoS ${qos}, granted QoS ${granted}`,
        "MQTT-3.8.4-8",
        "MQTT-3.8.4-6",
        held(qos),
        at(qos, granted),
      ),
    ),
  )
  const again: Steps = [d.sends(subscribe(version, 2, [["a", 0]])), d.gets(suback(version, 2, 0), old(version, "1"))]
  const leaves: Steps = [d.sends(unsubscribe(version, 3, ["a"])), d.gets(unsuback(version, 3, 0))]
  const complete: Steps = [d.sends(pubrec(version, 1)), d.gets(pubrel(version, 1)), d.sends(pubcomp(version, 1))]
  return [
    ...matrix,
    row("only what matches", "MQTT-3.3.1-9", "MQTT-3.3.1-6", three, finds(version, "a", old(version, "2"))),
    row(
      "only what matches, by a wildcard",
      "MQTT-3.3.1-9",
      "MQTT-3.3.1-6",
      three,
      finds(version, "+/b", old(version, "1", "a/b")),
    ),
    row(
      "a filter that begins with a slash",
      "MQTT-3.3.1-9",
      "MQTT-3.3.1-6",
      three,
      finds(version, "/+", old(version, "3", "/a")),
    ),
    row("nothing that matches", "MQTT-3.3.1-9", "MQTT-3.3.1-6", three, finds(version, "b/#")),
    row(
      "SUBSCRIBE again: again",
      "MQTT-3.8.4-4",
      "MQTT-3.8.4-3",
      retains(version, "1"),
      finds(version, "a", old(version, "1")),
      again,
    ),
    row(
      "SUBSCRIBE after UNSUBSCRIBE: again",
      "MQTT-3.3.1-9",
      "MQTT-3.3.1-6",
      retains(version, "1"),
      finds(version, "a", old(version, "1")),
      leaves,
      again,
    ),
    row("two filters of one SUBSCRIBE that match", "MQTT-3.8.4-5", "MQTT-3.8.4-4", retains(version, "1"), [
      d.joins,
      d.sends(
        subscribe(version, 1, [
          ["a", 0],
          ["#", 0],
        ]),
      ),
      d.gets(suback(version, 1, 0, 0), old(version, "1"), old(version, "1")),
    ]),
    row(
      "it outlives its publisher",
      "4.1",
      "MQTT-3.1.2-7",
      retains(version, "1"),
      [c.cuts],
      finds(version, "a", old(version, "1")),
    ),
    row("one of QoS 2 is completed", "MQTT-4.3.3-4", "MQTT-4.3.3-1", held(2), at(2, 2), complete),
    row(
      "of 50,000 bytes",
      "MQTT-3.3.1-9",
      "MQTT-3.3.1-6",
      [c.sends(publish(version, "a", times(50_000, 0x78), { retain: true }))],
      finds(version, "a", publish(version, "a", times(50_000, 0x78), { retain: true })),
    ),
  ]
}

/** MQTT 5.0: Retain Handling, Retain As Published, properties and expiry. */
function optionRows(): Row[] {
  const row = (name: string, rule: string, ...steps: readonly Steps[]): Row => ({
    name,
    version: 5,
    rule,
    steps: joined(...steps.flat()),
  })
  const asks = (id: number, options: number, ...found: readonly Bytes[]): Steps => [
    d.sends(subscribe(5, id, [["a", options]])),
    d.gets(suback(5, id, 0), ...found),
  ]
  const first: Steps = [...retains(5, "1"), d.joins]
  const found = old(5, "1")
  const left: Steps = [d.sends(unsubscribe(5, 8, ["a"])), d.gets(unsuback(5, 8, 0))]
  const kept = (properties: Bytes, out = properties): Steps => [
    c.sends(publish(5, "a", "x", { retain: true, properties })),
    ...finds(5, "a", publish(5, "a", "x", { retain: true, properties: out })),
  ]
  const live = (options: number, retain: boolean, out: boolean): Steps => [
    d.joins,
    ...asks(1, options),
    c.sends(publish(5, "a", "x", { retain })),
    d.gets(publish(5, "a", "x", { retain: out })),
  ]
  const pairs = [...user("b", "1"), ...user("a", "2"), ...user("b", "3")]
  const lasts = (seconds: number): Bytes => [0x02, ...four(seconds)]
  return [
    row("Retain Handling 0, a new subscription", "MQTT-3.3.1-9", first, asks(1, 0x00, found)),
    row("Retain Handling 0, one that there is", "MQTT-3.8.4-4", first, asks(1, 0x20), asks(2, 0x00, found)),
    row("Retain Handling 1, a new subscription", "MQTT-3.3.1-10", first, asks(1, 0x10, found)),
    row("Retain Handling 1, one that there is", "MQTT-3.3.1-10", first, asks(1, 0x10, found), asks(2, 0x10)),
    row(
      "Retain Handling 1, after UNSUBSCRIBE",
      "MQTT-3.3.1-10",
      first,
      asks(1, 0x10, found),
      left,
      asks(2, 0x10, found),
    ),
    row("Retain Handling 2, a new subscription", "MQTT-3.3.1-11", first, asks(1, 0x20)),
    row("Retain Handling 2, one that there is", "MQTT-3.3.1-11", first, asks(1, 0x20), asks(2, 0x20)),
    row("Retain As Published 1 of a retained message", "3.8.3.1", first, asks(1, 0x08, found)),
    row("Retain As Published 0, published with RETAIN", "MQTT-3.3.1-12", live(0, true, false)),
    row("Retain As Published 0, published without", "MQTT-3.3.1-12", live(0, false, false)),
    row("Retain As Published 1, published with RETAIN", "MQTT-3.3.1-13", live(8, true, true)),
    row("Retain As Published 1, published without", "MQTT-3.3.1-13", live(8, false, false)),
    {
      ...row("No Local does not keep back what is retained", "3.8.3.1", retains(5, "1"), [
        c.sends(subscribe(5, 1, [["a", 4]])),
        c.gets(suback(5, 1, 0), found),
      ]),
      note: "ours: the standard says of messages that are forwarded that they are not to go back, and of retained ones that they are sent",
    },
    row("User Properties in their order", "MQTT-3.3.2-18", kept(pairs)),
    row("Message Expiry Interval, at once", "MQTT-3.3.2-6", kept(lasts(100))),
    row(
      "Message Expiry Interval, 30 of 100 seconds later",
      "MQTT-3.3.2-6",
      [c.sends(publish(5, "a", "x", { retain: true, properties: lasts(100) })), waits(30)],
      finds(5, "a", publish(5, "a", "x", { retain: true, properties: lasts(70) })),
    ),
    row(
      "an expired one is not sent",
      "3.3.1.3",
      [c.sends(publish(5, "a", "x", { retain: true, properties: lasts(5) })), waits(6)],
      finds(5, "a"),
    ),
    row("Topic Alias is not kept", "3.3.2.3.4", kept([0x23, 0, 1, ...user("k", "v")], user("k", "v"))),
    row("with its Subscription Identifier", "MQTT-3.3.4-3", first, [
      d.sends(subscribe(5, 1, [["a", 0]], [0x0b, 7])),
      d.gets(suback(5, 1, 0), publish(5, "a", "1", { retain: true, properties: [0x0b, 7] })),
    ]),
  ]
}
