// What goes between a server and its handshake workers: plain data, in messages of several, as each message costs both sides.

import type { PrivateKey } from "../../../crypto/keys.ts"
import type { SignatureAlgorithmName } from "../../../crypto/provider.ts"
import type { SignedFlight } from "../../../x509/interfaces.ts"
import type { SignatureCheck } from "../../../x509/path/straight-path.ts"

export type Job =
  | {
      readonly id: number
      readonly kind: "respond" /** IANA number. */
      readonly group: number
      readonly share: Uint8Array
    }
  | {
      readonly id: number
      readonly kind: "sign"
      readonly algorithm: SignatureAlgorithmName
      readonly key: PrivateKey
      readonly message: Uint8Array
    }
  | {
      readonly id: number
      readonly kind: "verify"
      readonly checks: readonly SignatureCheck[]
      /** Whether one that is wrong ends them: those behind it are not checked. */
      readonly inOrder: boolean
    }
  | {
      readonly id: number
      readonly kind: "respond and sign"
      readonly algorithm: SignatureAlgorithmName
      readonly key: PrivateKey
      /** IANA numbers. */
      readonly suite: number
      readonly group: number
      /** clientShare, clientHello, random, legacySessionIdEcho and messages of an UnsignedFlight, in one: each array costs a copy. */
      readonly parts: Uint8Array
      readonly lengths: readonly number[]
    }

export type JobResult =
  | ({ readonly id: number } & SignedFlight)
  | { readonly id: number; readonly share: Uint8Array; readonly secret: Uint8Array }
  | { readonly id: number; readonly signature: Uint8Array }
  /** Of the checks in their order; fewer where one ended them. */
  | { readonly id: number; readonly verified: readonly boolean[] }
  | { readonly id: number; readonly failed: string /** The peer's fault. */; readonly invalidKeyShare: boolean }
