// From the runner's flags to the configuration of one connection.

import { createHash } from "node:crypto"
import type { AlertName } from "../src/bytes/alerts.ts"
import { equalBytes } from "../src/bytes/equal.ts"
import { Pause } from "../src/bytes/pause.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import type { CryptoProvider } from "../src/crypto/provider.ts"
import { signatureSchemes } from "../src/crypto/signature-schemes.ts"
import { acceptAnyCertificate } from "../src/dangerous/index.ts"
import type { CommonOptions } from "../src/handshake/options.ts"
import { type ImportOptions, importPsk } from "../src/session/psk-importer.ts"
import { MemoryPskStore } from "../src/session/psk-store.ts"
import { MemoryReplayGuard } from "../src/session/replay-guard.ts"
import type { ClientSession, ExternalPsk, Ticketer } from "../src/session/session.ts"
import { TicketKeyRing } from "../src/session/ticket-keys.ts"
import type { TraceEvent } from "../src/trace/events.ts"
import { parseCertificate } from "../src/x509/certificate/certificate.ts"
import * as KeyUsage from "../src/x509/certificate/key-usage.ts"
import type { CertificateType, CertificateVerdict, CertificateVerifier } from "../src/x509/interfaces.ts"
import { compressions } from "./compression.ts"
import { credentialResolver, type Seen } from "./credentials.ts"
import { checkEchName, offeredEch, takenEch } from "./ech.ts"
import type { ConnectionFlags, Flags } from "./flags.ts"
import { Unimplemented } from "./outcomes.ts"
import { policyOf } from "./policy.ts"

/** BoringSSL's own default, which the tests take for granted. */
const defaultGroups = ["X25519MLKEM768", "x25519", "secp256r1", "secp384r1"]
const defaultSchemes = [
  "ecdsa_secp256r1_sha256",
  "rsa_pss_rsae_sha256",
  "ecdsa_secp384r1_sha384",
  "rsa_pss_rsae_sha384",
  "rsa_pss_rsae_sha512",
]
/** kMaxEarlyDataAccepted */
const mostEarlyData = 14_336
/** RSASSA-PKCS1-v1_5, SHA-1 and one of BoringSSL's own: nothing that TLS 1.3 allows in CertificateVerify. */
const olderSchemes = [0x0401, 0x0501, 0x0601, 0x0201, 0x0203, 0x0420]

/** What lives through all connections of one test. */
export class Memory {
  /** What the last connection of a client left. */
  session: ClientSession | undefined
  /** Milliseconds by which the clock was put forward: it stands still otherwise, as BoringSSL's shim has it. */
  clockOffset = 0
  readonly #start = Date.now()
  readonly provider: CryptoProvider
  readonly tickets: TicketKeyRing
  readonly replayGuard = new MemoryReplayGuard()

  constructor(provider: CryptoProvider) {
    this.provider = provider
    this.tickets = new TicketKeyRing({ aead: provider.cipherSuites[1]!.aead, random: provider.random })
  }

  now(): number {
    return this.#start + this.clockOffset
  }
}

export interface Setup {
  readonly seen: Seen
  /** The session that came during the connection. */
  newSession(): ClientSession | undefined
  open(trace: (event: TraceEvent) => void): ClientConnection | ServerConnection
}

/** @throws Unimplemented for a group, a scheme or an algorithm that this stack does not have */
export function configure(flags: ConnectionFlags, retryFlags: ConnectionFlags, memory: Memory): Setup {
  const seen: Seen = {
    selectedCredential: -1,
    clientHello: undefined,
    openedSession: undefined,
    ocspResponse: undefined,
    signedCertificateTimestamps: undefined,
  }
  return flags.has("-server") ? server(flags, memory, seen) : client(flags, retryFlags, memory, seen)
}

