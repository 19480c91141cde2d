// The one place that takes PureMQ's TLS for Node. Loaded when a listener or a client needs it, so that a broker on plain
// TCP does not carry it.

import type { connect, createSecureContext, createServer } from "@puremq/tls13/node"
import type { IdentityRule } from "@puremq/tls13/x509"

export async function loadTls(): Promise<{
  readonly connect: typeof connect
  readonly createSecureContext: typeof createSecureContext
  readonly createServer: typeof createServer
}> {
  return import("@puremq/tls13/node")
}

/** The certificate stands for no user; the message is one sentence. */
export class NamelessCertificate extends Error {}

/** The user that a client's certificate (DER) stands for. Throws NamelessCertificate when it stands for none. */
export type NameOfCertificate = (der: Uint8Array) => string

export async function loadNaming(rule: IdentityRule): Promise<NameOfCertificate> {
  const [{ createHostProvider }, { identityName, nameText, parseCertificate, X509Error }] = await Promise.all([
    import("@puremq/tls13/crypto/host"),
    import("@puremq/tls13/x509"),
  ])
  const provider = createHostProvider() // for SHA-256 only
  return (der) => {
    const subject = nameText(parseCertificate(der).subject)
    try {
      return identityName({ type: "X509", chain: [der], path: [], subject }, rule, provider)
    } catch (error) {
      if (!(error instanceof X509Error)) throw error
      throw new NamelessCertificate(`${error.message} (identity ${rule})`)
    }
  }
}
