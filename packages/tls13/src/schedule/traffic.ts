// What is made of a traffic secret: RFC 9846 sections 7.2 (update), 7.3 (key and iv), 4.5.3 (Finished) and the PSK of a
// ticket, 4.7.1.

import { constantTimeEqual } from "../bytes/equal.ts"
import { nothing } from "../bytes/nothing.ts"
import type { CipherSuiteAlgorithms, Hash } from "../crypto/provider.ts"
import { expandLabel, hkdfExpandLabel } from "./labels.ts"

export interface TrafficKeys {
  /** [sender]_write_key, `Aead.keyLength` bytes. */
  readonly key: Uint8Array
  /** [sender]_write_iv, `Aead.nonceLength` bytes. */
  readonly iv: Uint8Array
}

/** Section 7.3. Both arrays are fresh: the caller erases them. */
export function trafficKeys(suite: CipherSuiteAlgorithms, secret: Uint8Array): TrafficKeys {
  const hmac = suite.hash.hmac(secret)
  const key = expandLabel(suite.hash, hmac, "key", nothing, suite.aead.keyLength)
  const iv = expandLabel(suite.hash, hmac, "iv", nothing, suite.aead.nonceLength)
  hmac.wipe()
  return { key, iv }
}

/** application_traffic_secret_N+1 of application_traffic_secret_N (section 7.2), which the caller then erases. */
export function nextTrafficSecret(hash: Hash, secret: Uint8Array): Uint8Array {
  return hkdfExpandLabel(hash, secret, "traffic upd", nothing, hash.length)
}

/**
 * verify_data of Finished (section 4.5.3), and a PSK binder (section 4.3.11.2): HMAC(finished_key, Transcript-Hash).
 * @param baseKey [sender]_handshake_traffic_secret, or binder_key for a binder
 */
export function finishedMac(hash: Hash, baseKey: Uint8Array, transcriptHash: Uint8Array): Uint8Array {
  const finishedKey = hkdfExpandLabel(hash, baseKey, "finished", nothing, hash.length)
  const hmac = hash.hmac(finishedKey)
  const verifyData = hmac.mac(transcriptHash)
  hmac.wipe()
  finishedKey.fill(0)
  return verifyData
}

/** Whether `verifyData` is right, in constant time. Section 4.5.3: when it is not, `decrypt_error`. */
export function verifyFinished(
  hash: Hash,
  baseKey: Uint8Array,
  transcriptHash: Uint8Array,
  verifyData: Uint8Array,
): boolean {
  return constantTimeEqual(finishedMac(hash, baseKey, transcriptHash), verifyData)
}

/** The PSK of a ticket (section 4.7.1). @param ticketNonce NewSessionTicket.ticket_nonce, 0 to 255 bytes */
export function resumptionPsk(hash: Hash, resumptionSecret: Uint8Array, ticketNonce: Uint8Array): Uint8Array {
  return hkdfExpandLabel(hash, resumptionSecret, "resumption", ticketNonce, hash.length)
}
