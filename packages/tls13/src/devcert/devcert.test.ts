import { execFileSync } from "node:child_process"
import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createNobleProvider } from "../crypto/noble/index.ts"
import * as Oid from "../x509/der/oids.ts"
import { toPem } from "../x509/der/pem.ts"
import { CrlStore, parseCertificate, parseCrls } from "../x509/index.ts"
import {
  basicConstraints,
  certificateToPem,
  chainToPem,
  createAuthority,
  createDevelopmentCertificates,
  createLeaf,
  createRevocationList,
  encodeTime,
  type Identity,
  type KeyType,
  keyUsage,
  privateKeyToPem,
  subjectAltName,
  toGeneralName,
} from "./index.ts"

const now = Date.UTC(2026, 10, 24, 12)
const day = 86_400_000
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const parsed = (identity: Identity): X509Certificate => new X509Certificate(certificateToPem(identity))

/** The `openssl` command, where there is one: a second opinion beside node:crypto. */
const openssl = hasOpenssl()

describe("development certificates", () => {
  const names = ["localhost", "127.0.0.1", "::1", "Broker.Example.COM", "*.example.com"]

  for (const keyType of ["ed25519", "p256", "p384", "p521", "rsa"] satisfies KeyType[]) {
    it(`are a working authority, server and client with ${keyType} keys`, () => {
      const made = createDevelopmentCertificates({ names, clientName: "sensor-7", keyType, now })
      const ca = new X509Certificate(made.caCert)
      const server = new X509Certificate(made.serverCert)
      const client = new X509Certificate(made.clientCert!)

      expect(ca.ca).toBe(true)
      expect(ca.checkIssued(ca)).toBe(true)
      expect(ca.verify(ca.publicKey)).toBe(true)
      for (const leaf of [server, client]) {
        expect(leaf.ca).toBe(false)
        expect(leaf.checkIssued(ca)).toBe(true)
        expect(leaf.verify(ca.publicKey)).toBe(true)
      }
      expect(ca.checkPrivateKey(createPrivateKey(made.caKey))).toBe(true)
      expect(server.checkPrivateKey(createPrivateKey(made.serverKey))).toBe(true)
      expect(client.checkPrivateKey(createPrivateKey(made.clientKey!))).toBe(true)

      expect(server.subjectAltName).toBe(
        "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:broker.example.com, DNS:*.example.com",
      )
      expect(server.checkHost("broker.example.com")).toBe("broker.example.com")
      expect(server.checkIP("127.0.0.1")).toBe("127.0.0.1")
      expect(server.keyUsage).toEqual([Oid.serverAuth])
      expect(client.keyUsage).toEqual([Oid.clientAuth])
      expect(client.subject).toBe("CN=sensor-7")
    })
  }

  it("are P-256 and of 397 days when nothing else is asked for, and the authority's of ten years", () => {
    const made = createDevelopmentCertificates({ names: ["localhost"], now })
    const server = new X509Certificate(made.serverCert)
    expect(server.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1")
    expect(Date.parse(server.validFrom)).toBe(now - 3_600_000)
    expect(Date.parse(server.validTo)).toBe(now + 397 * day)
    expect(Date.parse(new X509Certificate(made.caCert).validTo)).toBe(now + 3650 * day)
    expect(made.clientCert).toBeUndefined()
    expect(made.clientKey).toBeUndefined()
  })

  it("refuse a name that is neither a host name nor an address, and no name at all", () => {
    expect(() => createDevelopmentCertificates({ names: [], now })).toThrow(/at least one/)
    for (const name of [
      "",
      "a b",
      "bücher.example",
      "256.1.1.1",
      "1.2.3",
      "a..b",
      "-a.example",
      "http://a",
      `${"a".repeat(64)}.b`,
    ]) {
      expect(() => createDevelopmentCertificates({ names: [name], now }), name).toThrow(RangeError)
    }
  })

  it("have another serial number each, positive and of 16 bytes (RFC 5280 4.1.2.2)", () => {
    const serials = Array.from({ length: 8 }, () => parsed(createAuthority({ now })).serialNumber)
    expect(new Set(serials).size).toBe(8)
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/)
  })

  it("repeat byte for byte with the same random bytes and time (Ed25519)", () => {
    const make = () => {
      let count = 0
      const provider = createNobleProvider({ random: (length) => Uint8Array.from({ length }, () => count++ & 0xff) })
      return createDevelopmentCertificates({ names: ["localhost"], clientName: "c", keyType: "ed25519", now, provider })
    }
    expect(make()).toEqual(make())
  })
})

