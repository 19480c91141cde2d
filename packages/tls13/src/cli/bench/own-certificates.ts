// Certificates for a server of our own and its clients, of an authority for this run.

import { createAuthority, createLeaf } from "../../devcert/authority.ts"
import { certificateToPem } from "../../devcert/development.ts"
import { type KeyType, privateKeyToPem } from "../../devcert/keys.ts"
import { UsageError } from "../command-line.ts"
import type { OwnCertificates } from "./engine-options.ts"

/** The key that a server needs to sign by a scheme. */
const keyTypes: Readonly<Record<string, KeyType>> = {
  ecdsa_secp256r1_sha256: "p256",
  ecdsa_secp384r1_sha384: "p384",
  ecdsa_secp521r1_sha512: "p521",
  ed25519: "ed25519",
  rsa_pss_rsae_sha256: "rsa",
  rsa_pss_rsae_sha384: "rsa",
  rsa_pss_rsae_sha512: "rsa",
  rsa_pss_pss_sha256: "rsa-pss",
  rsa_pss_pss_sha384: "rsa-pss",
  rsa_pss_pss_sha512: "rsa-pss",
}

/** @param sigalgs what the client offers; without any the key is for P-256. @throws UsageError */
export function makeOwnCertificates(sigalgs: readonly string[], now: number): OwnCertificates {
  const types = sigalgs.length === 0 ? (["p256"] as const) : [...new Set(sigalgs.map(keyTypeOf))]
  const authority = createAuthority({ now, days: 2, pathLength: 0, keyType: "p256" })
  const leaf = { now, days: 1, issuer: authority }
  const pem = (made: ReturnType<typeof createLeaf>) => ({
    cert: certificateToPem(made),
    key: privateKeyToPem(made.privateKey),
  })
  return {
    ca: certificateToPem(authority),
    servers: types.map((keyType) =>
      pem(createLeaf({ ...leaf, keyType, usage: "server", names: ["localhost", "127.0.0.1"] })),
    ),
    client: pem(
      createLeaf({ ...leaf, keyType: "p256", usage: "client", names: [], subject: { commonName: "tls13 bench" } }),
    ),
  }
}

function keyTypeOf(scheme: string): KeyType {
  const type = Object.hasOwn(keyTypes, scheme) ? keyTypes[scheme] : undefined
  if (type !== undefined) return type
  throw new UsageError(`--loopback has no key for ${scheme}; it has some for ${Object.keys(keyTypes).join(", ")}`)
}
