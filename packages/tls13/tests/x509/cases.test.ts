// The rules one by one, each as a whole chain through the runner of x509-limbo: what it refuses, and beside it what is so like
// it that a rule too coarse would refuse that too. The certificates are made here.

import { describe, expect, it } from "vitest"
import { evaluate } from "../../limbo/evaluate.ts"
import type { PeerName, Testcase } from "../../limbo/schema.ts"
import { asciiToBytes, utf8ToBytes } from "../../src/bytes/text.ts"
import {
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  keyUsage,
  nameConstraints,
  subjectAltName,
} from "../../src/devcert/extensions.ts"
import { type GeneralName, toGeneralName } from "../../src/devcert/names.ts"
import { derNull, derOctetString, derOid, derSequence, derSmall, derValue } from "../../src/x509/der/der-writer.ts"
import { Oid, toPem } from "../../src/x509/index.ts"
import {
  type Contents,
  crlNumber,
  extension,
  type Issued,
  makeCrl,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  now,
  provider,
  withExtension,
  without,
} from "./pki.ts"

interface Chain {
  readonly leaf: Issued
  readonly between?: readonly Issued[]
  readonly trusted?: readonly Issued[]
  readonly name?: PeerName | null
  readonly crls?: readonly Uint8Array[]
  readonly at?: number
  readonly depth?: number
  readonly usage?: string
}

/** `accepted`, or why not. */
function verdict(book: "rfc5280" | "webpki", chain: Chain): string {
  const pem = (issued: Issued): string => toPem("CERTIFICATE", issued.der)
  const testcase: Testcase = {
    id: `${book}::own`,
    features: null,
    description: "",
    validation_kind: "SERVER",
    trusted_certs: (chain.trusted ?? [root]).map(pem),
    untrusted_intermediates: (chain.between ?? []).map(pem),
    peer_certificate: pem(chain.leaf),
    validation_time: new Date(chain.at ?? now).toISOString(),
    key_usage: null,
    extended_key_usage: chain.usage ? [chain.usage] : null,
    expected_result: "SUCCESS",
    expected_peer_name: chain.name === undefined ? { kind: "DNS", value: "example.com" } : chain.name,
    expected_peer_names: null,
    max_chain_depth: chain.depth ?? null,
    crls: (chain.crls ?? []).map((der) => toPem("X509 CRL", der)),
  }
  const { accepted, why } = evaluate(testcase, provider, now, "book")
  return accepted ? "accepted" : why
}

const root = makeRoot()
const ica = makeIntermediate(root)
const day = 86_400_000
const dns = (value: string): GeneralName => ({ type: "dns", value })
const email = (value: string): GeneralName => ({ type: "email", value })
const ip = (...bytes: number[]): GeneralName => ({ type: "ip", value: Uint8Array.from(bytes) })
const permit = (...names: GeneralName[]): Extension => nameConstraints(names)
const exclude = (...names: GeneralName[]): Extension => nameConstraints([], names)
const otherName = derValue(0xa0, derOid("1.3.6.1.4.1.55738.666"), derValue(0xa0, derValue(0x0c, utf8ToBytes("x"))))
const san = (...names: GeneralName[]): Extension => subjectAltName(names)
const rawSan = (value: Uint8Array): Contents => ({ change: withExtension(extension(Oid.subjectAltName, false, value)) })
const named = (kind: PeerName["kind"], value: string): { name: PeerName } => ({ name: { kind, value } })

/** A leaf with these names below an authority with this extension, which is the root or below it. */
function constrained(
  constraint: Extension,
  names: readonly GeneralName[],
  more: Partial<Chain> = {},
  leaf: Contents = {},
): Chain {
  const authority = makeIntermediate(root, { change: withExtension(constraint) })
  const end = makeLeaf(authority, { ...leaf, change: withExtension(san(...names)) })
  return { leaf: end, between: [authority], ...more }
}
const ofRoot = (change: Contents["change"], leaf: Contents = {}): Chain => {
  const own = makeRoot(change ? { change } : {})
  return { leaf: makeLeaf(own, leaf), trusted: [own] }
}

