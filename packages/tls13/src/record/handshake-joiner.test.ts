import { describe, expect, it } from "vitest"
import { concatBytes } from "../bytes/concat.ts"
import { fromHex, toHex } from "../bytes/hex.ts"
import { HandshakeJoiner } from "./handshake-joiner.ts"

function message(type: number, length: number): Uint8Array {
  const body = Uint8Array.from({ length }, (_, i) => i + type)
  return concatBytes(Uint8Array.of(type, length >> 16, length >> 8, length), body)
}

function drain(joiner: HandshakeJoiner): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (let next = joiner.next(); next; next = joiner.next()) messages.push(next)
  return messages
}

describe("RFC 9846 5.1: handshake messages share records and are spread over them", () => {
  const messages = [message(8, 2), message(11, 300), message(15, 0), message(20, 32)]
  const stream = concatBytes(...messages)
  const expected = messages.map(toHex)

  it("all in one record", () => {
    const joiner = new HandshakeJoiner(1000)
    joiner.push(stream)
    expect(joiner.isEmpty).toBe(false)
    expect(drain(joiner).map(toHex)).toEqual(expected)
    expect(joiner.isEmpty).toBe(true)
  })

  it("cut in two at every byte; isEmpty only at a message boundary", () => {
    const boundaries = new Set([0, 6, 310, 314, 350])
    for (let cut = 0; cut <= stream.length; cut++) {
      const joiner = new HandshakeJoiner(1000)
      joiner.push(stream.subarray(0, cut))
      const got = drain(joiner)
      expect(joiner.isEmpty).toBe(boundaries.has(cut))
      joiner.push(stream.subarray(cut))
      expect([...got, ...drain(joiner)].map(toHex)).toEqual(expected)
    }
  })

  it("byte by byte", () => {
    const joiner = new HandshakeJoiner(1000)
    const got: Uint8Array[] = []
    for (const byte of stream) {
      joiner.push(Uint8Array.of(byte))
      got.push(...drain(joiner))
    }
    expect(got.map(toHex)).toEqual(expected)
  })

  it("fragments that wait: several before the first next", () => {
    const joiner = new HandshakeJoiner(1000)
    for (let at = 0; at < stream.length; at += 7) joiner.push(stream.subarray(at, at + 7))
    expect(drain(joiner).map(toHex)).toEqual(expected)
  })

  it("a message is a stable array: neither the caller's fragment nor later messages change it", () => {
    const joiner = new HandshakeJoiner(1000)
    const fragment = concatBytes(messages[0]!, messages[1]!.subarray(0, 10))
    joiner.push(fragment)
    const first = joiner.next()!
    fragment.fill(0xee)
    joiner.push(messages[1]!.subarray(10))
    const second = joiner.next()!
    joiner.push(new Uint8Array(100).fill(0xdd))
    expect([first, second].map(toHex)).toEqual(expected.slice(0, 2))
  })

  it("wipe gives up an unfinished message", () => {
    const joiner = new HandshakeJoiner(1000)
    joiner.push(stream.subarray(0, 9))
    joiner.wipe()
    expect(joiner.isEmpty).toBe(true)
    joiner.push(stream)
    expect(drain(joiner).map(toHex)).toEqual(expected)
  })
})

describe("the limit of a handshake message", () => {
  it("at the limit", () => {
    const joiner = new HandshakeJoiner(300)
    joiner.push(message(11, 300))
    expect(joiner.next()).toHaveLength(304)
  })

  it("one past it: refused from the header alone", () => {
    const joiner = new HandshakeJoiner(300)
    joiner.push(message(11, 301).subarray(0, 4))
    expect(() => joiner.next()).toThrow("a handshake message of 301 bytes; 300 are allowed")
    const error = (() => {
      try {
        return joiner.next()
      } catch (caught) {
        return caught
      }
    })()
    expect(error).toMatchObject({
      kind: "LimitExceeded",
      limit: "handshakeMessageSize",
      alert: "illegal_parameter",
    })
  })

  it("the greatest length of a header", () => {
    const joiner = new HandshakeJoiner(2 ** 16)
    joiner.push(Uint8Array.of(11, 0xff, 0xff, 0xff))
    expect(() => joiner.next()).toThrow("16777215 bytes")
  })

  it("a message of 1 MiB in fragments of one byte costs no more than a few copies of it", () => {
    const whole = message(11, 2 ** 20)
    const joiner = new HandshakeJoiner(2 ** 20)
    let copied = 0
    let early = 0
    const set = Uint8Array.prototype.set
    Uint8Array.prototype.set = function (source: ArrayLike<number>, offset?: number) {
      copied += source.length
      set.call(this, source, offset)
    }
    try {
      for (let at = 0; at < whole.length; at++) {
        joiner.push(whole.subarray(at, at + 1))
        if (at < whole.length - 1 && joiner.next() !== undefined) early++
      }
    } finally {
      Uint8Array.prototype.set = set
    }
    expect(early).toBe(0)
    expect(joiner.next()?.length).toBe(whole.length)
    expect(copied).toBeLessThan(4 * whole.length)
  })

  it("keeps no more than the message, however it comes", () => {
    for (const step of [1, 7, 1000, 16_384]) {
      const whole = message(11, 100_000)
      const joiner = new HandshakeJoiner(100_000)
      for (let at = 0; at < whole.length; at += step) joiner.push(whole.subarray(at, at + step))
      const joined = joiner.next()
      expect(joined).toEqual(whole)
      expect(joined?.buffer.byteLength).toBe(whole.length)
    }
  })

  it("has the header judged of a message that is not whole, or too long, and of no other", () => {
    const joiner = new HandshakeJoiner(1000)
    const seen: object[] = []
    const next = () => joiner.next((header) => seen.push(header))
    for (const part of ["180000", "02", "00", "00"]) {
      joiner.push(fromHex(part))
      next()
    }
    expect(seen).toEqual([
      { type: 24, length: 2 },
      { type: 24, length: 2 },
    ])
    joiner.push(fromHex("140003e9"))
    expect(next).toThrow("1001 bytes")
    expect(seen.at(-1)).toEqual({ type: 20, length: 1001 })
    const refuse = () => {
      throw new Error("judged first")
    }
    expect(() => joiner.next(refuse)).toThrow("judged first")
  })
})
