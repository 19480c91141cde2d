// The server's own certificate: RFC 9846 section 4.5.1.2, and RFC 7250 (the type of certificates).

import { PeerIncompatible, PeerMisbehaved } from "../../bytes/errors.ts"
import type { ClientHello } from "../../codec/client-hello.ts"
import type { SignatureSchemeInfo } from "../../crypto/signature-schemes.ts"
import type { CertificateType, Credential } from "../../x509/interfaces.ts"
import { chooseScheme } from "../authentication.ts"
import { certificateTypeOf } from "../certificate-type.ts"
import { type Decides, decide } from "../coroutine.ts"
import { asksInHandshake } from "./certificate-request.ts"
import type { ServerHandshake } from "./server.ts"

export interface OwnCredential {
  readonly credential: Credential
  readonly scheme: SignatureSchemeInfo
}

export interface CertificateTypes {
  readonly client: CertificateType
  readonly server: CertificateType
}

/** @throws PeerIncompatible when none fits, PeerMisbehaved missing_extension */
export function* chooseCredential(
  { link, settings }: ServerHandshake,
  { extensions }: ClientHello,
): Decides<OwnCredential> {
  const schemes = extensions.signature_algorithms
  if (settings.credentials === undefined) {
    throw new PeerIncompatible(
      "handshake_failure",
      "client offers no PSK that this server knows, and the server has no certificate",
    )
  }
  // A hello with a PSK need not have it; one that ends up with a certificate must (section 9.2).
  if (schemes === undefined) {
    throw new PeerMisbehaved(
      "missing_extension",
      "ClientHello lacks signature_algorithms, which authentication by certificate needs",
    )
  }
  const certificateTypes = offeredTypes(extensions.server_certificate_type)
  const choice = settings.credentials.resolve({
    serverName: extensions.server_name?.toLowerCase(),
    alpnProtocols: extensions.application_layer_protocol_negotiation ?? [],
    signatureSchemes: schemes,
    signatureSchemesCert: extensions.signature_algorithms_cert ?? schemes,
    authorities: extensions.certificate_authorities ?? [],
    certificateTypes,
    delegatedSchemes: extensions.delegated_credential,
    now: link.now,
  })
  const credential = yield* decide("SelectCertificate", choice)
  if (credential === undefined) {
    // Section 4.2.1: "unable to negotiate a supported set of parameters".
    const whom = extensions.server_name === undefined ? "" : `, which asks for ${extensions.server_name}`
    throw new PeerIncompatible("handshake_failure", `no certificate fits this client${whom}`)
  }
  if ("none" in credential) throw new PeerIncompatible(credential.none, credential.message)
  // RFC 7250 section 4.2: no type in common ends the session with unsupported_certificate.
  if (!certificateTypes.includes(credential.type)) {
    throw new PeerIncompatible(
      "unsupported_certificate",
      `client does not take the certificate type ${credential.type}`,
    )
  }
  const scheme = chooseScheme(credential, extensions, settings.provider)
  if (scheme === undefined) {
    throw new PeerIncompatible(
      "handshake_failure",
      `client accepts no signature scheme that the server's ${credential.publicKey.type} key can sign with`,
    )
  }
  return { credential, scheme }
}

function offeredTypes(codes: readonly number[] | undefined): readonly CertificateType[] {
  if (codes === undefined) return ["X509"]
  return codes.flatMap((code) => certificateTypeOf(code) ?? [])
}

export function agreeCertificateTypes(
  { settings }: ServerHandshake,
  hello: ClientHello,
  own: OwnCredential | undefined,
): CertificateTypes {
  const offeredOfServer = offeredTypes(hello.extensions.server_certificate_type)
  // Extensions are negotiated anew when a PSK is used, too (section 4.3).
  const server =
    own?.credential.type ?? settings.certificateTypes.server.find((type) => offeredOfServer.includes(type)) ?? "X509"
  if (settings.clientAuthentication === undefined || own === undefined) return { client: "X509", server }
  const offered = offeredTypes(hello.extensions.client_certificate_type)
  const client = settings.certificateTypes.client.find((type) => offered.includes(type))
  if (client === undefined && !asksInHandshake(settings)) return { client: "X509", server }
  // RFC 7250 section 4.2: no type in common ends the session with unsupported_certificate.
  if (client === undefined)
    throw new PeerIncompatible(
      "unsupported_certificate",
      "client and server have no type of client certificate in common",
    )
  return { client, server }
}
