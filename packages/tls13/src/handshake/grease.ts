// GREASE: RFC 8701. Values that mean nothing, in places where more values will come one day, so that peers which choke on
// what they do not know are found before it matters. Whoever answers with one is refused like any other answer that was
// not on offer; `refuseUnsolicited` sees to those in extensions.

import type { ClientHelloContent } from "../codec/client-hello.ts"
import type { RawExtension } from "../codec/extensions/block.ts"
import { draw } from "../crypto/draw.ts"
import type { RandomSource } from "../crypto/provider.ts"

/** One of the 16 values of section 2, 0x0A0A to 0xFAFA, by the high half of an octet. */
function greaseValue(octet: number): number {
  const half = (octet & 0xf0) | 0x0a
  return (half << 8) | half
}

/** Section 3.1: a ClientHello with a value in each list of code points, a share, and two extensions. */
export function greaseClientHello(content: ClientHelloContent, random: RandomSource): ClientHelloContent {
  const [suite, group, version, scheme, first, mode] = draw(random, 6)
  const shared = greaseValue(group!)
  const firstType = greaseValue(first!)
  // "A client MUST NOT send two extensions of one type": the second is another of the 16.
  const lastType = greaseValue(first! + 0x10)
  const { supported_groups, key_share, supported_versions, signature_algorithms, psk_key_exchange_modes } =
    content.extensions
  return {
    ...content,
    cipherSuites: [greaseValue(suite!), ...content.cipherSuites],
    extensions: {
      ...content.extensions,
      ...(supported_groups && { supported_groups: [shared, ...supported_groups] }),
      ...(key_share && { key_share: [{ group: shared, keyExchange: Uint8Array.of(0) }, ...key_share] }),
      ...(supported_versions && { supported_versions: [greaseValue(version!), ...supported_versions] }),
      ...(signature_algorithms && { signature_algorithms: [...signature_algorithms, greaseValue(scheme!)] }),
      // Section 2 has values of one octet for this list.
      ...(psk_key_exchange_modes && { psk_key_exchange_modes: [...psk_key_exchange_modes, 0x0b + 0x1f * (mode! & 7)] }),
    },
    greaseExtensions: [
      { type: firstType, data: new Uint8Array(0) },
      { type: lastType, data: Uint8Array.of(0) },
    ],
  }
}

/** Section 4.1: an extension for NewSessionTicket. */
export function greaseExtension(random: RandomSource): RawExtension {
  return { type: greaseValue(draw(random, 1)[0]!), data: new Uint8Array(0) }
}
