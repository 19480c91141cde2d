// Keys, certificates and trust, read once and used by many connections.

import { Misuse } from "../../bytes/errors.ts"
import { toHex } from "../../bytes/hex.ts"
import { utf8ToBytes } from "../../bytes/text.ts"
import { publicKeyOf } from "../../crypto/noble/index.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { loadCredential, loadRawPublicKey } from "../../x509/certificate/credential.ts"
import { located } from "../../x509/errors.ts"
import type { Credential } from "../../x509/interfaces.ts"
import { parsePrivateKey } from "../../x509/keys/private-key.ts"
import { generalNameText } from "../../x509/names/general-name.ts"
import { type TrustAnchor, TrustStore, trustStoreFromPem } from "../../x509/path/trust.ts"
import { type Crl, CrlStore, parseCrls } from "../../x509/revocation/crl.ts"
import { HostTrust } from "./host-roots.ts"
import { openedKey } from "./open-key.ts"
import { chooseProvider, type ProviderChoice, type ProviderName } from "./provider.ts"

/** PEM text, or PEM or DER bytes. */
export type PemSource = string | Uint8Array

export interface SecureContextOptions {
  /** Certificate chains, leaf first; several of them, for several kinds of key, in the order of `key`. */
  readonly cert?: PemSource | readonly PemSource[] | undefined
  readonly key?: PemSource | readonly PemSource[] | undefined
  /** The authorities to trust; default: those of the machine. */
  readonly ca?: PemSource | readonly PemSource[] | undefined
  /** Trust anchors in the place of `ca`: those of `trustStoreFromPem` and `trustAnchor` of `./x509` may have constraints. */
  readonly trust?: TrustStore | undefined
  /** Certificate revocation lists (PEM or DER), which the application renews; `revocation` says what they are used for. */
  readonly crl?: PemSource | readonly PemSource[] | undefined
  /** DER OCSP responses to staple, in the order of `cert`; the application renews them by `setSecureContext`. */
  readonly ocspResponse?: Uint8Array | readonly (Uint8Array | undefined)[] | undefined
  /** Shows each `key` as a raw public key (RFC 7250), beside the certificates of `cert` or without any. */
  readonly rawPublicKey?: boolean | undefined
  readonly provider?: ProviderChoice | undefined
  /** The password of each `key` that is encrypted (PKCS#8, or PEM of the old kind). */
  readonly passphrase?: string | Uint8Array | undefined
  /** Not supported; it is named here to say so. */
  readonly pfx?: unknown
}

/** That of this process: hundreds of certificates are not read for each connection. */
const hostTrust = new HostTrust()

export class SecureContext {
  readonly credentials: readonly Credential[]
  readonly provider: CryptoProvider
  /** The name of the provider; undefined for one of the application's own. */
  readonly madeAs: ProviderName | undefined
  /** Whether `ca` was given, so that the machine's authorities are not trusted. */
  readonly ownTrust: boolean
  readonly crls: CrlStore
  readonly #trust: TrustStore | undefined

  constructor(
    credentials: readonly Credential[],
    trust: TrustStore | undefined,
    provider: CryptoProvider,
    crls: CrlStore = new CrlStore([]),
    choice: ProviderChoice = provider,
  ) {
    this.credentials = credentials
    this.provider = provider
    this.madeAs = typeof choice === "object" ? undefined : choice
    this.crls = crls
    this.ownTrust = trust !== undefined
    this.#trust = trust
  }

  get trust(): TrustStore {
    // A server that asks no client for a certificate never needs the machine's.
    return this.#trust ?? hostTrust.store
  }

  /** Authorities of `ca` that cannot be used: a sentence each. */
  get skipped(): readonly string[] {
    return this.ownTrust ? this.trust.skipped : []
  }

  /** The same credentials with other authorities. */
  withTrust(trust: TrustStore): SecureContext {
    return new SecureContext(this.credentials, trust, this.provider, this.crls, this.madeAs)
  }

