// Sessions and their ends: Clean Start, Session Present, expiry, taking over, DISCONNECT, Keep Alive (MQTT 5.0 sections 3.1.2,
// 3.1.4, 3.14, 4.1; 3.1.1 sections 3.1.2, 3.1.4, 3.14).

import {
  accepted,
  type Bytes,
  connect,
  disconnect,
  farewell,
  four,
  packet,
  pingreq,
  pingresp,
  plainProperties,
  protocolError,
  puback,
  publish,
  pubrec,
  refused,
  set,
  suback,
  subscribe,
  type Version,
} from "../bytes.ts"
import { again, both, by, c, d, e, hex, joined, lineOf, type Row, type Steps, told, waits } from "../row.ts"

export const head = `Sessions: begun, found again, taken over, left by DISCONNECT, ended by time; Keep Alive.`

const third = lineOf("c3")

export function rows(): Row[] {
  return [
    ...both.flatMap((version) => [...presentRows(version), ...takeOverRows(version), ...keepAliveRows(version)]),
    ...expiryRows(),
    ...disconnectRows(),
    ...crossRows(),
  ]
}

const seconds = (value: number): Bytes => [0x11, ...four(value)]

/** CONNECT of "c" whose session stays for 100 seconds. */
function stays(version: Version, clean = false, expiry = 100): Bytes {
  return connect(version, { clean, properties: [0x17, 0, ...(expiry === 0 ? [] : seconds(expiry))] })
}

function presentRows(version: Version): Row[] {
  const row = (name: string, five: string, four: string, ...steps: Steps): Row => ({
    name,
    version,
    rule: by(version, five, four),
    steps,
  })
  const first: Steps = [c.sends(stays(version)), c.gets(accepted(version))]
  const found: Steps = [again.sends(stays(version)), again.gets(accepted(version, true))]
  const fresh: Steps = [again.sends(stays(version)), again.gets(accepted(version))]
  const bye: Steps = [c.sends(disconnect(version)), c.ends]
  const clean: Steps = [again.sends(stays(version, true)), again.gets(accepted(version))]
  const short = connect(version, { clean: true })
  const subscribed: Steps = [c.sends(subscribe(version, 1, [["a", 0]])), c.gets(suback(version, 1, 0))]
  const published: Steps = [d.joins, d.sends(publish(version, "a", "x"))]
  return [
    row("a new session", "MQTT-3.2.2-3", "MQTT-3.2.2-3", ...first),
    row("the session is found again, after DISCONNECT", "MQTT-3.2.2-3", "MQTT-3.2.2-2", ...first, ...bye, ...found),
    row(
      "the session is found again, after the network failed",
      "MQTT-3.1.2-23",
      "MQTT-3.1.2-4",
      ...first,
      c.cuts,
      ...found,
    ),
    row("Clean Start 1 ends it", "MQTT-3.1.2-4", "MQTT-3.1.2-6", ...first, c.cuts, ...clean),
    row(
      "Clean Start 1 with a session that stays, then 0",
      "MQTT-3.1.2-6",
      "MQTT-3.1.2-6",
      c.sends(stays(version, true)),
      c.gets(accepted(version)),
      c.cuts,
      ...(version === 5 ? found : fresh),
    ),
    row(
      "a session that ends with its connection",
      "MQTT-4.1.0-2",
      "MQTT-3.1.2-6",
      c.sends(short),
      c.gets(accepted(version)),
      c.cuts,
      ...fresh,
    ),
    row(
      "subscriptions are part of it",
      "MQTT-3.1.2-5",
      "MQTT-3.1.2-4",
      ...first,
      ...subscribed,
      c.cuts,
      ...found,
      ...published,
      again.gets(publish(version, "a", "x")),
    ),
    row(
      "subscriptions end with it",
      "MQTT-3.1.2-4",
      "MQTT-3.1.2-6",
      ...first,
      ...subscribed,
      c.cuts,
      ...clean,
      ...published,
    ),
    row(
      "identifiers of QoS 2 are part of it",
      "MQTT-4.3.3-10",
      "MQTT-4.3.3-2",
      e.joins,
      e.sends(subscribe(version, 1, [["a", 0]])),
      e.gets(suback(version, 1, 0)),
      ...first,
      c.sends(publish(version, "a", "x", { qos: 2 })),
      c.gets(pubrec(version, 1)),
      e.gets(publish(version, "a", "x")),
      c.cuts,
      ...found,
      again.sends(publish(version, "a", "x", { qos: 2, dup: true })),
      again.gets(pubrec(version, 1)),
    ),
    row(
      "identifiers of QoS 2 end with it",
      "MQTT-3.1.2-4",
      "MQTT-3.1.2-6",
      ...first,
      c.sends(publish(version, "a", "x", { qos: 2 })),
      c.gets(pubrec(version, 1, 0x10)),
      c.cuts,
      ...clean,
      again.sends(publish(version, "a", "x", { qos: 2, dup: true })),
      again.gets(pubrec(version, 1, 0x10)),
    ),
    row(
      "a CONNECT that is refused has no Session Present",
      "MQTT-3.2.2-6",
      "MQTT-3.2.2-4",
      ...first,
      c.cuts,
      again.sends(connect(version, { clean: false, will: { topic: "$w" } })),
      again.gets(refused(version, version === 5 ? 0x87 : 5)),
      again.ends,
      third.sends(stays(version)),
      third.gets(accepted(version, true)),
    ),
    row(
      "another client's session is another",
      "MQTT-3.1.3-2",
      "MQTT-3.1.3-2",
      ...first,
      c.cuts,
      d.sends(connect(version, { id: "C", clean: false, properties: seconds(100) })),
      d.gets(accepted(version)),
    ),
  ]
}

