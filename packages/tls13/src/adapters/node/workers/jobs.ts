// What goes between a server and its handshake workers: plain data, in messages of several, as each message costs both sides.

import type { PrivateKey } from "../../../crypto/keys.ts"
import type { SignatureAlgorithmName } from "../../../crypto/provider.ts"

/** The providers that a worker can make for itself. */
export type WorkerProvider = "fast" | "noble" | "host"

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

export type JobResult =
  | { readonly id: number; readonly share: Uint8Array; readonly secret: Uint8Array }
  | { readonly id: number; readonly signature: Uint8Array }
  | { readonly id: number; readonly failed: string /** The peer's fault. */; readonly invalidKeyShare: boolean }
