// Asks for certificates that are in public logs (RFC 6962): a verifier around another one, so that who does not ask carries
// nothing of it.

import { InvalidMessage } from "../../bytes/errors.ts"
import { toHex } from "../../bytes/hex.ts"
import { afterwards } from "../../bytes/pause.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { parseCertificate } from "../certificate/certificate.ts"
import { askedAfterSignature } from "../certificate/leaf-key.ts"
import { timestampList } from "../certificate/other-extensions.ts"
import { parsePem } from "../der/pem.ts"
import { attempt, malformed, type Reason, reasonAlerts, X509Error } from "../errors.ts"
import type { CertificateVerdict, CertificateVerification, CertificateVerifier, PeerTimestamp } from "../interfaces.ts"
import { keyProblem } from "../keys/key-policy.ts"
import { spkiHash } from "../keys/pins.ts"
import { parseSpki } from "../keys/spki.ts"
import { certificateEntry, decodeTimestampList, isSignedBy, type LogEntry, precertificateEntry } from "./timestamp.ts"

/** A log that the application knows. */
export interface TransparencyLog {
  /** Its public key: PEM, base64 as in the lists of browsers, or DER. */
  readonly key: string | Uint8Array
  /** For people. */
  readonly description: string
  /** Milliseconds since 1970: timestamps from then on count. Default: all. */
  readonly from?: number
  /** Milliseconds since 1970: timestamps up to then count, of a log that has retired, say. Default: all. */
  readonly until?: number
}

export interface TransparencyRules {
  /**
   * `require`: certificates need good timestamps of `minimum` logs. `ifPresent`: they need none, but where known logs' are there one
   * of them has to be good. `off`: the verifier stays as it is.
   */
  readonly policy: "off" | "ifPresent" | "require"
  /** Timestamps of other logs are ignored. */
  readonly logs: readonly TransparencyLog[]
  /** Different logs, 1 or more; default 1. */
  readonly minimum?: number
  readonly provider: CryptoProvider
}

interface KnownLog extends Pick<TransparencyLog, "description" | "from" | "until"> {
  readonly key: PublicKey
}

/** Signatures of one certificate's timestamps that are checked; those beyond do not count. */
const mostChecks = 32

/**
 * A verifier that also wants timestamps of public logs. It takes those in the certificate and those that the peer sends beside it,
 * for which it asks; not those in an OCSP response.
 * @param inner one that pauses has to have `work`
 * @throws X509Error for a key of a log, RangeError for `minimum`
 */
export function checkTransparency(inner: CertificateVerifier, rules: TransparencyRules): CertificateVerifier {
  const { policy, minimum = 1, provider } = rules
  if (!["off", "ifPresent", "require"].includes(policy))
    throw new RangeError(`policy is ${JSON.stringify(policy)}; it must be one of off, ifPresent, require`)
  if (policy === "off") return inner
  if (!(minimum >= 1)) throw new RangeError(`minimum is ${minimum}; it must be 1 or more`)
  const logs = knownLogs(rules.logs, provider)
  if (policy === "require" && logs.size < minimum)
    throw new RangeError(`timestamps of ${minimum} logs are wanted, and ${logs.size} are known`)
  const verifier = askedAfterSignature(inner)
  const { leafKey } = verifier
  return {
    asks: { ...verifier.asks, signedCertificateTimestamps: true },
    ...(leafKey && { leafKey }),
    verify: (verification) =>
      afterwards(verifier.verify(verification), (verdict) =>
        verdict.accepted && verification.type === "X509"
          ? withTimestamps(verification, verdict, logs, policy === "require" ? minimum : undefined)
          : verdict,
      ),
  }
}

function knownLogs(logs: readonly TransparencyLog[], provider: CryptoProvider): ReadonlyMap<string, KnownLog> {
  const known = new Map<string, KnownLog>()
  for (const { key: source, description, from, until } of logs) {
    const spki = spkiOf(source, description)
    const key = attempt(() => parseSpki(spki))
    const problem = key instanceof X509Error ? key : keyProblem(key)
    if (key instanceof X509Error || problem !== undefined)
      throw new X509Error(
        "unsupported_key",
        `the key of the log ${JSON.stringify(description)} cannot be used: ${problem?.message}`,
      )
    const id = spkiHash(spki, provider)
    if (id === undefined)
      throw new X509Error(
        "unsupported_key",
        `the crypto provider ${provider.name} has no SHA-256, by which logs are known`,
      )
    known.set(toHex(id), {
      key,
      description,
      ...(from !== undefined && { from }),
      ...(until !== undefined && { until }),
    })
  }
  return known
}

