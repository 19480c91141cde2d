// Will Messages (MQTT 5.0 sections 3.1.2.5 and 3.1.3.2, 3.1.1 section 3.1.2.5).

import {
  accepted,
  type Bytes,
  connect,
  disconnect,
  farewell,
  four,
  malformed,
  type PublishFields,
  publish,
  suback,
  subscribe,
  text,
  user,
  type Version,
  type WillFields,
} from "../bytes.ts"
import { again, all, by, c, d, e, hex, type Row, type Steps, told, waits } from "../row.ts"

export const head = `Wills: when they are published and when not, their QoS, RETAIN and properties, Will Delay Interval.`

export function rows(): Row[] {
  return [...all.flatMap(plainRows), ...codeRows(), ...delayRows(), ...propertyRows()]
}

/** "d" watches "w", and "c" has a will there. */
function willed(version: Version, will: WillFields = {}, more: Bytes = []): Steps {
  return [
    d.joins,
    d.sends(subscribe(version, 1, [["w", 2]])),
    d.gets(suback(version, 1, 2)),
    c.sends(connect(version, { will, keepAlive: 10, properties: [0x17, 0, ...more] })),
    c.gets(accepted(version)),
  ]
}

function will(version: Version, fields: PublishFields = {}): ReturnType<typeof d.gets> {
  return d.gets(publish(version, "w", "gone", fields))
}

function plainRows(version: Version): Row[] {
  const row = (name: string, five: string, four: string, ...steps: Steps): Row => ({
    name,
    version,
    rule: by(version, five, four, "3.1"),
    steps,
  })
  const published = "MQTT-3.1.2-8"
  const over = version === 5 ? [c.gets(farewell(0x8e)), c.ends] : [c.ends]
  const list = [0, 1, 2].map((qos) =>
    row(
      `a will of QoS ${qos}, when the network fails`,
      published,
      published,
      ...willed(version, { qos }),
      c.cuts,
      will(version, { qos }),
    ),
  )
  const retained = (retain: boolean): Steps => [
    ...willed(version, { retain }),
    c.cuts,
    will(version),
    e.joins,
    e.sends(subscribe(version, 1, [["w", 0]])),
    e.gets(suback(version, 1, 0), ...(retain ? [publish(version, "w", "gone", { retain: true })] : [])),
  ]
  const bodies: Row[] =
    version === 5
      ? []
      : [
          {
            ...row(
              "a DISCONNECT with a body is none: the will is published",
              published,
              "3.14.1",
              ...willed(version),
              c.sends([0xe0, 1, 0]),
              c.ends,
              will(version),
            ),
            note: "ours: the packet is malformed",
          },
        ]
  return [
    ...list,
    ...bodies,
    row(
      "DISCONNECT takes the will away",
      "MQTT-3.14.4-3",
      "MQTT-3.14.4-3",
      ...willed(version),
      c.sends(disconnect(version)),
      c.ends,
    ),
    row(
      "a will, when the client breaks the protocol",
      published,
      published,
      ...willed(version),
      c.sends([0xc1, 0]),
      ...told(version, malformed),
      will(version),
    ),
    row(
      "a will, when Keep Alive is over",
      published,
      published,
      ...willed(version),
      waits(16),
      ...told(version, 0x8d),
      will(version),
    ),
    row(
      "a will, when the connection is taken over",
      "MQTT-3.1.4-3",
      published,
      ...willed(version),
      again.sends(connect(version)),
      again.gets(accepted(version)),
      ...over,
      will(version),
    ),
    row("a retained will", "MQTT-3.1.2-15", "MQTT-3.1.2-17", ...retained(true)),
    row("a will that is not retained", "MQTT-3.1.2-14", "MQTT-3.1.2-16", ...retained(false)),
    row(
      "no will",
      "MQTT-3.1.2-8",
      "MQTT-3.1.2-12",
      d.joins,
      d.sends(subscribe(version, 1, [["#", 0]])),
      d.gets(suback(version, 1, 0)),
      c.joins,
      c.cuts,
    ),
    row(
      "a will of no bytes",
      published,
      published,
      ...willed(version, { payload: "" }),
      c.cuts,
      d.gets(publish(version, "w", "")),
    ),
    row(
      "a will is published once",
      "MQTT-3.1.2-10",
      "MQTT-3.1.2-10",
      ...willed(version),
      c.cuts,
      will(version),
      again.sends(connect(version)),
      again.gets(accepted(version)),
      again.cuts,
    ),
    row(
      "a CONNECT that is refused has no will",
      "MQTT-3.1.2-7",
      "MQTT-3.1.2-8",
      d.joins,
      d.sends(subscribe(version, 1, [["w", 2]])),
      d.gets(suback(version, 1, 2)),
      c.sends(connect(version, { flags: 5, more: [...(version === 5 ? [0] : []), ...text("w"), ...text("x")] })),
      ...(version === 5 ? [c.gets([0x20, 3, 0, 0x81, 0])] : []),
      c.ends,
    ),
  ]
}