type Case = readonly [title: string, expected: RegExp, chain: () => Chain]
const accepted = /^accepted$/

const nameConstraintCases: Case[] = [
  [
    "a permitted name, labels deeper",
    accepted,
    () => constrained(permit(dns("example.com")), [dns("a.b.example.com")], named("DNS", "a.b.example.com")),
  ],
  [
    "a name that only ends like the permitted one",
    /name_constraints/,
    () => constrained(permit(dns("ample.com")), [dns("example.com")]),
  ],
  [
    "the second of two names excluded",
    /name_constraints/,
    () => constrained(exclude(dns("example.org")), [dns("example.com"), dns("example.org")]),
  ],
  [
    "an excluded IPv6 network",
    /name_constraints/,
    () =>
      constrained(
        exclude(ip(0x20, 1, ...new Array(14).fill(0), 255, 255, ...new Array(14).fill(0))),
        [toGeneralName("2001::1")],
        named("IP", "2001::1"),
      ),
  ],
  [
    "another IPv6 network",
    accepted,
    () =>
      constrained(
        exclude(ip(0x20, 1, ...new Array(14).fill(0), 255, 255, ...new Array(14).fill(0))),
        [toGeneralName("2002::1")],
        named("IP", "2002::1"),
      ),
  ],
  [
    "an IPv4 constraint of 5 bytes",
    /malformed|unknown_issuer/,
    () => constrained(permit(ip(127, 0, 0, 0, 255)), [ip(127, 0, 0, 1)], named("IP", "127.0.0.1")),
  ],
  [
    "an IPv4 mask with a hole",
    /malformed|unknown_issuer/,
    () => constrained(permit(ip(127, 0, 0, 0, 255, 0, 255, 0)), [ip(127, 0, 0, 1)], named("IP", "127.0.0.1")),
  ],
  [
    "an excluded otherName, and one below it",
    /name_constraints/,
    () => {
      const authority = makeIntermediate(root, {
        change: withExtension(
          extension(Oid.nameConstraints, true, derSequence(derValue(0xa1, derSequence(otherName)))),
        ),
      })
      return {
        leaf: makeLeaf(authority, rawSan(derSequence(derValue(0x82, asciiToBytes("example.com")), otherName))),
        between: [authority],
      }
    },
  ],
  [
    "an excluded otherName, and none below it",
    accepted,
    () => {
      const authority = makeIntermediate(root, {
        change: withExtension(
          extension(Oid.nameConstraints, true, derSequence(derValue(0xa1, derSequence(otherName)))),
        ),
      })
      return { leaf: makeLeaf(authority), between: [authority] }
    },
  ],
  [
    "a permitted mail host",
    accepted,
    () => constrained(permit(email("example.com")), [email("a@example.com")], named("RFC822", "a@example.com")),
  ],
  [
    "a mail host is not its subdomains",
    /name_constraints/,
    () => constrained(permit(email("example.com")), [email("a@b.example.com")], named("RFC822", "a@b.example.com")),
  ],
  [
    "a mail domain is its subdomains, not itself",
    /name_constraints/,
    () => constrained(permit(email(".example.com")), [email("a@example.com")], named("RFC822", "a@example.com")),
  ],
  [
    "a permitted mailbox",
    accepted,
    () => constrained(permit(email("a@example.com")), [email("a@EXAMPLE.com")], named("RFC822", "a@EXAMPLE.com")),
  ],
  [
    "another mailbox of its host",
    /name_constraints/,
    () => constrained(permit(email("a@example.com")), [email("b@example.com")], named("RFC822", "b@example.com")),
  ],
  [
    "an asterisk in a mailbox is an asterisk",
    accepted,
    () =>
      constrained(
        permit(email("user*@example.com")),
        [email("user*@example.com")],
        named("RFC822", "user*@example.com"),
      ),
  ],
  [
    "an asterisk in a mailbox is no wildcard",
    /name_constraints/,
    () =>
      constrained(
        permit(email("user*@example.com")),
        [email("user1@example.com")],
        named("RFC822", "user1@example.com"),
      ),
  ],
  [
    "a wildcard that reaches into an excluded name",
    /name_constraints/,
    () => constrained(exclude(dns("foo.example.com")), [dns("*.example.com")], named("DNS", "bar.example.com")),
  ],
  [
    "a wildcard wider than the permitted name",
    /name_constraints/,
    () => constrained(permit(dns("foo.example.com")), [dns("*.example.com")], named("DNS", "foo.example.com")),
  ],
  [
    "a wildcard within the permitted name",
    accepted,
    () => constrained(permit(dns("example.com")), [dns("*.example.com")], named("DNS", "foo.example.com")),
  ],
  [
    "a permitted subject",
    accepted,
    () =>
      constrained(
        permit({ type: "directory", value: { organization: "A" } }),
        [dns("example.com")],
        {},
        { subject: { organization: "A", commonName: "x" } },
      ),
  ],
  [
    "another subject",
    /name_constraints/,
    () =>
      constrained(
        permit({ type: "directory", value: { organization: "A" } }),
        [dns("example.com")],
        {},
        { subject: { organization: "B", commonName: "x" } },
      ),
  ],
  ["in a leaf", /4\.2\.1\.10/, () => ({ leaf: makeLeaf(root, { change: withExtension(permit(dns("example.com"))) }) })],
  [
    "a lower authority that permits more than the one above it",
    /name_constraints/,
    () => {
      const upper = makeIntermediate(root, { change: withExtension(permit(dns("bar.example.com"))) })
      const lower = makeIntermediate(upper, {
        change: withExtension(permit(dns("foo.example.com"), dns("bar.example.com"))),
      })
      return {
        leaf: makeLeaf(lower, { names: ["foo.example.com"] }),
        between: [lower, upper],
        ...named("DNS", "foo.example.com"),
      }
    },
  ],
  [
    "a self-issued authority's own name does not count",
    accepted,
    () => {
      const own = makeRoot({ subject: { commonName: "Self" }, change: withExtension(permit(dns("example.com"))) })
      const self = makeIntermediate(own, {
        subject: { commonName: "Self" },
        change: withExtension(san(dns("other.example"))),
      })
      return { leaf: makeLeaf(self), between: [self], trusted: [own] }
    },
  ],
  [
    "two certificates of one authority, of which one is a dead end",
    accepted,
    () => {
      const upper = makeIntermediate(root, { change: withExtension(exclude(dns("y.example"))) })
      const shared = { key: 8801, subject: { commonName: "Twice" } }
      const dead = makeIntermediate(makeRoot({ subject: { commonName: "Nobody's" } }), {
        ...shared,
        change: withExtension(san(dns("y.example"))),
      })
      const good = makeIntermediate(upper, shared)
      return { leaf: makeLeaf(good), between: [dead, good, upper] }
    },
  ],
  [
    "2,048 constraints and 2,048 names",
    /limit_exceeded|certificate_too_large/,
    () => {
      const many = (count: number, domain: string): GeneralName[] =>
        Array.from({ length: count }, (_, i) => dns(`t${i}.${domain}`))
      return constrained(
        nameConstraints(many(2048, "test"), many(2048, "other")),
        many(2048, "test"),
        named("DNS", "t0.test"),
      )
    },
  ],
  [
    "2,048 attributes in a subject",
    /limit_exceeded/,
    () => {
      const attribute = (i: number): Uint8Array =>
        derValue(0x31, derSequence(derOid("2.5.4.3"), derValue(0x0c, utf8ToBytes(`t${i}.test`))))
      return { leaf: makeLeaf(root, { subject: derSequence(...Array.from({ length: 2048 }, (_, i) => attribute(i))) }) }
    },
  ],
]

