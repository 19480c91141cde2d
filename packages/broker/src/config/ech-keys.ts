// Keys of Encrypted Client Hello (RFC 9849), in files of RFC 9934.

import { createHostProvider } from "@puremq/tls13/crypto/host"
import { decodeEchConfigList, type EchServerKey, echKeysFromPem, encodeEchConfigList } from "@puremq/tls13/ech"
import { credentialNames, loadCredential, matchDnsName } from "@puremq/tls13/x509"
import { ConfigError } from "./config.ts"

/** The keys of a file. Throws ConfigError with one line that names it. @param retry whether clients are sent to them */
export function readEchKeys(pem: Uint8Array, name: string, retry: boolean): readonly EchServerKey[] {
  try {
    return echKeysFromPem(pem, createHostProvider()).map((key) => ({ ...key, retry }))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError(`cannot use the ECH key in ${name}: ${why}; "tls13 ech-key PUBLIC-NAME --out FILE" makes one`)
  }
}

/**
 * Public names that the certificate is not for, each in a sentence: a client with another key verifies it for that name, and cannot
 * learn of this one (section 6.1.6).
 */
export function namesWithoutCertificate(
  keys: readonly EchServerKey[],
  { cert, key, where }: { readonly cert: string; readonly key: string; readonly where: string },
): readonly string[] {
  const names = credentialNames(loadCredential({ cert, key }))
  return publicNames(keys)
    .filter((name) => !names.some((own) => matchDnsName(own, name.toLowerCase())))
    .map(
      (name) =>
        `the certificate in ${where} is not for ${name}, the public name of an ECH key: clients with another key cannot learn this one`,
    )
}

/** For a line of the log: how many, and their public names. */
export function echKeysText(keys: readonly EchServerKey[]): string {
  return `${keys.length} for ${publicNames(keys).join(" and ")}`
}

function publicNames(keys: readonly EchServerKey[]): readonly string[] {
  const configs = decodeEchConfigList(encodeEchConfigList(keys.map(({ config }) => config)))
  return [...new Set(configs.map(({ publicName }) => publicName))]
}