describe("private keys", () => {
  for (const keyType of ["ed25519", "p256", "p384", "p521", "rsa", "rsa-pss"] satisfies KeyType[]) {
    it(`of type ${keyType} sign in node:crypto what the certificate's key verifies`, () => {
      const authority = createAuthority({ now, keyType })
      const key = createPrivateKey(privateKeyToPem(authority.privateKey))
      const message = Buffer.from("a message")
      const digest = keyType === "ed25519" ? null : "sha256"
      const signature = sign(digest, message, key)
      expect(verify(digest, message, createPublicKey(certificateToPem(authority)), signature)).toBe(true)
      // The self-signature is of the same key.
      expect(parsed(authority).verify(parsed(authority).publicKey)).toBe(true)
    })
  }

  it("RSA can sign certificates with PSS", () => {
    const keyPair = createAuthority({ now, keyType: "rsa" })
    for (const signatureAlgorithm of [
      "rsa_pss_sha256",
      "rsa_pss_sha384",
      "rsa_pss_sha512",
      "rsa_pkcs1_sha384",
    ] as const) {
      const certificate = parsed(createAuthority({ now, keyPair, signatureAlgorithm }))
      expect(certificate.verify(certificate.publicKey), signatureAlgorithm).toBe(true)
    }
    expect(() => createAuthority({ now, keyPair, signatureAlgorithm: "ed25519" })).toThrow(RangeError)
  })
})