const pathCases: Case[] = [
  ["the usual chain", accepted, () => ({ leaf: makeLeaf(ica), between: [ica] })],
  [
    "an intermediate below a pathLenConstraint of 0",
    /path_too_long/,
    () => {
      const short = makeIntermediate(root, { pathLength: 0 })
      const below = makeIntermediate(short)
      return { leaf: makeLeaf(below), between: [short, below] }
    },
  ],
  [
    "the leaf's own pathLenConstraint says nothing: it may be an authority",
    accepted,
    () => {
      const short = makeIntermediate(root, { pathLength: 0 })
      const last = makeIntermediate(short, { pathLength: 0, change: withExtension(san(dns("example.com"))) })
      return { leaf: last, between: [short] }
    },
  ],
  ["one intermediate where one is allowed", accepted, () => ({ leaf: makeLeaf(ica), between: [ica], depth: 1 })],
  [
    "one intermediate where none is allowed",
    /path_too_long/,
    () => ({ leaf: makeLeaf(ica), between: [ica], depth: 0 }),
  ],
  [
    "an expired way beside a good one",
    accepted,
    () => {
      const shared = { key: 8802, subject: { commonName: "Old and new" } }
      const old = makeRoot({ subject: { commonName: "Older" } })
      const expired = makeIntermediate(old, { ...shared, notAfter: now - day })
      const own = makeRoot(shared)
      return { leaf: makeLeaf(own), between: [expired], trusted: [old, own] }
    },
  ],
  [
    "a cross-signed anchor without authorityKeyIdentifier",
    /4\.2\.1\.1/,
    () => {
      const shared = { key: 8803, subject: { commonName: "Cross" } }
      const crossed = makeIntermediate(root, { ...shared, change: without(Oid.authorityKeyIdentifier) })
      return { leaf: makeLeaf(crossed), trusted: [crossed] }
    },
  ],
  [
    "an authority without a subject",
    /4\.1\.2\.[46]/,
    () => {
      const nameless = makeIntermediate(root, { subject: derSequence() })
      return { leaf: makeLeaf(nameless), between: [nameless] }
    },
  ],
  ["a root without basicConstraints", /not_a_ca/, () => ofRoot(without(Oid.basicConstraints))],
  [
    "an intermediate without subjectKeyIdentifier",
    /4\.2\.1\.2/,
    () => {
      const bare = makeIntermediate(root, { change: without(Oid.subjectKeyIdentifier) })
      return { leaf: makeLeaf(bare), between: [bare] }
    },
  ],
  [
    "an intermediate with an unknown critical extension",
    /unknown_critical/,
    () => {
      const odd = makeIntermediate(root, {
        change: withExtension(extension("1.3.6.1.4.1.55738.666.1", true, derNull())),
      })
      return { leaf: makeLeaf(odd), between: [odd] }
    },
  ],
  [
    "an unknown extension that is not critical",
    accepted,
    () => ({ leaf: makeLeaf(root, { change: withExtension(extension("1.3.6.1.4.1.55738.666.1", false, derNull())) }) }),
  ],
  [
    "policyConstraints that are not critical",
    /4\.2\.1\.11/,
    () => {
      const odd = makeIntermediate(root, {
        change: withExtension(extension(Oid.policyConstraints, false, derSequence(derValue(0x80, Uint8Array.of(0))))),
      })
      return { leaf: makeLeaf(odd), between: [odd] }
    },
  ],
  [
    "a leaf for another use",
    /extended_key_usage/,
    () => ({ leaf: makeLeaf(root, { usage: [Oid.clientAuth] }), usage: "serverAuth" }),
  ],
  [
    "a leaf that may sign certificates and is no authority",
    /4\.2\.1\.9/,
    () => ({ leaf: makeLeaf(root, { change: withExtension(keyUsage("keyCertSign")) }) }),
  ],
  [
    "a negative serial number",
    /negative/,
    () => ({ leaf: makeLeaf(root, { serialDer: derValue(0x02, Uint8Array.of(0x80)) }) }),
  ],
  [
    "a serial number of 21 octets",
    /octets/,
    () => ({ leaf: makeLeaf(root, { serial: new Uint8Array(21).fill(0x41) }) }),
  ],
  ["its last second", accepted, () => ({ leaf: makeLeaf(root, { notAfter: now }) })],
  ["its last second and a half", accepted, () => ({ leaf: makeLeaf(root, { notAfter: now }), at: now + 500 })],
  ["one second later", /expired/, () => ({ leaf: makeLeaf(root, { notAfter: now }), at: now + 1000 })],
  ["one second too early", /not_yet_valid/, () => ({ leaf: makeLeaf(root, { notBefore: now }), at: now - 1000 })],
]

