import { KnownNamedGroup } from "../../bytes/code-points.ts"
import { montgomeryGroup } from "../montgomery-group.ts"
import type { ImmediateKeyExchange } from "../provider.ts"
import { nobleX25519 as noble } from "./curves.ts"

// X25519 (RFC 7748) of @noble/curves.
// Side channels: a BigInt ladder of fixed shape; the engine's BigInt arithmetic itself promises no constant time.

export const x25519: ImmediateKeyExchange = /* @__PURE__ */ montgomeryGroup(
  { name: "x25519", code: KnownNamedGroup.x25519 },
  (scalar, u) => {
    try {
      return noble().getSharedSecret(scalar, u)
    } catch {
      // noble refuses the points that lead to an all-zero result; the lengths are checked before.
      return undefined
    }
  },
)
