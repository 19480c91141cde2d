// Handshakes that must fail, with exactly this alert, and what each end says of it.

import type { Scenario } from "./host.ts"
import { equal, failing, owning, pairOf, trusting } from "./world.ts"

const refusedCertificate: Scenario = {
  name: "refused certificate",
  run(host) {
    const { authority, expired } = host.certificates
    failing(
      pairOf(host, {}, { credentials: owning(expired) }),
      ["CertificateRejected", "certificate_expired", "ERR_TLS_CERTIFICATE_EXPIRED", "expired"],
      ["PeerAlert", undefined, "ERR_TLS_PEER_CERTIFICATE_EXPIRED", "certificate_expired"],
    )
    failing(
      pairOf(host, { serverName: "elsewhere.test" }),
      ["CertificateRejected", "bad_certificate", "ERR_TLS_BAD_CERTIFICATE", "name_mismatch"],
      ["PeerAlert", undefined, "ERR_TLS_PEER_BAD_CERTIFICATE", "bad_certificate"],
    )
    // A server's certificate is not one for clients.
    const clientAuthentication = { mode: "require", verifier: trusting(authority) } as const
    const wrongUsage = pairOf(host, { credentials: owning(host.certificates.server) }, { clientAuthentication })
    failing(
      wrongUsage,
      ["PeerAlert", undefined, "ERR_TLS_PEER_UNSUPPORTED_CERTIFICATE", "unsupported_certificate"],
      ["CertificateRejected", "unsupported_certificate", "ERR_TLS_UNSUPPORTED_CERTIFICATE", "extended_key_usage"],
    )
    failing(
      pairOf(host, {}, { clientAuthentication }),
      ["PeerAlert", undefined, "ERR_TLS_PEER_CERTIFICATE_REQUIRED", "certificate_required"],
      ["PeerMisbehaved", "certificate_required", "ERR_TLS_CERTIFICATE_REQUIRED"],
    )
    return undefined
  },
}

const unknownAuthority: Scenario = {
  name: "unknown authority",
  run(host) {
    const { authority, stranger } = host.certificates
    failing(
      pairOf(host, {}, { credentials: owning(stranger) }),
      ["CertificateRejected", "unknown_ca", "ERR_TLS_UNKNOWN_CA", "unknown_issuer"],
      ["PeerAlert", undefined, "ERR_TLS_PEER_UNKNOWN_CA", "unknown_ca"],
    )
    const clientAuthentication = { mode: "require", verifier: trusting(authority) } as const
    failing(
      pairOf(host, { credentials: owning(stranger) }, { clientAuthentication }),
      ["PeerAlert", undefined, "ERR_TLS_PEER_UNKNOWN_CA", "unknown_ca"],
      ["CertificateRejected", "unknown_ca", "ERR_TLS_UNKNOWN_CA", "unknown_issuer"],
    )
    return undefined
  },
}

const nothingInCommon: Scenario = {
  name: "nothing in common",
  run(host) {
    failing(
      pairOf(host, { cipherSuites: ["TLS_AES_128_GCM_SHA256"] }, { cipherSuites: ["TLS_CHACHA20_POLY1305_SHA256"] }),
      ["PeerAlert", undefined, "ERR_TLS_PEER_HANDSHAKE_FAILURE", "handshake_failure"],
      ["PeerIncompatible", "handshake_failure", "ERR_TLS_HANDSHAKE_FAILURE"],
    )
    return undefined
  },
}

const changedRecord: Scenario = {
  name: "changed record",
  run(host) {
    const pair = pairOf(host)
    pair.handshake()
    const { output } = pair.client.connection.send(Uint8Array.of(1, 2, 3))
    output[output.length - 1]! ^= 1
    pair.server.outgoing = []
    pair.client.outgoing = [output]
    pair.run()
    const failures = [pair.client, pair.server].map(({ connection: { failure } }) => [failure?.kind, failure?.alert])
    equal(failures, [
      ["PeerAlert", undefined],
      ["PeerMisbehaved", "bad_record_mac"],
    ])
    return undefined
  },
}

export const refusals: readonly Scenario[] = [refusedCertificate, unknownAuthority, nothingInCommon, changedRecord]
