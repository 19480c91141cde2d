// haproxy.org, proxy-protocol.txt: sections 2.1 (version 1) and 2.2 (version 2).

import { describe, expect, it } from "vitest"
import {
  crc32c,
  longestProxyBlock,
  longestProxyLine,
  type ProxyHeader,
  ProxyProtocolError,
  readProxyHeader,
} from "./proxy-protocol.ts"

const ascii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"))
const signature = "0d0a0d0a000d0a515549540a"
const uint16 = (value: number) => value.toString(16).padStart(4, "0")

/** A header of version 2. @param head its bytes 13 and 14 @param block what follows the length, in hexadecimal */
const block = (head: string, rest: string) => hex(`${signature} ${head} ${uint16(hex(rest).length)} ${rest}`)

const v4 = "c0000201 c6336402 c822 01bb"
const v6 = "20010db8000000000000000000000001 20010db8000000000000000000000002 c822 01bb"
const source4 = { address: "192.0.2.1", port: 51_234 }
const source6 = { address: "2001:db8::1", port: 51_234 }

const good: [string, Uint8Array, ProxyHeader["source"]][] = [
  ["TCP4", ascii("PROXY TCP4 192.0.2.1 198.51.100.2 51234 443\r\n"), source4],
  ["TCP6", ascii("PROXY TCP6 2001:db8::1 2001:db8::2 51234 443\r\n"), source6],
  ["TCP6 in another form", ascii("PROXY TCP6 2001:0DB8:0::0:1 2001:db8::2 51234 443\r\n"), source6],
  ["TCP6 with IPv4 in it", ascii("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:1.2.3.4 51234 443\r\n"), source4],
  ["TCP6 with IPv4 in it, in hexadecimal", ascii("PROXY TCP6 0:0:0:0:0:FFFF:C000:201 ::1 51234 443\r\n"), source4],
  ["UNKNOWN", ascii("PROXY UNKNOWN\r\n"), undefined],
  ["UNKNOWN with what is ignored", ascii("PROXY UNKNOWN ffff:f...f:ffff whatever 65536\r\n"), undefined],
  [
    "the longest line",
    ascii(`PROXY UNKNOWN ${"f".repeat(longestProxyLine - "PROXY UNKNOWN \r\n".length)}\r\n`),
    undefined,
  ],
  ["ports 0 and 65535", ascii("PROXY TCP4 192.0.2.1 198.51.100.2 0 65535\r\n"), { ...source4, port: 0 }],
  ["v2 PROXY TCP over IPv4", block("2111", v4), source4],
  ["v2 PROXY TCP over IPv6", block("2121", v6), source6],
  [
    "v2 an IPv4 address in IPv6 form",
    block("2121", `00000000000000000000ffffc0000201 00000000000000000000ffffc6336402 c82201bb`),
    source4,
  ],
  ["v2 PROXY Unix", block("2131", "00".repeat(216)), undefined],
  ["v2 PROXY of unknown family, with anything", block("2100", "0102"), undefined],
  ["v2 LOCAL", block("2000", ""), undefined],
  ["v2 LOCAL: the rest is ignored", block("20ff", "deadbeef"), undefined],
  ["v2 TLVs are skipped", block("2111", `${v4} 02 0003 616263 04 0000 20 0001 00`), source4],
  [
    "v2 the longest block",
    block("2111", `${v4} 04 ${uint16(longestProxyBlock - 15)} ${"00".repeat(longestProxyBlock - 15)}`),
    source4,
  ],
]

function withChecksum(change = 0): Uint8Array {
  const header = block("2111", `${v4} 03 0004 00000000`)
  const sum = crc32c(header) + change
  header.set([sum >>> 24, sum >>> 16, sum >>> 8, sum], header.length - 4)
  return header
}

describe("what is a header", () => {
  it.each(good)("%s", (_, header, source) => {
    expect(readProxyHeader(header)).toEqual({ length: header.length, source })
    // What follows is the client's.
    expect(readProxyHeader(Uint8Array.of(...header, 22, 3, 1))).toEqual({ length: header.length, source })
  })

  it.each(good)("%s: cut at each byte, more is needed", (_, header) => {
    for (let length = 0; length < header.length; length++)
      expect(readProxyHeader(header.subarray(0, length)), `${length} bytes`).toBeUndefined()
  })

  it("CRC-32C: the check value, a right one and a wrong one", () => {
    expect(crc32c(ascii("123456789"))).toBe(0xe306_9283)
    expect(readProxyHeader(withChecksum())?.source).toEqual(source4)
    expect(() => readProxyHeader(withChecksum(1))).toThrow("checksum")
  })
})

