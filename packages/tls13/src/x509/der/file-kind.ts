// What a file is that should hold certificates or keys and holds something else, and the command that makes of it what is
// read here. For the words of errors only: nothing is taken from such a file.

import { bytesToLatin1 } from "../../bytes/text.ts"

/**
 * Tells what a file is that is not what was wanted, in one clause. Undefined when nobody knows.
 * @param wanted such as `certificate`: what is one is none of our business
 * @param labels of its PEM blocks
 */
export function foreignKind(
  source: string | Uint8Array,
  wanted: string,
  labels: readonly string[] = [],
): string | undefined {
  const kind = kindOf(source, labels)
  return kind === `it is a ${wanted}` ? undefined : kind
}

function kindOf(source: string | Uint8Array, labels: readonly string[]): string | undefined {
  const text = typeof source === "string" ? source : bytesToLatin1(source.subarray(0, 4096))
  if (text === "") return "it is empty; check that it was written, and that it is the right file"
  for (const [pattern, kind] of texts) if (pattern.test(text)) return kind
  if (typeof source !== "string" && source[0] === 0x30) return derKind(source)
  for (const label of labels) {
    const kind = Object.hasOwn(blocks, label) ? blocks[label] : undefined
    if (kind !== undefined) return kind
  }
  return undefined
}

const pkcs12 =
  "it is a PKCS#12 file; convert it with `openssl pkcs12 -in FILE -nodes -out FILE.pem` and give FILE.pem as certificate and as key"
const request = "it is a certificate request; the certificate is what the authority gives back for it"
const publicKey = "it is a public key; the private key that belongs to it is wanted, or the certificate"
const openSsh =
  "it is an OpenSSH key; convert a copy of an RSA or ECDSA one with `ssh-keygen -p -N '' -m PKCS8 -f COPY`, or make a new one with `openssl genpkey`"
const pkcs7 = "it is a PKCS#7 file; convert it with `openssl pkcs7 -in FILE -print_certs -out FILE.pem`"
const pkcs7Der = pkcs7.replace("-in FILE", "-inform DER -in FILE")
const javaStore =
  "it is a Java key store; convert it with `keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12` and then `openssl pkcs12 -in FILE.p12 -nodes -out FILE.pem`"
const encrypted =
  "it is an encrypted private key; give its password (--key-password-file FILE, keyPasswordFile, passphrase), or decrypt it with `openssl pkey -in FILE -out FILE.pem`"

/** By how a file begins: each byte is a character here. */
const texts: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [
    /^(?:\xff\xfe|\xfe\xff|\ufeff?-\0|\0-|\ufffd\ufffd-\0|\ufffd\ufffd\0-)/,
    "it is text in UTF-16; convert it with `iconv -f UTF-16 -t UTF-8 FILE > FILE.pem`",
  ],
  [/^(?:\xfe\xed\xfe\xed|\xce\xce\xce\xce)/, javaStore],
  [
    /^PuTTY-User-Key-File/,
    "it is a PuTTY key; convert it with `puttygen FILE -O private-openssh -o COPY` first, then `ssh-keygen -p -N '' -m PKCS8 -f COPY`",
  ],
  [/^(?:ssh-|ecdsa-sha2-|sk-)\S+ AAAA/, "it is an OpenSSH public key, which is no certificate and no private key"],
  [/-----BEGIN PGP /, "it is an OpenPGP key, which has nothing to do with TLS"],
]

/** By the labels of PEM blocks (RFC 7468, and those of tools). */
const blocks: Readonly<Record<string, string>> = {
  "CERTIFICATE REQUEST": request,
  "NEW CERTIFICATE REQUEST": request,
  "PUBLIC KEY": publicKey,
  "RSA PUBLIC KEY": publicKey,
  "OPENSSH PRIVATE KEY": openSsh,
  "SSH2 PUBLIC KEY": "it is an SSH public key, which is no certificate and no private key",
  PKCS7: pkcs7,
  CMS: pkcs7,
  PKCS12: pkcs12,
  "ENCRYPTED PRIVATE KEY": encrypted,
  "DSA PRIVATE KEY": "it is a DSA key, which TLS 1.3 has no use for",
  "TRUSTED CERTIFICATE":
    "TRUSTED CERTIFICATE is OpenSSL's own form; convert it with `openssl x509 -in FILE -out FILE.pem`",
  "X509 CRL": "it is a revocation list",
  "PRIVATE KEY": "it is a private key",
  "EC PRIVATE KEY": "it is a private key",
  "RSA PRIVATE KEY": "it is a private key",
  CERTIFICATE: "it is a certificate",
}

/* ------------------------------------------------------------ DER, and the BER that PKCS#12 and PKCS#7 may be */

/** By the first values of the outer SEQUENCE. */
function derKind(bytes: Uint8Array): string | undefined {
  const outer = inside(bytes, 0)
  const first = outer === undefined ? undefined : valueAt(bytes, outer)
  if (first === undefined) return undefined
  const second = valueAt(bytes, first.end)
  // PFX: version 3, then a ContentInfo. PKCS#8 keys have version 0 or 1, PKCS#1 keys 0 and SEC 1 keys 1.
  if (first.tag === 0x02) {
    if (first.end - first.from === 1 && bytes[first.from] === 3) return pkcs12
    return second?.tag === 0x02 || second?.tag === 0x04 || second?.tag === 0x30 ? blocks["PRIVATE KEY"] : undefined
  }
  if (first.tag === 0x06) return startsWith(bytes, first.from, pkcs7Oid) ? pkcs7Der : undefined
  if (first.tag !== 0x30) return undefined
  const inner = valueAt(bytes, first.from)
  if (inner?.tag === 0x06) {
    if (second?.tag === 0x03) return publicKey
    if (second?.tag === 0x04) return encrypted
  }
  // CertificationRequestInfo begins with its version, 0; tbsCertificate with [0], or a serial number; a list with 1 or a SEQUENCE.
  if (inner?.tag === 0x02 && inner.end - inner.from === 1 && bytes[inner.from] === 0 && second?.tag === 0x30) {
    const name = valueAt(bytes, inner.end)
    // A version 1 certificate of serial number 0 has its algorithm there.
    return name?.tag === 0x30 && bytes[name.from] !== 0x06 ? request : undefined
  }
  if (inner?.tag === 0xa0) return blocks["CERTIFICATE"]
  return undefined
}

/** 1.2.840.113549.1.7 */
const pkcs7Oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07]

function startsWith(bytes: Uint8Array, at: number, what: readonly number[]): boolean {
  return what.every((byte, i) => bytes[at + i] === byte)
}

interface Place {
  readonly tag: number
  /** The content. */
  readonly from: number
  readonly end: number
}

/** Where the content of the value at `at` begins. */
function inside(bytes: Uint8Array, at: number): number | undefined {
  return valueAt(bytes, at)?.from
}

/** Of a value of indefinite length the end is unknown: that of the bytes. */
function valueAt(bytes: Uint8Array, at: number): Place | undefined {
  const [tag, short] = [bytes[at], bytes[at + 1]]
  if (tag === undefined || short === undefined) return undefined
  const octets = short > 0x80 ? short - 0x80 : 0
  if (octets > 4) return undefined
  const from = at + 2 + octets
  if (short === 0x80) return { tag, from, end: bytes.length }
  let length = octets === 0 ? short : 0
  for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0)
  return { tag, from, end: from + length }
}
