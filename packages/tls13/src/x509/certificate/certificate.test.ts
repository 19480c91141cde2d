import { describe, expect, it } from "vitest"
import { extension, makeIntermediate, makeLeaf, makeRoot, withExtension } from "../../../tests/x509/pki.ts"
import { concatBytes } from "../../bytes/concat.ts"
import { fromHex, toHex } from "../../bytes/hex.ts"
import { asciiToBytes } from "../../bytes/text.ts"
import { encodeName } from "../../devcert/names.ts"
import { derNull, derOctetString, derOid, derSequence, derSmall, derValue } from "../der/der-writer.ts"
import * as Oid from "../der/oids.ts"
import { toPem } from "../der/pem.ts"
import { timeText } from "../der/time.ts"
import { nameText } from "../names/distinguished-name.ts"
import { generalNameText } from "../names/general-name.ts"
import { isSelfIssued, parseCertificate, parseCertificates, subjectText } from "./certificate.ts"
import * as KeyUsage from "./key-usage.ts"

const root = makeRoot({ subject: { country: "DE", organization: "Test, Inc.", commonName: "Root" } })

describe("a certificate (RFC 5280 4.1)", () => {
  it("is parsed into what it says, by views of one copy of its bytes", () => {
    const leaf = makeLeaf(root, { names: ["example.com", "*.example.com", "192.0.2.1", "2001:db8::1"] })
    const { certificate } = leaf
    expect(certificate.version).toBe(3)
    expect(nameText(certificate.issuer)).toBe("CN=Root,O=Test\\, Inc.,C=DE")
    expect(certificate.extensions.subjectAltName?.map(generalNameText)).toEqual([
      "DNS:example.com",
      "DNS:*.example.com",
      "IP:192.0.2.1",
      "IP:2001:db8::1",
    ])
    expect(certificate.extensions.keyUsage).toBe(KeyUsage.digitalSignature)
    expect(certificate.extensions.basicConstraints).toEqual({ ca: false, pathLength: undefined })
    expect(certificate.publicKey).toEqual(leaf.publicKey)
    expect(certificate.tbs.buffer).toBe(certificate.der.buffer)
    expect(certificate.der.buffer).not.toBe(leaf.der.buffer)
    expect(timeText(certificate.notBefore)).toBe("2026-05-02 00:00:00 UTC")
    expect(isSelfIssued(root.certificate)).toBe(true)
    expect(isSelfIssued(certificate)).toBe(false)
  })

  it("with bytes after its end is refused", () => {
    expect(() => parseCertificate(concatBytes(root.der, Uint8Array.of(0)))).toThrow(/after its end/)
  })

  it("cut short at any place is refused, and never read past its end", () => {
    for (let length = 0; length < root.der.length; length += 7) {
      expect(() => parseCertificate(root.der.subarray(0, length))).toThrow(/./)
    }
  })

  it("of more bytes than the limit is refused without a look", () => {
    expect(() => parseCertificate(new Uint8Array(65537))).toThrow(/65537 bytes; at most 65536/)
    expect(() => parseCertificate(root.der, root.der.length)).not.toThrow()
    expect(() => parseCertificate(root.der, root.der.length - 1)).toThrow(/at most/)
  })

  it.each([
    ["4.1.2.2: a negative serial number", { serialDer: fromHex("0201ff") }, /negative/],
    ["4.1.2.2: a serial number of 21 octets", { serial: new Uint8Array(21).fill(0x7f) }, /at most 20/],
    ["4.1.2.2: a padded serial number", { serialDer: fromHex("02020001") }, /more octets/],
    ["4.1.1.2: another algorithm inside", { innerAlgorithm: derSequence(derOid("1.2.840.10045.4.3.3")) }, /differ/],
    ["4.1.2.1: version 1 spelt out", { version: 1, extensions: [], after: [] }, undefined],
    ["4.1.2.1: version 4", { version: 4 }, /version is 4/],
    ["4.1.2.9: extensions in version 1", { version: 1 }, /version 1 certificate has extensions/],
    [
      "4.1.2.8: unique identifiers in version 1",
      { version: 1, extensions: [], after: [fromHex("810200ff")] },
      /unique identifiers/,
    ],
    ["something after the extensions", { after: [derNull()] }, /after its end/],
  ])("RFC 5280 %s", (_, contents, problem) => {
    const { der } = makeLeaf(root, contents)
    if (problem === undefined) expect(parseCertificate(der).version).toBe(1)
    else expect(() => parseCertificate(der)).toThrow(problem)
  })

  it("RFC 5280 4.1.2.2: a serial number of 20 octets with the highest bit is accepted", () => {
    expect(parseCertificate(makeLeaf(root, { serial: new Uint8Array(20).fill(0xff) }).der).serialNumber.length).toBe(21)
  })

  it.each([
    ["4.1.2.5.1: without seconds", "170b", "2601010000Z"],
    ["4.1.2.5.1: with an offset", "1711", "260101000000+0000"],
    ["4.1.2.5.2: with a fraction", "1811", "20260101000000.5Z"],
    ["4.1.2.5: the 30th of February", "170d", "260230000000Z"],
    ["4.1.2.5: the 29th of February of a common year", "170d", "260229000000Z"],
    ["4.1.2.5: hour 24", "170d", "260101240000Z"],
    ["4.1.2.5: letters", "170d", "26o101000000Z"],
  ])("RFC 5280 %s is refused", (_, header, text) => {
    const time = concatBytes(fromHex(header), asciiToBytes(text))
    const { der } = makeLeaf(root, { validity: derSequence(time, time) })
    expect(() => parseCertificate(der)).toThrow(/notBefore/)
  })

  it("RFC 5280 4.1.2.5: the century of two digits is 1950 to 2049, leap years are right", () => {
    for (const [text, year] of [
      ["500101000000Z", 1950],
      ["490101000000Z", 2049],
      ["240229235959Z", 2024],
    ] as const) {
      const time = concatBytes(fromHex("170d"), asciiToBytes(text))
      const { notBefore } = parseCertificate(makeLeaf(root, { validity: derSequence(time, time) }).der)
      expect(new Date(notBefore).getUTCFullYear()).toBe(year)
      expect(timeText(notBefore)).toBe(new Date(notBefore).toISOString().replace("T", " ").replace(".000Z", " UTC"))
    }
  })

  it("RFC 5280 4.2: an extension that appears twice is refused", () => {
    const twice = extension("1.2.3.4", false, derNull())
    const { der } = makeLeaf(root, { change: (usual) => [...usual, twice, twice] })
    expect(() => parseCertificate(der)).toThrow(/1.2.3.4 appears twice/)
  })

  it("RFC 5280 4.2: unknown critical extensions are noted, unknown others passed over", () => {
    const { certificate } = makeLeaf(root, {
      change: (usual) => [...usual, extension("1.2.3.4", true, derNull()), extension("1.2.3.5", false, derNull())],
    })
    expect(certificate.extensions.unknownCritical).toEqual(["1.2.3.4"])
  })

  it.each([
    ["4.2.1.12: an empty extKeyUsage", Oid.extKeyUsage, derSequence(), /extKeyUsage is empty/],
    ["4.2.1.6: an empty subjectAltName", Oid.subjectAltName, derSequence(), /no name/],
    ["4.2.1.6: text instead of DER", Oid.subjectAltName, asciiToBytes("example.com"), /subjectAltName/],
    [
      "4.2.1.6: an address of five bytes",
      Oid.subjectAltName,
      derSequence(derValue(0x87, new Uint8Array(5))),
      /5 bytes/,
    ],
    ["7.2: a DNS name in Unicode", Oid.subjectAltName, derSequence(derValue(0x82, fromHex("c3a4"))), /A-labels/],
    ["4.2.1.9: cA FALSE spelt out", Oid.basicConstraints, derSequence(fromHex("010100")), /default FALSE/],
    ["4.2.1.9: a negative path length", Oid.basicConstraints, derSequence(fromHex("0101ff0201ff")), /negative/],
    ["4.2.1.3: key usage with trailing zeros", Oid.keyUsage, fromHex("03020080"), /trailing/],
    [
      "4.2.1.4: a policy twice",
      Oid.certificatePolicies,
      derSequence(derSequence(derOid("1.2.3")), derSequence(derOid("1.2.3"))),
      /twice/,
    ],
    [
      "4.2.1.5: a mapping of anyPolicy",
      Oid.policyMappings,
      derSequence(derSequence(derOid(Oid.anyPolicy), derOid("1.2.3"))),
      /anyPolicy/,
    ],
    ["4.2.1.11: empty policyConstraints", Oid.policyConstraints, derSequence(), /empty/],
    ["4.2.1.10: empty nameConstraints", Oid.nameConstraints, derSequence(), /constrains nothing/],
    ["4.2.1.10: empty subtrees", Oid.nameConstraints, derSequence(derValue(0xa0)), /empty list/],
    ["4.2.2.1: an empty authorityInfoAccess", Oid.authorityInfoAccess, derSequence(), /empty/],
    [
      "4.2.1.2: bytes after a key identifier",
      Oid.subjectKeyIdentifier,
      concatBytes(derOctetString(Uint8Array.of(1)), derNull()),
      /after its end/,
    ],
  ])("RFC 5280 %s is refused", (_, oid, value, problem) => {
    const { der } = makeIntermediate(root, { change: withExtension(extension(oid, false, value)) })
    expect(() => parseCertificate(der)).toThrow(problem)
  })

  it("a key of another kind is no reason to refuse the parsing, but is not usable", () => {
    const spki = derSequence(derSequence(derOid("1.2.840.10040.4.1"), derSmall(1)), fromHex("03020001"))
    const { certificate } = makeLeaf(root, { spki })
    expect(certificate.publicKey).toBeUndefined()
    expect(certificate.keyProblem?.reason).toBe("unsupported_key")
  })

  it("bundles are read in order, and say what is wrong with them", () => {
    const leaf = makeLeaf(root)
    const text = `# the server\n${toPem("CERTIFICATE", leaf.der)}\n${toPem("CERTIFICATE", root.der).replace(/\n/g, "\r\n")}`
    expect(parseCertificates(text).map(subjectText)).toEqual(["CN=example.com", "CN=Root,O=Test\\, Inc.,C=DE"])
    expect(toHex(parseCertificates(leaf.der)[0]!.der)).toBe(toHex(leaf.der))
    expect(() => parseCertificates("")).toThrow(/no certificate/)
    expect(() => parseCertificates(toPem("PRIVATE KEY", derNull()))).toThrow(/no certificate: it is a private key/)
    expect(() => parseCertificates(text.replace("-----END CERTIFICATE-----", ""))).toThrow(/line 2 has no END/)
    expect(() => parseCertificates(text.replace(/MII/, "MI*"))).toThrow(/"\*", which is not base64/)
  })

  const none = { subject: encodeName({}), names: [] }
  const acme = { subject: encodeName({ organization: "Acme" }) }
  const blank = { subject: encodeName({ commonName: "" }), names: [] }
  const san = (name: Uint8Array): ReturnType<typeof withExtension> =>
    withExtension(extension(Oid.subjectAltName, true, derSequence(name)))
  it.each<[string, Parameters<typeof makeLeaf>[1], string | RegExp]>([
    ["a subject, by it", { subject: encodeName({ commonName: "a", organization: "Acme" }) }, "CN=a,O=Acme"],
    ["an empty subject, by its first name", { subject: encodeName({}) }, "example.com"],
    ["an empty subject, by an address", { subject: encodeName({}), names: ["192.0.2.1"] }, "IP:192.0.2.1"],
    [
      "an empty subject, by a name that looks like one",
      { subject: encodeName({}), change: san(derValue(0x82, asciiToBytes("CN=admin"))) },
      "DNS:CN=admin",
    ],
    ["a subject without common name, by its first name too", acme, "O=Acme (DNS:example.com)"],
    [
      "and without names, by its serial number",
      { ...acme, names: [], serial: Uint8Array.of(0x50, 1) },
      "O=Acme (serial number 5001)",
    ],
    [
      "neither subject nor names, by serial number and issuer",
      { ...none, serial: Uint8Array.of(0x50, 1) },
      /^serial number 5001 of CN=Root,O=/,
    ],
    ["an empty common name", { ...blank, serial: Uint8Array.of(0x50, 1) }, /^serial number 5001 of CN=Root,O=/],
    ["an empty common name beside names", { subject: encodeName({ commonName: " " }) }, "example.com"],
  ])("is described with %s", (_, contents, expected) => {
    const { certificate } = makeLeaf(root, contents)
    const text = subjectText(certificate)
    expect(text).toEqual(typeof expected === "string" ? expected : expect.stringMatching(expected))
  })
})
