// A good packet of each type that a client sends, and what comes back to one that is alone.

import {
  accepted,
  type Bytes,
  connectBody,
  farewell,
  pingresp,
  protocolError,
  puback,
  pubcomp,
  pubrec,
  pubrel,
  set,
  suback,
  text,
  unsuback,
  type Version,
} from "../bytes.ts"
import { c, type Steps } from "../row.ts"

export interface Good {
  readonly name: string
  readonly first: number
  readonly body: Bytes
  readonly end: Steps
}

/** After CONNECT. AUTH is in the list of MQTT 5.0, as a packet that is good by itself. */
export function goodPackets(version: Version): readonly Good[] {
  const none = set(version)
  const id = [0, 1]
  // Tables 3-4 to 3-9: "No matching subscribers", "Packet Identifier not found", "No subscription existed".
  const list: Good[] = [
    { name: "PUBLISH of QoS 0", first: 0x30, body: [...text("a"), ...none], end: [] },
    {
      name: "PUBLISH of QoS 1",
      first: 0x32,
      body: [...text("a"), ...id, ...none],
      end: [c.gets(puback(version, 1, 0x10))],
    },
    {
      name: "PUBLISH of QoS 2",
      first: 0x34,
      body: [...text("a"), ...id, ...none],
      end: [c.gets(pubrec(version, 1, 0x10))],
    },
    { name: "PUBACK", first: 0x40, body: id, end: [] },
    { name: "PUBREC", first: 0x50, body: id, end: [c.gets(pubrel(version, 1, 0x92))] },
    { name: "PUBREL", first: 0x62, body: id, end: [c.gets(pubcomp(version, 1, 0x92))] },
    { name: "PUBCOMP", first: 0x70, body: id, end: [] },
    { name: "SUBSCRIBE", first: 0x82, body: [...id, ...none, ...text("f"), 0], end: [c.gets(suback(version, 1, 0))] },
    {
      name: "UNSUBSCRIBE",
      first: 0xa2,
      body: [...id, ...none, ...text("f")],
      end: [c.gets(unsuback(version, 1, 0x11))],
    },
    { name: "PINGREQ", first: 0xc0, body: [], end: [c.gets(pingresp)] },
    { name: "DISCONNECT", first: 0xe0, body: [], end: [c.ends] },
  ]
  if (version !== 5) return list
  // [MQTT-4.12.0-7] no AUTH without an Authentication Method in CONNECT
  return [...list, { name: "AUTH", first: 0xf0, body: [], end: [c.gets(farewell(protocolError)), c.ends] }]
}

/** Packets that a server sends. */
export function serverPackets(version: Version): readonly Pick<Good, "name" | "first" | "body">[] {
  return [
    { name: "CONNACK", first: 0x20, body: accepted(version, false, []).slice(2) },
    { name: "SUBACK", first: 0x90, body: suback(version, 1, 0).slice(2) },
    { name: "UNSUBACK", first: 0xb0, body: unsuback(version, 1, 0).slice(2) },
    { name: "PINGRESP", first: 0xd0, body: [] },
  ]
}

/** A CONNECT with every field. */
export function fullConnect(version: Version): Bytes {
  return connectBody(version, {
    id: "c",
    will: { topic: "w", payload: "x", qos: 1 },
    name: "u",
    password: "p",
  })
}
