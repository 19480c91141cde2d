import { NamedGroup } from "../../bytes/code-points.ts"
import { montgomeryGroup } from "../montgomery-group.ts"
import type { ImmediateKeyExchange } from "../provider.ts"
import { nobleX448 } from "./curves.ts"

/** X448 (RFC 7748) of @noble/curves. Side channels: those of crypto/noble/x25519.ts. */
export function x448(): ImmediateKeyExchange {
  return montgomeryGroup({ name: "x448", code: NamedGroup.x448 }, (scalar, u) => {
    try {
      return nobleX448().getSharedSecret(scalar, u)
    } catch {
      // noble refuses the points that lead to an all-zero result; the lengths are checked before.
      return undefined
    }
  })
}
