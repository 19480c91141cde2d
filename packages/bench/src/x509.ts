// What parsing and validating a chain costs beyond its signature checks: three P-256 certificates (leaf, intermediate, trusted
// root), by each provider. Run it alone with `node packages/bench/dist/x509.js`.

import { fileURLToPath } from "node:url"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { createAuthority, createLeaf } from "@puremq/tls13/devcert"
import { createCertificateVerifier, parseCertificate, parseSpki, TrustStore, trustAnchor } from "@puremq/tls13/x509"

export interface X509Figures {
  readonly provider: string
  /** Microseconds to parse leaf and intermediate. */
  readonly parse: number
  /** Microseconds of the two signature checks alone, the intermediate's key taken from its bytes as in life. */
  readonly signatures: number
  /** Microseconds from DER to the verdict. */
  readonly verify: number
  /** verify / signatures; the target is at most 1.15. */
  readonly ratio: number
}

export function benchX509(rounds = 7): X509Figures[] {
  const now = Date.now()
  const root = createAuthority({ now })
  const intermediate = createAuthority({ now, issuer: root, subject: { commonName: "Intermediate" } })
  const leaf = createLeaf({ now, issuer: intermediate, usage: "server", names: ["example.com", "www.example.com"] })
  const verifier = createCertificateVerifier({ trust: new TrustStore([trustAnchor(root.certificate)]) })
  const chain = [leaf.certificate, intermediate.certificate]
  const [parsedLeaf, parsedIntermediate] = chain.map((der) => parseCertificate(der))
  return [createHostProvider(), createNobleProvider()].map((provider) => {
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
    const times = provider.name === "host" ? 1000 : 40
    // In turns, so that both see the same weather; the best round of each counts.
    const best = {
      verify: Number.POSITIVE_INFINITY,
      signatures: Number.POSITIVE_INFINITY,
      parse: Number.POSITIVE_INFINITY,
    }
    for (let round = 0; round < rounds; round++) {
      best.verify = Math.min(best.verify, microseconds(verify, times))
      best.signatures = Math.min(best.signatures, microseconds(signatures, times))
      best.parse = Math.min(best.parse, microseconds(parse, 20 * times))
    }
    return { provider: provider.name, ...best, ratio: best.verify / best.signatures }
  })
}

function microseconds(work: () => void, times: number): number {
  const from = performance.now()
  for (let i = 0; i < times; i++) work()
  return ((performance.now() - from) * 1000) / times
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { provider, parse, signatures, verify, ratio } of benchX509()) {
    console.log(
      `x509 ${provider}: ${verify.toFixed(0)} us to verify a P-256 chain, ${signatures.toFixed(0)} us of it signature checks, ${parse.toFixed(1)} us parsing; ratio ${ratio.toFixed(3)}`,
    )
  }
}
