// The CA/Browser Forum's Baseline Requirements for TLS server certificates, as far as a relying party can see whether a
// certificate keeps them. Section numbers are those of version 2.1. Public suffixes are not looked up: only a wildcard over a
// whole top-level domain is refused.

import { equalBytes } from "../../bytes/equal.ts"
import { addressText } from "../../bytes/ip-address.ts"
import { quotedText } from "../../bytes/text.ts"
import type { EcCurve, PublicKey } from "../../crypto/keys.ts"
import { type Certificate, isSelfIssued } from "../certificate/certificate.ts"
import * as Oid from "../der/oids.ts"
import type { SignatureIdentifier } from "../keys/algorithm.ts"
import { keyBits } from "../keys/spki.ts"
import { attributeValues } from "../names/distinguished-name.ts"
import { isHostName } from "../names/dns-name.ts"
import type { GeneralName } from "../names/general-name.ts"
import type { Position } from "./rfc5280-profile.ts"

/** The first requirement that a certificate breaks, as a sentence; undefined when it keeps those that can be seen. */
export function webpkiProblem(certificate: Certificate, position: Position): string | undefined {
  if (certificate.version !== 3) return `it is version ${certificate.version}; version 3 is required (CA/B Forum 7.1.1)`
  return (
    (certificate.publicKey && webpkiKeyProblem(certificate.publicKey)) ??
    authorityKeyProblem(certificate, position) ??
    (position === "leaf" ? subscriberProblem(certificate) : undefined) ??
    (position === "anchor" && isSelfIssued(certificate) && certificate.extensions.extKeyUsage !== undefined
      ? "it is a root and has an extKeyUsage (CA/B Forum 7.1.2.1.2)"
      : undefined)
  )
}

/** CA/B Forum 6.1.5 and 7.1.3.1: RSA in whole octets, or ECDSA on a NIST curve. */
function webpkiKeyProblem(key: PublicKey): string | undefined {
  const onOtherCurve = key.type === "ec" && ecdsaOf[key.curve] === undefined
  if ((key.type !== "ec" && key.type !== "rsa") || onOtherCurve)
    return `its ${key.type === "ec" ? key.curve : key.type} key is of a kind not allowed (CA/B Forum 7.1.3.1)`
  if (key.type === "rsa" && keyBits(key) % 8 !== 0)
    return `its RSA key has ${keyBits(key)} bits, no multiple of 8 (CA/B Forum 6.1.5)`
  return undefined
}

/** CA/B Forum 7.1.3.2.2: P-256 keys sign with SHA-256, P-384 keys with SHA-384, P-521 keys with SHA-512. */
export function webpkiSignatureProblem(key: PublicKey, { algorithm, label }: SignatureIdentifier): string | undefined {
  if (key.type !== "ec" || algorithm === ecdsaOf[key.curve]) return undefined
  return `its ${key.curve} key signed the certificate below it by ${label}, whose hash is not the one of the curve (CA/B Forum 7.1.3.2.2)`
}

const ecdsaOf: Readonly<Partial<Record<EcCurve, SignatureIdentifier["algorithm"]>>> = {
  "P-256": "ecdsa_sha256",
  "P-384": "ecdsa_sha384",
  "P-521": "ecdsa_sha512",
}

function authorityKeyProblem(certificate: Certificate, position: Position): string | undefined {
  const { authorityKeyIdentifier: authority, subjectKeyIdentifier: own } = certificate.extensions
  if (authority === undefined) return undefined
  if (authority.keyIdentifier === undefined)
    return "its authorityKeyIdentifier has no keyIdentifier (CA/B Forum 7.1.2.1.3)"
  if (authority.hasIssuer || authority.hasSerialNumber) {
    return "its authorityKeyIdentifier names the issuer's certificate, not only its key (CA/B Forum 7.1.2.1.3)"
  }
  if (position === "anchor" && isSelfIssued(certificate) && own && !equalBytes(own, authority.keyIdentifier)) {
    return "it is a root whose authorityKeyIdentifier is not its subjectKeyIdentifier (CA/B Forum 7.1.2.1.3)"
  }
  return undefined
}

function subscriberProblem(certificate: Certificate): string | undefined {
  const { basicConstraints, critical, extKeyUsage, subjectAltName = [] } = certificate.extensions
  if (basicConstraints?.ca) return "it is a CA certificate (CA/B Forum 7.1.2.7.8)"
  if (!certificate.subject.isEmpty && critical.includes(Oid.subjectAltName)) {
    return "its subjectAltName is critical although it has a subject (CA/B Forum 7.1.2.7.12)"
  }
  if (extKeyUsage === undefined) return "it has no extKeyUsage (CA/B Forum 7.1.2.7.6)"
  if (critical.includes(Oid.extKeyUsage)) return "its extKeyUsage is critical (CA/B Forum 7.1.2.7.6)"
  if (extKeyUsage.includes(Oid.anyExtendedKeyUsage))
    return "its extKeyUsage is anyExtendedKeyUsage (CA/B Forum 7.1.2.7.10)"
  const wide = subjectAltName.find((name) => name.kind === "dns" && /^\*\.[^.]*$/.test(name.value))
  if (wide) return "it has a wildcard for a whole top-level domain (CA/B Forum 3.2.2.6)"
  for (const commonName of attributeValues(certificate.subject, Oid.commonName)) {
    const problem = commonNameProblem(commonName, subjectAltName)
    if (problem) return problem
  }
  return undefined
}

/**
 * CA/B Forum 7.1.4.3: the common name is a character-for-character copy of one of the subjectAltName's values. It is compared
 * with the values of its own kind, if there are any; the domain of a wildcard counts as one of them.
 */
function commonNameProblem(commonName: string, names: readonly GeneralName[]): string | undefined {
  const problem = `its common name ${quotedText(commonName)} is not a copy of a subjectAltName (CA/B Forum 7.1.4.3)`
  const addresses = names.flatMap((name) => (name.kind === "ip" ? [addressText(name.bytes)] : []))
  if (looksLikeAddress(commonName)) return addresses.includes(commonName) ? undefined : problem
  const hosts = names.flatMap((name) => (name.kind === "dns" ? [name.value] : []))
  if (hosts.length === 0) return isHostName(commonName, true) || addresses.length === 0 ? undefined : problem
  return hosts.some((host) => host === commonName || host === `*.${commonName}`) ? undefined : problem
}

/** An address in any notation that some software reads as one: colons, or digits and hexadecimal digits only. */
function looksLikeAddress(text: string): boolean {
  return text.includes(":") || /^(0x[0-9a-f]+|\d+)(\.(0x[0-9a-f]+|\d+)){0,3}$/i.test(text)
}
