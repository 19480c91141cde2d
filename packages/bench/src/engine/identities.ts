// Certificates of an in-memory handshake: a root that is trusted, up to three authorities below it, a leaf on each side.

import type { CryptoProvider } from "@puremq/tls13"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { generateMlDsaKeyPair } from "@puremq/tls13/crypto/noble-pq"
import { chainToPem, createAuthority, createLeaf, type Identity, privateKeyToPem } from "@puremq/tls13/devcert"
import { toPem } from "@puremq/tls13/x509"
import type { HandshakeWork, Signature } from "./work.ts"

export const serverName = "bench.test"

export interface Identities {
  /** PEM. */
  readonly ca: string
  readonly server: Pem
  readonly client: Pem
}

export interface Pem {
  /** Leaf first, root left out. */
  readonly cert: string
  readonly key: string
}

/** All but the leaf's key are P-256 keys, as most of the web's are. */
export function makeIdentities({ signature, chain }: HandshakeWork, name: string = serverName): Identities {
  const common = { now: Date.now(), provider: createNobleProvider() }
  const root = createAuthority(common)
  let issuer: Identity = root
  for (let i = 1; i < chain; i++) {
    issuer = createAuthority({ ...common, issuer, subject: { commonName: `Bench authority ${i}` } })
  }
  const leaf = () => ({ ...common, ...keyOf(signature, common.provider), issuer })
  return {
    ca: toPem("CERTIFICATE", root.certificate),
    server: pemOf(createLeaf({ ...leaf(), usage: "server", names: [name] })),
    client: pemOf(createLeaf({ ...leaf(), usage: "client", subject: { commonName: "bench client" } })),
  }
}

function keyOf(signature: Signature, { random }: CryptoProvider) {
  switch (signature) {
    case "ml-dsa-44":
    case "ml-dsa-65":
    case "ml-dsa-87":
      return { keyPair: generateMlDsaKeyPair(signature, random) }
    default:
      return { keyType: signature }
  }
}

function pemOf(identity: Identity): Pem {
  return { cert: chainToPem(identity), key: privateKeyToPem(identity.privateKey) }
}
