// An authority, an intermediate and a server's certificate of one's own, with what people get wrong as choices.

import type { CryptoProvider } from "@puremq/tls13"
import { certificateToPem, chainToPem, createAuthority, createLeaf, type KeyType } from "@puremq/tls13/devcert"
import { seededRandom } from "../run/seeded.ts"

export interface Wishes {
  readonly authority: string
  readonly intermediate: string
  /** Host names and addresses. */
  readonly names: readonly string[]
  readonly keyType: Exclude<KeyType, "rsa" | "rsa-pss">
  /** Milliseconds since 1970. */
  readonly now: number
  readonly days: number
  readonly usage: "server" | "client"
  /** How many authorities may stand below the intermediate; undefined: any number. */
  readonly pathLength: number | undefined
  /** The intermediate says of itself that it is no authority. */
  readonly intermediateIsNoAuthority: boolean
  /** The chain comes without the intermediate. */
  readonly leavesIntermediateOut: boolean
  readonly seed: number
  readonly provider: CryptoProvider
}

export interface Made {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  readonly root: Uint8Array
  /** PEM, as files have it. */
  readonly chainPem: string
  readonly rootPem: string
}

/** @throws RangeError or X509Error for a name that is none */
export function makeChain(wishes: Wishes): Made {
  const { now, days, keyType, seed } = wishes
  const having = (purpose: string) => ({
    now,
    days,
    keyType,
    provider: { ...wishes.provider, random: seededRandom(seed, purpose) },
    serialNumber: Uint8Array.of(1, ...seededRandom(seed, `serial ${purpose}`)(15)),
  })
  const root = createAuthority({ ...having("root"), subject: { commonName: wishes.authority } })
  const issuer = wishes.intermediateIsNoAuthority
    ? createLeaf({
        ...having("intermediate"),
        subject: { commonName: wishes.intermediate },
        issuer: root,
        usage: "both",
      })
    : createAuthority({
        ...having("intermediate"),
        subject: { commonName: wishes.intermediate },
        issuer: root,
        ...(wishes.pathLength !== undefined && { pathLength: wishes.pathLength }),
      })
  const leaf = createLeaf({ ...having("leaf"), issuer, usage: wishes.usage, names: wishes.names })
  const chain = wishes.leavesIntermediateOut ? [leaf.certificate] : leaf.chain
  return { chain, root: root.certificate, chainPem: chainToPem({ ...leaf, chain }), rootPem: certificateToPem(root) }
}