describe("what is none", () => {
  it.each<[string, Uint8Array, string]>([
    ["a ClientHello", hex("160301"), "is missing: a TLS handshake came instead"],
    ["a CONNECT packet", hex("100d00044d515454"), "is missing"],
    ["an HTTP request", ascii("GET /mqtt HTTP/1.1\r\n"), "is missing"],
    ["lower case", ascii("proxy TCP4"), "is missing"],
    ["another method with P", ascii("PUT "), "is missing"],
    ["another family", ascii("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"), "no family"],
    ["nothing", ascii("PROXY \r\n"), "no family"],
    ["UNKNOWN and more of the word", ascii("PROXY UNKNOWNS\r\n"), "no family"],
    ["a port too few", ascii("PROXY TCP4 192.0.2.1 198.51.100.2 51234\r\n"), "six fields"],
    ["two spaces", ascii("PROXY TCP4 192.0.2.1  198.51.100.2 51234 443\r\n"), "six fields"],
    ["a space at the end", ascii("PROXY TCP4 192.0.2.1 198.51.100.2 51234 443 \r\n"), "six fields"],
    ["an address with a leading zero", ascii("PROXY TCP4 192.0.2.01 198.51.100.2 51234 443\r\n"), "address"],
    ["an IPv6 address as TCP4", ascii("PROXY TCP4 ::1 ::1 51234 443\r\n"), "address"],
    ["an IPv4 address as TCP6", ascii("PROXY TCP6 192.0.2.1 ::1 51234 443\r\n"), "address"],
    ["a zone", ascii("PROXY TCP6 fe80::1%eth0 ::1 51234 443\r\n"), "address"],
    ["a name", ascii("PROXY TCP4 localhost 198.51.100.2 51234 443\r\n"), "address"],
    ["a port of 65536", ascii("PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n"), "port"],
    ["a port with a leading zero", ascii("PROXY TCP4 192.0.2.1 198.51.100.2 051 443\r\n"), "port"],
    ["a port with a sign", ascii("PROXY TCP4 192.0.2.1 198.51.100.2 +51 443\r\n"), "port"],
    ["another port that is none", ascii("PROXY TCP4 192.0.2.1 198.51.100.2 51 -1\r\n"), "port"],
    ["a line feed alone", ascii("PROXY UNKNOWN\n"), "CR LF"],
    ["a carriage return alone", ascii("PROXY UNKNOWN\rX"), "CR LF"],
    ["a control character", ascii("PROXY UNKNOWN \u0007"), "CR LF"],
    ["a byte above ASCII", Uint8Array.of(...ascii("PROXY UNKNOWN "), 0xe9), "CR LF"],
    ["a line that is one byte too long", ascii(`PROXY UNKNOWN ${"f".repeat(92)}\r\n`), "longer than 107 bytes"],
    ["a line without end", ascii(`PROXY UNKNOWN ${"f".repeat(93)}`), "longer than 107 bytes"],
    ["v2 that says version 1", hex(`${signature} 11`), "version 1"],
    ["v2 that says version 3", hex(`${signature} 31`), "version 3"],
    ["v2 with an unknown command", hex(`${signature} 22`), "command 2"],
    ["v2 with an unknown family", block("2141", v4), "0x41"],
    ["v2 with datagrams", block("2112", v4), "0x12"],
    ["v2 too short for IPv4", block("2111", v4.slice(0, -2)), "too short"],
    ["v2 too short for IPv6", block("2121", v4), "too short"],
    ["v2 with half a TLV", block("2111", `${v4} 02 00`), "within a TLV"],
    ["v2 with a TLV that is longer than the header", block("2111", `${v4} 02 0004 616263`), "within a TLV"],
    ["v2 with a checksum of three bytes", block("2111", `${v4} 03 0003 616263`), "checksum"],
    ["v2 one byte too long", hex(`${signature} 2111 ${uint16(longestProxyBlock + 1)}`), "longer than 4112 bytes"],
  ])("%s", (_, bytes, message) => {
    expect(() => readProxyHeader(bytes)).toThrow(ProxyProtocolError)
    expect(() => readProxyHeader(bytes)).toThrow(message)
  })

  it("any bytes: an answer or a ProxyProtocolError, and never more than the longest header is asked for", () => {
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    for (let n = 0; n < 20_000; n++) {
      const [, start] = good[random(good.length)]!
      const bytes = start.slice(0, 200)
      for (let change = 0; change < 3; change++) bytes[random(bytes.length)] = random(256)
      try {
        const header = readProxyHeader(bytes)
        if (header !== undefined) expect(header.length).toBeLessThanOrEqual(bytes.length)
      } catch (error) {
        expect(error).toBeInstanceOf(ProxyProtocolError)
      }
    }
    for (const start of [ascii("PROXY UNKNOWN "), block("2111", v4).subarray(0, 14)]) {
      const long = new Uint8Array(16 + longestProxyBlock).fill(0x66)
      long.set(start)
      expect(() => readProxyHeader(long)).toThrow("longer than")
    }
  })
})