/** [MQTT-3.1.4-3] of MQTT 5.0, [MQTT-3.1.4-2] of 3.1.1. */
function takeOverRows(version: Version): Row[] {
  const row = (name: string, ...steps: Steps): Row => ({
    name,
    version,
    rule: by(version, "MQTT-3.1.4-3", "MQTT-3.1.4-2"),
    steps,
  })
  const over: Steps = version === 5 ? [c.gets(farewell(0x8e)), c.ends] : [c.ends]
  const joins: Steps = [again.sends(connect(version)), again.gets(accepted(version))]
  const ping: Steps = [again.sends(pingreq), again.gets(pingresp)]
  const twice: Steps = version === 5 ? [again.gets(farewell(0x8e)), again.ends] : [again.ends]
  return [
    row("taken over", c.joins, ...joins, ...over, ...ping),
    row(
      "taken over, and its session goes on",
      c.sends(stays(version)),
      c.gets(accepted(version)),
      again.sends(stays(version)),
      again.gets(accepted(version, true)),
      ...over,
      ...ping,
    ),
    row(
      "taken over twice",
      c.joins,
      ...joins,
      ...over,
      third.sends(connect(version)),
      third.gets(accepted(version)),
      ...twice,
    ),
    row(
      "taken over, and a message on its way is sent again",
      d.joins,
      c.sends(stays(version)),
      c.gets(accepted(version)),
      c.sends(subscribe(version, 1, [["a", 1]])),
      c.gets(suback(version, 1, 1)),
      d.sends(publish(version, "a", "x", { qos: 1 })),
      d.gets(puback(version, 1)),
      c.gets(publish(version, "a", "x", { qos: 1 })),
      again.sends(stays(version)),
      again.gets(accepted(version, true), publish(version, "a", "x", { qos: 1, dup: true })),
      ...over,
    ),
    row(
      "a CONNECT that is refused takes nothing over",
      c.joins,
      again.sends(connect(version, { flags: 3 })),
      ...(version === 5 ? [again.gets([0x20, 3, 0, 0x81, 0])] : []),
      again.ends,
      c.sends(pingreq),
      c.gets(pingresp),
    ),
  ]
}

/** [MQTT-3.1.2-22] of MQTT 5.0, [MQTT-3.1.2-24] of 3.1.1: one and a half times. */
function keepAliveRows(version: Version): Row[] {
  const rule = by(version, "MQTT-3.1.2-22", "MQTT-3.1.2-24")
  const joins: Steps = [c.sends(connect(version, { keepAlive: 10, properties: [0x17, 0] })), c.gets(accepted(version))]
  const row = (name: string, ...steps: Steps): Row => ({ name, version, rule, steps })
  const end = told(version, 0x8d)
  return [
    row("Keep Alive 10, 14 seconds of silence", ...joins, waits(14), c.sends(pingreq), c.gets(pingresp)),
    row("Keep Alive 10, 16 seconds of silence", ...joins, waits(16), ...end),
    row(
      "Keep Alive 10, PINGREQ each 10 seconds",
      ...joins,
      waits(10),
      c.sends(pingreq),
      c.gets(pingresp),
      waits(10),
      c.sends(pingreq),
      c.gets(pingresp),
      waits(10),
      c.sends(pingreq),
      c.gets(pingresp),
    ),
    row(
      "Keep Alive 10, any packet will do",
      ...joins,
      waits(10),
      c.sends(publish(version, "a", "x")),
      waits(10),
      c.sends(puback(version, 9)),
      waits(10),
      c.sends(pingreq),
      c.gets(pingresp),
    ),
    row("Keep Alive 10, half a packet will not", ...joins, waits(10), c.sends([0x30]), waits(6), ...end),
    row("Keep Alive 0", c.joins, waits(1000), c.sends(pingreq), c.gets(pingresp)),
    ...(version === 5 ? [serverKeepAlive(rule)] : []),
    { ...row("no CONNECT", c.opens, waits(12), c.ends), rule: "3.1.4", note: "ours: 10 seconds" },
    {
      ...row("half a CONNECT", c.sends(connect(version).slice(0, 9)), waits(12), c.ends),
      rule: "3.1.4",
      note: "ours: 10 seconds",
    },
  ]
}

function serverKeepAlive(rule: string): Row {
  const joins: Steps = [
    c.sends(connect(5, { properties: [0x17, 0] })),
    c.gets(accepted(5, false, [...plainProperties, 0x13, 0, 60])),
  ]
  const steps = [...joins, waits(89), c.sends(pingreq), c.gets(pingresp), waits(91), ...told(5, 0x8d)]
  return { name: "Server Keep Alive 60", version: 5, rule, broker: "keep alive 60", steps }
}

