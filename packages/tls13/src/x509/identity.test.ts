import { describe, expect, it } from "vitest"
import { extension, makeLeaf, makeRoot, provider, withExtension } from "../../tests/x509/pki.ts"
import { toHex } from "../bytes/hex.ts"
import { asciiToBytes } from "../bytes/text.ts"
import { derSequence, derValue } from "./der-writer.ts"
import {
  encodeSpki,
  type IdentityRule,
  identityName,
  identityRules,
  nameText,
  Oid,
  type PeerIdentity,
  spkiHash,
} from "./index.ts"

const root = makeRoot()
const san = (...names: Uint8Array[]): ReturnType<typeof withExtension> =>
  withExtension(extension(Oid.subjectAltName, false, derSequence(...names)))
const email = (text: string): Uint8Array => derValue(0x81, asciiToBytes(text))
const dns = (text: string): Uint8Array => derValue(0x82, asciiToBytes(text))
const uri = (text: string): Uint8Array => derValue(0x86, asciiToBytes(text))

function named(leaf: ReturnType<typeof makeLeaf>, rule: IdentityRule): string {
  const identity: PeerIdentity = {
    type: "X509",
    chain: [leaf.der],
    path: [],
    subject: nameText(leaf.certificate.subject),
  }
  return identityName(identity, rule, provider)
}

describe("a client's certificate becomes a name", () => {
  const device = makeLeaf(root, {
    subject: { organization: "Acme", commonName: "device-7" },
    change: san(email("d7@acme.example"), dns("d7.acme.example"), uri("urn:acme:d7")),
  })

  it.each([
    ["subject-cn", "device-7"],
    ["subject", "CN=device-7,O=Acme"],
    ["san-email", "d7@acme.example"],
    ["san-dns", "d7.acme.example"],
    ["san-uri", "urn:acme:d7"],
    ["spki-sha256", toHex(spkiHash(encodeSpki(device.publicKey), provider)!)],
  ] as const)("by the rule %s", (rule, expected) => {
    expect(identityRules).toContain(rule)
    expect(named(device, rule)).toBe(expected)
  })

  it("only when there is exactly one value", () => {
    expect(() => named(makeLeaf(root, { subject: { organization: "Acme" } }), "subject-cn")).toThrow(
      /has no common name/,
    )
    expect(() => named(makeLeaf(root, { change: san(dns("a.example"), dns("b.example")) }), "san-dns")).toThrow(
      /2 values/,
    )
    expect(() => named(makeLeaf(root, { subject: { commonName: "" } }), "subject-cn")).toThrow(/has no common name/)
    expect(() => named(makeLeaf(root, { subject: { commonName: "a\u0000b" } }), "subject-cn")).toThrow(
      /control characters/,
    )
  })

  it("a raw public key has a hash and nothing else", () => {
    const identity: PeerIdentity = {
      type: "RawPublicKey",
      chain: [encodeSpki(device.publicKey)],
      path: [],
      subject: "",
    }
    expect(identityName(identity, "spki-sha256", provider)).toMatch(/^[0-9a-f]{64}$/)
    expect(() => identityName(identity, "subject-cn", provider)).toThrow(/use the rule spki-sha256/)
  })
})
