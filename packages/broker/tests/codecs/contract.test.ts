// The two codecs are one contract: of any packet they make equal values or equal errors, and of any value equal bytes.

import { describe, expect, it } from "vitest"
import { type Random, seeded } from "../../../tls13/fuzz/random.ts"
import { anyPacket, connectPacket } from "../../fuzz/packets.ts"
import { mqttPacketCodec } from "../../src/codecs/mqtt-packet.ts"
import { plainCodec } from "../../src/codecs/plain.ts"
import { readServerPacket } from "../../src/codecs/plain-answers.ts"
import { PacketError } from "../../src/packet/errors.ts"
import { Framer } from "../../src/packet/framer.ts"
import type { ConnackPacket, DisconnectPacket, ProtocolVersion, ServerPacket } from "../../src/packet/packets.ts"
import { allowedReasonCodes } from "../../src/packet/reason-codes.ts"
import { packet, userProperty } from "../harness.ts"
import { compared, told } from "./compared.ts"

/** As the broker does it: what the framer refuses no codec sees. Returns whether the packet was read. */
function readBy(codec: typeof plainCodec, bytes: Uint8Array, version: ProtocolVersion, mqtt31: boolean): boolean {
  const framer = new Framer(0x1000_0004)
  framer.connectOnly = false
  framer.mqtt31 = mqtt31
  try {
    framer.push(bytes)
    if (!framer.next()) return false
    const { header, start, bodyStart, end } = framer
    const type = header >> 4
    if (type === 1) codec.readConnect(framer.bytes, start, bodyStart, end)
    else if (type === 8 || type >= 10) codec.readClientPacket(type, framer.bytes, start, bodyStart, end, version, 100)
    return true
  } catch (error) {
    if (!(error instanceof PacketError)) throw error
    return false
  }
}

/** The same packet with a fault: a bit that is another, or an end that is somewhere else. */
function spoiled(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  if (random.oneIn(3)) return copy
  const at = random.oneIn(2) ? random.integer(copy.length) : Math.min(copy.length - 1, random.integer(24))
  if (at > 1) copy[at]! ^= 1 << random.integer(8)
  if (copy[1]! >= 0x80 || !random.oneIn(4)) return copy
  const length = random.integer(copy[1]! + 1)
  copy[1] = length
  return copy.subarray(0, 2 + length)
}

describe("reading", () => {
  it.each(["CONNECT", "other packets"])("what is nearly right: %s", { timeout: 120_000 }, (kind) => {
    const both = compared(mqttPacketCodec, plainCodec)
    const random = seeded(12, kind.length)
    const wanted = 4000
    let right = 0
    let wrong = 0
    while (right + wrong < wanted) {
      const version = random.pick([3, 4, 5, 5] as const)
      const made = kind === "CONNECT" ? connectPacket(random, version, random.oneIn(3)) : anyPacket(random, version)
      if (made.length > 10_000 && !random.oneIn(10)) continue
      const calls = both.calls
      const read = readBy(both, spoiled(random, made), version === 5 ? 5 : 4, version === 3)
      if (both.calls === calls) continue
      if (read) right++
      else wrong++
    }
    expect(both.differences.slice(0, 5)).toEqual([])
    expect(both.calls).toBe(wanted)
    // Both kinds are many.
    expect(Math.min(right, wrong)).toBeGreaterThan(wanted / 5)
  })

  it("many User Properties cost little, and are left out", () => {
    const properties = Array.from({ length: 3000 }, () => userProperty("name", "value")).flat()
    const length = [
      (properties.length & 0x7f) | 0x80,
      ((properties.length >> 7) & 0x7f) | 0x80,
      properties.length >> 14,
    ]
    const both = compared(mqttPacketCodec, plainCodec)
    expect(readBy(both, packet(0xe0, [0x04, ...length, ...properties]), 5, false)).toBe(true)
    expect(both.differences.slice(0, 5)).toEqual([])
  })

  it("a packet type that no client sends", () => {
    const both = compared(mqttPacketCodec, plainCodec)
    const suback = packet(0x90, [0, 1, 0, 0])
    expect(() => both.readClientPacket(9, suback, 0, 2, suback.length, 5, 1)).toThrow("packet type 9")
    expect(both.differences.slice(0, 5)).toEqual([])
  })
})