const sanCases: Case[] = [
  [
    "an address as a DNS name",
    /4\.2\.1\.6|name_mismatch/,
    () => ({
      leaf: makeLeaf(root, rawSan(derSequence(derValue(0x82, asciiToBytes("127.0.0.1"))))),
      ...named("IP", "127.0.0.1"),
    }),
  ],
  [
    "text that is no DER",
    /malformed|cannot be read|identifier|length/,
    () => ({ leaf: makeLeaf(root, rawSan(asciiToBytes("example.com"))) }),
  ],
  ["no names", /no name/, () => ({ leaf: makeLeaf(root, rawSan(derSequence())) })],
  [
    "an address, exactly",
    accepted,
    () => ({ leaf: makeLeaf(root, { names: ["127.0.0.1"] }), ...named("IP", "127.0.0.1") }),
  ],
  [
    "a name outside ASCII",
    /ASCII/,
    () => ({ leaf: makeLeaf(root, rawSan(derSequence(derValue(0x82, utf8ToBytes("\u{1f61c}.example.com"))))) }),
  ],
  [
    "an A-label",
    accepted,
    () => ({
      leaf: makeLeaf(root, { subject: { commonName: "xn--bcher-kva.example" }, names: ["xn--bcher-kva.example"] }),
      ...named("DNS", "xn--bcher-kva.example"),
    }),
  ],
  [
    "a wildcard for one label",
    accepted,
    () => ({ leaf: makeLeaf(root, { names: ["*.example.com"] }), ...named("DNS", "a.example.com") }),
  ],
  [
    "a wildcard for two labels",
    /name_mismatch/,
    () => ({ leaf: makeLeaf(root, { names: ["*.example.com"] }), ...named("DNS", "a.b.example.com") }),
  ],
  ["a wildcard for no label", /name_mismatch/, () => ({ leaf: makeLeaf(root, { names: ["*.example.com"] }) })],
  [
    "a name with a final dot",
    /4\.2\.1\.6/,
    () => ({ leaf: makeLeaf(root, rawSan(derSequence(derValue(0x82, asciiToBytes("example.com."))))) }),
  ],
]

