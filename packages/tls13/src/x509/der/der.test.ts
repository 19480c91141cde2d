import { describe, expect, it } from "vitest"
import { fromHex, toHex } from "../../bytes/hex.ts"
import { Der, readWhole } from "./der.ts"
import { derInteger, derOid, derSequence, derSmall, derValue } from "./der-writer.ts"

const der = (hex: string): Der => new Der(fromHex(hex))

describe("DER (X.690)", () => {
  it.each([
    ["8.1.3.6: an indefinite length", "3080 0000"],
    ["10.1: a long length of less than 128", "308101 00"],
    ["10.1: a length with a leading zero", "30820080"],
    ["a length beyond the end", "3005 020101"],
    ["a length of five octets", "308500000000010"],
    ["nothing at all", ""],
    ["only an identifier", "30"],
    ["another identifier", "3100"],
  ])("%s is refused", (_, hex) => {
    expect(() => der(hex.replace(/\s/g, "").length % 2 ? `${hex}0` : hex).sequence("it")).toThrow(/^it /)
  })

  it("reads lengths of one to four octets", () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65535, 65536]) {
      const bytes = derValue(0x04, new Uint8Array(length))
      expect(readWhole(bytes, "it", (each) => each.octetString("it")).length).toBe(length)
    }
  })

  it.each([
    ["8.3.2: padded with zeros", "02020001"],
    ["8.3.2: padded with ones", "0202ff80"],
    ["8.3.1: empty", "0200"],
  ])("an integer, %s, is refused", (_, hex) => {
    expect(() => der(hex).integer("it")).toThrow(/integer/)
  })

  it("8.3: reads integers, and refuses negative ones where they make no sense", () => {
    expect(toHex(der("02020080").unsigned("it"))).toBe("80")
    expect(der("02017f").small("it")).toBe(127)
    expect(der("02047fffffff").small("it")).toBe(2 ** 31 - 1)
    expect(() => der("0201ff").small("it")).toThrow(/negative/)
    expect(() => der("02050100000000").small("it")).toThrow(/too large/)
  })

  it("11.1: TRUE is 0xff, and 11.5: a default FALSE is left out", () => {
    expect(der("0101ff").boolean("it")).toBe(true)
    expect(der("010100").boolean("it")).toBe(false)
    expect(() => der("010101").boolean("it")).toThrow(/boolean/)
    expect(() => der("0102ff00").boolean("it")).toThrow(/boolean/)
    expect(() => der("010100").defaultFalse("it")).toThrow(/default/)
    expect(der("0500").defaultFalse("it")).toBe(false)
  })

  it("11.2: bit strings have no padding of ones and no trailing zeros", () => {
    expect(der("03020780").namedBits("it")).toBe(1)
    expect(der("03020106").namedBits("it")).toBe(0b1100000)
    expect(der("0303070080").namedBits("it")).toBe(1 << 8)
    expect(der("030100").namedBits("it")).toBe(0)
    expect(() => der("03020001").namedBits("it")).not.toThrow()
    expect(() => der("030207c0").namedBits("it")).toThrow(/padding/)
    expect(() => der("03020080").namedBits("it")).toThrow(/trailing/)
    expect(() => der("03020880").namedBits("it")).toThrow()
    expect(() => der("0300").namedBits("it")).toThrow()
    expect(() => der("03020180").bitString("it")).toThrow(/whole octets/)
  })

  it("8.19: object identifiers, none of them padded or cut short", () => {
    for (const oid of [
      "2.5.29.19",
      "2.5.4.3",
      "1.2.840.113549.1.1.11",
      "0.9.2342.19200300.100.1.25",
      "2.999.1",
      "2.5.29.200",
    ]) {
      expect(new Der(derOid(oid)).oid("it")).toBe(oid)
    }
    expect(() => der("0600").oid("it")).toThrow(/empty/)
    expect(() => der("0603558001").oid("it")).toThrow(/padded/)
    expect(() => der("06025586").oid("it")).toThrow(/cut short/)
    expect(() => der("060b69ffffffffffffffffff7f").oid("it")).toThrow(/too large/)
  })

  it("bytes after the end are refused", () => {
    expect(() => readWhole(fromHex("050000"), "it", (each) => each.null("it"))).toThrow(/1 bytes after its end/)
  })

  it("tags above 30 are refused", () => {
    expect(() => der("1f810100").skip("it")).toThrow(/tag/)
  })

  it("writes what it reads", () => {
    const bytes = derSequence(derSmall(0), derSmall(128), derInteger(fromHex("00ff01")), derInteger(new Uint8Array()))
    expect(toHex(bytes)).toBe("300f02010002020080020300ff01020100")
    const sequence = new Der(bytes).sequence("it")
    expect([sequence.small("a"), sequence.small("b")]).toEqual([0, 128])
    expect(toHex(sequence.unsigned("c"))).toBe("ff01")
    expect(sequence.small("d")).toBe(0)
    sequence.expectEnd("it")
  })
})
