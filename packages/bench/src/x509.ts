// What parsing and validating a chain costs beyond its signature checks: three P-256 certificates (leaf, intermediate, trusted
// root), by each provider. Processor time, taken in turns, so that what else the machine does falls on neither side.

import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { createAuthority, createLeaf } from "@puremq/tls13/devcert"
import { createCertificateVerifier, parseCertificate, parseSpki, TrustStore, trustAnchor } from "@puremq/tls13/x509"
import { quartiles, type Spread } from "./statistics.ts"
import type { TextTable } from "./tables.ts"

export interface ValidationRow {
  readonly provider: string
  /** Microseconds to parse leaf and intermediate. */
  readonly parse: number
  /** Microseconds of the two signature checks alone, the intermediate's key taken from its bytes as in life. */
  readonly signatures: number
  /** Microseconds from DER to the verdict. */
  readonly verify: number
  /** verify / signatures, within a round. */
  readonly ratio: Spread
}

/** At most so much of its signature checks may a validation cost. */
const target = 1.15
/** Milliseconds of one measurement. */
const slice = 10

export function compareValidation(rounds: number): ValidationRow[] {
  const now = Date.now()
  const root = createAuthority({ now })
  const intermediate = createAuthority({ now, issuer: root, subject: { commonName: "Intermediate" } })
  const leaf = createLeaf({ now, issuer: intermediate, usage: "server", names: ["example.com", "www.example.com"] })
  const verifier = createCertificateVerifier({ trust: new TrustStore([trustAnchor(root.certificate)]) })
  const chain = [leaf.certificate, intermediate.certificate]
  const [parsedLeaf, parsedIntermediate] = chain.map((der) => parseCertificate(der))
  const rows = [createNobleProvider(), createFastProvider(), createHostProvider()].map((provider) => {
    const ecdsa = provider.signatures.find((each) => each.name === "ecdsa_sha256")
    if (!ecdsa || !parsedLeaf || !parsedIntermediate) throw new Error(`the provider ${provider.name} has no ECDSA`)
    const verify = (): void => {
      const verdict = verifier.verify({
        role: "server",
        type: "X509",
        chain,
        serverName: "example.com",
        ocspResponse: undefined,
        signedCertificateTimestamps: undefined,
        now,
        provider,
      })
      if (!("accepted" in verdict) || !verdict.accepted) throw new Error("the chain is not accepted")
    }
    const signatures = (): void => {
      const fresh = parseSpki(parsedIntermediate.spki)
      ecdsa.verify(fresh, parsedLeaf.tbs, parsedLeaf.signature)
      ecdsa.verify(root.publicKey, parsedIntermediate.tbs, parsedIntermediate.signature)
    }
    const parse = (): void => {
      for (const der of chain) parseCertificate(der)
    }
    const once = microseconds(verify, timesFor(verify))
    const times = Math.max(1, Math.round((slice * 1000) / once))
    const pairs = Array.from({ length: 12 * rounds }, (_, round) => {
      if (round % 2 === 0) return [microseconds(verify, times), microseconds(signatures, times)] as const
      const second = microseconds(signatures, times)
      return [microseconds(verify, times), second] as const
    })
    const middle = (values: readonly number[]): number => quartiles(values)[1]
    return {
      provider: provider.name,
      parse: microseconds(parse, 2000),
      verify: middle(pairs.map(([whole]) => whole)),
      signatures: middle(pairs.map(([, part]) => part)),
      ratio: quartiles(pairs.map(([whole, part]) => whole / part)),
    }
  })
  console.log(validationAsText(rows))
  return rows
}

/** Runs long enough for the engine to compile what runs often, and says how many runs that were. */
function timesFor(work: () => void): number {
  const from = performance.now()
  let times = 0
  while (performance.now() - from < 40 * slice) {
    work()
    times++
  }
  return Math.max(1, Math.round(times / 10))
}

/** Processor time of a run. */
function microseconds(work: () => void, times: number): number {
  const from = process.cpuUsage()
  for (let i = 0; i < times; i++) work()
  const { user, system } = process.cpuUsage(from)
  return (user + system) / times
}

const title = "Parsing and validating a chain of three P-256 certificates"

function validationAsText(rows: readonly ValidationRow[]): string {
  const lines = rows.map(({ provider, verify, signatures, parse, ratio: [low, middle, high] }) => {
    const kept = middle <= target ? `at most ${target}, as wanted` : `more than ${target}`
    return `  ${provider.padEnd(5)} ${verify.toFixed(0).padStart(6)} us, of which signature checks ${signatures.toFixed(0)} us and parsing ${parse.toFixed(1)} us; ratio ${middle.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}), ${kept}`
  })
  return [title, ...lines].join("\n")
}

export function validationTable(rows: readonly ValidationRow[]): TextTable {
  return {
    title,
    lead: `Microseconds of processor time; the whole is to cost at most ${target} times its signature checks.`,
    head: ["provider", "whole", "signature checks", "parsing", "whole / signature checks (quartiles)"],
    cells: rows.map(({ provider, verify, signatures, parse, ratio: [low, middle, high] }) => [
      provider,
      verify.toFixed(0),
      signatures.toFixed(0),
      parse.toFixed(1),
      `${middle.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`,
    ]),
    bars: {
      axis: "µs CPU of the whole",
      values: rows.map(({ provider, verify }) => ({ name: provider, value: verify })),
    },
  }
}
