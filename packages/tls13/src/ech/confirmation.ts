// The server's signal that it has accepted: RFC 9849 sections 7.2 (ServerHello.random) and 7.2.1 (HelloRetryRequest).

import { copyOf } from "../bytes/copy.ts"
import type { Hash } from "../crypto/provider.ts"
import { hkdfExpandLabel, hkdfExtract } from "../schedule/labels.ts"
import type { Transcript } from "../schedule/transcript.ts"

const length = 8

/** Where the signal stands in a ServerHello: the last 8 bytes of its random, behind the header and legacy_version. */
export const serverHelloSignal: number = 4 + 2 + 24

/**
 * accept_confirmation, or hrr_accept_confirmation.
 * @param random ClientHelloInner1.random
 * @param transcript what comes before the message
 * @param message ServerHello or HelloRetryRequest, with the signal at `at`
 */
export function confirmation(
  label: "ech accept confirmation" | "hrr ech accept confirmation",
  hash: Hash,
  random: Uint8Array,
  transcript: Transcript,
  message: Uint8Array,
  at: number,
): Uint8Array {
  const blank = copyOf(message)
  blank.fill(0, at, at + length)
  const context = transcript.clone()
  context.add(blank)
  const secret = hkdfExtract(hash, new Uint8Array(hash.length), random)
  try {
    return hkdfExpandLabel(hash, secret, label, context.hash(), length)
  } finally {
    secret.fill(0)
  }
}