const texts = [
  "",
  "a",
  "ä€😀",
  "\ud800x",
  "y".repeat(199),
  "y".repeat(200),
  "y".repeat(201),
  "€".repeat(67),
  "z".repeat(300),
]
const numbers16 = [0, 1, 127, 128, 255, 256, 65_535]
const numbers32 = [...numbers16, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

function anyServerPacket(random: Random, version: ProtocolVersion): ServerPacket {
  const may = <T>(value: T): T | undefined => (random.oneIn(2) ? value : undefined)
  const text = () => may(random.pick(texts))
  const long = () => (random.oneIn(40) ? "l".repeat(65_534 + random.integer(3)) : text())
  const data = () => may(random.bytes(random.integer(300)))
  const codes = (type: number) => {
    const allowed = [...allowedReasonCodes.server.get(type)!]
    const count = random.oneIn(20) ? 1000 : 1 + random.integer(4)
    return Array.from({ length: count }, () => (version === 5 ? random.pick(allowed) : random.pick([0, 1, 2, 0x80])))
  }
  const packetId = random.pick(numbers16.slice(1))
  switch (random.integer(version === 5 ? 5 : 4)) {
    case 0: {
      const sessionPresent = random.oneIn(2)
      if (version === 4) return { type: "connack", sessionPresent, reasonCode: random.integer(6) }
      return {
        type: "connack",
        sessionPresent,
        reasonCode: random.pick([...allowedReasonCodes.server.get(2)!]),
        sessionExpiryInterval: may(random.pick(numbers32)),
        receiveMaximum: may(random.pick(numbers16.slice(1))),
        maximumPacketSize: may(random.pick(numbers32.slice(1))),
        assignedClientIdentifier: text(),
        topicAliasMaximum: may(random.pick(numbers16)),
        maximumQos: may(random.pick([0, 1, 2] as const)),
        retainAvailable: may(random.oneIn(2)),
        wildcardSubscriptionAvailable: may(random.oneIn(2)),
        subscriptionIdentifierAvailable: may(random.oneIn(2)),
        sharedSubscriptionAvailable: may(random.oneIn(2)),
        reasonString: text(),
        serverKeepAlive: may(random.pick(numbers16)),
        responseInformation: long(),
        serverReference: long(),
        authenticationMethod: text(),
        authenticationData: data(),
      } satisfies ConnackPacket
    }
    case 1:
      return { type: "suback", packetId, reasonCodes: codes(9), reasonString: text() }
    case 2:
      return { type: "unsuback", packetId, reasonCodes: version === 5 ? codes(11) : [] }
    case 3:
      return {
        type: "disconnect",
        reasonCode: random.pick([...allowedReasonCodes.server.get(14)!]),
        sessionExpiryInterval: may(random.pick(numbers32)),
        reasonString: text(),
        serverReference: long(),
      } satisfies DisconnectPacket
    default:
      return {
        type: "auth",
        reasonCode: random.pick([0, 0x18]),
        authenticationMethod: text(),
        authenticationData: data(),
      }
  }
}

function whole(text: string): string
function whole(text: string | undefined): string | undefined
function whole(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text).toString()
}

/** What there is of it on the wire: what is too long is left out, and half a character is none. */
function asRead(packet: ServerPacket, version: ProtocolVersion): ServerPacket {
  const within = (most: number, text: string | undefined) =>
    text === undefined || Buffer.byteLength(text) > most ? undefined : whole(text)
  switch (packet.type) {
    case "connack": {
      const { type, sessionPresent, reasonCode } = packet
      if (version === 4) return { type, sessionPresent, reasonCode }
      return {
        ...packet,
        assignedClientIdentifier: whole(packet.assignedClientIdentifier),
        maximumQos: packet.maximumQos === 2 ? undefined : packet.maximumQos,
        reasonString: within(200, packet.reasonString),
        responseInformation: within(65_535, packet.responseInformation),
        serverReference: within(65_535, packet.serverReference),
        authenticationMethod: whole(packet.authenticationMethod),
      }
    }
    case "suback":
      return { ...packet, reasonString: version === 5 ? within(200, packet.reasonString) : undefined }
    case "unsuback":
      return packet
    case "disconnect": {
      const { type, reasonCode, sessionExpiryInterval } = packet
      if (version === 4) return { type, reasonCode: 0 }
      const reasonString = within(200, packet.reasonString)
      return {
        type,
        reasonCode,
        sessionExpiryInterval,
        reasonString,
        serverReference: within(65_535, packet.serverReference),
      }
    }
    case "auth":
      return { ...packet, authenticationMethod: whole(packet.authenticationMethod) }
  }
}

describe("writing", () => {
  it("any packet of the broker, for clients of any size, and what a client reads of it", { timeout: 120_000 }, () => {
    const both = compared(mqttPacketCodec, plainCodec)
    const random = seeded(13, 0)
    const differences: string[] = []
    for (let i = 0; i < 4000; i++) {
      const version = random.oneIn(3) ? 4 : 5
      const made = anyServerPacket(random, version)
      const bytes = both.writeServerPacket(made, version)
      const sizes = [2, 3, 4, 5, bytes.length - 1, bytes.length, bytes.length + 1]
      for (const size of sizes) both.writeServerPacket(made, version, size)
      const bodyStart = bytes[1]! < 0x80 ? 2 : bytes[2]! < 0x80 ? 3 : 4
      const type = bytes[0]! >> 4
      const wanted = told(asRead(made, version))
      const read = told(readServerPacket(type, bytes, bodyStart, bytes.length, version))
      if (read !== wanted) differences.push(`${wanted}\n${read}`)
    }
    expect(both.differences.slice(0, 5)).toEqual([])
    expect(differences.slice(0, 5)).toEqual([])
  })
})
