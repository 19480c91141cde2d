// What of TLS a listener offers, by the names of the RFCs: the values that its options may have.

import type { CryptoProvider } from "@puremq/tls13"

export const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"] as const
const classicalGroups = ["x25519", "secp256r1", "secp384r1", "secp521r1"] as const
/** Hybrids with ML-KEM, which no provider has of itself. */
const postQuantumGroups = ["X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"] as const
export const groups: readonly Group[] = [...postQuantumGroups, ...classicalGroups]
const ecdsaSchemes = ["ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ed25519"] as const
const rsaSchemes = ["rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"] as const
const pssSchemes = ["rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"] as const
export const signatureSchemes: readonly SignatureScheme[] = [...ecdsaSchemes, ...rsaSchemes, ...pssSchemes]

export type Suite = (typeof suites)[number]
export type Group = (typeof postQuantumGroups)[number] | (typeof classicalGroups)[number]
export type SignatureScheme = (typeof ecdsaSchemes)[number] | (typeof rsaSchemes)[number] | (typeof pssSchemes)[number]

export function isPostQuantum(group: string): boolean {
  return postQuantumGroups.some((each) => each === group)
}

/** A provider that has the groups that are asked for; the name alone where it has them of itself. */
export async function providerWith(
  name: "fast" | "noble" | "host" | undefined,
  asked: readonly Group[] | undefined,
): Promise<"fast" | "noble" | "host" | CryptoProvider | undefined> {
  if (asked?.some(isPostQuantum) !== true) return name
  const [provider, pq] = await Promise.all([
    plainProvider(name),
    name === "noble" ? import("@puremq/tls13/crypto/noble-pq") : import("@puremq/tls13/crypto/fast-pq"),
  ])
  const hybrids = [pq.createX25519MLKEM768(), pq.createSecP256r1MLKEM768(), pq.createSecP384r1MLKEM1024()]
  return { ...provider, keyExchanges: [...hybrids, ...provider.keyExchanges] }
}

async function plainProvider(name: "fast" | "noble" | "host" = "fast"): Promise<CryptoProvider> {
  switch (name) {
    case "fast":
      return (await import("@puremq/tls13/crypto/fast")).createFastProvider()
    case "noble":
      return (await import("@puremq/tls13/crypto/noble")).createNobleProvider()
    case "host":
      return (await import("@puremq/tls13/crypto/host")).createHostProvider()
  }
}
