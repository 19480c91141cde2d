// One x509-limbo case through the validator, as an application would call it.

import type { CryptoProvider } from "../src/crypto/provider.ts"
import {
  type Certificate,
  CrlStore,
  KeyUsage,
  matchNames,
  nameProblem,
  Oid,
  type Profile,
  parseCertificates,
  parseCrls,
  type ReferenceIdentity,
  referenceHost,
  revocationProblem,
  trustStoreOfUsable,
  validatePath,
  X509Error,
} from "../src/x509/index.ts"
import type { PeerName, Testcase } from "./schema.ts"

export interface Evaluation {
  readonly accepted: boolean
  /** Why not, or nothing. */
  readonly why: string
}

/**
 * The suite mixes two rule books; a namespace says which of them a case is about. `webpki::` is the CA/Browser Forum's, and
 * `online::` holds chains of public servers, which keep it; everything else is RFC 5280 with the duties of its section 4.
 */
function profileOf(testcase: Testcase): Profile {
  return /^(webpki|online)::/.test(testcase.id) ? "webpki" : "rfc5280"
}

/**
 * By which rules: `book`, the book that a case is about; a profile, for all cases; `host`, what a client does by default whose
 * authorities are those of its host.
 */
export type Rules = "book" | Profile | "host"

const usages: Readonly<Record<string, string>> = {
  anyExtendedKeyUsage: Oid.anyExtendedKeyUsage,
  serverAuth: Oid.serverAuth,
  clientAuth: Oid.clientAuth,
  codeSigning: Oid.codeSigning,
  emailProtection: Oid.emailProtection,
  timeStamping: Oid.timeStamping,
  OCSPSigning: Oid.ocspSigning,
}

const bits: Readonly<Record<string, number>> = { ...KeyUsage }

/** Runs a case. An exception other than `X509Error` is a defect and goes up. */
export function evaluate(testcase: Testcase, provider: CryptoProvider, clock: number, rules: Rules): Evaluation {
  try {
    const why = refusal(testcase, provider, clock, rules)
    return { accepted: why === undefined, why: why ?? "" }
  } catch (error) {
    if (error instanceof X509Error) return { accepted: false, why: `${error.reason}: ${error.message}` }
    throw error
  }
}

function refusal(testcase: Testcase, provider: CryptoProvider, clock: number, rules: Rules): string | undefined {
  const now = testcase.validation_time === null ? clock : Date.parse(testcase.validation_time)
  const [leaf] = parseCertificates(testcase.peer_certificate)
  const { store } = trustStoreOfUsable(testcase.trusted_certs, rules === "host" ? "host" : "own")
  const lists = testcase.crls ?? []
  const crls = new CrlStore(lists.flatMap((pem) => parseCrls(pem)))
  const wanted = (testcase.extended_key_usage ?? []).map((name) => usages[name] ?? name)
  let keyUsage = 0
  for (const name of testcase.key_usage ?? []) keyUsage |= bits[name] ?? 0
  const verdict = validatePath({
    leaf: leaf!,
    intermediates: testcase.untrusted_intermediates.flatMap(usable),
    trust: store,
    now,
    provider,
    ...(rules !== "host" && { profile: rules === "book" ? profileOf(testcase) : rules }),
    usage: wanted[0] ?? (testcase.validation_kind === "SERVER" ? Oid.serverAuth : Oid.clientAuth),
    keyUsage,
    accept: (path) => (lists.length > 0 ? revocationProblem(path, { crls }, undefined, now, provider) : undefined),
    ...(testcase.max_chain_depth === null ? {} : { maximumIntermediates: testcase.max_chain_depth }),
  })
  if (!verdict.accepted) return `${verdict.problem.reason}: ${verdict.problem.message}`
  return nameRefusal(leaf!, testcase)
}

function nameRefusal(leaf: Certificate, testcase: Testcase): string | undefined {
  if (testcase.expected_peer_name) {
    const problem = nameProblem(leaf, reference(testcase.expected_peer_name))
    if (problem) return `${problem.reason}: ${problem.message}`
  }
  for (const name of testcase.expected_peer_names ?? []) {
    if (!matchNames(leaf.extensions.subjectAltName ?? [], reference(name)))
      return `name_mismatch: no name ${name.value}`
  }
  return undefined
}

function reference(name: PeerName): ReferenceIdentity {
  return name.kind === "RFC822" ? { kind: "email", address: name.value } : referenceHost(name.value)
}

/** An untrusted certificate that cannot be read is as good as absent. */
function usable(pem: string): Certificate[] {
  try {
    return parseCertificates(pem)
  } catch (error) {
    if (error instanceof X509Error) return []
    throw error
  }
}
