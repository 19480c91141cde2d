// Certificates of an in-memory handshake: a root that is trusted, up to three authorities below it, a leaf on each side.

import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { chainToPem, createAuthority, createLeaf, type Identity, privateKeyToPem } from "@puremq/tls13/devcert"
import { toPem } from "@puremq/tls13/x509"
import type { HandshakeWork } from "./work.ts"

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
  const leaf = { ...common, keyType: signature, issuer }
  return {
    ca: toPem("CERTIFICATE", root.certificate),
    server: pemOf(createLeaf({ ...leaf, usage: "server", names: [name] })),
    client: pemOf(createLeaf({ ...leaf, usage: "client", subject: { commonName: "bench client" } })),
  }
}

function pemOf(identity: Identity): Pem {
  return { cert: chainToPem(identity), key: privateKeyToPem(identity.privateKey) }
}
