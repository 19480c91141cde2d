// Signed certificate timestamps (RFC 6962): Google's vectors, and logs of our own.

import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { concatBytes } from "../../src/bytes/concat.ts"
import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { Pause } from "../../src/bytes/pause.ts"
import { Writer } from "../../src/bytes/writer.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import {
  createAuthority,
  createLeaf,
  type Extension,
  generateKeyPair,
  type Identity,
  type KeyPair,
  privateKeyToPem,
} from "../../src/devcert/index.ts"
import { Pair } from "../../src/testing/pair.ts"
import { timestampList } from "../../src/x509/certificate/other-extensions.ts"
import { contextConstructed } from "../../src/x509/der/der.ts"
import { derOctetString, derOid, derSequence, derSmall, derValue } from "../../src/x509/der/der-writer.ts"
import * as Oid from "../../src/x509/der/oids.ts"
import { toPem } from "../../src/x509/der/pem.ts"
import {
  checkTransparency,
  createCertificateVerifier,
  encodeSpki,
  loadCredential,
  parseCertificate,
  parseCertificates,
  parseSpki,
  singleCredential,
  spkiHash,
  type TransparencyLog,
  type TransparencyRules,
  trustStoreFromPem,
} from "../../src/x509/index.ts"
import type { CertificateVerdict, CertificateVerification, CertificateVerifier } from "../../src/x509/interfaces.ts"
import {
  certificateEntry,
  decodeTimestampList,
  isSignedBy,
  precertificateEntry,
} from "../../src/x509/transparency/timestamp.ts"

const provider = createNobleProvider()
const now = Date.UTC(2026, 10, 30, 12)
const hour = 3_600_000

describe("the vectors of certificate-transparency-go", () => {
  const file = new URL("../../../../test-vectors/certificate-transparency/vectors.json", import.meta.url)
  const vectors: Readonly<Record<string, string>> = JSON.parse(readFileSync(file, "utf8"))
  const certificate = (name: string) => parseCertificates(vectors[name]!)[0]!
  const key = parseSpki(parsePemKey(vectors["logKey"]!))
  const issuer = certificate("authority").spki
  const beside = (name: string) => decodeTimestampList(listOf(fromHex(vectors[name]!)))[0]!
  const within = (name: string) => decodeTimestampList(timestampList(certificate(name).extensions)!)[0]!

  it("a timestamp beside its certificate is right, and a changed one is not", () => {
    const entry = certificateEntry(certificate("certificate"))
    expect(isSignedBy(beside("proof"), entry, key, provider)).toBe(true)
    expect(beside("proof").timestamp).toBe(1_365_181_456_089)
    expect(isSignedBy(beside("invalidProof"), entry, key, provider)).toBe(false)
  })

  it("a timestamp in its certificate is right, and a changed one is not", () => {
    for (const [name, right] of [
      ["embedded", true],
      ["invalidEmbedded", false],
    ] as const) {
      const entry = precertificateEntry(certificate(name), issuer, provider)!
      expect(isSignedBy(within(name), entry, key, provider)).toBe(right)
    }
  })
})

function parsePemKey(pem: string): Uint8Array {
  return new Uint8Array(Buffer.from(pem.replace(/-----.*-----/g, ""), "base64"))
}

function listOf(...timestamps: readonly Uint8Array[]): Uint8Array {
  return new Writer()
    .vector16((list) => {
      for (const each of timestamps) list.vector16(each)
    })
    .finish()
}

/* ---------------------------------------------------------------- logs of our own */

const authority = createAuthority({ now, provider })
const leaf = leafWith()
const verifier = createCertificateVerifier({ trust: trustStoreFromPem(toPem("CERTIFICATE", authority.certificate)) })
const [first, second, stranger] = [0, 1, 2].map(() => generateKeyPair("p256", provider.random)) as [
  KeyPair,
  KeyPair,
  KeyPair,
]
const rsa = generateKeyPair("rsa", provider.random)
const log = ({ publicKey }: KeyPair, more: Partial<TransparencyLog> = {}): TransparencyLog => ({
  key: toPem("PUBLIC KEY", encodeSpki(publicKey)),
  description: publicKey === first.publicKey ? "First" : "Second",
  ...more,
})
const logs = [log(first), log(second)]

/** The same but for the extension of timestamps. */
function leafWith(list?: Uint8Array, like?: Identity, more: Partial<Extension> = {}): Identity {
  const oid = Oid.signedCertificateTimestamps
  const extension = list && { oid, critical: false, value: derOctetString(list), ...more }
  return createLeaf({
    issuer: authority,
    usage: "server",
    names: ["server.test"],
    serialNumber: Uint8Array.of(7),
    now,
    provider,
    ...(like && { keyPair: like }),
    // Not at the end: what stands behind it stays.
    extensions: (usual) => (extension ? [...usual.slice(0, 2), extension, ...usual.slice(2)] : usual),
  })
}