const crlCases: Case[] = [
  ["that has no cRLNumber", /cRLNumber/, () => ({ leaf: makeLeaf(root), crls: [makeCrl(root, { extensions: [] })] })],
  [
    "of an issuer that may not sign lists",
    /cRLSign/,
    () => {
      const own = makeRoot({ change: withExtension(keyUsage("keyCertSign")) })
      return { leaf: makeLeaf(own), trusted: [own], crls: [makeCrl(own)] }
    },
  ],
  [
    "that revokes an intermediate",
    /it was revoked/,
    () => {
      const gone = makeIntermediate(root, { serial: Uint8Array.of(9) })
      return {
        leaf: makeLeaf(gone),
        between: [gone],
        crls: [makeCrl(root, { revoked: [{ serial: Uint8Array.of(9) }] })],
      }
    },
  ],
  [
    "that is indirect",
    /indirect/,
    () => ({
      leaf: makeLeaf(root, { serial: Uint8Array.of(9) }),
      crls: [
        makeCrl(root, {
          extensions: [
            crlNumber,
            extension(Oid.issuingDistributionPoint, true, derSequence(derValue(0x84, Uint8Array.of(0xff)))),
          ],
        }),
      ],
    }),
  ],
  [
    "with an entry of another certificate's issuer",
    /critical extension/,
    () => ({
      leaf: makeLeaf(root, { serial: Uint8Array.of(9) }),
      crls: [
        makeCrl(root, {
          revoked: [
            {
              serial: Uint8Array.of(1),
              extensions: [extension(Oid.certificateIssuer, true, derSequence(derValue(0xa4, derSequence())))],
            },
          ],
        }),
      ],
    }),
  ],
  [
    "with an unknown critical extension",
    /critical extension/,
    () => ({
      leaf: makeLeaf(root),
      crls: [makeCrl(root, { extensions: [crlNumber, extension("1.2.3.4", true, derNull())] })],
    }),
  ],
  [
    "of tomorrow",
    /valid only from/,
    () => ({ leaf: makeLeaf(root), crls: [makeCrl(root, { thisUpdate: now + day })] }),
  ],
  ["of last week", /renewed/, () => ({ leaf: makeLeaf(root), crls: [makeCrl(root, { nextUpdate: now - day })] })],
  [
    "of another authority",
    accepted,
    () => {
      const other = makeRoot({ subject: { commonName: "Other" } })
      return {
        leaf: makeLeaf(root, { serial: Uint8Array.of(9) }),
        crls: [makeCrl(other, { revoked: [{ serial: Uint8Array.of(9) }] })],
      }
    },
  ],
]

