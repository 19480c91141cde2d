import { fromHex } from "../../../bytes/hex.ts"
import { type Scalars, scalarsBelow } from "../curves/scalars.ts"

export const p256Scalars: Scalars = /* @__PURE__ */ scalarsBelow(
  /* @__PURE__ */ fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
)