interface Stamp {
  readonly by?: KeyPair
  readonly at?: number
  readonly extensions?: Uint8Array
  readonly version?: number
}

/** A log's timestamp for an entry, as RFC 6962 section 3.2 has it. */
function stamp(
  type: 0 | 1,
  entry: Uint8Array,
  { by = first, at = now - hour, version = 0, ...more }: Stamp = {},
): Uint8Array {
  const { extensions = new Uint8Array(0) } = more
  const time = new Writer()
    .uint32(Math.floor(at / 2 ** 32))
    .uint32(at % 2 ** 32)
    .finish()
  const tail = new Writer().vector16(extensions).finish()
  const signed = concatBytes(Uint8Array.of(0, 0), time, Uint8Array.of(0, type), entry, tail)
  const isRsa = by.publicKey.type === "rsa"
  const algorithm = provider.signatures.find(({ name }) => name === (isRsa ? "rsa_pkcs1_sha256" : "ecdsa_sha256"))!
  const signature = algorithm.sign(by.privateKey, signed, provider.random)
  return new Writer()
    .uint8(version)
    .bytes(spkiHash(encodeSpki(by.publicKey), provider)!)
    .bytes(time)
    .bytes(tail)
    .uint8(4)
    .uint8(isRsa ? 1 : 3)
    .vector16(signature)
    .finish()
}

const ofCertificate = (how?: Stamp, of = leaf): Uint8Array =>
  stamp(0, new Writer().vector24(of.certificate).finish(), how)
const ofPrecertificate = (how?: Stamp): Uint8Array => {
  const hash = spkiHash(encodeSpki(authority.publicKey), provider)!
  return stamp(1, new Writer().bytes(hash).vector24(parseCertificate(leaf.certificate).tbs).finish(), how)
}

function verdict(rules: Partial<TransparencyRules>, list?: Uint8Array, chain = leaf.chain): CertificateVerdict {
  const asked: CertificateVerification = {
    role: "server",
    type: "X509",
    chain,
    serverName: "server.test",
    ocspResponse: undefined,
    signedCertificateTimestamps: list,
    now,
    provider,
  }
  return checkTransparency(verifier, { policy: "require", logs, provider, ...rules }).verify(
    asked,
  ) as CertificateVerdict
}

describe("timestamps that are required", () => {
  it("may come beside the certificate, or in it", () => {
    expect(verdict({}, listOf(ofCertificate()))).toMatchObject({
      accepted: true,
      identity: { signedCertificateTimestamps: [{ source: "handshake", log: "First", timestamp: now - hour }] },
    })
    const withOne = leafWith(listOf(ofPrecertificate()), leaf)
    expect(verdict({}, undefined, withOne.chain)).toMatchObject({
      accepted: true,
      identity: { signedCertificateTimestamps: [{ source: "certificate", log: "First" }] },
    })
  })

  it("are of as many different logs as the application wants", () => {
    const both = listOf(ofCertificate(), ofCertificate({ by: second }))
    expect(verdict({ minimum: 2 }, both).accepted).toBe(true)
    const twice = listOf(ofCertificate(), ofCertificate({ at: now }))
    expect(verdict({ minimum: 1 }, twice).accepted).toBe(true)
    expect(verdict({ minimum: 2 }, twice)).toMatchObject({
      accepted: false,
      alert: "certificate_unknown",
      reason: "timestamps_missing",
      message: expect.stringMatching(/1 known logs, and 2 are wanted/),
    })
    // In the certificate and beside it.
    const withOne = leafWith(listOf(ofPrecertificate({ by: second })), leaf)
    expect(verdict({ minimum: 2 }, listOf(ofCertificate({}, withOne)), withOne.chain).accepted).toBe(true)
  })

  it("are missed", () => {
    expect(verdict({})).toMatchObject({ accepted: false, reason: "timestamps_missing" })
  })

  it("may be by a log with an RSA key", () => {
    expect(verdict({ logs: [log(rsa)] }, listOf(ofCertificate({ by: rsa }))).accepted).toBe(true)
  })

  it("of unknown logs, and of other versions, are ignored", () => {
    const odd = listOf(ofCertificate({ by: stranger }), ofCertificate({ version: 1 }))
    expect(verdict({}, odd)).toMatchObject({
      reason: "timestamps_missing",
      message: expect.stringMatching(/of 0 known logs, and 1 are wanted \(RFC 6962\)$/),
    })
    expect(verdict({}, listOf(ofCertificate({ by: stranger }), ofCertificate())).accepted).toBe(true)
  })

  it("RFC 6962 5.2: are not of the future", () => {
    expect(verdict({}, listOf(ofCertificate({ at: now }))).accepted).toBe(true)
    expect(verdict({}, listOf(ofCertificate({ at: now + 1 })))).toMatchObject({
      accepted: false,
      message: expect.stringMatching(/First is of the future/),
    })
    expect(verdict({}, listOf(ofCertificate({ at: 2 ** 64 - 2048 }))).accepted).toBe(false)
  })

  it("are of the time in which a log counts", () => {
    const bounded = { logs: [log(first, { from: now - hour, until: now - hour })] }
    expect(verdict(bounded, listOf(ofCertificate())).accepted).toBe(true)
    for (const at of [now - hour - 1, now - hour + 1])
      expect(verdict(bounded, listOf(ofCertificate({ at })))).toMatchObject({ reason: "timestamps_missing" })
  })

  it("are of this certificate, and as they were signed", () => {
    const other = leafWith()
    for (const wrong of [
      ofCertificate({}, other),
      ofPrecertificate(),
      ofCertificate().map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
      concatBytes(ofCertificate().subarray(0, 43), Uint8Array.of(2), ofCertificate().subarray(44)),
    ])
      expect(verdict({}, listOf(wrong))).toMatchObject({ message: expect.stringMatching(/First is not signed by it/) })
    const extended = ofCertificate({ extensions: Uint8Array.of(1, 2) })
    expect(verdict({}, listOf(extended)).accepted).toBe(true)
  })

  it("are checked up to 32 of them, and those behind do not count", () => {
    const bad = ofCertificate({ at: now + 1 })
    const after = (count: number) => listOf(...Array.from({ length: count }, () => bad), ofCertificate())
    expect(verdict({}, after(31)).accepted).toBe(true)
    expect(verdict({}, after(32)).accepted).toBe(false)
  })
})