describe("what tests need", () => {
  const root = createAuthority({ now, subject: { country: "DE", organization: "Tests", commonName: "Root" } })

  it("chains through intermediates, leaf first and without the root", () => {
    const intermediate = createAuthority({ now, issuer: root, pathLength: 0, subject: { commonName: "Intermediate" } })
    const leaf = createLeaf({ now, issuer: intermediate, usage: "server", names: ["a.example"] })
    expect(leaf.chain).toEqual([leaf.certificate, intermediate.certificate])
    expect(parsed(leaf).checkIssued(parsed(intermediate))).toBe(true)
    expect(parsed(intermediate).checkIssued(parsed(root))).toBe(true)
    expect(parsed(root).subject).toBe("C=DE\nO=Tests\nCN=Root")
    expect(chainToPem(leaf).match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  })

  it("validity as told: expired, not yet valid, beyond 2049", () => {
    const expired = parsed(
      createLeaf({ now, issuer: root, usage: "server", notBefore: now - 2 * day, notAfter: now - day }),
    )
    expect(Date.parse(expired.validTo)).toBe(now - day)
    const late = parsed(createLeaf({ now, issuer: root, usage: "server", notAfter: Date.UTC(2060, 0, 1) }))
    expect(Date.parse(late.validTo)).toBe(Date.UTC(2060, 0, 1))
  })

  it("any set of extensions: other usages, an unknown critical one, none", () => {
    const changed = createLeaf({
      now,
      issuer: root,
      usage: "both",
      names: ["a.example"],
      extensions: (usual) => [
        ...usual.filter((extension) => extension.oid !== Oid.keyUsage),
        keyUsage("keyEncipherment"),
        { oid: "1.3.6.1.4.1.99999.1", critical: true, value: Uint8Array.of(5, 0) },
      ],
    })
    expect(parsed(changed).keyUsage).toEqual([Oid.serverAuth, Oid.clientAuth])
    // OID 1.3.6.1.4.1.99999.1, TRUE, OCTET STRING of a NULL
    expect(hex(changed.certificate)).toContain("06092b06010401868d1f010101ff04020500")
    const bare = parsed(createLeaf({ now, issuer: root, usage: "server", extensions: () => [] }))
    expect(bare.subjectAltName).toBeUndefined()
  })

  it("a leaf whose only name is in the subjectAltName marks it critical (RFC 5280 4.2.1.6)", () => {
    const leaf = createLeaf({ now, issuer: root, usage: "server", names: ["a.example"], subject: {} })
    expect(parsed(leaf).subject ?? "").toBe("")
    expect(hex(leaf.certificate)).toContain(hex(Uint8Array.of(0x06, 0x03, 0x55, 0x1d, 0x11, 0x01, 0x01, 0xff)))
  })
})

describe("encodings", () => {
  it("RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050, whole seconds", () => {
    const text = (milliseconds: number): string => {
      const der = encodeTime(milliseconds)
      return `${der[0]} ${String.fromCharCode(...der.subarray(2))}`
    }
    expect(text(Date.UTC(2026, 10, 24, 6, 5, 4, 999))).toBe("23 261124060504Z")
    expect(text(Date.UTC(2049, 11, 31, 23, 59, 59))).toBe("23 491231235959Z")
    expect(text(Date.UTC(2050, 0, 1))).toBe("24 20500101000000Z")
    expect(text(Date.UTC(1950, 0, 1))).toBe("23 500101000000Z")
    expect(() => encodeTime(Date.UTC(1949, 11, 31))).toThrow(RangeError)
    expect(() => encodeTime(Number.NaN)).toThrow(RangeError)
  })

  it("RFC 5280 4.2.1.3: key usages are named bits without trailing zeros", () => {
    expect(hex(keyUsage("digitalSignature").value)).toBe("03020780")
    expect(hex(keyUsage("keyCertSign", "cRLSign").value)).toBe("03020106")
    expect(hex(keyUsage("digitalSignature", "keyEncipherment").value)).toBe("030205a0")
    expect(hex(keyUsage().value)).toBe("030100")
  })

  it("RFC 5280 4.2.1.9: a leaf's basicConstraints are empty, an authority's say so", () => {
    expect(hex(basicConstraints(false).value)).toBe("3000")
    expect(hex(basicConstraints(true).value)).toBe("30030101ff")
    expect(hex(basicConstraints(true, 0).value)).toBe("30060101ff020100")
  })

  it("RFC 5280 4.2.1.6: names of every kind", () => {
    const names = [
      { type: "dns", value: "a.example" },
      { type: "ip", value: Uint8Array.of(192, 0, 2, 1) },
      { type: "email", value: "a@example.com" },
      { type: "uri", value: "urn:a" },
      { type: "directory", value: { commonName: "A" } },
    ] as const
    const leaf = createLeaf({
      now,
      issuer: createAuthority({ now }),
      usage: "client",
      extensions: () => [subjectAltName(names)],
    })
    expect(parsed(leaf).subjectAltName).toBe(
      "DNS:a.example, IP Address:192.0.2.1, email:a@example.com, URI:urn:a, DirName:CN=A",
    )
  })

  it.each([
    ["d7@acme.example", "email:d7@acme.example"],
    ["urn:acme:d7", "URI:urn:acme:d7"],
    ["spiffe://acme.example/d7", "URI:spiffe://acme.example/d7"],
    ["URI:tag:acme", "URI:tag:acme"],
    ["D7.acme.example", "DNS:d7.acme.example"],
    ["DNS:d7", "DNS:d7"],
    ["IP:192.0.2.7", "IP Address:192.0.2.7"],
  ])("a client is also named %s", (name, shown) => {
    const made = createDevelopmentCertificates({ names: ["localhost"], clientName: "d7", clientNames: [name], now })
    const client = new X509Certificate(made.clientCert ?? "")
    expect(client.subjectAltName).toBe(shown)
    expect(client.subject).toBe("CN=d7")
  })

  it.each(["localhost:8883", "IP:example.com", "email:a b@c", "DNS:1.2.3.4", "a@b@c", "urn:"])(
    "%j is no name",
    (name) => {
      expect(() => toGeneralName(name)).toThrow(RangeError)
    },
  )

  it("a wildcard is allowed as the whole first label only", () => {
    expect(toGeneralName("*.example.com")).toEqual({ type: "dns", value: "*.example.com" })
    expect(() => toGeneralName("a*.example.com")).toThrow(RangeError)
    expect(() => toGeneralName("a.*.example.com")).toThrow(RangeError)
  })
})

describe("revocation lists", () => {
  const authority = createAuthority({ now })
  const gone = createLeaf({ now, issuer: authority, usage: "client", serialNumber: Uint8Array.of(0x12, 0x34) })
  const good = createLeaf({ now, issuer: authority, usage: "client" })

  it("say which certificates are revoked, for a week unless told otherwise (RFC 5280 5)", () => {
    const provider = createNobleProvider()
    const pem = createRevocationList({ issuer: authority, revoked: [Uint8Array.of(0x12, 0x34)], now })
    const store = new CrlStore(parseCrls(pem))
    const kind = (of: Identity, at: number): string =>
      store.status(parseCertificate(of.certificate), parseCertificate(authority.certificate), at, provider).kind
    expect([kind(gone, now), kind(good, now), kind(good, now + 8 * day)]).toEqual(["revoked", "good", "unusable"])
  })

  it.skipIf(!openssl)("are verified by openssl crl", () => {
    const folder = mkdtempSync(join(tmpdir(), "puremq-crl-"))
    const [ca, list] = [join(folder, "ca.pem"), join(folder, "crl.pem")]
    writeFileSync(ca, certificateToPem(authority))
    writeFileSync(list, createRevocationList({ issuer: authority, revoked: [Uint8Array.of(0x12, 0x34)], now }))
    const shown = execFileSync("openssl", ["crl", "-in", list, "-CAfile", ca, "-noout", "-text", "-verify"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    })
    expect(shown).toContain("Serial Number: 1234")
    rmSync(folder, { recursive: true })
  })
})

describe.skipIf(!openssl)("openssl (skipped where the command is absent)", () => {
  let folder = ""
  const write = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "puremq-devcert-"))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  for (const keyType of ["ed25519", "p256", "rsa"] satisfies KeyType[]) {
    it(`verifies the ${keyType} chain strictly, for the server's purpose and name, and reads the keys`, () => {
      const made = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], clientName: "c", keyType, now })
      const ca = write("ca.pem", made.caCert)
      const at = ["-attime", String(now / 1000), "-x509_strict", "-check_ss_sig"]
      const verifies = (...args: string[]): string =>
        execFileSync("openssl", ["verify", ...at, "-CAfile", ca, ...args], { encoding: "utf8" })
      const server = write("server.pem", made.serverCert)
      expect(verifies("-purpose", "sslserver", "-verify_hostname", "localhost", server)).toMatch(/: OK/)
      expect(verifies("-purpose", "sslserver", "-verify_ip", "127.0.0.1", server)).toMatch(/: OK/)
      expect(verifies("-purpose", "sslclient", write("client.pem", made.clientCert!))).toMatch(/: OK/)
      for (const key of [made.caKey, made.serverKey, made.clientKey!]) {
        expect(execFileSync("openssl", ["pkey", "-check", "-noout"], { input: key, encoding: "utf8" })).toMatch(
          /Key is valid/,
        )
      }
    })
  }

  it("verifies a chain with an intermediate", () => {
    const root = createAuthority({ now, keyType: "p384" })
    const intermediate = createAuthority({ now, issuer: root, pathLength: 0 })
    const leaf = createLeaf({ now, issuer: intermediate, usage: "server", names: ["a.example"] })
    const output = execFileSync(
      "openssl",
      [
        "verify",
        "-attime",
        String(now / 1000),
        "-x509_strict",
        "-CAfile",
        write("root.pem", certificateToPem(root)),
        "-untrusted",
        write("chain.pem", chainToPem(leaf)),
        write("leaf.pem", toPem("CERTIFICATE", leaf.certificate)),
      ],
      { encoding: "utf8" },
    )
    expect(output).toMatch(/: OK/)
  })
})

function hasOpenssl(): boolean {
  try {
    return /^OpenSSL 3/.test(
      execFileSync("openssl", ["version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    )
  } catch {
    return false
  }
}
