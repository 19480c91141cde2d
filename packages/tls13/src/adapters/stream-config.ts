// The usual set for runtimes without node:tls's habits: the fast provider, certificates by PEM, the usual verifier.

import { Misuse } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { type ClientConfig, createClientConfig, createServerConfig, type ServerConfig } from "../connection/config.ts"
import { createFastProvider } from "../crypto/fast/index.ts"
import type { CryptoProvider } from "../crypto/provider.ts"
import type { ClientAuthenticationOptions, ClientOptions, CommonOptions, ServerOptions } from "../handshake/options.ts"
import { withDefaults } from "../handshake/settings.ts"
import { TicketKeyRing } from "../session/ticket-keys.ts"
import { loadCredential, sniResolver } from "../x509/certificate/credential.ts"
import { askedAfterSignature } from "../x509/certificate/leaf-key.ts"
import type { CertificateVerifier } from "../x509/interfaces.ts"
import { trustStoreFromPem } from "../x509/path/trust.ts"
import { createCertificateVerifier } from "../x509/path/verifier.ts"
import type { HandshakeLimitOptions } from "./handshake-gate.ts"
import { rulesName } from "./rules-name.ts"
import type { TlsStreamOptions } from "./streams.ts"

/** PEM text, or PEM or DER bytes. */
type Pem = string | Uint8Array

interface CommonStreamOptions extends TlsStreamOptions, Pick<CommonOptions, "alpnProtocols"> {
  /** Default: the fast provider. Make one and give it to all connections. */
  readonly provider?: CryptoProvider | undefined
  readonly cert?: Pem
  readonly key?: Pem
  /** The authorities to trust. These runtimes show programs no list of their own. */
  readonly ca?: Pem
  /** In the place of `ca`. */
  readonly verifier?: CertificateVerifier | undefined
}

export interface ConnectStreamOptions extends CommonStreamOptions {
  readonly hostname: string
  readonly port: number
  /** The name that the certificate must be for, and that is sent; default: `hostname`. */
  readonly serverName?: string
  /** "on" (the default): TLS from the first byte. "starttls": from when `startTls` is called. */
  readonly secureTransport?: "on" | "starttls"
  /** Everything else that a client can be told. */
  readonly core?: Partial<ClientOptions>
}

/** Of a server's end, wherever its connections come from. */
export interface AcceptStreamOptions extends CommonStreamOptions {
  /** Asks clients for certificates, which `ca` or `verifier` judges; default: none are asked for. */
  readonly clientAuthentication?: Omit<ClientAuthenticationOptions, "verifier"> | undefined
  /** How many handshakes may be under way, and how many connections may wait for one. */
  readonly handshakes?: HandshakeLimitOptions
  /** Everything else that a server can be told. */
  readonly core?: Partial<ServerOptions>
}

export interface ListenStreamOptions extends AcceptStreamOptions {
  /** Default 127.0.0.1. */
  readonly hostname?: string
  /** 0: any that is free. */
  readonly port: number
  /** Told of a connection that a defect ended before it had a socket, and of one that the system could not hand over. */
  readonly onFault?: (error: unknown) => void
}

/** @throws Misuse, X509Error */
export function streamClientConfig(options: ConnectStreamOptions): ClientConfig {
  const provider = options.provider ?? createFastProvider()
  const credentials = credentialsOf(options, provider)
  const { verifier, partition } = rulesOf(options, provider)
  if (verifier === undefined && options.core?.externalPsks === undefined) {
    throw new Misuse("connect needs `ca`, the PEM of the authorities to trust (or a `verifier`, or PSKs)")
  }
  const usual = {
    provider,
    serverName: options.serverName ?? options.hostname,
    resumptionPartition: partition,
    verifier,
    credentials,
    alpnProtocols: options.alpnProtocols,
  } satisfies ClientOptions
  return createClientConfig(withDefaults(options.core ?? {}, usual))
}

/** @throws Misuse, X509Error */
export function streamServerConfig(options: AcceptStreamOptions): ServerConfig {
  const provider = options.provider ?? createFastProvider()
  const credentials = credentialsOf(options, provider)
  // An older name, without which nobody would be asked for a certificate.
  if ("clientCertificates" in options && options.clientCertificates !== undefined)
    throw new Misuse("`clientCertificates` is no option of listen: did you mean `clientAuthentication`?")
  const { clientAuthentication } = options
  const { verifier, partition } = rulesOf(clientAuthentication === undefined ? {} : options, provider)
  if (clientAuthentication !== undefined && verifier === undefined)
    throw new Misuse("clientAuthentication needs `ca` or a `verifier`")
  const { aead } = provider.cipherSuites.find((suite) => suite.aead.keyLength === 32) ?? provider.cipherSuites[0]!
  const usual = {
    provider,
    resumptionPartition: partition,
    ticketer: new TicketKeyRing({ aead, random: provider.random }),
    credentials,
    clientAuthentication: clientAuthentication && verifier && { ...clientAuthentication, verifier },
    alpnProtocols: options.alpnProtocols,
  } satisfies ServerOptions
  return createServerConfig(withDefaults(options.core ?? {}, usual))
}

function credentialsOf({ cert, key }: CommonStreamOptions, provider: CryptoProvider) {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) throw new Misuse("`cert` and `key` come together")
  return sniResolver([loadCredential({ cert, key, provider })])
}

/** Who is believed, and a name for that: sessions that were made under other rules are not resumed. */
function rulesOf(
  { ca, verifier }: Pick<CommonStreamOptions, "ca" | "verifier">,
  provider: CryptoProvider,
): { readonly verifier: CertificateVerifier | undefined; readonly partition: string } {
  if (verifier !== undefined) {
    return { verifier: askedAfterSignature(verifier), partition: `own verifier ${rulesName(verifier, provider)}` }
  }
  if (ca === undefined) return { verifier: undefined, partition: "no certificates" }
  const trust = trustStoreFromPem(ca)
  const hash = provider.cipherSuites[0]!.hash.start()
  for (const { certificate } of trust.anchors) hash.update(certificate.der)
  return { verifier: createCertificateVerifier({ trust }), partition: toHex(hash.digest()) }
}