/** MQTT 5.0 sections 3.1.2.11.2, 3.14.2.2.2 and 4.1. */
function expiryRows(): Row[] {
  const row = (name: string, rule: string, ...steps: Steps): Row => ({ name, version: 5, rule, steps })
  const first = (expiry: number): Steps => [c.sends(stays(5, false, expiry)), c.gets(accepted(5))]
  const found = (present: boolean): Steps => [again.sends(stays(5)), again.gets(accepted(5, present))]
  const leaves = (...properties: Bytes): Steps => [c.sends(disconnect(5, 0, properties)), c.ends]
  return [
    row(
      "Session Expiry Interval 10, back after 9 seconds",
      "MQTT-3.1.2-23",
      ...first(10),
      c.cuts,
      waits(9),
      ...found(true),
    ),
    row(
      "Session Expiry Interval 10, back after 11 seconds",
      "MQTT-4.1.0-2",
      ...first(10),
      c.cuts,
      waits(11),
      ...found(false),
    ),
    row(
      "it does not run while there is a connection",
      "MQTT-4.1.0-1",
      ...first(10),
      waits(100),
      c.cuts,
      waits(9),
      ...found(true),
    ),
    row(
      "it begins anew with each connection",
      "MQTT-4.1.0-2",
      ...first(100),
      c.cuts,
      waits(90),
      again.sends(stays(5, false, 5)),
      again.gets(accepted(5, true)),
      again.cuts,
      waits(6),
      third.sends(stays(5)),
      third.gets(accepted(5)),
    ),
    row("DISCONNECT makes it 0", "3.14.2.2.2", ...first(100), ...leaves(...seconds(0)), ...found(false)),
    row(
      "DISCONNECT makes it shorter",
      "3.14.2.2.2",
      ...first(100),
      ...leaves(...seconds(5)),
      waits(6),
      ...found(false),
    ),
    row("DISCONNECT makes it longer", "3.14.2.2.2", ...first(5), ...leaves(...seconds(100)), waits(50), ...found(true)),
    row("DISCONNECT says nothing of it", "3.14.2.2.2", ...first(10), ...leaves(), waits(9), ...found(true)),
    row(
      "DISCONNECT makes one of 0 longer",
      "3.14.2.2.2",
      c.joins,
      c.sends(disconnect(5, 0, seconds(1))),
      ...told(5, protocolError),
    ),
    row(
      "DISCONNECT makes one of 0 endless",
      "3.14.2.2.2",
      c.joins,
      c.sends(disconnect(5, 0, seconds(0xffff_ffff))),
      ...told(5, protocolError),
    ),
    row("DISCONNECT leaves one of 0 at 0", "3.14.2.2.2", c.joins, ...leaves(...seconds(0)), ...found(false)),
    row(
      "Session Expiry Interval 0 is that of no session to stay",
      "3.1.2.11.2",
      c.sends(connect(5, { properties: seconds(0) })),
      c.gets(accepted(5)),
      c.cuts,
      ...found(false),
    ),
  ]
}

/** MQTT 5.0 section 3.14: the forms of DISCONNECT. */
function disconnectRows(): Row[] {
  const row = (name: string, sent: Bytes, rule = "3.14.2.1"): Row => ({
    name,
    version: 5,
    rule,
    steps: joined(c.sends(sent), c.ends),
  })
  return [
    row("DISCONNECT of two bytes", [0xe0, 0]),
    row("DISCONNECT of three bytes", [0xe0, 1, 0]),
    row("DISCONNECT of four bytes", [0xe0, 2, 0, 0]),
    row(`DISCONNECT of ${hex(4)}, three bytes`, [0xe0, 1, 4]),
    row(
      "DISCONNECT with a Reason String",
      packet(0xe0, [0x80, ...set(5, [0x1f, 0, 3, 0x77, 0x68, 0x79])]),
      "3.14.2.2.3",
    ),
    {
      name: "DISCONNECT of MQTT 3.1.1 with a Reason Code",
      version: 4,
      rule: "3.14.1",
      note: "ours: no DISCONNECT, so that a will is published: see wills.txt",
      steps: joined(c.sends([0xe0, 1, 0]), c.ends),
    },
  ]
}

/** A session of one version found again by the other. */
function crossRows(): Row[] {
  const note = "ours: a session is one of a client, whatever it speaks"
  return (
    [
      [4, 5],
      [5, 4],
      [3, 4],
      [4, 3],
    ] as const
  ).map(([from, to]): Row => {
    // MQTT 3.1 has no Session Present.
    const present = to !== 3
    const steps = [
      c.sends(stays(from)),
      c.gets(accepted(from)),
      c.cuts,
      again.sends(stays(to)),
      again.gets(accepted(to, present)),
    ]
    return {
      name: `a session of version ${from} found again by version ${to}`,
      version: to,
      rule: by(to, "MQTT-3.2.2-3", "MQTT-3.2.2-2", "3.2"),
      note,
      steps,
    }
  })
}
