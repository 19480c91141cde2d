// MQTT packets of a broker that are nearly right: every field at its edges, every property where it belongs or not.

import type { Random } from "../../tls13/fuzz/random.ts"
import {
  acknowledge,
  field,
  packet,
  packetType,
  publish,
  textProperty,
  uint16,
  uint32,
  userProperty,
  variable,
} from "../hostile/wire/mqtt.ts"
import { content, edges16, edges32 } from "./packets.ts"

const kinds = {
  flag: [0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a],
  uint16: [0x13, 0x21, 0x22, 0x23],
  uint32: [0x02, 0x11, 0x18, 0x27],
  variable: [0x0b],
  pair: [0x26],
} as const
const texts = [0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f]
const all = [...Object.values(kinds).flat(), ...texts]

const own = {
  connack: [0x11, 0x12, 0x13, 0x15, 0x16, 0x1a, 0x1c, 0x1f, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a],
  publish: [0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x0b, 0x23, 0x23, 0x23, 0x26],
  reason: [0x1f, 0x26],
  disconnect: [0x1c, 0x1f, 0x26],
  auth: [0x15, 0x15, 0x16, 0x1f, 0x26],
} as const

/** The Authentication Method that the client names, if it names one. */
export const authenticationMethod = "METHOD"

function propertyOf(random: Random, id: number): Uint8Array {
  const has = (kind: readonly number[]) => kind.includes(id)
  const head = Uint8Array.of(id)
  if (has(kinds.flag)) return Buffer.concat([head, Uint8Array.of(random.pick([0, 1, 1, 2, 255]))])
  if (has(kinds.uint16))
    return Buffer.concat([head, uint16(random.oneIn(3) ? random.pick(edges16) : random.integer(5))])
  if (has(kinds.uint32)) return Buffer.concat([head, uint32(random.pick(edges32))])
  if (has(kinds.variable))
    return Buffer.concat([head, variable(random.pick(edges32.filter((value) => value < 2 ** 28)))])
  if (has(kinds.pair)) return userProperty(content(random), content(random))
  return textProperty(id, id === 0x15 && !random.oneIn(3) ? authenticationMethod : content(random))
}

function properties(random: Random, belonging: readonly number[]): Uint8Array {
  const count = random.oneIn(2) ? 0 : random.oneIn(60) ? 400 : 1 + random.integer(3)
  const list = Array.from({ length: count }, () => {
    if (random.oneIn(60)) return random.bytes(random.integer(6))
    return propertyOf(random, random.pick(random.oneIn(12) ? all : belonging))
  })
  const bytes = Buffer.concat(list)
  const length = random.oneIn(60) ? random.pick([0, 1, 127, 128, bytes.length + 1, 268_435_455]) : bytes.length
  return Buffer.concat([variable(length), bytes])
}

/** CONNACK that lets the client in, with what it may say. */
export function welcome(random: Random, version: 4 | 5, sessionPresent: boolean): Uint8Array {
  const head = Uint8Array.of(sessionPresent ? 1 : 0, 0)
  if (version === 4) return packet(packetType.connack << 4, head)
  const said = [
    ...(random.oneIn(3) ? [Buffer.concat([Uint8Array.of(0x21), uint16(1 + random.integer(4))])] : []),
    ...(random.oneIn(4) ? [Buffer.concat([Uint8Array.of(0x27), uint32(20 + random.integer(200))])] : []),
    ...(random.oneIn(4) ? [Buffer.concat([Uint8Array.of(0x22), uint16(random.integer(4))])] : []),
    ...(random.oneIn(6) ? [Buffer.concat([Uint8Array.of(0x13), uint16(random.integer(3))])] : []),
    ...[0x24, 0x25, 0x28, 0x29, 0x2a].flatMap((id) => (random.oneIn(8) ? [Uint8Array.of(id, random.integer(2))] : [])),
  ]
  const bytes = Buffer.concat(said)
  return packet(packetType.connack << 4, head, variable(bytes.length), bytes)
}

