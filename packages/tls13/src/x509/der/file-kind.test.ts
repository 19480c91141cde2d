import { describe, expect, it } from "vitest"
import { makeCrl, makeLeaf, makeRoot } from "../../../tests/x509/pki.ts"
import { parseCertificates, parseCrls, parsePrivateKey, toPem } from "../index.ts"
import { derSmall } from "./der-writer.ts"
import { foreignKind } from "./file-kind.ts"

const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"))
const text = (label: string): string => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`
const root = makeRoot()
const pem = toPem("CERTIFICATE", root.der)
const utf16 = (mark: number[], swapped: boolean): Uint8Array => {
  const body = Buffer.from(pem, "utf16le")
  return Buffer.concat([Buffer.from(mark), swapped ? body.swap16() : body])
}

/** The heads of what OpenSSL 3.0 and keytool 21 write. */
const files: readonly [what: string, file: string | Uint8Array, said: RegExp][] = [
  [
    "PKCS#12",
    bytes(
      "MIID/AIBAzCCA7IGCSqGSIb3DQEHAaCCA6MEggOfMIIDmzCCAlIGCSqGSIb3DQEHBqCCAkMwggI/AgEAMIICOAYJKoZIhvcNAQcBMFcGCSqGSIb3DQEFDTBKMCkGCSqG",
    ),
    /PKCS#12 file; convert it with `openssl pkcs12 -in FILE/,
  ],
  ["PKCS#12 in BER", bytes("MIACAQMwgAYJKoZIhvcNAQcBoIA="), /PKCS#12 file/],
  [
    "PKCS#7",
    bytes(
      "MIIBmwYJKoZIhvcNAQcCoIIBjDCCAYgCAQExADALBgkqhkiG9w0BBwGgggFwMIIBbDCCAROgAwIBAgIUBZOdrSiY1DO6qMrXyvZSxc8gY+kwCgYIKoZIzj0EAwIwDDEK",
    ),
    /PKCS#7 file; convert it with `openssl pkcs7 -inform DER/,
  ],
  ["PKCS#7 in PEM", text("PKCS7"), /`openssl pkcs7 -in FILE -print_certs/],
  [
    "a request",
    bytes(
      "MIHGMG4CAQAwDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJW+6/bOXojo1XYfiQInDMWGjNt5a061rY2FxhHzPGxngKLokPP8C08ZVs8jyygcZPI8oqzNfbx/LHBCJIunmbOgADAKBggqhkjOPQQDAgNIADBFAiA3jyBKP4s+f0Fm",
    ),
    /certificate request/,
  ],
  ["a request in PEM", text("CERTIFICATE REQUEST"), /certificate request/],
  [
    "a public key",
    bytes(
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAElb7r9s5eiOjVdh+JAicMxYaM23lrTrWtjYXGEfM8bGeAouiQ8/wLTxlWzyPLKBxk8jyirM19vH8scEIki6eZsw==",
    ),
    /it is a public key/,
  ],
  ["a public key in PEM", text("PUBLIC KEY"), /it is a public key/],
  [
    "a Java key store",
    bytes(
      "/u3+7QAAAAIAAAABAAAAAQABMQAAAaIhWhxoAAAAyDCBxTAOBgorBgEEASoCEQEBBQAEgbKfaI/ACNfbjxaCj0XcLZld7CMeFeG07cRo+C2Rj5PXKJqMr2kSbreGTDIc",
    ),
    /Java key store; convert it with `keytool/,
  ],
  ["an OpenSSH key", text("OPENSSH PRIVATE KEY"), /OpenSSH key; .*`ssh-keygen/],
  ["an OpenSSH public key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 a@b", /OpenSSH public key/],
  ["a PuTTY key", "PuTTY-User-Key-File-3: ssh-ed25519", /PuTTY key/],
  ["UTF-16 with a mark", utf16([0xff, 0xfe], false), /text in UTF-16; convert it with `iconv/],
  ["UTF-16, big end first, with a mark", utf16([0xfe, 0xff], true), /text in UTF-16/],
  ["UTF-16 without a mark", utf16([], false), /text in UTF-16/],
  ["UTF-16, big end first", utf16([], true), /text in UTF-16/],
  ["UTF-16 read as UTF-8", Buffer.from(utf16([0xff, 0xfe], false)).toString("utf8"), /text in UTF-16/],
  ["nothing", "", /it is empty/],
]

describe("files that hold something else", () => {
  it.each(files)("%s: each reader names it, and what converts it, in one line", (_, file, said) => {
    for (const read of [parsePrivateKey, parseCertificates, parseCrls]) {
      expect(() => read(file)).toThrow(said)
      expect(() => read(file)).toThrow(/^no (private key|certificate|revocation list): .*$/)
    }
  })

  it("certificates, keys and lists in each other's place", () => {
    const key = bytes(
      "MHcCAQEEIIZZToiwwNK+se97ESS1J+JTsdEtr2hQ15eX78WqsYcKoAoGCCqGSM49AwEHoUQDQgAElb7r9s5eiOjVdh+JAicMxYaM23lrTrWtjYXGEfM8bGeAouiQ8/wL",
    )
    const list = makeCrl(root)
    expect(() => parseCertificates(key)).toThrow("no certificate: it is a private key")
    expect(() => parsePrivateKey(root.der)).toThrow("no private key: it is a certificate")
    expect(() => parsePrivateKey(pem)).toThrow("no private key: it is a certificate")
    expect(() => parseCrls(pem)).toThrow("no revocation list: it is a certificate")
    expect(() => parseCertificates(toPem("X509 CRL", list))).toThrow("no certificate: it is a revocation list")
    expect(parseCrls(list)).toHaveLength(1)
  })

  it("what is right is no foreign file, in version 1 neither", () => {
    const old = makeLeaf(root, { version: 1, extensions: [], serialDer: derSmall(0) })
    for (const der of [root.der, old.der]) {
      expect(foreignKind(der, "certificate")).toBeUndefined()
      expect(parseCertificates(der)).toHaveLength(1)
    }
  })

  it("a byte order mark in front of PEM is no matter", () => {
    expect(parseCertificates(`\ufeff${pem}`)).toHaveLength(1)
    expect(parseCertificates(Buffer.from(`\ufeff${pem}`))).toHaveLength(1)
  })

  it.each([
    ["a certificate of a chain", parseCertificates, "CERTIFICATE", root.der, "certificate 2 (line 10): "],
    ["a list", parseCrls, "X509 CRL", makeCrl(root), "list 2 (line 10): "],
  ] as const)("%s that cannot be read is named by number and line", (_, read, label, der, place) => {
    const broken = toPem(label, der.slice(0, -1))
    const lines = toPem(label, der).split("\n").length - 1
    const message = place.replace("10", String(lines + 2))
    expect(() => read(`${toPem(label, der)}\n${broken}`)).toThrow(message)
  })
})