/** [MQTT-3.14.4-3] only Reason Code 0x00 takes it away. */
function codeRows(): Row[] {
  const codes = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]
  return codes.map((code): Row => {
    const steps = [...willed(5), c.sends(disconnect(5, code, [])), c.ends, ...(code === 0 ? [] : [will(5)])]
    return {
      name: `DISCONNECT of ${hex(code)} and the will`,
      version: 5,
      rule: code === 0 ? "MQTT-3.14.4-3" : "MQTT-3.1.2-8",
      steps,
    }
  })
}

/** MQTT 5.0 section 3.1.3.2.2. */
function delayRows(): Row[] {
  const seconds = (value: number): Bytes => [0x11, ...four(value)]
  const delayed = (delay: number, expiry: number): Steps =>
    willed(5, { properties: [0x18, ...four(delay)] }, seconds(expiry))
  const comes = (clean: boolean, present: boolean): Steps => [
    again.sends(connect(5, { clean, properties: [0x17, 0, ...seconds(100)] })),
    again.gets(accepted(5, present)),
  ]
  const row = (name: string, rule: string, ...steps: Steps): Row => ({ name, version: 5, rule, steps })
  const over: Steps = [c.gets(farewell(0x8e)), c.ends]
  return [
    row("Will Delay Interval 10, after 9 seconds", "MQTT-3.1.2-8", ...delayed(10, 100), c.cuts, waits(9)),
    row("Will Delay Interval 10, after 11 seconds", "MQTT-3.1.2-8", ...delayed(10, 100), c.cuts, waits(11), will(5)),
    row(
      "Will Delay Interval 10, back after 9 seconds",
      "MQTT-3.1.3-9",
      ...delayed(10, 100),
      c.cuts,
      waits(9),
      ...comes(false, true),
      waits(20),
    ),
    row(
      "Will Delay Interval 10, back with Clean Start 1",
      "3.1.3.2.2",
      ...delayed(10, 100),
      c.cuts,
      waits(5),
      ...comes(true, false),
      will(5),
    ),
    row(
      "Will Delay Interval 100, the session ends after 10",
      "3.1.3.2.2",
      ...delayed(100, 10),
      c.cuts,
      waits(11),
      will(5),
    ),
    row(
      "Will Delay Interval 100, the session ends with the connection",
      "3.1.3.2.2",
      ...delayed(100, 0),
      c.cuts,
      will(5),
    ),
    row(
      "Will Delay Interval 10, taken over with Clean Start 0",
      "3.1.3.2.2",
      ...delayed(10, 100),
      ...comes(false, true),
      ...over,
      waits(20),
    ),
    row(
      "Will Delay Interval 10, taken over with Clean Start 1",
      "3.1.3.2.2",
      ...delayed(10, 100),
      ...comes(true, false),
      ...over,
      will(5),
    ),
    row(
      "Will Delay Interval 0, taken over with Clean Start 0",
      "3.1.3.2.2",
      ...delayed(0, 100),
      ...comes(false, true),
      ...over,
      will(5),
    ),
    row(
      "DISCONNECT of 0x04 and Will Delay Interval 10",
      "3.1.3.2.2",
      ...delayed(10, 100),
      c.sends(disconnect(5, 4)),
      c.ends,
      waits(11),
      will(5),
    ),
    row(
      "DISCONNECT of 0x00 and Will Delay Interval 10",
      "MQTT-3.14.4-3",
      ...delayed(10, 100),
      c.sends(disconnect(5, 0)),
      c.ends,
      waits(11),
    ),
    row(
      "Will Delay Interval is not published",
      "3.1.3.2",
      ...willed(5, { properties: [0x18, ...four(0), ...user("k", "v")] }),
      c.cuts,
      will(5, { properties: user("k", "v") }),
    ),
  ]
}

function propertyRows(): Row[] {
  const row = (name: string, rule: string, properties: Bytes, out = properties): Row => ({
    name: `published with the will: ${name}`,
    version: 5,
    rule,
    steps: [...willed(5, { properties }), c.cuts, will(5, { properties: out })],
  })
  const pairs = [...user("b", "1"), ...user("a", "2"), ...user("b", "1")]
  const request = [0x08, ...text("reply"), 0x09, ...text([0, 255])]
  return [
    row("User Properties in their order", "MQTT-3.1.3-10", pairs),
    row("Payload Format Indicator", "3.1.3.2.3", [0x01, 1]),
    row("Content Type", "3.1.3.2.5", [0x03, ...text("text/plain")]),
    row("Response Topic and Correlation Data", "3.1.3.2.6", request),
    row("Message Expiry Interval", "3.1.3.2.4", [0x02, ...four(60)]),
  ]
}