describe("timestamps that are checked if they are there", () => {
  const policy = "ifPresent"

  it("may be missing, or be of unknown logs alone", () => {
    expect(verdict({ policy }).accepted).toBe(true)
    expect(verdict({ policy }, listOf(ofCertificate({ by: stranger }))).accepted).toBe(true)
  })

  it("need one that is good among those of known logs", () => {
    const bad = ofCertificate({ at: now + 1 })
    expect(verdict({ policy }, listOf(bad, ofCertificate())).accepted).toBe(true)
    expect(verdict({ policy }, listOf(bad))).toMatchObject({ alert: "certificate_unknown", reason: "bad_timestamp" })
  })
})

describe("a list of timestamps", () => {
  it("in a certificate that cannot be read is a bad_certificate", () => {
    for (const list of [
      new Uint8Array(0),
      listOf(),
      listOf(ofPrecertificate().subarray(0, -1)),
      Uint8Array.of(...listOf(ofPrecertificate()), 0),
    ]) {
      const { chain } = leafWith(list, leaf)
      for (const policy of ["ifPresent", "require"] as const)
        expect(verdict({ policy }, undefined, chain)).toMatchObject({ alert: "bad_certificate", reason: "malformed" })
      expect(verdict({ policy: "off" }, undefined, chain).accepted).toBe(true)
    }
  })

  it("beside a certificate that cannot be read is a decode_error", () => {
    const cut = listOf(ofCertificate().subarray(0, -1))
    expect(verdict({}, cut)).toMatchObject({ accepted: false, alert: "decode_error", reason: "malformed" })
  })

  it("is nobody's when its extension is critical", () => {
    const { chain } = leafWith(listOf(ofPrecertificate()), leaf, { critical: true })
    expect(verdict({}, undefined, chain)).toMatchObject({ reason: "unknown_critical_extension" })
  })

  it("in an extension that is no OCTET STRING cannot be read, which is nothing to who does not ask", () => {
    const { chain } = leafWith(listOf(ofPrecertificate()), leaf, { value: Uint8Array.of(5, 0) })
    expect(verdict({ policy: "ifPresent" }, undefined, chain)).toMatchObject({
      accepted: false,
      alert: "bad_certificate",
      reason: "malformed",
    })
    expect(verdict({ policy: "off" }, undefined, chain).accepted).toBe(true)
  })
})

