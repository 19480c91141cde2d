// MQTT packets that are nearly right: every field at its edges, every property where it belongs or not.

import type { Random } from "../../tls13/fuzz/random.ts"
import {
  acknowledge,
  auth,
  type Connect,
  connect,
  disconnect,
  packet,
  pingreq,
  property,
  publish,
  subscribe,
  textProperty,
  uint16,
  uint32,
  unsubscribe,
  userProperty,
  type Version,
  variable,
} from "../hostile/wire/mqtt.ts"

const edge = 65_535

/** At the 16-bit edge. */
const long: readonly Uint8Array[] = [
  Buffer.alloc(edge, "a"),
  Buffer.alloc(edge - 1, "a"),
  Buffer.alloc(edge, "/"),
  Buffer.from("\u20ac".repeat(edge / 3)),
  Buffer.alloc(edge, 0),
  Buffer.alloc(edge, 0xff),
  Buffer.alloc(edge, 1),
  Buffer.concat([Buffer.from("$share/g/"), Buffer.alloc(edge - 9, "a")]),
]

const short: readonly Uint8Array[] = [
  ...["", "a", "t", "t/1", "t/2/x", "a/b/c", "/", "//", "$SYS/broker/uptime", "$x", "\u20ac", "\u{1f600}"],
  ...["\u0000", "a\u0000b", "\u0001", "\u009f", "\u202e", "\ufeff", "\uffff", "x".repeat(127), "x".repeat(128)],
  ..."+ # a/+ a/# +/+ t/# #/a a# a+ $share/g/t $share//t $share/g/ $share/g $share/+/t $share/g/# $SYS/#".split(" "),
  ...[120, 127, 128, 129, 300].map((levels) => Array.from({ length: levels }, () => "l").join("/")),
]
  .map((text): Uint8Array => Buffer.from(text))
  .concat([Uint8Array.of(0xed, 0xa0, 0x80), Uint8Array.of(0xc0, 0x80), Uint8Array.of(0xf4, 0x90, 0x80, 0x80)])

/** One in so many fields is as long as can be. */
const longOnes = 120

export function content(random: Random): Uint8Array {
  if (random.oneIn(longOnes)) return random.pick(long)
  if (random.oneIn(16)) return random.bytes(random.integer(40))
  return random.pick(short)
}

