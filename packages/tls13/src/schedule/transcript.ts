// RFC 9846 section 4.1: the transcript hash, with the message_hash exception after a HelloRetryRequest.

import { HandshakeType } from "../bytes/code-points.ts"
import type { Hash, HashState } from "../crypto/provider.ts"

/**
 * The running hash of the handshake messages, each with its four-byte header and without record headers.
 * Messages are hashed as they are added; nothing of them is kept.
 */
export class Transcript {
  readonly #hash: Hash
  readonly #state: HashState

  constructor(hash: Hash, state: HashState = hash.start()) {
    this.#hash = hash
    this.#state = state
  }

  /** @param message a whole handshake message, or the next part of one */
  add(message: Uint8Array): void {
    this.#state.update(message)
  }

  /** Transcript-Hash of the messages so far: a fresh array of `Hash.length` bytes. */
  hash(): Uint8Array {
    return this.#state.digest()
  }

  /** A transcript that goes on by itself from here. */
  clone(): Transcript {
    return new Transcript(this.#hash, this.#state.clone())
  }

  /** The transcript that begins with ClientHello1 when a HelloRetryRequest answers it; the HelloRetryRequest is added next. */
  static afterHelloRetryRequest(hash: Hash, clientHello1: Uint8Array): Transcript {
    return Transcript.afterHelloRetryRequestFromHash(hash, hash.digest(clientHello1))
  }

  /** The same from Hash(ClientHello1), which a stateless server keeps in its cookie (section 4.3.2). */
  static afterHelloRetryRequestFromHash(hash: Hash, clientHello1Hash: Uint8Array): Transcript {
    const transcript = new Transcript(hash)
    // Section 4.1: message_hash || 00 00 Hash.length || Hash(ClientHello1).
    transcript.add(Uint8Array.of(HandshakeType.message_hash, 0, 0, hash.length))
    transcript.add(clientHello1Hash)
    return transcript
  }
}

/** Transcript-Hash as if `extra` had been added: for PSK binders over a truncated ClientHello (section 4.3.11.2). */
export function hashWith(transcript: Transcript, extra: Uint8Array): Uint8Array {
  const further = transcript.clone()
  further.add(extra)
  return further.hash()
}