function spkiOf(key: string | Uint8Array, description: string): Uint8Array {
  if (typeof key !== "string") return key
  const pem = key.includes("-----BEGIN") ? key : `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----`
  const block = parsePem(pem).find(({ label }) => label === "PUBLIC KEY")
  if (block !== undefined) return block.der
  throw malformed(`the key of the log ${JSON.stringify(description)} is no PUBLIC KEY in PEM, and no base64 of one`)
}

type Accepted = CertificateVerdict & { readonly accepted: true }

/** @param minimum undefined: nothing has to be there */
function withTimestamps(
  verification: CertificateVerification,
  verdict: Accepted,
  logs: ReadonlyMap<string, KnownLog>,
  minimum: number | undefined,
): CertificateVerdict {
  // Not every verifier wants a certificate that can be read.
  const judged = attempt(() => judge(verification, verdict, logs))
  if (judged instanceof X509Error)
    return refusal(
      judged.reason,
      `timestamps cannot be looked for in the peer's certificate or its issuer's: ${judged.message}`,
    )
  if ("unreadable" in judged) {
    const message = `the timestamps of the peer's certificate cannot be read: ${judged.unreadable.message}`
    // Beside a certificate they are a part of the message that has it.
    return { ...refusal("malformed", message), ...(judged.source === "handshake" && { alert: "decode_error" }) }
  }
  const { good, problems } = judged
  const distinct = new Set(good.map(({ logId }) => toHex(logId))).size
  const why = problems.length === 0 ? "" : `; ${problems.join(", ")}`
  if (minimum !== undefined && distinct < minimum)
    return refusal(
      "timestamps_missing",
      `the peer's certificate has good timestamps of ${distinct} known logs, and ${minimum} are wanted (RFC 6962)${why}`,
    )
  if (minimum === undefined && distinct === 0 && problems.length > 0)
    return refusal("bad_timestamp", `no timestamp of the peer's certificate is good (RFC 6962): ${problems.join(", ")}`)
  return { ...verdict, identity: { ...verdict.identity, signedCertificateTimestamps: good } }
}

interface Judged {
  readonly good: PeerTimestamp[]
  readonly problems: string[]
}

/** What is there of known logs: the good ones, and what is wrong with the others. @throws X509Error */
function judge(
  { chain, signedCertificateTimestamps, now, provider }: CertificateVerification,
  { identity }: Accepted,
  logs: ReadonlyMap<string, KnownLog>,
): Judged | { readonly unreadable: InvalidMessage; readonly source: PeerTimestamp["source"] } {
  const good: PeerTimestamp[] = []
  const problems: string[] = []
  let checks = 0
  // Where the time is not known, what is to come is not either.
  const latest = identity.unchecked?.includes("validity") ? Number.POSITIVE_INFINITY : now
  const take = (list: Uint8Array, entry: LogEntry, source: PeerTimestamp["source"]): void => {
    for (const each of decodeTimestampList(list)) {
      const log = logs.get(toHex(each.logId))
      if (log === undefined || checks >= mostChecks) continue
      checks++
      const { timestamp, logId } = each
      const problem =
        problemOf(timestamp, log, latest) ??
        (isSignedBy(each, entry, log.key, provider) ? undefined : "is not signed by it")
      if (problem === undefined) good.push({ source, logId, log: log.description, timestamp })
      else problems.push(`the one of ${log.description} ${problem}`)
    }
  }
  const leaf = parseCertificate(chain[0]!)
  const embedded = timestampList(leaf.extensions)
  const issuer = identity.path[1]
  const precertificate = issuer && precertificateEntry(leaf, parseCertificate(issuer).spki, provider)
  let source: PeerTimestamp["source"] = "certificate"
  try {
    if (embedded !== undefined && precertificate !== undefined) take(embedded, precertificate, source)
    source = "handshake"
    if (signedCertificateTimestamps !== undefined) take(signedCertificateTimestamps, certificateEntry(leaf), source)
  } catch (error) {
    if (error instanceof InvalidMessage) return { unreadable: error, source }
    throw error
  }
  return { good, problems }
}

/** Section 5.2: "TLS clients MUST reject SCTs whose timestamp is in the future." */
function problemOf(timestamp: number, { from, until }: KnownLog, latest: number): string | undefined {
  if (timestamp > latest) return "is of the future"
  if (from !== undefined && timestamp < from) return "is of before the log counts"
  if (until !== undefined && timestamp > until) return "is of after the log has ceased to count"
  return undefined
}

function refusal(reason: Reason, message: string): CertificateVerdict {
  return { accepted: false, alert: reasonAlerts[reason], reason, message }
}
