// What of TLS a listener offers, by the names of the RFCs: the values that its options may have.

import type { CryptoProvider } from "@puremq/tls13"
import { loadTls } from "./tls-server.ts"

export const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"] as const
const classicalGroups = ["x25519", "secp256r1", "secp384r1", "secp521r1"] as const
/** With ML-KEM. `fast` and `mixed` have the first of themselves. */
const postQuantumGroups = [
  "X25519MLKEM768",
  "SecP256r1MLKEM768",
  "SecP384r1MLKEM1024",
  "MLKEM512",
  "MLKEM768",
  "MLKEM1024",
] as const
/** And these, of `@puremq/tls13/crypto/more`. */
const moreCurves = ["x448", "brainpoolP256r1tls13", "brainpoolP384r1tls13", "brainpoolP512r1tls13"] as const
const ffdheGroups = ["ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"] as const
export const groups: readonly Group[] = [...postQuantumGroups, ...classicalGroups, ...moreCurves, ...ffdheGroups]
const ecdsaSchemes = ["ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ed25519"] as const
const rsaSchemes = ["rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"] as const
const pssSchemes = ["rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"] as const
/** Of `@puremq/tls13/crypto/more`, too. */
const moreSchemes = [
  "ed448",
  "ecdsa_brainpoolP256r1tls13_sha256",
  "ecdsa_brainpoolP384r1tls13_sha384",
  "ecdsa_brainpoolP512r1tls13_sha512",
] as const
const mlDsaSchemes = ["mldsa44", "mldsa65", "mldsa87"] as const
export const signatureSchemes: readonly SignatureScheme[] = [
  ...ecdsaSchemes,
  ...rsaSchemes,
  ...pssSchemes,
  ...moreSchemes,
  ...mlDsaSchemes,
]

export type ProviderName = "mixed" | "fast" | "noble" | "host"
export type Suite = (typeof suites)[number]
export type Group = (typeof postQuantumGroups | typeof classicalGroups | typeof moreCurves | typeof ffdheGroups)[number]
export type SignatureScheme = (
  | typeof ecdsaSchemes
  | typeof rsaSchemes
  | typeof pssSchemes
  | typeof moreSchemes
  | typeof mlDsaSchemes
)[number]

function isPostQuantum(group: string): boolean {
  return postQuantumGroups.some((each) => each === group)
}

export function isMlDsa(name: string): boolean {
  return mlDsaSchemes.some((each) => each === name)
}

function isOfMore(name: string): boolean {
  return [...moreCurves, ...ffdheGroups, ...moreSchemes].some((each) => each === name)
}

/** A group or signature scheme that the provider of this name does not have of itself: it is there when it is named. */
export function isAdded(name: string, provider: unknown): boolean {
  if (name === "X25519MLKEM768") return provider === "noble" || provider === "host"
  return isPostQuantum(name) || isOfMore(name) || isMlDsa(name)
}

/**
 * A provider that has the groups and signature schemes that are asked for; the name alone where it has them of itself. Without a
 * name it is the one that is fastest where there is `node:crypto` (docs/decisions/0026).
 * @param mlDsa whether a certificate of either side is of ML-DSA
 */
export async function providerWith(
  name: ProviderName = "mixed",
  asked: readonly (Group | SignatureScheme)[],
  mlDsa: boolean,
): Promise<ProviderName | CryptoProvider> {
  const signsMlDsa = mlDsa || asked.some(isMlDsa)
  const groups = asked.filter((each) => isPostQuantum(each) && isAdded(each, name))
  if (!signsMlDsa && !asked.some((each) => isAdded(each, name))) return name
  const [provider, pq, more] = await Promise.all([
    loadTls().then(({ createSecureContext }) => createSecureContext({ provider: name }).provider),
    // With a package that need not be installed: only for who asks for what is in it.
    signsMlDsa || groups.length > 0 ? postQuantum(name) : undefined,
    asked.some(isOfMore)
      ? import("@puremq/tls13/crypto/more").then(({ createNamed }) => createNamed(asked))
      : undefined,
  ])
  const lacks = signsMlDsa && provider.signatures.every((each) => !isMlDsa(each.name))
  return {
    ...provider,
    keyExchanges: [
      ...(pq?.keyExchanges.filter((each) => groups.some((group) => group === each.name)) ?? []),
      ...provider.keyExchanges,
      ...(more?.keyExchanges ?? []),
    ],
    signatures: [...provider.signatures, ...(lacks ? (pq?.signatures ?? []) : []), ...(more?.signatures ?? [])],
  }
}

async function postQuantum(name: ProviderName): Promise<Pick<CryptoProvider, "keyExchanges" | "signatures">> {
  const pq = await (name === "noble" ? import("@puremq/tls13/crypto/noble-pq") : import("@puremq/tls13/crypto/fast-pq"))
  const keyExchanges = [
    ...[pq.createX25519MLKEM768(), pq.createSecP256r1MLKEM768(), pq.createSecP384r1MLKEM1024()],
    ...[pq.createMLKEM512(), pq.createMLKEM768(), pq.createMLKEM1024()],
  ]
  return { keyExchanges, signatures: pq.mlDsaSignatures }
}

export async function plainProvider(name: ProviderName): Promise<CryptoProvider> {
  switch (name) {
    case "fast":
      return (await import("@puremq/tls13/crypto/fast")).createFastProvider()
    case "mixed":
      return (await import("@puremq/tls13/crypto/host")).withHostRecords(await plainProvider("fast"))
    case "noble":
      return (await import("@puremq/tls13/crypto/noble")).createNobleProvider()
    case "host":
      return (await import("@puremq/tls13/crypto/host")).createHostProvider()
  }
}
