import { describe, expect, it } from "vitest"
import {
  Cursor,
  checkText,
  decodeText,
  encodeText,
  variableByteIntegerLength,
  writeVariableByteInteger,
} from "./bytes.ts"
import { PacketError } from "./errors.ts"

function decode(...bytes: number[]): string {
  return decodeText(Uint8Array.from(bytes), 0, bytes.length)
}

describe("UTF-8 Encoded String (MQTT 5.0 section 1.5.4)", () => {
  it.each(["", "a/b", "Ä€𝄞", "A𪛔", "\ufeffx", "x".repeat(70_000), "é".repeat(9000)])(
    "reads what the platform writes: case %#",
    (value) => {
      const bytes = new TextEncoder().encode(value)
      expect(decodeText(bytes, 0, bytes.length)).toBe(value)
      expect(encodeText(value)).toEqual(bytes)
    },
  )

  it("[MQTT-1.5.4-3] keeps U+FEFF", () => {
    expect(decode(0xef, 0xbb, 0xbf, 0x61)).toBe("\ufeffa")
  })

  it.each([
    ["a lone continuation byte", [0x80]],
    ["an over-long slash", [0xc0, 0xaf]],
    ["an over-long three-byte form", [0xe0, 0x80, 0xaf]],
    ["an over-long four-byte form", [0xf0, 0x80, 0x80, 0xaf]],
    ["a surrogate U+D800", [0xed, 0xa0, 0x80]],
    ["a surrogate U+DFFF", [0xed, 0xbf, 0xbf]],
    ["above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["byte 0xff", [0xff]],
    ["a cut two-byte form", [0x61, 0xc3]],
    ["a cut four-byte form", [0xf0, 0x9f, 0x98]],
    ["a bad third byte", [0xe2, 0x82, 0x41]],
  ])("[MQTT-1.5.4-1] refuses %s", (_what, bytes) => {
    expect(() => decode(...bytes)).toThrow(/MQTT-1\.5\.4-1/)
  })

  it("[MQTT-1.5.4-2] refuses U+0000 in short and long text", () => {
    expect(() => decode(0x61, 0, 0x62)).toThrow(/MQTT-1\.5\.4-2/)
    expect(() => decode(0xc3, 0xa4, 0)).toThrow(/MQTT-1\.5\.4-2/)
  })

  it.each([
    "\u0001",
    "\n",
    "\u001f",
    "\u007f",
    "\u0080",
    "\u009f",
    "\ufdd0",
    "\ufdef",
    "\ufffe",
    "\uffff",
    "\u{1fffe}",
    "\u{10ffff}",
  ])("section 1.5.4: refuses control characters and non-characters, in short and long text: case %#", (character) => {
    for (const around of ["", "a", "ä"]) {
      const bytes = encodeText(`${around}${character}${around}`)
      const refused = expect.objectContaining({ reasonCode: 0x81 })
      expect(() => decodeText(bytes, 0, bytes.length)).toThrow(refused)
      expect(() => checkText(bytes, 0, bytes.length)).toThrow(refused)
    }
  })

  it.each([" ", "~", "\u00a0", "\ufdcf", "\ufdf0", "\ufffd", "\u{1fffd}", "\u{20000}", "\u{10fffd}"])(
    "section 1.5.4: takes their neighbours: case %#",
    (character) => {
      const bytes = encodeText(`a${character}`)
      expect(decodeText(bytes, 0, bytes.length)).toBe(`a${character}`)
    },
  )

  it("agrees with the platform's strict decoder on every two-byte sequence and on samples of longer ones", () => {
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    const bytes = new Uint8Array(4)
    let random = 1
    for (let n = 0; n < 65_536 * 2; n++) {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
      bytes[0] = n & 0xff
      bytes[1] = (n >> 8) & 0xff
      bytes[2] = 0x80 | ((random >> 8) & 0x7f)
      bytes[3] = 0x80 | ((random >> 16) & 0x3f)
      const length = n < 65_536 ? 2 : 4
      const part = bytes.subarray(0, length)
      let expected: string | undefined
      try {
        const decoded = strict.decode(part)
        expected = /[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(decoded) ? undefined : decoded
      } catch {
        expected = undefined
      }
      let got: string | undefined
      try {
        got = decodeText(bytes, 0, length)
      } catch {
        got = undefined
      }
      if (got !== expected) expect({ bytes: [...part], got }).toEqual({ bytes: [...part], got: expected })
    }
  })

  it("writes a lone surrogate as U+FFFD", () => {
    expect([...encodeText("a\ud800b")]).toEqual([0x61, 0xef, 0xbf, 0xbd, 0x62])
  })
})

describe("Variable Byte Integer (section 1.5.5)", () => {
  it.each([0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455])(
    "[MQTT-1.5.5-1] writes and reads %i in the fewest bytes",
    (value) => {
      const out = new Uint8Array(5)
      const end = writeVariableByteInteger(out, 0, value)
      expect(end).toBe(variableByteIntegerLength(value))
      const cursor = new Cursor(out, 0, end)
      expect(cursor.variableByteInteger("n")).toBe(value)
      expect(cursor.done).toBe(true)
    },
  )

  it.each([
    ["a longer form of 0", [0x80, 0x00]],
    ["a longer form of 127", [0xff, 0x80, 0x00]],
    ["five bytes", [0x80, 0x80, 0x80, 0x80, 0x01]],
    ["an open end", [0x80]],
  ])("refuses %s", (_what, bytes) => {
    expect(() => new Cursor(Uint8Array.from(bytes), 0, bytes.length).variableByteInteger("n")).toThrow(PacketError)
  })
})

it("a cursor never reads past its end", () => {
  const bytes = Uint8Array.of(0, 5, 1, 2, 3, 4, 5)
  expect(() => new Cursor(bytes, 0, 6).binary("x")).toThrow(/ends inside x/)
  expect(() => new Cursor(bytes, 0, 1).uint16("y")).toThrow(/ends inside y/)
  expect(() => new Cursor(bytes, 0, 3).uint32("z")).toThrow(/ends inside z/)
  expect(new Cursor(bytes, 0, 7).binary("x")).toBe(2)
})
