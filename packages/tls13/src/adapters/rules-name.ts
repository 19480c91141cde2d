// Names for the rules that a session was made under: it is resumed only under rules of the same name.

import { toHex } from "../bytes/hex.ts"
import { draw } from "../crypto/draw.ts"
import type { CryptoProvider } from "../crypto/provider.ts"

const names = new WeakMap<object, string>()

/**
 * Tells the application's own rules, a verifier say, apart: another object may believe less. In another process it has another
 * name, so there `resumptionPartition` has to say that the rules are the same.
 */
export function rulesName(rules: object, { random }: CryptoProvider): string {
  const name = names.get(rules) ?? toHex(draw(random, 16))
  names.set(rules, name)
  return name
}