describe("what has no timestamps", () => {
  const asked: Omit<CertificateVerification, "type" | "chain"> = {
    role: "server",
    serverName: "server.test",
    ocspResponse: undefined,
    signedCertificateTimestamps: undefined,
    now,
    provider,
  }
  const verifierOf = (inner: CertificateVerifier) => checkTransparency(inner, { policy: "require", logs, provider })

  it("a raw public key needs none", () => {
    const spki = encodeSpki(leaf.publicKey)
    const identity = { type: "RawPublicKey", chain: [spki], path: [], subject: "" } as const
    const said = { accepted: true, publicKey: leaf.publicKey, identity } as const
    const { verify } = verifierOf({ verify: () => said })
    expect(verify({ ...asked, type: "RawPublicKey", chain: [spki] })).toBe(said)
  })

  it("a certificate that an application takes though it cannot be read is refused, and nothing is thrown", () => {
    const unread = parseCertificate(leaf.certificate).der.slice()
    unread[unread.indexOf(0x17) + 2] = 0x58 // of a time
    expect(() => parseCertificate(unread)).toThrow()
    for (const chain of [[unread], [leaf.certificate, unread]]) {
      const identity = { type: "X509", chain, path: chain, subject: "" } as const
      const { verify } = verifierOf({ verify: () => ({ accepted: true, publicKey: leaf.publicKey, identity }) })
      expect(verify({ ...asked, type: "X509", chain })).toMatchObject({ accepted: false, alert: "bad_certificate" })
    }
  })

  it("a certificate of no other extensions was logged without the field of them", () => {
    const extension = derSequence(derOid(Oid.signedCertificateTimestamps), derOctetString(derOctetString(listOf())))
    const entry = (...fields: readonly Uint8Array[]) => {
      const certificate = { ...parseCertificate(leaf.certificate), tbs: derSequence(derSmall(1), ...fields) }
      return precertificateEntry(certificate, encodeSpki(authority.publicKey), provider)
    }
    expect(entry(derValue(contextConstructed(3), derSequence(extension)))).toEqual(entry())
  })
})

describe("the rules", () => {
  it("are checked when they are given", () => {
    const make = (rules: Partial<TransparencyRules>) => () =>
      checkTransparency(verifier, { policy: "require", logs, provider, ...rules })
    expect(make({ minimum: 0 })).toThrow(RangeError)
    expect(make({ minimum: 3 })).toThrow(/3 logs are wanted, and 2 are known/)
    expect(make({ policy: "on" as "off" })).toThrow(RangeError)
    expect(make({ logs: [{ key: "x", description: "Odd" }] })).toThrow(/Odd|PUBLIC KEY/)
    expect(make({ logs: [{ key: Uint8Array.of(1), description: "Odd" }] })).toThrow(/log "Odd" cannot be used/)
    expect(make({ policy: "off", minimum: 0 })()).toBe(verifier)
  })

  it("take a key in base64, as the lists of browsers have it", () => {
    const key = Buffer.from(encodeSpki(first.publicKey)).toString("base64")
    expect(verdict({ logs: [{ key, description: "First" }] }, listOf(ofCertificate())).accepted).toBe(true)
  })

  it("hold for a verifier that pauses", async () => {
    const later = {
      verify: (asked: CertificateVerification) =>
        new Pause(Promise.resolve(verifier.verify(asked) as CertificateVerdict)),
    }
    const answer = checkTransparency(later, { policy: "require", logs, provider }).verify({
      role: "server",
      type: "X509",
      chain: leaf.chain,
      serverName: "server.test",
      ocspResponse: undefined,
      signedCertificateTimestamps: undefined,
      now,
      provider,
    }) as Pause<CertificateVerdict>
    expect(await answer.work).toMatchObject({ accepted: false, reason: "timestamps_missing" })
  })
})

describe("in a handshake", () => {
  const credential = loadCredential({ cert: leaf.certificate, key: privateKeyToPem(leaf.privateKey) })
  const shake = (signedCertificateTimestamps?: Uint8Array) => {
    const server = createServerConfig({
      provider,
      credentials: singleCredential({
        ...credential,
        ...(signedCertificateTimestamps && { signedCertificateTimestamps }),
      }),
    })
    const checked = checkTransparency(verifier, { policy: "require", logs, provider })
    const client = createClientConfig({ provider, serverName: "server.test", verifier: checked })
    return new Pair(new ClientConnection(client, now), new ServerConnection(server, now), now).handshake()
  }

  it("the client asks for them, and takes those that the server has", () => {
    const { client } = shake(listOf(ofCertificate()))
    const [found] = client.connection.info?.peer?.signedCertificateTimestamps ?? []
    expect({ ...found, logId: toHex(found!.logId) }).toEqual({
      source: "handshake",
      log: "First",
      logId: toHex(spkiHash(encodeSpki(first.publicKey), provider)!),
      timestamp: now - hour,
    })
  })

  it("the client refuses a server without", () => {
    expect(shake().client.connection.failure).toMatchObject({
      kind: "CertificateRejected",
      reason: "timestamps_missing",
    })
  })
})