function client(flags: ConnectionFlags, retryFlags: ConnectionFlags, memory: Memory, seen: Seen): Setup {
  const offered = memory.session
  let newSession: ClientSession | undefined
  const credentials = credentialResolver(flags, seen, memory.provider)
  const keyShares = flags.has("-no-key-shares")
    ? []
    : flags.numbers("-key-shares")?.map((code) => groupName(code, memory.provider))
  const groups = groupsOf(flags, memory.provider)
  // BoringSSL sends the best share that is hybrid and the best that is not.
  const isHybrid = (name: string): boolean => name.includes("MLKEM")
  const defaultShares = [groups.find(isHybrid), groups.find((name) => !isHybrid(name))].filter(
    (name) => name !== undefined,
  )
  const externalPsks = importedPsks(flags, memory.provider)
  // A server that refuses early data is verified by the flags for then.
  const verifying = flags.has("-expect-reject-early-data") ? retryFlags : flags
  // The certificates of the session are verified ahead of everything.
  const naming = offered && flags.has("-reverify-on-resume") ? [flags] : []
  const options = {
    ...common(flags, memory.provider),
    // With PSKs alone BoringSSL's client takes no certificate.
    ...(takesCertificates(flags) && { verifier: verifier(verifying, seen, naming) }),
    externalPsks,
    ...(credentials && { credentials }),
    ...(flags.has("-host-name") && { serverName: flags.text("-host-name")! }),
    keyShares: keyShares ?? defaultShares,
    alpnProtocols: protocolList(flags.text("-advertise-alpn")),
    sessionStore: {
      take: () => offered,
      put: (_: string, session: ClientSession) => {
        newSession = session
      },
    },
    earlyData: flags.has("-enable-early-data"),
    certificateTypes: {
      client: typeNames(flags.numbers("-available-client-cert-types")) ?? ownTypes(flags),
      server: typeNames(flags.numbers("-accepted-peer-cert-types")) ?? ["X509"],
    },
    permuteExtensions: flags.has("-permute-extensions"),
    reverifyOnResumption: flags.has("-reverify-on-resume"),
    requestOcspResponse: flags.has("-enable-ocsp-stapling"),
    requestSignedCertificateTimestamps: flags.has("-enable-signed-cert-timestamps"),
    encryptedClientHello: offeredEch(flags, memory.provider),
  }
  return {
    seen,
    newSession: () => newSession,
    open: (trace) => new ClientConnection(createClientConfig({ ...options, trace }), memory.now()),
  }
}

function server(flags: ConnectionFlags, memory: Memory, seen: Seen): Setup {
  const mode = clientAuthentication(flags)
  const externalPsks = importedPsks(flags, memory.provider)
  const credentials = credentialResolver(flags, seen, memory.provider)
  const options = {
    ...common(flags, memory.provider),
    ...(credentials && { credentials }),
    ...(mode && { clientAuthentication: { mode, verifier: verifier(flags, seen), authorities: authorities(flags) } }),
    certificateTypes: {
      client: typeNames(flags.numbers("-accepted-peer-cert-types")) ?? ["X509"],
      server: ownTypes(flags),
    },
    alpnProtocols: serverProtocols(flags),
    ...(externalPsks.length > 0 && { externalPsks: new MemoryPskStore(externalPsks) }),
    ...(!flags.has("-no-ticket") && { ticketer: ticketer(flags, memory, seen) }),
    ...(flags.has("-enable-early-data") && {
      earlyData: {
        maxBytes: mostEarlyData, // A minute, which BoringSSL counts in whole seconds.
        freshness: 60_999,
        replayGuard: memory.replayGuard,
      },
    }),
    encryptedClientHello: takenEch(flags, memory.provider),
    preference: ownOrder(flags, memory.provider) ? ("server" as const) : ("client" as const),
  }
  return {
    seen,
    newSession: () => undefined,
    open: (trace) => new ServerConnection(createServerConfig({ ...options, trace }), memory.now()),
  }
}

/** BoringSSL follows the client, unless it is told not to or has to do without AES instructions. */
function ownOrder(flags: ConnectionFlags, { cipherSuites }: CryptoProvider): boolean {
  const byFlags = flags.has("-server-preference") || flags.has("-cipher") || policyOf(flags)?.ownOrder === true
  return byFlags || !cipherSuites[0]!.name.includes("AES")
}

