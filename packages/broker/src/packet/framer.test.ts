import { describe, expect, it } from "vitest"
import { packet, publishBytes, variable } from "../../tests/harness.ts"
import { PacketError } from "./errors.ts"
import { Framer } from "./framer.ts"
import { ReasonCode } from "./reason-codes.ts"

function open(limit = 1_000_000): Framer {
  const framer = new Framer(limit)
  framer.connectOnly = false
  return framer
}

function frames(framer: Framer, chunks: readonly Uint8Array[]): string[] {
  const found: string[] = []
  for (const chunk of chunks) {
    framer.push(chunk)
    while (framer.next()) {
      const whole = framer.bytes.subarray(framer.start, framer.end)
      expect(framer.header).toBe(whole[0])
      expect(framer.end - framer.bodyStart).toBe(whole.length - 1 - variable(framer.end - framer.bodyStart).length)
      found.push(Buffer.from(whole).toString("hex"))
    }
  }
  return found
}

const stream = [
  packet(0xc0, []),
  publishBytes(4, "a", "x"),
  publishBytes(5, "topic/long", "y".repeat(300), { qos: 1, packetId: 7 }),
  packet(0xd0, []),
  publishBytes(4, "b", "z".repeat(20_000)),
  packet(0x40, [0, 1]),
]
const expected = stream.map((one) => Buffer.from(one).toString("hex"))
const joined = Uint8Array.from(Buffer.concat(stream))

describe("framing", () => {
  it("is the same in one chunk and in chunks of any size", () => {
    for (const size of [1, 2, 3, 5, 7, 64, 299, 300, 301, 4096, 5000, joined.length]) {
      const chunks: Uint8Array[] = []
      for (let at = 0; at < joined.length; at += size) chunks.push(joined.slice(at, at + size))
      expect(frames(open(), chunks)).toEqual(expected)
    }
  })

  it("is the same wherever a single cut falls", () => {
    const short = Uint8Array.from(Buffer.concat(stream.slice(0, 4)))
    for (let cut = 0; cut <= short.length; cut++) {
      expect(frames(open(), [short.slice(0, cut), short.slice(cut)])).toEqual(expected.slice(0, 4))
    }
  })

  it("keeps what was not asked for yet when more is pushed", () => {
    const framer = open()
    framer.push(joined.slice(0, 40))
    expect(framer.next()).toBe(true)
    framer.push(joined.slice(40))
    let count = 1
    while (framer.next()) count++
    expect(count).toBe(stream.length)
    expect(framer.buffered).toBe(0)
  })

  it("[MQTT-3.2.2-15] takes a packet at the limit and refuses one byte more from its header alone", () => {
    const atLimit = packet(0x30, new Array<number>(126).fill(0))
    const framer = open(128)
    expect(frames(framer, [atLimit])).toHaveLength(1)
    framer.push(Uint8Array.of(0x30, 127))
    expect(() => framer.next()).toThrow(expect.objectContaining({ reasonCode: ReasonCode.PacketTooLarge }))
  })

  it("does not allocate what a header only promises", () => {
    const framer = open(200_000_000)
    framer.push(Uint8Array.of(0x30, ...variable(100_000_000), 0))
    expect(framer.next()).toBe(false)
    expect(framer.buffered).toBe(6)
  })

  it.each([
    ["packet type 0", [0x00, 0], /reserved/],
    ["PUBACK with flags", [0x41, 2], /MQTT-2\.1\.3-1/],
    ["SUBSCRIBE without its flags", [0x80, 2], /MQTT-2\.1\.3-1/],
    ["PINGREQ with flags", [0xc1, 0], /MQTT-2\.1\.3-1/],
    ["DISCONNECT with flags", [0xe8, 0], /MQTT-2\.1\.3-1/],
    ["PINGREQ with a body", [0xc0, 1], /no body/],
    ["QoS 3", [0x36, 0], /MQTT-3\.3\.1-4/],
    ["QoS 0 with DUP", [0x38, 0], /MQTT-3\.3\.1-2/],
    ["a longer form of Remaining Length 0", [0xc0, 0x80, 0x00], /MQTT-1\.5\.5-1/],
    ["five bytes of Remaining Length", [0x30, 0x80, 0x80, 0x80, 0x80, 1], /four bytes/],
  ])("refuses %s", (_what, bytes, message) => {
    const framer = open()
    framer.push(Uint8Array.from(bytes))
    expect(() => framer.next()).toThrow(message)
    expect(() =>
      frames(
        open(),
        [...bytes].map((byte) => Uint8Array.of(byte)),
      ),
    ).toThrow(PacketError)
  })

  it.each([
    ["HTTP", "GET / HTTP/1.1\r\n", /speaks HTTP/],
    ["TLS", "\x16\x03\x01\x02\x00", /speaks TLS/],
    ["PINGREQ", "\xc0\x00", /first packet is not CONNECT/],
    ["CONNECT with flags", "\x11\x00", /reserved flags of CONNECT/],
  ])("[MQTT-3.1.0-1] tells what came instead of CONNECT: %s", (_what, bytes, message) => {
    const framer = new Framer(1000)
    framer.push(Uint8Array.from(Buffer.from(bytes, "latin1")))
    expect(() => framer.next()).toThrow(message)
  })
})
