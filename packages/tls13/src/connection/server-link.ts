// What only a server's handshake has to tell.

import type { Exporter, ServerLink } from "../handshake/link.ts"
import type { FinishedVerified, PeerSignatureVerified } from "../handshake/proofs.ts"
import { RecordLink } from "./record-link.ts"

export class ServerRecordLink extends RecordLink implements ServerLink {
  exportHalfRtt(exporter: Exporter): void {
    this.halfRttExporter = exporter
  }

  clientAuthenticated({ identity, scheme }: PeerSignatureVerified, _: FinishedVerified): void {
    const peerSignatureScheme = scheme.name
    this.info = this.info && {
      ...this.info,
      authentication: "certificate",
      peer: identity,
      peerChain: identity.chain,
      peerCertificateType: identity.type,
      peerSignatureScheme,
    }
    this.emit({ type: "client-authenticated", peer: identity, peerSignatureScheme })
  }

  clientDeclined(): void {
    this.emit({ type: "client-declined" })
  }
}