function common(flags: ConnectionFlags, provider: CryptoProvider): CommonOptions {
  const policy = policyOf(flags)
  const verified = (policy?.signatureSchemes ?? flags.numbers("-verify-prefs"))?.filter(
    (code) => !olderSchemes.includes(code),
  )
  if (verified?.length === 0) throw new Unimplemented("only signature schemes of TLS 1.2")
  return {
    provider,
    cipherSuites: policy?.cipherSuites,
    groups: groupsOf(flags, provider),
    signatureSchemes: verified?.map(schemeName) ?? defaultSchemes,
    limits: {
      chainLength: 256,
      // As many key updates in a row as BoringSSL takes.
      postHandshakeMessages: 32,
      skippedEarlyData: mostEarlyData,
      ...(flags.has("-max-cert-list") && { handshakeMessageSize: flags.number("-max-cert-list")! }),
    },
    certificateCompression: compressions(flags),
    // BoringSSL's servers always do.
    grease: flags.has("-server") || flags.has("-enable-grease"),
    ...(flags.has("-max-send-fragment") && { maxFragment: flags.number("-max-send-fragment")! }),
  }
}

function groupsOf(flags: ConnectionFlags, provider: CryptoProvider): readonly string[] {
  return (
    (policyOf(flags)?.groups ?? flags.numbers("-curves"))?.map((code) => groupName(code, provider)) ?? defaultGroups
  )
}

function groupName(code: number, provider: CryptoProvider): string {
  const group = provider.keyExchanges.find((each) => each.code === code)
  if (group === undefined) throw new Unimplemented(`group 0x${code.toString(16)}`)
  return group.name
}

function schemeName(code: number): string {
  const scheme = signatureSchemes.find((each) => each.code === code && !each.certificatesOnly)
  if (scheme === undefined) throw new Unimplemented(`signature scheme 0x${code.toString(16).padStart(4, "0")}`)
  return scheme.name
}

/** A protocol_name_list without its length. */
function protocolList(text: string | undefined): string[] {
  const names: string[] = []
  for (let at = 0; text !== undefined && at < text.length; at += 1 + text.charCodeAt(at)) {
    names.push(text.slice(at + 1, at + 1 + text.charCodeAt(at)))
  }
  return names
}

function serverProtocols(flags: ConnectionFlags): string[] {
  // No client offers this, so that every offer is refused.
  if (flags.has("-reject-alpn")) return ["\0"]
  const selected = flags.text("-select-alpn")
  return selected === undefined || selected === "" || flags.has("-decline-alpn") ? [] : [selected]
}

function typeNames(codes: readonly number[] | undefined): CertificateType[] | undefined {
  return codes?.map((code) => (code === 2 ? "RawPublicKey" : "X509"))
}

/** Of the configured credentials, in their order. */
function ownTypes(flags: ConnectionFlags): CertificateType[] {
  const kinds = flags.credentials.filter(({ kind }) => kind !== "psk")
  const types = kinds.map(({ kind }): CertificateType => (kind === "rpk" ? "RawPublicKey" : "X509"))
  return types.length === 0 || flags.has("-key-file")
    ? [...new Set<CertificateType>([...types, "X509"])]
    : [...new Set(types)]
}

function clientAuthentication(flags: ConnectionFlags): "request" | "require" | undefined {
  if (flags.has("-verify-peer")) return "request"
  return flags.has("-require-any-client-certificate") ? "require" : undefined
}

function authorities(flags: ConnectionFlags): Uint8Array[] {
  const list = flags.text("-use-client-ca-list")
  if (list === undefined || list.startsWith("<")) return []
  return list.split(",").map((hex) => new Uint8Array(Buffer.from(hex, "hex")))
}

function importedPsks(flags: ConnectionFlags, provider: CryptoProvider): ExternalPsk[] {
  return flags.credentials.flatMap((each) =>
    each.kind === "psk" ? importPsk(importOptions(each.flags, provider)) : [],
  )
}

