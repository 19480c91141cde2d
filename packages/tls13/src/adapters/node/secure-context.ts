// Keys, certificates and trust, read once and used by many connections.

import { Misuse } from "../../bytes/errors.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { loadCredential } from "../../x509/credential.ts"
import type { Credential } from "../../x509/interfaces.ts"
import { TrustStore, trustStoreFromPem } from "../../x509/trust.ts"
import { hostRoots } from "./host-roots.ts"
import { chooseProvider, type ProviderChoice } from "./provider.ts"

/** PEM text, or PEM or DER bytes. */
export type PemSource = string | Uint8Array

export interface SecureContextOptions {
  /** Certificate chains, leaf first; several of them, for several kinds of key, in the order of `key`. */
  readonly cert?: PemSource | readonly PemSource[] | undefined
  readonly key?: PemSource | readonly PemSource[] | undefined
  /** The authorities to trust; default: those of the machine. */
  readonly ca?: PemSource | readonly PemSource[] | undefined
  readonly provider?: ProviderChoice | undefined
  /** Not supported; `pfx` and `passphrase` are named here to say so. */
  readonly pfx?: unknown
  readonly passphrase?: unknown
}

export class SecureContext {
  readonly credentials: readonly Credential[]
  readonly provider: CryptoProvider
  /** Whether `ca` was given, so that the machine's authorities are not trusted. */
  readonly ownTrust: boolean
  #trust: TrustStore | undefined

  constructor(credentials: readonly Credential[], trust: TrustStore | undefined, provider: CryptoProvider) {
    this.credentials = credentials
    this.provider = provider
    this.ownTrust = trust !== undefined
    this.#trust = trust
  }

  get trust(): TrustStore {
    // The machine's list is long, and a server that asks no client for a certificate never needs it.
    this.#trust ??= machineRoots()
    return this.#trust
  }

  /** The same credentials with other authorities. */
  withTrust(trust: TrustStore): SecureContext {
    return new SecureContext(this.credentials, trust, this.provider)
  }

  /** Tells sets of trusted authorities apart, for sessions that must not outlive a change of trust. */
  get trustName(): string {
    if (!this.ownTrust) return "host"
    const hash = this.provider.cipherSuites[0]!.hash.start()
    for (const { certificate } of this.trust.anchors) hash.update(certificate.der)
    return Buffer.from(hash.digest()).toString("base64url")
  }
}

const loaded: { roots?: TrustStore } = {}

function machineRoots(): TrustStore {
  loaded.roots ??= hostRoots().store
  return loaded.roots
}

/** @throws X509Error or Misuse: one line that says which certificate or key is wrong, and what to do */
export function createSecureContext(options: SecureContextOptions = {}): SecureContext {
  if (options.pfx !== undefined) {
    throw new Misuse(
      "`pfx` is not supported: convert it to PEM with `openssl pkcs12 -in FILE -nodes` and give cert and key",
    )
  }
  if (options.passphrase !== undefined) {
    throw new Misuse("`passphrase` is not supported: decrypt the key first with `openssl pkey -in KEY -out KEY.plain`")
  }
  const provider = chooseProvider(options.provider)
  const [certs, keys] = [listOf(options.cert), listOf(options.key)]
  if (certs.length !== keys.length) {
    throw new Misuse(
      `${certs.length} of \`cert\` but ${keys.length} of \`key\`: each certificate chain needs its private key, in the same order`,
    )
  }
  const credentials = certs.map((cert, i) => loadCredential({ cert, key: keys[i]!, provider }))
  const authorities = listOf(options.ca)
  const trust =
    options.ca === undefined
      ? undefined
      : new TrustStore(authorities.flatMap((source) => trustStoreFromPem(source).anchors))
  return new SecureContext(credentials, trust, provider)
}

function listOf(value: PemSource | readonly PemSource[] | undefined): readonly PemSource[] {
  if (value === undefined) return []
  return typeof value === "string" || value instanceof Uint8Array ? [value] : value
}
