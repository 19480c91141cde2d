import { describe, expect, it } from "vitest"
import { extension, makeLeaf, makeRoot, withExtension } from "../../../tests/x509/pki.ts"
import { addressText, parseAddress } from "../../bytes/ip-address.ts"
import { asciiToBytes } from "../../bytes/text.ts"
import { derOid, derSequence, derValue } from "../der/der-writer.ts"
import * as Oid from "../der/oids.ts"
import { isHostName } from "./dns-name.ts"
import { matchDnsName, matchNames, nameProblem, referenceHost } from "./name.ts"

describe("RFC 9525 6.3: DNS names", () => {
  it.each([
    ["example.com", "example.com", true],
    ["EXAMPLE.com", "example.COM", true],
    ["example.com", "www.example.com", false],
    ["www.example.com", "example.com", false],
    ["*.example.com", "www.example.com", true],
    ["*.example.com", "xn--bcher-kva.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "a.b.example.com", false],
    ["*.example.com", ".example.com", false],
    ["w*.example.com", "www.example.com", false],
    ["*w.example.com", "www.example.com", false],
    ["www.*.com", "www.example.com", false],
    ["xn--*-kva.example.com", "xn--bcher-kva.example.com", false],
    ["*", "example", false],
    ["*.com", "example.com", false],
    ["*.*.com", "a.b.com", false],
    ["example.com.", "example.com", false],
    ["my_broker.local", "my_broker.local", true],
  ])("%s against %s: %s", (presented, reference, expected) => {
    expect(matchDnsName(presented, reference)).toBe(expected)
  })
})

describe("RFC 9525 6.1: the reference identity", () => {
  it("is a name, without its final dot, or an address", () => {
    expect(referenceHost("Example.COM.")).toEqual({ kind: "dns", name: "example.com" })
    expect(referenceHost("192.0.2.1")).toEqual({ kind: "ip", address: Uint8Array.of(192, 0, 2, 1) })
    expect(referenceHost("[::1]").kind).toBe("ip")
    expect(referenceHost("localhost").kind).toBe("dns")
  })

  it.each([
    "",
    "b\u00fccher.example",
    "a..b",
    "*.example.com",
    "example.com:443",
    "1.2.3",
    "0x7f.1",
    "999.1.1.1",
    "a b",
  ])("%j is none", (text) => {
    expect(() => referenceHost(text)).toThrow(/neither|A-labels/)
  })
})

describe("addresses", () => {
  it.each([
    ["192.0.2.1", "c0000201"],
    ["::", "00000000000000000000000000000000"],
    ["2001:DB8::8a2e:370:7334", "20010db80000000000008a2e03707334"],
    ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
  ])("%s is read", (text, hex) => {
    expect(Buffer.from(parseAddress(text)!).toString("hex")).toBe(hex)
  })

  it.each([
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1.2.3.4:5::",
    "01.2.3.4",
    "1.2.3",
    "1.2.3.256",
    "1.2.3.4.5",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "fe80::1%eth0",
    "::1.2.3",
    "",
  ])("%j is none", (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })

  it.each([
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
  ])("RFC 5952 4: %s is written %s", (text, canonical) => {
    expect(addressText(parseAddress(text)!)).toBe(canonical)
  })
})

describe("the certificate's side", () => {
  const root = makeRoot()

  it("RFC 9525 2: the common name does not count", () => {
    const { certificate } = makeLeaf(root, { names: [], subject: { commonName: "example.com" } })
    expect(nameProblem(certificate, referenceHost("example.com"))?.reason).toBe("no_names")
  })

  it("RFC 9525 6.4: an address matches an iPAddress only", () => {
    const withAddress = makeLeaf(root, { names: ["192.0.2.1", "::1"] }).certificate
    expect(nameProblem(withAddress, referenceHost("192.0.2.1"))).toBeUndefined()
    expect(nameProblem(withAddress, referenceHost("0:0::1"))).toBeUndefined()
    expect(nameProblem(withAddress, referenceHost("192.0.2.2"))?.message).toMatch(
      /is for IP:192.0.2.1, IP:::1, not for 192.0.2.2/,
    )
    const asText = makeLeaf(root, {
      change: withExtension(
        extension(Oid.subjectAltName, false, derSequence(derValue(0x82, asciiToBytes("192.0.2.1")))),
      ),
    }).certificate
    expect(nameProblem(asText, referenceHost("192.0.2.1"))?.reason).toBe("name_mismatch")
  })

  it("RFC 9525 6.5: SRV-ID and URI-ID", () => {
    const srv = derValue(0xa0, derOid(Oid.dnsSrv), derValue(0xa0, derValue(0x16, asciiToBytes("_mqtts.example.com"))))
    const uri = derValue(0x86, asciiToBytes("sip:someone"))
    const uri2 = derValue(0x86, asciiToBytes("mqtts://user@example.com:8883/path"))
    const { certificate } = makeLeaf(root, {
      change: withExtension(extension(Oid.subjectAltName, false, derSequence(srv, uri, uri2))),
    })
    const names = certificate.extensions.subjectAltName!
    expect(matchNames(names, { kind: "srv", service: "mqtts", name: "example.com" })).toBe(true)
    expect(matchNames(names, { kind: "srv", service: "imaps", name: "example.com" })).toBe(false)
    expect(matchNames(names, { kind: "uri", scheme: "MQTTS", name: "example.com" })).toBe(true)
    expect(matchNames(names, { kind: "uri", scheme: "https", name: "example.com" })).toBe(false)
    expect(matchNames(names, { kind: "uri", scheme: "sip", name: "someone" })).toBe(false)
  })
})

describe("RFC 1123 2.1: host names", () => {
  it("have labels of 1 to 63 letters, digits and hyphens, at most 253 in all, and no number last", () => {
    expect(isHostName(`${"a".repeat(63)}.com`)).toBe(true)
    expect(isHostName(`${"a".repeat(64)}.com`)).toBe(false)
    expect(isHostName(`${"a.".repeat(125)}com`)).toBe(true)
    expect(isHostName(`${"a.".repeat(126)}com`)).toBe(false)
    expect(isHostName("-a.com")).toBe(false)
    expect(isHostName("a-.com")).toBe(false)
    expect(isHostName("foo_bar.example.com")).toBe(false)
    expect(isHostName("foo_bar.example.com", true)).toBe(true)
    expect(isHostName("example.1")).toBe(false)
    expect(isHostName("example.0x1")).toBe(false)
  })
})