const topics = ["t", "t/1", "t/2/x", "a/b/c", "a", "will"]
const goodFilters = ["t/#", "t", "+", "#", "a/+/c", "$share/g/t/#", "$share/h/t"]
/** Few, so that connections meet in sessions. */
const clientIds = ["", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8"]

/** Usually a good one. */
function topic(random: Random): Uint8Array {
  return random.oneIn(5) ? content(random) : Buffer.from(random.pick(topics))
}

function filter(random: Random): Uint8Array {
  return random.oneIn(4) ? content(random) : Buffer.from(random.pick(goodFilters))
}

export const edges16 = [0, 1, 2, 31, 32, 33, 127, 128, 255, 256, 1023, 9999, 10_000, 32_767, 32_768, 65_534, 65_535]
export const edges32 = [0, 1, 2, 127, 128, 255, 65_535, 65_536, 268_435_455, 268_435_456, 2 ** 31, 2 ** 32 - 1]

const anyProperty = Object.values(property)

/** One property: its value of the right kind, whether it belongs to the packet or not. */
function propertyOf(random: Random, identifier: number): Uint8Array {
  const head = Uint8Array.of(identifier)
  switch (identifier) {
    case property.payloadFormat:
    case property.requestProblemInformation:
    case property.requestResponseInformation:
      return Buffer.concat([head, Uint8Array.of(random.pick([0, 1, 1, 2, 255]))])
    case property.receiveMaximum:
    case property.topicAliasMaximum:
    case property.topicAlias:
      return Buffer.concat([head, uint16(random.pick(edges16))])
    case property.messageExpiry:
    case property.sessionExpiry:
    case property.willDelay:
    case property.maximumPacketSize:
      return Buffer.concat([head, uint32(random.pick(edges32))])
    case property.subscriptionIdentifier:
      return Buffer.concat([head, variable(random.pick(edges32.filter((value) => value < 2 ** 28)))])
    case property.userProperty:
      return userProperty(content(random), content(random))
    default:
      return textProperty(identifier, content(random))
  }
}

function properties(random: Random, own: readonly number[]): Uint8Array[] {
  const count = random.oneIn(2) ? 0 : 1 + random.integer(3)
  return Array.from({ length: count }, () => {
    if (random.oneIn(40)) return random.bytes(random.integer(6))
    return propertyOf(random, random.pick(random.oneIn(8) ? anyProperty : own))
  })
}

const own = {
  connect: [
    ...[property.sessionExpiry, property.receiveMaximum, property.maximumPacketSize, property.topicAliasMaximum],
    ...[property.requestProblemInformation, property.requestResponseInformation, property.userProperty],
    ...[property.sessionExpiry, property.authenticationMethod, property.authenticationData],
  ],
  will: [
    ...[property.willDelay, property.payloadFormat, property.messageExpiry, property.contentType],
    ...[property.responseTopic, property.correlationData, property.userProperty],
  ],
  publish: [
    ...[property.payloadFormat, property.messageExpiry, property.topicAlias, property.topicAlias],
    ...[property.contentType, property.responseTopic, property.correlationData, property.userProperty],
  ],
  subscribe: [property.subscriptionIdentifier, property.userProperty],
  reason: [property.reasonString, property.userProperty],
  disconnect: [property.sessionExpiry, property.reasonString, property.userProperty, property.serverReference],
  auth: [property.authenticationMethod, property.authenticationData, property.reasonString, property.userProperty],
} as const

/** A CONNECT. @param right whether it must be one that is let in */
export function connectPacket(random: Random, version: Version, right: boolean): Uint8Array {
  const options: { -readonly [Key in keyof Connect]: Connect[Key] } = {
    version,
    clientId: right || !random.oneIn(4) ? random.pick(clientIds) : content(random),
    cleanStart: random.oneIn(2),
    keepAlive: random.pick([0, 0, 1, 60, 65_535]),
  }
  if (version < 5 && options.clientId === "") options.cleanStart = true
  if (version === 3 && options.clientId === "") options.clientId = "f0"
  if (version === 5) {
    options.properties = right
      ? [
          Buffer.concat([Uint8Array.of(property.sessionExpiry), uint32(random.pick([0, 0, 30, 3600]))]),
          ...(random.oneIn(3) ? [Buffer.concat([Uint8Array.of(property.receiveMaximum), uint16(1)])] : []),
          ...(random.oneIn(4) ? [Buffer.concat([Uint8Array.of(property.maximumPacketSize), uint32(64)])] : []),
          ...(random.oneIn(4) ? [Buffer.concat([Uint8Array.of(property.topicAliasMaximum), uint16(2)])] : []),
        ]
      : properties(random, own.connect)
  }
  if (random.oneIn(6)) {
    options.will = {
      topic: right ? "will" : topic(random),
      payload: content(random),
      qos: random.pick([0, 1, 2] as const),
      retain: random.oneIn(3),
      ...(version === 5 && !right && { properties: properties(random, own.will) }),
    }
  }
  if (right) return connect(options)
  // A password is checked with all its costs: seldom.
  if (random.oneIn(300)) Object.assign(options, { username: content(random), password: content(random) })
  // The bridge bit of Mosquitto, versions that do not exist.
  if (random.oneIn(12)) options.protocolLevel = random.pick([0x80 | version, 0, 1, 2, 6, 127, 128, 255])
  if (random.oneIn(30)) options.protocolName = content(random)
  return connect(options)
}

const qos = [0, 0, 1, 2] as const

/** Any packet of a client that is connected. */
export function anyPacket(random: Random, version: Version): Uint8Array {
  const five = version === 5
  const packetId = random.oneIn(6) ? random.pick(edges16) : 1 + random.integer(8)
  switch (random.integer(14)) {
    case 0:
    case 1:
    case 2:
      return publish(version, topic(random), content(random), {
        qos: random.pick(qos),
        retain: random.oneIn(4),
        dup: random.oneIn(6),
        packetId,
        ...(five && { properties: properties(random, own.publish) }),
      })
    case 3:
    case 4: {
      const filters = Array.from({ length: random.oneIn(30) ? random.integer(200) : 1 + random.integer(3) }, () => ({
        filter: filter(random),
        options: random.oneIn(6) ? random.integer(256) : random.pick(five ? [0, 1, 2, 5, 9, 0x11, 0x2a] : [0, 1, 2]),
      }))
      return subscribe(version, packetId, filters, five ? properties(random, own.subscribe) : [])
    }
    case 5: {
      const names = Array.from({ length: 1 + random.integer(3) }, () => filter(random))
      return unsubscribe(version, packetId, names, five ? properties(random, [property.userProperty]) : [])
    }
    case 6:
    case 7:
      return acknowledge(
        version,
        random.pick([4, 5, 6, 7] as const),
        packetId,
        random.pick([0, 0, 0x10, 0x80, 0x92, 0x97, 0xff]),
        five && random.oneIn(3) ? properties(random, own.reason) : [],
      )
    case 8:
      return pingreq()
    case 9:
      return random.oneIn(3)
        ? disconnect(version, random.pick([0, 4, 0x81, 0xff]), properties(random, own.disconnect))
        : pingreq()
    case 10:
      return five ? auth(random.pick([0, 0x18, 0x19, 0xff]), properties(random, own.auth)) : pingreq()
    case 11:
      return random.oneIn(4) ? connectPacket(random, version, random.oneIn(2)) : pingreq()
    case 12:
      // Packets that only a broker sends, types that do not exist, flags that are wrong.
      return packet(
        random.oneIn(2) ? random.integer(256) : (random.integer(16) << 4) | 2,
        random.bytes(random.integer(12)),
      )
    default:
      // A length that is longer than four bytes, longer than the limit, or not the shortest.
      return Buffer.concat([
        Uint8Array.of(random.pick([0x10, 0x30, 0x82, 0xc0, 0xe0])),
        random.pick(
          [
            [0xff, 0xff, 0xff, 0xff, 1],
            [0xff, 0xff, 0xff, 0x7f],
            [0x80, 0x00],
            [0x85, 0x80, 0x80, 0x00],
          ].map((bytes) => Uint8Array.from(bytes)),
        ),
      ])
  }
}
