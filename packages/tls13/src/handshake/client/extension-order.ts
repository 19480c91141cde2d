// The order of extensions in ClientHello, which means nothing (RFC 9846 section 4.3): drawn anew for each connection, so
// that no server comes to depend on ours.

import type { ClientHelloExtensions } from "../../codec/extensions/messages.ts"
import { draw } from "../../crypto/draw.ts"
import type { RandomSource } from "../../crypto/provider.ts"
import type { ExtensionOrderFeature } from "./client.ts"

export const extensionOrder: ExtensionOrderFeature = { permuted }

/** pre_shared_key stays the last (section 4.3.11). */
function permuted(extensions: ClientHelloExtensions, random: RandomSource): ClientHelloExtensions {
  const { pre_shared_key, ...others } = extensions
  const entries = Object.entries(others).filter(([, value]) => value !== undefined)
  // Fisher and Yates; two octets for each place, of which the bias is below 1 in 2000.
  const numbers = draw(random, 2 * entries.length)
  for (let last = entries.length - 1; last > 0; last--) {
    const number = (numbers[2 * last]! << 8) | numbers[2 * last + 1]!
    const chosen = number % (last + 1)
    const entry = entries[last]!
    entries[last] = entries[chosen]!
    entries[chosen] = entry
  }
  return { ...Object.fromEntries(entries), ...(pre_shared_key && { pre_shared_key }) }
}
