// Shared Subscriptions (MQTT 5.0 section 4.8.2).

import {
  accepted,
  connect,
  four,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from "../bytes.ts"
import { c, d, e, joined, lineOf, type Row, type Steps } from "../row.ts"

export const head = `Shared Subscriptions: who gets a message, of which QoS, and what becomes of it when a member refuses it or goes.`

export function rows(): Row[] {
  const share = (line: typeof d, filter: string, qos = 0): Steps => [
    line.joins,
    line.sends(subscribe(5, 1, [[filter, qos]])),
    line.gets(suback(5, 1, qos)),
  ]
  const sent = (payload: string) => publish(5, "a", payload)
  const row = (name: string, ...steps: Steps): Row => ({ name, version: 5, rule: "4.8.2", steps })
  const staying = connect(5, { id: "d", clean: false, properties: [0x17, 0, 0x11, ...four(100)] })
  const turns = "ours: its members have their turns"
  return [
    {
      ...row(
        "a group of two: each message to one",
        ...share(d, "$share/g/a"),
        ...share(e, "$share/g/a"),
        c.joins,
        c.sends(sent("1"), sent("2")),
        d.gets(sent("1")),
        e.gets(sent("2")),
      ),
      note: turns,
    },
    row(
      "two groups: each message to both",
      ...share(d, "$share/g/a"),
      ...share(e, "$share/h/a"),
      c.joins,
      c.sends(sent("1")),
      d.gets(sent("1")),
      e.gets(sent("1")),
    ),
    row(
      "a group, and a subscription of its own",
      ...share(d, "$share/g/a"),
      ...share(e, "a"),
      c.joins,
      c.sends(sent("1")),
      d.gets(sent("1")),
      e.gets(sent("1")),
    ),
    row(
      "shared and not, of one client: two copies",
      ...share(d, "$share/g/a"),
      d.sends(subscribe(5, 2, [["a", 0]])),
      d.gets(suback(5, 2, 0)),
      c.joins,
      c.sends(sent("1")),
      d.gets(sent("1"), sent("1")),
    ),
    row(
      "who has left the group gets nothing",
      ...share(d, "$share/g/a"),
      ...share(e, "$share/g/a"),
      d.sends(unsubscribe(5, 2, ["$share/g/a"])),
      d.gets(unsuback(5, 2, 0)),
      c.joins,
      c.sends(sent("1"), sent("2")),
      e.gets(sent("1"), sent("2")),
    ),
    row(
      "who has gone gets nothing",
      ...share(d, "$share/g/a"),
      ...share(e, "$share/g/a"),
      d.cuts,
      c.joins,
      c.sends(sent("1"), sent("2")),
      e.gets(sent("1"), sent("2")),
    ),
    row(
      "SUBSCRIBE twice, UNSUBSCRIBE once",
      ...share(d, "$share/g/a"),
      d.sends(subscribe(5, 2, [["$share/g/a", 1]]), unsubscribe(5, 3, ["$share/g/a"])),
      d.gets(suback(5, 2, 1), unsuback(5, 3, 0)),
      c.joins,
      c.sends(sent("1")),
    ),
    row(
      "UNSUBSCRIBE from the filter without its group",
      ...share(d, "$share/g/a"),
      d.sends(unsubscribe(5, 2, ["a"])),
      d.gets(unsuback(5, 2, 0x11)),
      c.joins,
      c.sends(sent("1")),
      d.gets(sent("1")),
    ),
    {
      ...row(
        "the granted QoS of a member",
        ...share(d, "$share/g/a", 1),
        c.joins,
        c.sends(publish(5, "a", "x", { qos: 2 })),
        c.gets(pubrec(5, 1)),
        c.sends(pubrel(5, 1)),
        c.gets(pubcomp(5, 1)),
        d.gets(publish(5, "a", "x", { qos: 1 })),
      ),
      rule: "MQTT-4.8.2-3",
    },
    {
      ...row(
        "no retained messages",
        c.joins,
        c.sends(publish(5, "a", "x", { retain: true })),
        ...share(d, "$share/g/a"),
      ),
      rule: "3.8.4",
    },
    {
      ...row(
        "a message that a member refuses goes to nobody else",
        ...share(d, "$share/g/a", 1),
        c.joins,
        c.sends(publish(5, "a", "x", { qos: 1 })),
        c.gets(puback(5, 1)),
        d.gets(publish(5, "a", "x", { qos: 1 })),
        ...share(e, "$share/g/a", 1),
        d.sends(puback(5, 1, 0x80)),
      ),
      rule: "MQTT-4.8.2-6",
    },
    row(
      "QoS 1 without PUBACK goes to another when the session ends",
      ...share(d, "$share/g/a", 1),
      c.joins,
      c.sends(publish(5, "a", "x", { qos: 1 })),
      c.gets(puback(5, 1)),
      d.gets(publish(5, "a", "x", { qos: 1 })),
      ...share(e, "$share/g/a", 1),
      d.cuts,
      e.gets(publish(5, "a", "x", { qos: 1 })),
    ),
    {
      ...row(
        "QoS 2 that was sent goes to nobody else when the session ends",
        ...share(d, "$share/g/a", 2),
        c.joins,
        c.sends(publish(5, "a", "x", { qos: 2 })),
        c.gets(pubrec(5, 1)),
        c.sends(pubrel(5, 1)),
        c.gets(pubcomp(5, 1)),
        d.gets(publish(5, "a", "x", { qos: 2 })),
        ...share(e, "$share/g/a", 2),
        d.cuts,
      ),
      rule: "MQTT-4.8.2-5",
    },
    {
      ...row(
        "QoS 2 that was sent is completed with the same member",
        d.sends(staying),
        d.gets(accepted(5)),
        d.sends(subscribe(5, 1, [["$share/g/a", 2]])),
        d.gets(suback(5, 1, 2)),
        c.joins,
        c.sends(publish(5, "a", "x", { qos: 2 })),
        c.gets(pubrec(5, 1)),
        c.sends(pubrel(5, 1)),
        c.gets(pubcomp(5, 1)),
        d.gets(publish(5, "a", "x", { qos: 2 })),
        ...share(e, "$share/g/a", 2),
        d.cuts,
        lineOf("d2").sends(staying),
        lineOf("d2").gets(accepted(5, true), publish(5, "a", "x", { qos: 2, dup: true })),
      ),
      rule: "MQTT-4.8.2-4",
    },
    row(
      "Retain As Published on a Shared Subscription",
      ...joined(
        c.sends(subscribe(5, 1, [["$share/g/a", 8]])),
        c.gets(suback(5, 1, 0)),
        c.sends(publish(5, "a", "x", { retain: true })),
        c.gets(publish(5, "a", "x", { retain: true })),
      ),
    ),
  ]
}
