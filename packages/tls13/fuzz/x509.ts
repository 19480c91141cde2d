// Mutated certificates, revocation lists, OCSP responses, keys and PEM texts through the readers and the verifier. A reader may
// throw X509Error and nothing else; the verifier throws nothing; nothing takes long.

import type { CryptoProvider } from "../src/crypto/provider.ts"
import { describeBundle } from "../src/x509/describe/describe-bundle.ts"
import {
  type CertificateVerdict,
  CrlStore,
  createCertificateVerifier,
  describeChain,
  parseCertificate,
  parseCrl,
  parseOcspResponse,
  parsePrivateKey,
  parseSpki,
  TrustStore,
  toPem,
  trustAnchor,
  X509Error,
} from "../src/x509/index.ts"
import { mutate } from "./mutate.ts"
import type { Random } from "./random.ts"

export interface Corpus {
  readonly certificates: readonly Uint8Array[]
  readonly crls: readonly Uint8Array[]
  readonly ocspResponses: readonly Uint8Array[]
  readonly keys: readonly Uint8Array[]
}

export interface Finding {
  readonly target: string
  readonly input: Uint8Array
  readonly problem: string
}

export interface Tally {
  executions: number
  /** Inputs that a reader took, however they were changed. */
  parsed: number
  slowest: number
  readonly findings: Finding[]
}

const now = Date.UTC(2026, 5, 1)

/**
 * One execution: one changed input into one target.
 * @param clock milliseconds of processor time: a busy machine makes no finding
 */
export function fuzzOnce(corpus: Corpus, random: Random, tally: Tally, clock: () => number): void {
  const [target, inputs, run] = random.pick(targetsOf(corpus))
  const input = mutate(random.pick(inputs), random)
  const from = clock()
  tally.executions++
  try {
    run(input, random.pick(corpus.certificates))
    tally.parsed++
  } catch (error) {
    if (!(error instanceof X509Error)) {
      tally.findings.push({
        target,
        input,
        problem: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
    } else if (error.reason === "internal") tally.findings.push({ target, input, problem: error.message })
  }
  const took = clock() - from
  if (took > tally.slowest) tally.slowest = took
  if (took > 1000) tally.findings.push({ target, input, problem: `took ${took.toFixed(0)} ms` })
}

type Target = readonly [
  name: string,
  inputs: readonly Uint8Array[],
  run: (input: Uint8Array, other: Uint8Array) => void,
]

const targets = new WeakMap<Corpus, readonly Target[]>()

function targetsOf(corpus: Corpus): readonly Target[] {
  let list = targets.get(corpus)
  if (list === undefined) {
    const store = new TrustStore(corpus.certificates.flatMap(usableAnchor))
    list = [
      ["certificate", corpus.certificates, (input) => described(input)],
      ["certificate chain", corpus.certificates, (input, other) => verified([input, other], store)],
      ["intermediate", corpus.certificates, (input, other) => verified([other, input], store)],
      ["anchor", corpus.certificates, (input, other) => verified([other, input], new TrustStore(usableAnchor(input)))],
      ["revocation list", corpus.crls, (input, other) => lists(input, other)],
      ["OCSP response", corpus.ocspResponses, (input, other) => staple(input, other, store)],
      ["private key", corpus.keys, (input) => void parsePrivateKey(input)],
      ["public key", corpus.certificates, (input) => void parseSpki(input)],
      ["PEM", corpus.keys, (input) => void parsePrivateKey(mutatedText(input))],
    ]
    targets.set(corpus, list)
  }
  return list
}

function usableAnchor(der: Uint8Array): ReturnType<typeof trustAnchor>[] {
  try {
    return [trustAnchor(der)]
  } catch (error) {
    if (error instanceof X509Error) return []
    throw error
  }
}

/** Signatures are right by a hash of their length, so that paths go on behind them; keys need no curve. */
const provider: CryptoProvider = {
  name: "fuzz",
  cipherSuites: [],
  keyExchanges: [],
  signatures: (
    ["ecdsa_sha256", "ecdsa_sha384", "ecdsa_sha512", "ed25519", "rsa_pkcs1_sha256", "rsa_pss_sha256"] as const
  ).map((name) => ({
    name,
    verify: (_key, message) => message.length % 7 !== 0,
    sign: () => new Uint8Array(64),
  })),
  random: (length) => new Uint8Array(length),
}

function verified(chain: Uint8Array[], trust: TrustStore, ocspResponse?: Uint8Array): void {
  const verdict = createCertificateVerifier({ trust, profile: chain[0]!.length % 2 ? "path" : "webpki" }).verify({
    role: "server",
    type: "X509",
    chain,
    serverName: "example.com",
    ocspResponse,
    signedCertificateTimestamps: undefined,
    now,
    provider,
  }) as CertificateVerdict
  if (!verdict.accepted) throw new X509Error(verdict.reason === "internal" ? "internal" : "malformed", verdict.message)
}

function described(input: Uint8Array): void {
  const text = describeChain([input], { now }) + describeBundle([input, input], { now }).text
  // What a certificate says must not move a terminal's cursor.
  if (/[\p{Cc}\p{Cf}\p{Cs}]/u.test(text.replaceAll("\n", "")))
    throw new Error(`a control character in ${JSON.stringify(text)}`)
  parseCertificate(input)
}

function lists(input: Uint8Array, other: Uint8Array): void {
  const certificate = parseCertificate(other)
  new CrlStore([parseCrl(input)]).status(certificate, certificate, now, provider)
}

function staple(input: Uint8Array, other: Uint8Array, store: TrustStore): void {
  parseOcspResponse(input)
  verified([other], store, input)
}

function mutatedText(input: Uint8Array): string {
  const text = toPem("PRIVATE KEY", input)
  return input.length % 3 === 0 ? text.replace("A", "\n") : input.length % 3 === 1 ? text.slice(0, -9) : text
}
