import { loadCredential, parseCertificates, subjectText } from "@puremq/tls13/x509"
import { ConfigError } from "./config.ts"

/**
 * Checks before listening that certificate and key can be read, belong together and are valid now.
 * Throws ConfigError with one line that names the file and what to do.
 */
export function checkCertificate(
  cert: string,
  key: string,
  names: { readonly cert: string; readonly key: string },
  now: number,
): void {
  try {
    loadCredential({ cert, key })
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new ConfigError(`cannot use certificate ${names.cert} with key ${names.key}: ${what}`)
  }
  const leaf = parseCertificates(cert)[0]!
  const day = (at: number) => new Date(at).toISOString().slice(0, 10)
  if (now > leaf.notAfter) {
    const what = `the certificate of ${subjectText(leaf)} in ${names.cert} expired on ${day(leaf.notAfter)}`
    throw new ConfigError(`${what}; get a new one, for development with "puremq cert"`)
  }
  if (now < leaf.notBefore) {
    const what = `the certificate of ${subjectText(leaf)} in ${names.cert} is valid only from ${day(leaf.notBefore)}`
    throw new ConfigError(`${what}; check this machine's clock`)
  }
}
