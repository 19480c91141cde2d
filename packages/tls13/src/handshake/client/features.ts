// Every feature that a client may have, as `createClientConfig` gives them.

import { decodeClientHello } from "../../codec/client-hello.ts"
import { compressCertificate } from "../../codec/extensions/compress-certificate.ts"
import { handshakeMessage } from "../../codec/message.ts"
import { certificateMessages, compressed, compressionOffer, decompressed } from "../certificate-compression.ts"
import { explanations } from "../explanations.ts"
import { greaseClientHello } from "../grease.ts"
import { clientCertificates } from "./authenticate.ts"
import { certificates } from "./certificates.ts"
import type { CertificateCompressionFeature, ClientFeatures, GreaseFeature, RewritingFeature } from "./client.ts"
import { earlyData } from "./early-data.ts"
import { extensionOrder } from "./extension-order.ts"
import { postHandshakeAuthentication } from "./post-handshake-authentication.ts"
import { preSharedKeys } from "./pre-shared-keys.ts"
import { rawPublicKeys } from "./raw-public-keys.ts"

export const certificateCompression: CertificateCompressionFeature = {
  extensions: { compress_certificate: compressCertificate },
  offer: compressionOffer,
  messages: certificateMessages,
  compressed,
  decompressed,
}

export const grease: GreaseFeature = { clientHello: greaseClientHello }

/** What counts from there on is what is on the wire. */
export const rewriting: RewritingFeature = {
  hello(composed, { rewriteMessage }) {
    const bytes = rewriteMessage?.("client_hello", composed) ?? composed
    return { hello: decodeClientHello(handshakeMessage(bytes)), bytes }
  },
}

export const allFeatures: Required<ClientFeatures> = {
  certificates,
  clientCertificates,
  postHandshakeAuthentication,
  certificateCompression,
  rawPublicKeys,
  preSharedKeys,
  earlyData,
  grease,
  extensionOrder,
  rewriting,
  explanations,
}
