import { KnownNamedGroup } from "../../bytes/code-points.ts"
import type { ImmediateKeyExchange } from "../provider.ts"
import { nobleP256, nobleP384, nobleP521 } from "./curves.ts"
import { ecdh } from "./ecdh.ts"

// ECDH on P-256, P-384 and P-521.

export const secp256r1: ImmediateKeyExchange = /* @__PURE__ */ ecdh(
  "secp256r1",
  KnownNamedGroup.secp256r1,
  nobleP256,
  32,
  0xff,
)
export const secp384r1: ImmediateKeyExchange = /* @__PURE__ */ ecdh(
  "secp384r1",
  KnownNamedGroup.secp384r1,
  nobleP384,
  48,
  0xff,
)
export const secp521r1: ImmediateKeyExchange = /* @__PURE__ */ ecdh(
  "secp521r1",
  KnownNamedGroup.secp521r1,
  nobleP521,
  66,
  0x01,
)