describe.each([
  ["RFC 5280 4.2.1.10: name constraints", nameConstraintCases],
  ["RFC 5280 6.1: paths", pathCases],
  ["RFC 5280 4.2.1.6, RFC 9525: names", sanCases],
  ["RFC 5280 6.3: a revocation list", crlCases],
])("%s", (_title, cases) => {
  it.each(cases)("%s: %s", (_case, expected, chain) => {
    expect(verdict("rfc5280", chain())).toMatch(expected)
  })
})

const subject = { commonName: "example.com" }
const cn = (commonName: string, ...names: string[]): Chain => ({
  leaf: makeLeaf(root, { subject: { commonName }, names }),
  name: null,
})
const spki = (algorithm: Uint8Array, bits: Uint8Array): Uint8Array =>
  derSequence(algorithm, derValue(0x03, Uint8Array.of(0), bits))
const p192 = spki(
  derSequence(derOid(Oid.ecPublicKey), derOid("1.2.840.10045.3.1.1")),
  Uint8Array.of(4, ...new Uint8Array(48)),
)
const dsa = spki(
  derSequence(derOid("1.2.840.10040.4.1"), derSequence(derSmall(7), derSmall(3), derSmall(2))),
  derSmall(4),
)

const webpkiCases: Case[] = [
  ["the usual chain", accepted, () => ({ leaf: makeLeaf(ica, { subject }), between: [ica] })],
  ["no common name", accepted, () => ({ leaf: makeLeaf(root, { subject: { organization: "A" } }) })],
  ["7.1.4.3: an address in hexadecimal", /7\.1\.4\.3/, () => cn("0x7f000001", "127.0.0.1")],
  ["7.1.4.3: an address with leading zeros", /7\.1\.4\.3/, () => cn("127.000.000.001", "127.0.0.1")],
  ["7.1.4.3: an address that RFC 5952 writes shorter", /7\.1\.4\.3/, () => cn("2001:0db8::1", "2001:db8::1")],
  ["7.1.4.3: an address", accepted, () => cn("2001:db8::1", "2001:db8::1")],
  ["an intermediate that is missing", /unknown_issuer/, () => ({ leaf: makeLeaf(ica, { subject }) })],
  [
    "7.1.2.7.6: a critical extKeyUsage",
    /7\.1\.2\.7\.6/,
    () => ({
      leaf: makeLeaf(root, { subject, change: withExtension({ ...extendedKeyUsage(Oid.serverAuth), critical: true }) }),
    }),
  ],
  [
    "7.1.2.7.6: no extKeyUsage",
    /7\.1\.2\.7\.6/,
    () => ({ leaf: makeLeaf(root, { subject, change: without(Oid.extKeyUsage) }) }),
  ],
  ["7.1.3.1: a P-192 leaf", /curve|unsupported_key/, () => ({ leaf: makeLeaf(root, { subject, spki: p192 }) })],
  [
    "7.1.3.1: a P-192 root",
    /unknown_issuer|unsupported_key/,
    () => {
      const weak = makeRoot({ spki: p192 })
      return { leaf: makeLeaf(weak, { subject }), trusted: [weak] }
    },
  ],
  ["7.1.3.1: a DSA leaf", /unsupported_key/, () => ({ leaf: makeLeaf(root, { subject, spki: dsa }) })],
  [
    "7.1.3.1: a DSA root",
    /unknown_issuer|unsupported_key/,
    () => {
      const weak = makeRoot({ spki: dsa })
      return { leaf: makeLeaf(weak, { subject }), trusted: [weak] }
    },
  ],
  ["7.1.3.2.2: P-256 with SHA-384", /7\.1\.3\.2\.2/, () => ({ leaf: makeLeaf(root, { subject, hash: "sha384" }) })],
  [
    "7.1.3.2.2: P-384 with SHA-256",
    /7\.1\.3\.2\.2/,
    () => {
      const own = makeRoot({ curve: "P-384" })
      return { leaf: makeLeaf(own, { subject, hash: "sha256" }), trusted: [own] }
    },
  ],
  [
    "7.1.3.2.2: a P-256 intermediate of a P-384 root, each with its hash",
    accepted,
    () => {
      const own = makeRoot({ curve: "P-384" })
      const between = makeIntermediate(own)
      return { leaf: makeLeaf(between, { subject }), between: [between], trusted: [own] }
    },
  ],
  [
    "7.1.2.5.2: name constraints that are not critical",
    accepted,
    () => {
      const loose = makeIntermediate(root, {
        change: withExtension({ ...permit(dns("example.com")), critical: false }),
      })
      return { leaf: makeLeaf(loose, { subject }), between: [loose] }
    },
  ],
  [
    "7.1.2.7.12: a critical subjectAltName beside a subject",
    /7\.1\.2\.7\.12/,
    () => ({ leaf: makeLeaf(root, { subject, change: withExtension(subjectAltName([dns("example.com")], true)) }) }),
  ],
  [
    "7.1.2.7.12: a critical subjectAltName without a subject",
    accepted,
    () => ({
      leaf: makeLeaf(root, {
        subject: derSequence(),
        change: withExtension(subjectAltName([dns("example.com")], true)),
      }),
    }),
  ],
  [
    "3.2.2.6: a wildcard for a top-level domain",
    /3\.2\.2\.6/,
    () => ({
      leaf: makeLeaf(root, { subject: {}, change: withExtension(subjectAltName([dns("*.com")], true)) }),
      ...named("DNS", "example.com"),
    }),
  ],
  [
    "an address alone",
    accepted,
    () => ({ leaf: makeLeaf(root, { subject, names: ["127.0.0.1"] }), ...named("IP", "127.0.0.1") }),
  ],
  [
    "a name outside ASCII",
    /ASCII/,
    () => ({
      leaf: makeLeaf(root, { subject, ...rawSan(derSequence(derValue(0x82, utf8ToBytes("\u{1f61c}.example.com")))) }),
    }),
  ],
  [
    "7.1.2.1.3: a root whose authorityKeyIdentifier has no keyIdentifier",
    /keyIdentifier/,
    () => ofRoot(withExtension(extension(Oid.authorityKeyIdentifier, false, derSequence())), { subject }),
  ],
  [
    "7.1.2.7.8: an authority as leaf",
    /7\.1\.2\.7\.8/,
    () => ({
      leaf: makeLeaf(root, {
        subject,
        change: (usual) => withExtension(keyUsage("keyCertSign"))(withExtension(basicConstraints(true))(usual)),
      }),
    }),
  ],
]

describe("CA/B Forum: the profile webpki", () => {
  it.each(webpkiCases)("%s: %s", (_case, expected, chain) => {
    expect(verdict("webpki", chain())).toMatch(expected)
  })

  it("an extension value that is an OCTET STRING in an OCTET STRING too many is malformed", () => {
    expect(verdict("webpki", { leaf: makeLeaf(root, rawSan(derOctetString(derSequence()))) })).toMatch(/malformed/)
  })
})
