import { describe, expect, it } from "vitest"
import {
  extension,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  now,
  provider,
  withExtension,
} from "../../../tests/x509/pki.ts"
import { toHex } from "../../bytes/hex.ts"
import { Pause } from "../../bytes/pause.ts"
import { asciiToBytes } from "../../bytes/text.ts"
import { nameConstraints } from "../../devcert/extensions.ts"
import type { NameAttributes } from "../../devcert/names.ts"
import { derSequence, derValue } from "../der/der-writer.ts"
import {
  type CertificateVerification,
  createCertificateVerifier,
  encodeSpki,
  type IdentityRule,
  identityName,
  identityRules,
  nameText,
  Oid,
  type PeerIdentity,
  spkiHash,
  TrustStore,
  trustAnchor,
} from "../index.ts"

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

describe("RFC 5280 4.2.1.10: a name by which clients are known does not escape the constraints of its path", () => {
  type Subtree = Parameters<typeof nameConstraints>[0][number]
  const tenant: Subtree = { type: "dns", value: "tenant1.example" }

  /** Why a client is refused, whose authority has these constraints. */
  function refused(
    rule: IdentityRule,
    constraints: { permitted?: Subtree[]; excluded?: Subtree[] } | undefined,
    subject: NameAttributes,
    ...names: Uint8Array[]
  ): string {
    const { permitted = [], excluded = [] } = constraints ?? {}
    const ca = makeIntermediate(root, constraints && { change: withExtension(nameConstraints(permitted, excluded)) })
    const leaf = makeLeaf(ca, {
      usage: [Oid.clientAuth],
      subject,
      ...(names.length > 0 ? { change: san(...names) } : { names: [] }),
    })
    const verifier = createCertificateVerifier({ trust: new TrustStore([trustAnchor(root.der)]), identity: rule })
    const verdict = verifier.verify(clientsChain(leaf, ca))
    if (verdict instanceof Pause) throw new Error("the verifier answers at once")
    return verdict.accepted ? "accepted" : `${verdict.reason} ${verdict.alert}: ${verdict.message}`
  }

  const admin = { commonName: "admin" }
  const limited = { permitted: [tenant] }

  it("subject-cn: admin of an authority for tenant1.example is not admin", () => {
    expect(refused("subject-cn", undefined, admin)).toBe("accepted")
    expect(refused("subject-cn", limited, admin)).toMatch(/^name_constraints bad_certificate: .*common name/)
    expect(refused("subject-cn", limited, admin, dns("a.tenant1.example"))).toMatch(/^name_constraints/)
    const organization = { permitted: [{ type: "directory", value: { organization: "Acme" } }] } satisfies {
      permitted: Subtree[]
    }
    expect(refused("subject-cn", organization, { ...admin, organization: "Acme" })).toMatch(/^name_constraints/)
  })

  it("subject-cn: a common name that is a host is held to the DNS subtrees, as OpenSSL does", () => {
    expect(refused("subject-cn", limited, { commonName: "device.tenant1.example" })).toBe("accepted")
    expect(refused("subject-cn", limited, { commonName: "device.tenant2.example" })).toMatch(/^name_constraints/)
    const excluded = { excluded: [tenant] }
    expect(refused("subject-cn", excluded, { commonName: "device.tenant1.example" })).toMatch(/^name_constraints/)
    expect(refused("subject-cn", excluded, { commonName: "device.tenant2.example" })).toBe("accepted")
    expect(refused("subject-cn", excluded, admin)).toBe("accepted")
  })

  it.each([
    ["san-email", email("admin@tenant2.example"), { type: "email", value: "tenant2.example" }],
    ["san-uri", uri("https://tenant2.example/admin"), { type: "uri", value: "tenant2.example" }],
  ] as const)("%s: constraints of another form leave it free, so it is refused", (rule, name, own) => {
    expect(refused(rule, undefined, admin, name)).toBe("accepted")
    expect(refused(rule, limited, admin, name)).toMatch(/^name_constraints/)
    expect(refused(rule, { permitted: [tenant, own] }, admin, name)).toBe("accepted")
    expect(refused(rule, { excluded: [tenant] }, admin, name)).toBe("accepted")
  })

  it("subject: only directoryName subtrees constrain it", () => {
    const subject = { organization: "Acme", commonName: "admin" }
    const acme = { type: "directory", value: { organization: "Acme" } } as const
    expect(refused("subject", limited, subject)).toMatch(/^name_constraints/)
    expect(refused("subject", { permitted: [acme] }, subject)).toBe("accepted")
    expect(refused("subject", { permitted: [acme] }, { ...subject, organization: "Other" })).toMatch(
      /^name_constraints/,
    )
  })

  it("san-dns is held to the DNS subtrees by the path itself, and a key is nobody's to constrain", () => {
    expect(refused("san-dns", limited, admin, dns("a.tenant1.example"))).toBe("accepted")
    expect(refused("san-dns", limited, admin, dns("a.tenant2.example"))).toMatch(/^name_constraints/)
    expect(refused("san-dns", limited, admin)).toMatch(/^name_constraints/)
    expect(refused("spki-sha256", limited, admin)).toBe("accepted")
  })

  it("what the application permits an anchor counts too", () => {
    const leaf = makeLeaf(root, { usage: [Oid.clientAuth], subject: admin, names: ["a.tenant1.example"] })
    const trust = new TrustStore([trustAnchor(root.der, { permittedNames: ["tenant1.example"] })])
    const verdict = (rule: IdentityRule) =>
      createCertificateVerifier({ trust, identity: rule }).verify(clientsChain(leaf))
    expect(verdict("san-dns")).toMatchObject({ accepted: true })
    expect(verdict("subject-cn")).toMatchObject({ accepted: false, reason: "name_constraints" })
  })
})

function clientsChain(...chain: { der: Uint8Array }[]): CertificateVerification {
  return {
    role: "client",
    type: "X509",
    chain: chain.map(({ der }) => der),
    serverName: undefined,
    ocspResponse: undefined,
    signedCertificateTimestamps: undefined,
    now,
    provider,
  }
}