function importOptions(flags: Flags, provider: CryptoProvider): ImportOptions {
  return {
    identity: flags.bytes("-psk-importer-identity") ?? new Uint8Array(0),
    key: flags.bytes("-psk-importer-key") ?? new Uint8Array(0),
    context: flags.bytes("-psk-importer-context") ?? new Uint8Array(0),
    hash: flags.has("-psk-importer-sha384") ? "sha384" : "sha256",
    provider,
  }
}

/** The index of the credential that an imported identity belongs to. */
export function pskCredential(flags: ConnectionFlags, identity: Uint8Array, provider: CryptoProvider): number {
  return flags.credentials.findIndex(
    (each) =>
      each.kind === "psk" &&
      importPsk(importOptions(each.flags, provider)).some((psk) => equalBytes(psk.identity, identity)),
  )
}

function takesCertificates(flags: ConnectionFlags): boolean {
  return (
    flags.credentials.length === 0 || flags.has("-verify-peer") || flags.credentials.some(({ kind }) => kind !== "psk")
  )
}

/** Takes every certificate that a signature can be made with, unless the flags say otherwise. */
function verifier(flags: ConnectionFlags, seen: Seen, naming: ConnectionFlags[] = []): CertificateVerifier {
  const any = acceptAnyCertificate()
  // Without -verify-peer BoringSSL's client goes on after a failure.
  const enforced = flags.has("-verify-peer") || flags.has("-require-any-client-certificate")
  return {
    leafKey: (verification) => any.leafKey?.(verification),
    verify(verification) {
      checkEchName(naming.shift() ?? flags, verification.serverName)
      seen.ocspResponse = verification.ocspResponse
      seen.signedCertificateTimestamps = verification.signedCertificateTimestamps
      let verdict = any.verify(verification) as CertificateVerdict
      const problem = verdict.accepted ? keyProblem(verification.chain[0]!, verification.type, flags) : undefined
      if (problem !== undefined) verdict = rejected("certificate_unknown", problem)
      else if (flags.has("-verify-fail") && (enforced || verification.type === "RawPublicKey")) {
        // The alerts that BoringSSL's two kinds of callback end with.
        const custom = flags.has("-use-custom-verify-callback")
        verdict = rejected(custom ? "certificate_unknown" : "handshake_failure", "certificate verify failed")
      }
      if (verdict.accepted && flags.has("-fail-ocsp-callback")) {
        verdict = rejected("bad_certificate_status_response", "OCSP callback failed")
      }
      return flags.has("-async") && flags.has("-use-custom-verify-callback")
        ? new Pause(Promise.resolve(verdict))
        : verdict
    },
  }
}

function rejected(alert: AlertName, message: string): CertificateVerdict {
  return { accepted: false, alert, reason: message.replaceAll(" ", "_"), message }
}

function keyProblem(leaf: Uint8Array, type: CertificateType, flags: ConnectionFlags): string | undefined {
  if (type === "RawPublicKey") {
    const expected = flags.bytes("-expect-peer-rpk-sha256")
    const hash = createHash("sha256").update(leaf).digest()
    return expected && !hash.equals(expected) ? "raw public key is another one" : undefined
  }
  // RFC 9846 section 4.5.1.2: the keyUsage extension, if present, must have digitalSignature.
  const { keyUsage } = parseCertificate(leaf).extensions
  return keyUsage !== undefined && (keyUsage & KeyUsage.digitalSignature) === 0 ? "key usage bit incorrect" : undefined
}

function ticketer(flags: ConnectionFlags, { tickets }: Memory, seen: Seen): Ticketer {
  const async = flags.has("-async") && flags.has("-use-ticket-aead-callback")
  return {
    seal: (session, now) => (flags.has("-skip-ticket") ? undefined : tickets.seal(session, now)),
    open(ticket, now) {
      const session = tickets.open(ticket, now)
      seen.openedSession = session
      return async ? new Pause(Promise.resolve(session)) : session
    },
  }
}