const topics = ["t", "t/1", "a/b/c", ""]
const codes = [0, 0, 0, 1, 2, 0x10, 0x11, 0x80, 0x87, 0x92, 0x97, 0xff]

/** Any packet of a broker. @param asked identifiers that the client has used, and waits for */
export function serverPacket(random: Random, version: 4 | 5, asked: readonly number[]): Uint8Array {
  const five = version === 5
  const mine = asked.length > 0 && !random.oneIn(4)
  const packetId = mine ? random.pick(asked) : random.oneIn(6) ? random.pick(edges16) : 1 + random.integer(6)
  const some = (most: number) => Uint8Array.from({ length: random.integer(most + 1) }, () => random.pick(codes))
  const said = (belonging: readonly number[]) => (five ? properties(random, belonging) : new Uint8Array(0))
  switch (random.integer(16)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const qos = random.pick([0, 1, 2, 2] as const)
      const topic = random.oneIn(6) ? content(random) : random.pick(topics)
      if (!five) return publish(4, topic, content(random), { qos, packetId, dup: qos > 0 && random.oneIn(3) })
      return packet(
        (packetType.publish << 4) | (qos << 1) | (random.oneIn(3) ? 1 : 0) | (random.oneIn(20) ? 8 : 0),
        field(topic),
        ...(qos > 0 ? [uint16(packetId)] : []),
        said(own.publish),
        content(random),
      )
    }
    case 4:
    case 5:
    case 6:
    case 7:
    case 8: {
      const type = random.pick([4, 5, 6, 6, 7] as const)
      if (random.oneIn(3)) return acknowledge(version, type, packetId)
      const first = (type << 4) | (type === packetType.pubrel ? 2 : 0)
      const code = Uint8Array.of(random.pick(codes))
      return packet(first, uint16(packetId), ...(five ? [code, ...(random.oneIn(2) ? [said(own.reason)] : [])] : []))
    }
    case 9:
    case 10:
      return packet(random.pick([0x90, 0xb0]), uint16(packetId), said(own.reason), some(random.oneIn(20) ? 300 : 3))
    case 11:
      return random.oneIn(6) ? packet(0xd0, random.bytes(random.integer(3))) : Uint8Array.of(0xd0, 0)
    case 12:
      if (random.oneIn(2)) return Uint8Array.of(0xd0, 0)
      return packet(
        0xe0,
        ...(five ? [Uint8Array.of(random.pick([0, 0x81, 0x8b, 0x9c, 0xff])), said(own.disconnect)] : []),
      )
    case 13:
      return packet(0xf0, Uint8Array.of(random.pick([0, 0x18, 0x18, 0x19])), said(own.auth))
    case 14:
      return random.oneIn(3)
        ? packet(0x20, Uint8Array.of(random.pick([0, 1, 2]), random.pick(codes)), said(own.connack))
        : packet(random.integer(256), random.bytes(random.integer(12)))
    default:
      // A length that is longer than four bytes, longer than the limit, or not the shortest.
      return Buffer.concat([
        Uint8Array.of(random.pick([0x20, 0x30, 0x32, 0x40, 0xd0])),
        Uint8Array.from(
          random.pick([
            [0xff, 0xff, 0xff, 0xff, 1],
            [0xff, 0xff, 0xff, 0x7f],
            [0x80, 0x00],
            [0x85, 0x80, 0x80, 0x00],
          ]),
        ),
      ])
  }
}

/** A CONNACK of any kind. */
export function anyConnack(random: Random, version: 4 | 5): Uint8Array {
  const head = Uint8Array.of(random.pick([0, 0, 1, 2]), random.pick(version === 5 ? codes : [0, 0, 1, 5, 6]))
  return packet(0x20, head, version === 5 ? properties(random, own.connack) : new Uint8Array(0))
}
