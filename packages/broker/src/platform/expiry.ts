// Until when certificates are good, for the metrics: read once for each that there is.

import { parseCertificate, parsePem } from "@puremq/tls13/x509"

/** Chains that are remembered: more than a configuration has listeners. */
const mostChains = 256

/** Gives of a PEM text when the first of its certificates expires, in seconds since 1970; undefined: none of them can be read. */
export function expiryOf(): (pem: string) => number | undefined {
  const known = new Map<string, number | undefined>()
  return (pem) => {
    if (known.has(pem)) return known.get(pem)
    const moments = parsePem(pem).flatMap(({ label, der }) => (label === "CERTIFICATE" ? lastMoment(der) : []))
    const expiry = moments.length === 0 ? undefined : Math.min(...moments) / 1000
    if (known.size >= mostChains) known.clear()
    known.set(pem, expiry)
    return expiry
  }
}

/** What is sent along need not be readable: clients judge it. */
function lastMoment(der: Uint8Array): number[] {
  try {
    return [parseCertificate(der).notAfter]
  } catch {
    return []
  }
}
