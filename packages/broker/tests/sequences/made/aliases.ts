// Topic Aliases, both ways (MQTT 5.0 sections 3.3.2.3.4 and 3.3.4).

import {
  accepted,
  type Bytes,
  connect,
  protocolError,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  two,
  user,
} from "../bytes.ts"
import { again, c, d, joined, type Row, type Steps, told } from "../row.ts"

export const head = `Topic Aliases: of clients, of whom the table's broker takes 5; and of the broker.`

const alias = (value: number): Bytes => [0x23, ...two(value)]

export function rows(): Row[] {
  return [...inboundRows(), ...outboundRows()]
}

/** "d" hears everything. */
const heard: Steps = [d.joins, d.sends(subscribe(5, 1, [["#", 0]])), d.gets(suback(5, 1, 0)), c.joins]

function sets(value: number, topic: string): Steps {
  return [c.sends(publish(5, topic, "1", { properties: alias(value) })), d.gets(publish(5, topic, "1"))]
}

function uses(value: number, topic: string): Steps {
  return [c.sends(publish(5, "", "2", { properties: alias(value) })), d.gets(publish(5, topic, "2"))]
}

function inboundRows(): Row[] {
  const row = (name: string, rule: string, ...steps: Steps): Row => ({
    name,
    version: 5,
    rule,
    steps: [...heard, ...steps],
  })
  const unknown = (value: number): Steps => [
    c.sends(publish(5, "", "2", { properties: alias(value) })),
    ...told(5, protocolError),
  ]
  const wrong = (value: number, topic: string): Steps => [
    c.sends(publish(5, topic, "2", { properties: alias(value) })),
    ...told(5, 0x94),
  ]
  const back: Steps = [again.sends(connect(5, { properties: [0x17, 0] })), again.gets(accepted(5))]
  return [
    row("set and used", "3.3.4", ...sets(1, "a"), ...uses(1, "a"), ...uses(1, "a")),
    ...[1, 2, 3, 4, 5].map((value) =>
      row(`Topic Alias ${value}`, "MQTT-3.3.2-12", ...sets(value, "a"), ...uses(value, "a")),
    ),
    row(
      "all five at once",
      "MQTT-3.3.2-12",
      ...[1, 2, 3, 4, 5].flatMap((value) => sets(value, `t${value}`)),
      ...[5, 4, 3, 2, 1].flatMap((value) => uses(value, `t${value}`)),
    ),
    row("set anew", "3.3.4", ...sets(1, "a"), ...sets(1, "b"), ...uses(1, "b")),
    row("two for one topic", "3.3.2.3.4", ...sets(1, "a"), ...sets(2, "a"), ...uses(1, "a"), ...uses(2, "a")),
    row("one that is not set", "3.3.4", ...unknown(1)),
    row("another that is not set", "3.3.4", ...sets(1, "a"), ...unknown(2)),
    row("0 with a topic", "MQTT-3.3.2-8", ...wrong(0, "a")),
    row("0 without a topic", "MQTT-3.3.2-8", ...wrong(0, "")),
    row("6 with a topic", "MQTT-3.3.2-9", ...wrong(6, "a")),
    row("6 without a topic", "MQTT-3.3.2-9", ...wrong(6, "")),
    row("65,535 with a topic", "MQTT-3.3.2-9", ...wrong(65_535, "a")),
    row("no topic and no alias", "3.3.2.1", c.sends(publish(5, "", "2")), ...told(5, protocolError)),
    row(
      "no topic and other properties",
      "3.3.2.1",
      c.sends(publish(5, "", "2", { properties: user("k", "v") })),
      ...told(5, protocolError),
    ),
    row(
      "it ends with its connection",
      "MQTT-3.3.2-7",
      ...sets(1, "a"),
      c.cuts,
      ...back,
      again.sends(publish(5, "", "2", { properties: alias(1) })),
      again.gets([0xe0, 2, protocolError, 0]),
      again.ends,
    ),
    row(
      "it is of one connection only",
      "MQTT-3.3.2-7",
      ...sets(1, "a"),
      d.sends(publish(5, "", "2", { properties: alias(1) })),
      d.gets([0xe0, 2, protocolError, 0]),
      d.ends,
    ),
    row(
      "it is set by a message of QoS 1",
      "3.3.4",
      c.sends(publish(5, "a", "1", { qos: 1, properties: alias(1) })),
      c.gets(puback(5, 1)),
      d.gets(publish(5, "a", "1")),
      ...uses(1, "a"),
    ),
    row(
      "it is set by a message of QoS 2",
      "3.3.4",
      c.sends(publish(5, "a", "1", { qos: 2, properties: alias(1) })),
      c.gets(pubrec(5, 1)),
      c.sends(pubrel(5, 1)),
      c.gets(pubcomp(5, 1)),
      d.gets(publish(5, "a", "1")),
      ...uses(1, "a"),
    ),
    {
      ...row("it is set by a message to nobody", "3.3.4"),
      steps: joined(
        c.sends(publish(5, "x", "1", { properties: alias(1) })),
        d.joins,
        d.sends(subscribe(5, 1, [["x", 0]])),
        d.gets(suback(5, 1, 0)),
        ...uses(1, "x"),
      ),
    },
    row(
      "a topic that is none, with an alias",
      "MQTT-3.3.2-2",
      c.sends(publish(5, "a/#", "1", { properties: alias(1) })),
      ...told(5, 0x81),
    ),
  ]
}

/** [MQTT-3.1.2-26], [MQTT-3.1.2-27]: as many as the client takes. */
function outboundRows(): Row[] {
  const note = "ours: which topics have one, and which number"
  const joins = (maximum: number | undefined, qos = 0): Steps => [
    d.sends(connect(5, { id: "d", properties: maximum === undefined ? [] : [0x22, ...two(maximum)] })),
    d.gets(accepted(5)),
    d.sends(subscribe(5, 1, [["#", qos]])),
    d.gets(suback(5, 1, qos)),
    c.joins,
  ]
  const row = (name: string, rule: string, ...steps: Steps): Row => ({
    name: `of the broker: ${name}`,
    version: 5,
    rule,
    note,
    steps,
  })
  const whole = (topic: string, value?: number): Steps => [
    c.sends(publish(5, topic, "x")),
    d.gets(publish(5, topic, "x", { properties: value === undefined ? [] : alias(value) })),
  ]
  const short = (topic: string, value: number): Steps => [
    c.sends(publish(5, topic, "x")),
    d.gets(publish(5, "", "x", { properties: alias(value) })),
  ]
  return [
    row("none, where the client takes none", "MQTT-3.1.2-27", ...joins(undefined), ...whole("a"), ...whole("a")),
    row("none, where the client takes 0", "MQTT-3.1.2-27", ...joins(0), ...whole("a"), ...whole("a")),
    row(
      "one, where the client takes one",
      "MQTT-3.1.2-26",
      ...joins(1),
      ...whole("a", 1),
      ...short("a", 1),
      ...whole("b"),
      ...whole("b"),
      ...short("a", 1),
    ),
    row(
      "two, where the client takes two",
      "MQTT-3.1.2-26",
      ...joins(2),
      ...whole("a", 1),
      ...whole("b", 2),
      ...short("a", 1),
      ...short("b", 2),
      ...whole("c"),
    ),
    row(
      "with properties",
      "3.3.2.3.4",
      ...joins(1),
      c.sends(publish(5, "a", "x", { properties: user("k", "v") })),
      d.gets(publish(5, "a", "x", { properties: [...alias(1), ...user("k", "v")] })),
    ),
  ]
}
