// What a ClientHello must be for TLS 1.3 at all: RFC 9846 sections 4.2.2, 4.3.1, 4.3.7, 4.3.8, 4.3.11 and 9.2; RFC 7250
// section 4.1.

import { ProtocolVersion } from "../../bytes/code-points.ts"
import { InvalidMessage, PeerIncompatible, PeerMisbehaved } from "../../bytes/errors.ts"
import type { ClientHello } from "../../codec/client-hello.ts"
import { CertificateTypeCode } from "../../codec/extensions/certificate-type.ts"
import type { ClientHelloExtensions } from "../../codec/extensions/messages.ts"

/** @throws PeerIncompatible protocol_version, PeerMisbehaved illegal_parameter or missing_extension */
export function checkClientHello(hello: ClientHello): void {
  checkVersion(hello)
  // "If a TLS 1.3 ClientHello is received with any other value in this field, the server MUST abort the handshake with
  // an "illegal_parameter" alert."
  if (hello.legacyCompressionMethods.length !== 1 || hello.legacyCompressionMethods[0] !== 0) {
    throw new PeerMisbehaved("illegal_parameter", "ClientHello offers compression (RFC 9846 section 4.2.2)")
  }
  checkMandatoryExtensions(hello.extensions)
  checkKeyShares(hello.extensions)
  checkPreSharedKey(hello.extensions)
  checkCertificateTypes(hello.extensions)
}

/** The versions on offer, for logs and errors: supported_versions, else legacy_version. */
export function offeredVersions(hello: ClientHello): readonly number[] {
  return hello.extensions.supported_versions ?? [hello.legacyVersion]
}

function checkVersion(hello: ClientHello): void {
  const versions = offeredVersions(hello)
  if (hello.extensions.supported_versions === undefined || !versions.includes(ProtocolVersion.tls13)) {
    throw new PeerIncompatible(
      "protocol_version",
      `client offers ${newestVersion(versions)} at most; this listener speaks only TLS 1.3`,
    )
  }
  // "A server which receives a legacy_version value not equal to 0x0303 MUST abort the handshake with a
  // "protocol_version" alert."
  if (hello.legacyVersion !== ProtocolVersion.tls12) {
    throw new PeerMisbehaved(
      "protocol_version",
      `legacy_version of ClientHello is 0x${hello.legacyVersion.toString(16).padStart(4, "0")}, not 0x0303`,
    )
  }
}

function newestVersion(versions: readonly number[]): string {
  const known = versions.filter((version) => version >= 0x0300 && version <= ProtocolVersion.tls12)
  if (known.length === 0) return "no known version"
  const newest = Math.max(...known)
  return newest === 0x0300 ? "SSL 3.0" : `TLS 1.${newest - ProtocolVersion.tls10}`
}

/** Section 9.2: "Servers receiving a ClientHello which does not conform to these requirements MUST abort the handshake with a "missing_extension" alert." */
function checkMandatoryExtensions(extensions: ClientHelloExtensions): void {
  const missing = (what: string, why: string) =>
    new PeerMisbehaved("missing_extension", `ClientHello lacks ${what}, which ${why}`)
  if (extensions.pre_shared_key === undefined) {
    if (extensions.signature_algorithms === undefined)
      throw missing("signature_algorithms", "authentication by certificate needs")
    if (extensions.supported_groups === undefined) throw missing("supported_groups", "key exchange needs")
  } else if (extensions.psk_key_exchange_modes === undefined) {
    // Section 4.3.9: "If clients offer "pre_shared_key" without a "psk_key_exchange_modes" extension, servers MUST abort the handshake."
    throw missing("psk_key_exchange_modes", "pre_shared_key needs")
  }
  if (extensions.supported_groups !== undefined && extensions.key_share === undefined)
    throw missing("key_share", "supported_groups needs")
  if (extensions.key_share !== undefined && extensions.supported_groups === undefined)
    throw missing("supported_groups", "key_share needs")
}

/** Section 4.3.8: no group twice, none that is not in supported_groups, and in the same order. */
function checkKeyShares(extensions: ClientHelloExtensions): void {
  const groups = extensions.supported_groups ?? []
  const places = new Map(groups.map((group, place) => [group, place]))
  if (places.size !== groups.length) {
    throw new PeerMisbehaved("illegal_parameter", "supported_groups names a group twice")
  }
  let last = -1
  for (const { group } of extensions.key_share ?? []) {
    const at = places.get(group)
    if (at === undefined)
      throw new PeerMisbehaved("illegal_parameter", "key_share has a share of a group that is not in supported_groups")
    if (at === last) throw new PeerMisbehaved("illegal_parameter", "key_share has two shares of one group")
    if (at < last) throw new PeerMisbehaved("illegal_parameter", "key_share is not in the order of supported_groups")
    last = at
  }
}

function checkPreSharedKey(extensions: ClientHelloExtensions): void {
  const psks = extensions.pre_shared_key
  if (psks !== undefined && psks.identities.length !== psks.binders.length) {
    throw new InvalidMessage(
      `pre_shared_key has ${psks.identities.length} identities and ${psks.binders.length} binders`,
      "illegal_parameter",
    )
  }
  // early_data without pre_shared_key is the client's fault, but a server "MUST behave in one of three ways" then, and
  // the first of them fits: it ignores the extension and skips the early data (section 4.3.10).
}

/** RFC 7250 section 4.1: a client with no types but the default X.509 "MUST omit" the list of them. */
function checkCertificateTypes(extensions: ClientHelloExtensions): void {
  for (const name of ["client_certificate_type", "server_certificate_type"] as const) {
    const types = extensions[name]
    if (types?.length === 1 && types[0] === CertificateTypeCode.X509)
      throw new PeerMisbehaved("illegal_parameter", `${name} lists X.509 alone, the default (RFC 7250 section 4.1)`)
  }
}
