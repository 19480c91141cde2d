// Every packet type with every nibble of flags (MQTT 5.0 sections 2.1.2 and 2.1.3, 3.1.1 sections 2.2.1 and 2.2.2).

import {
  type Bytes,
  connectBody,
  malformed,
  packet,
  protocolError,
  puback,
  pubrec,
  set,
  text,
  type Version,
} from "../bytes.ts"
import { all, by, c, hex, joined, type Row, type Steps, wronged } from "../row.ts"
import { goodPackets, serverPackets } from "./good.ts"

export const head = `Every packet type with every nibble of flags, after CONNECT; and what a first packet may not be.`

/** Table 2-2: the flags that each type has to have. */
const required: Readonly<Record<number, number>> = { 6: 2, 8: 2, 10: 2 }

/** The statements that name one type; of MQTT 5.0 and 3.1.1. */
const named: Readonly<Record<number, readonly [five: string, four: string]>> = {
  6: ["MQTT-3.6.1-1", "MQTT-3.6.1-1"],
  8: ["MQTT-3.8.1-1", "MQTT-3.8.1-1"],
  10: ["MQTT-3.10.1-1", "MQTT-3.10.1-1"],
  14: ["MQTT-3.14.1-1", "MQTT-3.14.1-1"],
  15: ["MQTT-3.15.1-1", "2.2.1"],
}

const unusedIn31 = "ours: MQTT 3.1 says only that these bits are not used"

export function rows(): Row[] {
  return all.flatMap((version) => [...ofVersion(version), ...publishRows(version), ...firstRows(version)])
}

function ofVersion(version: Version): Row[] {
  const list: Row[] = []
  const clients = goodPackets(version).filter(({ first }) => first >> 4 !== 3)
  for (const { name, first, body, end } of clients) {
    for (let flags = 0; flags < 16; flags++) {
      const type = first >> 4
      const again = version === 3 && required[type] === 2 && flags === 10
      const good = flags === (required[type] ?? 0) || again
      const sent = packet((type << 4) | flags, body)
      const steps = good ? joined(c.sends(sent), ...end) : wronged(version, sent, malformed)
      const [five, four] = named[type] ?? ["MQTT-2.1.3-1", "MQTT-2.2.2-2"]
      const note = good ? (again ? "MQTT 3.1 has DUP in what is sent again" : undefined) : noteOf(version)
      list.push({ name: `${name}, flags ${flags}`, version, rule: by(version, five, four, "2.1"), note, steps })
    }
  }
  const others: readonly (readonly [name: string, type: number, body: Bytes])[] = [
    ["a packet of type 0", 0, []],
    ["a second CONNECT", 1, connectBody(version)],
    ...serverPackets(version).map(({ name, first, body }) => [name, first >> 4, body] as const),
    ...(version === 5 ? [] : [["a packet of type 15", 15, []] as const]),
  ]
  for (const [name, type, body] of others) {
    for (let flags = 0; flags < 16; flags++) {
      const code = type === 0 || flags !== 0 ? malformed : protocolError
      const steps = wronged(version, packet((type << 4) | flags, body), code)
      list.push({ name: `${name}, flags ${flags}`, version, rule: otherRule(version, type, flags), steps })
    }
  }
  return list
}

function noteOf(version: Version): string | undefined {
  return version === 3 ? unusedIn31 : undefined
}

function otherRule(version: Version, type: number, flags: number): string {
  if (type === 1 && flags === 0) return by(version, "MQTT-3.1.0-2", "MQTT-3.1.0-2", "3.1")
  if (type === 0 || type === 15 || flags === 0) return by(version, "2.1.2", "2.2.1", "2.1")
  return by(version, "MQTT-2.1.3-1", "MQTT-2.2.2-2", "2.1")
}

/** Section 3.3.1: DUP, QoS and RETAIN. */
function publishRows(version: Version): Row[] {
  return Array.from({ length: 16 }, (_, flags) => {
    const qos = (flags >> 1) & 3
    const dup = flags >> 3
    const retained = (flags & 1) === 1
    const body = [...text("a"), ...(qos > 0 ? [0, 1] : []), ...set(version), 0x78]
    const sent = packet(0x30 | flags, body)
    const name = `PUBLISH, flags ${flags}`
    if (qos === 3) {
      const rule = by(version, "MQTT-3.3.1-4", "MQTT-3.3.1-4", "2.1")
      return { name, version, rule, steps: wronged(version, sent, malformed) }
    }
    if (qos === 0 && dup === 1) {
      const note = version === 3 ? "ours: MQTT 3.1 does not say that it is an error" : undefined
      return {
        name,
        version,
        rule: by(version, "MQTT-3.3.1-2", "MQTT-3.3.1-2", "2.1"),
        note,
        steps: wronged(version, sent, malformed),
      }
    }
    // Nobody subscribes; a message that is to be retained is kept all the same, and that there is nobody is no error.
    const answer = qos === 0 ? [] : [c.gets(qos === 1 ? puback(version, 1, 0x10) : pubrec(version, 1, 0x10))]
    const note = retained ? "that it is retained is seen in retained.txt" : undefined
    return {
      name,
      version,
      rule: by(version, "MQTT-3.3.4-1", "MQTT-3.3.4-1", "4.1"),
      note,
      steps: joined(c.sends(sent), ...answer),
    }
  })
}

/** [MQTT-3.1.0-1] the first packet is CONNECT, and it has no flags. */
function firstRows(version: Version): Row[] {
  const silent = "ours: nothing is said to who does not speak MQTT; a CONNACK or nothing is what the standard leaves"
  const wrong = (sent: Bytes): Steps => [c.sends(sent), c.ends]
  const rule = by(version, "MQTT-3.1.0-1", "MQTT-3.1.0-1", "3.1")
  const before: Row[] = [...goodPackets(version), ...serverPackets(version)].map(({ name, first, body }) => ({
    name: `${name} before CONNECT`,
    version,
    rule,
    note: version === 5 ? silent : undefined,
    steps: wrong(packet(first, body)),
  }))
  const flagged: Row[] = Array.from({ length: 15 }, (_, i) => ({
    name: `CONNECT, flags ${i + 1}`,
    version,
    rule: by(version, "MQTT-2.1.3-1", "MQTT-2.2.2-2", "2.1"),
    note: version === 5 ? silent : noteOf(version),
    steps: wrong(packet(0x10 | (i + 1), connectBody(version))),
  }))
  return [...before, ...flagged, ...(version === 5 ? strangers(silent) : [])]
}

/** First bytes of other protocols. */
function strangers(note: string): Row[] {
  const letters = (text: string): Bytes => [...text].map((one) => one.charCodeAt(0))
  const list: readonly (readonly [string, Bytes])[] = [
    ["the first byte of a TLS record", [0x16, 3, 1, 2, 0]],
    ["a request of HTTP", letters("GET / HTTP/1.1\r\n\r\n")],
    ["zeros", [0, 0, 0, 0]],
    [`bytes of ${hex(0xff)}`, [0xff, 0xff, 0xff, 0xff]],
    ["a line of text", letters("EHLO there\r\n")],
  ]
  return list.map(([name, sent]) => ({
    name: `${name} before CONNECT`,
    version: 5,
    rule: "MQTT-3.1.0-1",
    note,
    steps: [c.sends(sent), c.ends],
  }))
}
