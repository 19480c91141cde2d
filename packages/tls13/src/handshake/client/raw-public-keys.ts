// Raw public keys instead of certificates, of the server and of the client: RFC 7250, as a client offers them.

import { PeerIncompatible, PeerMisbehaved } from "../../bytes/errors.ts"
import { clientCertificateType, serverCertificateType } from "../../codec/extensions/certificate-type.ts"
import type { CertificateType } from "../../x509/interfaces.ts"
import { certificateTypeCode, certificateTypeOf, checkCertificateTypes } from "../certificate-type.ts"
import type { RawPublicKeysFeature } from "./client.ts"

export const rawPublicKeys: RawPublicKeysFeature = {
  extensions: { client_certificate_type: clientCertificateType, server_certificate_type: serverCertificateType },
  offer({ certificateTypes: { client, server } }) {
    const isOffered = (types: readonly CertificateType[]) => types.some((type) => type !== "X509")
    return {
      ...(isOffered(client) && { client_certificate_type: client.map(certificateTypeCode) }),
      ...(isOffered(server) && { server_certificate_type: server.map(certificateTypeCode) }),
    }
  },
  check: checkCertificateTypes,
  chosen: (extensions, { certificateTypes }) => ({
    client: chosenType(extensions.client_certificate_type, certificateTypes.client, "client"),
    server: chosenType(extensions.server_certificate_type, certificateTypes.server, "server"),
  }),
}

/** RFC 7250 section 4.2: X.509 unless the server chose another of the types on offer. */
function chosenType(code: number | undefined, offered: readonly CertificateType[], whose: string): CertificateType {
  if (code === undefined) {
    // A client's own certificate is not asked for yet; a server's comes next.
    if (whose === "server" && !offered.includes("X509")) {
      throw new PeerIncompatible(
        "unsupported_certificate",
        "server has an X.509 certificate; this client takes only raw public keys",
      )
    }
    return "X509"
  }
  const type = certificateTypeOf(code)
  if (type === undefined || !offered.some((candidate) => certificateTypeCode(candidate) === code)) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      `server selected the ${whose} certificate type ${code}, which was not offered`,
    )
  }
  return type
}