  /** Tells sets of authorities and revocation lists apart, for sessions that must not outlive a change of them. */
  get trustName(): string {
    const { crls } = this.crls
    if (!this.ownTrust && crls.length === 0) return "host"
    const hash = this.provider.cipherSuites[0]!.hash.start()
    if (this.ownTrust) for (const anchor of this.trust.anchors) hash.update(utf8ToBytes(anchorName(anchor)))
    for (const { tbs } of crls) hash.update(tbs)
    return Buffer.from(hash.digest()).toString("base64url")
  }
}

/** A text that differs when the certificate or the constraints of two anchors do. */
function anchorName({ certificate, nameConstraints, usages, pathLength, issuedUntil }: TrustAnchor): string {
  const names =
    nameConstraints && [nameConstraints.permitted, nameConstraints.excluded].map((each) => each.map(generalNameText))
  const exhaustive = nameConstraints?.exhaustive
  return JSON.stringify([toHex(certificate.der), names, exhaustive, usages, pathLength, issuedUntil])
}

/** @throws X509Error or Misuse: one line that says which certificate or key is wrong, and what to do */
export function createSecureContext(options: SecureContextOptions = {}): SecureContext {
  if (options.pfx !== undefined) {
    throw new Misuse(
      "`pfx` is not supported: convert it to PEM with `openssl pkcs12 -in FILE -nodes` and give cert and key",
    )
  }
  const provider = chooseProvider(options.provider)
  const [certs, keys] = [listOf(options.cert), listOf(options.key).map((key) => openedKey(key, options.passphrase))]
  const rawAlone = options.rawPublicKey === true && certs.length === 0
  if (certs.length !== keys.length && !rawAlone) {
    throw new Misuse(
      `${certs.length} of \`cert\` but ${keys.length} of \`key\`: each certificate chain needs its private key, in the same order`,
    )
  }
  const { ocspResponse: given = [] } = options
  const staples = given instanceof Uint8Array ? [given] : given
  if (staples.length > certs.length) {
    throw new Misuse(
      `${staples.length} of \`ocspResponse\` but ${certs.length} of \`cert\`: each belongs to a certificate`,
    )
  }
  const credentials = certs.map((cert, i) => {
    const ocspResponse = staples[i]
    return loadCredential({ cert, key: keys[i]!, provider, ...(ocspResponse && { ocspResponse }) })
  })
  if (options.rawPublicKey) credentials.unshift(...keys.map(rawPublicKey))
  const crls = new CrlStore(listOf(options.crl).flatMap(listsOf))
  return new SecureContext(credentials, trustOf(options), provider, crls, options.provider ?? "fast")
}

/** The public half of a private key that may not carry it. @throws X509Error */
export function rawPublicKey(key: PemSource): Credential {
  return loadRawPublicKey({ key, publicKey: publicKeyOf(parsePrivateKey(key).privateKey) })
}

function trustOf({ ca, trust }: SecureContextOptions): TrustStore | undefined {
  if (ca !== undefined && trust !== undefined) throw new Misuse("`trust` stands in the place of `ca`: give one of them")
  if (ca === undefined) return trust
  const stores = listOf(ca).map((source) => trustStoreFromPem(source))
  const skipped = stores.flatMap((store) => store.skipped)
  for (const problem of skipped)
    process.emitWarning(`\`ca\`: ${problem}; it is left out`, { code: "PUREMQ_CA_SKIPPED" })
  return new TrustStore(
    stores.flatMap(({ anchors }) => anchors),
    skipped,
  )
}

function listsOf(source: PemSource): Crl[] {
  return located(
    () => parseCrls(source),
    (message) => `\`crl\` cannot be read: ${message}`,
  )
}

function listOf(value: PemSource | readonly PemSource[] | undefined): readonly PemSource[] {
  if (value === undefined) return []
  return typeof value === "string" || value instanceof Uint8Array ? [value] : value
}
