// Certificates of the rows: the server's own, those that clients show, and such as no authority issues.

import type { Credential, CredentialResolver } from "@puremq/tls13"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import {
  type AuthorityOptions,
  certificateToPem,
  createAuthority,
  createDevelopmentCertificates,
  createLeaf,
  encodeName,
  encodeTime,
  generateKeyPair,
  type Identity,
  type IssuingOptions,
  type KeyPair,
  type NameAttributes,
  privateKeyToPem,
} from "@puremq/tls13/devcert"
import { contextConstructed } from "../../tls13/src/x509/der/der.ts"
import { derBitString, derOid, derSequence, derSmall, derValue } from "../../tls13/src/x509/der/der-writer.ts"
import * as Tag from "../../tls13/src/x509/der/tags.ts"
import { encodeSpki } from "../../tls13/src/x509/keys/spki.ts"

const now = Date.now()
const provider = createHostProvider()

const development = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], clientName: "device-1", now })

/** PEM. */
export const serverFiles = { cert: development.serverCert, key: development.serverKey, ca: development.caCert } as const

export interface Pems {
  readonly cert: string
  readonly key: string
}

export function pemsOf(identity: Identity): Pems {
  return { cert: certificateToPem(identity), key: privateKeyToPem(identity.privateKey) }
}

export function authority(options: Partial<AuthorityOptions> = {}): Identity {
  return createAuthority({ now, provider, ...options })
}

export function clientOf(issuer: Identity, commonName: string, options: Partial<IssuingOptions> = {}): Identity {
  return createLeaf({ now, provider, issuer, usage: "client", subject: { commonName }, ...options })
}

export function serverOf(issuer: Identity, options: Partial<IssuingOptions> = {}): Identity {
  return createLeaf({ now, provider, issuer, usage: "server", names: ["localhost", "127.0.0.1"], ...options })
}

/** Signed by itself. */
export function selfSigned(commonName: string, options: Partial<IssuingOptions> = {}): Identity {
  return createAuthority({ now, provider, subject: { commonName }, ...options })
}

export function pem(der: Uint8Array, label = "CERTIFICATE"): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`
}

export interface Odd {
  readonly subject?: NameAttributes | Uint8Array
  readonly issuer?: NameAttributes | Uint8Array
  /** A whole INTEGER. */
  readonly serial?: Uint8Array
  readonly version?: number
  readonly keyPair?: KeyPair
  readonly validity?: Uint8Array
  readonly spki?: Uint8Array
  readonly extensions?: readonly Uint8Array[]
  /** Default: right, by the certificate's own key. */
  readonly signature?: Uint8Array
}

const ecdsaSha256 = derSequence(derOid("1.2.840.10045.4.3.2"))

/** A P-256 certificate, DER, with whatever is asked for in it. */
export function oddCertificate(odd: Odd = {}): Uint8Array {
  const keyPair = odd.keyPair ?? generateKeyPair("p256", provider.random)
  const name = (of: NameAttributes | Uint8Array | undefined) =>
    of instanceof Uint8Array ? of : encodeName(of ?? { commonName: "odd" })
  const version = odd.version ?? 3
  const signed = derSequence(
    ...(version === 1 ? [] : [derValue(contextConstructed(0), derSmall(version - 1))]),
    odd.serial ?? derSmall(4711),
    ecdsaSha256,
    name(odd.issuer ?? odd.subject),
    odd.validity ?? derSequence(encodeTime(now - 3_600_000), encodeTime(now + 86_400_000)),
    name(odd.subject),
    odd.spki ?? encodeSpki(keyPair.publicKey),
    ...(odd.extensions ? [derValue(contextConstructed(3), derSequence(...odd.extensions))] : []),
  )
  const algorithm = provider.signatures.find(({ name }) => name === "ecdsa_sha256")!
  const signature = odd.signature ?? algorithm.sign(keyPair.privateKey, signed, provider.random)
  return derSequence(signed, ecdsaSha256, derBitString(signature))
}

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value)

/** Certificates that cannot be read, or whose contents cannot, by what is wrong with them. */
export function unreadable(): Readonly<Record<string, Uint8Array>> {
  return {
    "serial -5": oddCertificate({ serial: derValue(Tag.integer, Uint8Array.of(0xfb)) }),
    "serial of 21 bytes": oddCertificate({ serial: derValue(Tag.integer, bytes(21, 0x11)) }),
    "version 9": oddCertificate({ version: 9 }),
    "empty sequence": derSequence(),
    "one byte": Uint8Array.of(0x30),
    "random bytes": provider.random(300),
    "time that is none": oddCertificate({
      validity: derSequence(derValue(Tag.utcTime, Buffer.from("99999999999Z")), encodeTime(now)),
    }),
    "name of bad UTF-8": oddCertificate({
      subject: derSequence(
        derValue(Tag.set, derSequence(derOid("2.5.4.3"), derValue(Tag.utf8String, Uint8Array.of(0xff, 0xfe, 0x80)))),
      ),
    }),
    "key of an unknown kind": oddCertificate({
      spki: derSequence(derSequence(derOid("1.2.3.4")), derBitString(bytes(9, 1))),
    }),
    "point off the curve": oddCertificate({
      spki: derSequence(
        derSequence(derOid("1.2.840.10045.2.1"), derOid("1.2.840.10045.3.1.7")),
        derBitString(Uint8Array.of(4, ...bytes(64, 7))),
      ),
    }),
    "extension that is cut short": oddCertificate({
      extensions: [derSequence(derOid("2.5.29.17"), derValue(Tag.octetString, Uint8Array.of(0x30, 0x7f, 0x82)))],
    }),
  }
}

/** A credential of this chain, whatever it holds, whose signature is right, or is bytes of the right look. */
export function credentialOf(
  leaf: Identity,
  chain: readonly Uint8Array[],
  forged?: { readonly signature: Uint8Array },
): CredentialResolver {
  const credential: Credential = {
    type: "X509",
    chain,
    publicKey: leaf.publicKey,
    signer: {
      sign(scheme, message, crypto) {
        if (forged !== undefined) return forged.signature
        const algorithm = crypto.signatures.find(({ name }) => name === scheme.algorithm)
        if (algorithm === undefined) throw new Error(`no ${scheme.algorithm}`)
        return algorithm.sign(leaf.privateKey, message, crypto.random)
      },
    },
  }
  return { resolve: () => credential }
}

/**
 * P-521 certificates of one name without key identifiers, each issued by the next: every one is tried as the issuer of every
 * other. About 5 KB for ten, and whoever has them needs none of the keys to show them.
 */
export function namesakes(count = 10): { readonly leaf: Identity; readonly chain: readonly Uint8Array[] } {
  const common = { now, provider, keyType: "p521", subject: { commonName: "namesake" } } as const
  const withoutIdentifiers = (kept: number): Pick<IssuingOptions, "extensions"> => ({
    extensions: (usual) => usual.slice(0, kept),
  })
  const keys = Array.from({ length: count }, () => createAuthority(common))
  const issuedBy = (at: number) => ({ issuer: keys[at % count]! })
  const chain = keys.slice(1).map((keyPair, at) => {
    return createAuthority({ ...common, keyPair, ...issuedBy(at + 2), ...withoutIdentifiers(2) }).certificate
  })
  const leaf = createLeaf({
    ...{ ...common, ...issuedBy(1), ...withoutIdentifiers(3) },
    usage: "client",
    subject: { commonName: "device" },
  })
  return { leaf, chain: [leaf.certificate, ...chain.reverse()] }
}
