// What a signer that has made the server's key share signs (RFC 9846 section 4.5.2): the transcript, with that share in its place.

import { ProtocolVersion } from "../../bytes/code-points.ts"
import { encodeServerHello } from "../../codec/server-hello.ts"
import type { Hash } from "../../crypto/provider.ts"
import { Transcript } from "../../schedule/transcript.ts"
import type { UnsignedFlight } from "../../x509/interfaces.ts"

/** Transcript-Hash(ClientHello ... Certificate). @param share KeyShareEntry.key_exchange of the server */
export function foreseenTranscriptHash(hash: Hash, flight: UnsignedFlight, share: Uint8Array): Uint8Array {
  const { suite, group, clientHello, random, legacySessionIdEcho, messages } = flight
  const transcript = new Transcript(hash)
  transcript.add(clientHello)
  transcript.add(
    encodeServerHello({
      random,
      legacySessionIdEcho,
      cipherSuite: suite,
      extensions: { key_share: { group, keyExchange: share }, supported_versions: ProtocolVersion.tls13 },
    }),
  )
  transcript.add(messages)
  return transcript.hash()
}
