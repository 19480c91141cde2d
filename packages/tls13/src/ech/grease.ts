// A made-up encrypted_client_hello: RFC 9849 section 6.2. It hides nothing of its own hello; it is there so that those which hide
// something do not stand out.

import { Misuse } from "../bytes/errors.ts"
import { type ClientHelloContent, encodeClientHelloBy } from "../codec/client-hello.ts"
import { encryptedClientHello } from "../codec/extensions/encrypted-client-hello.ts"
import { draw } from "../crypto/draw.ts"
import type {
  ClientEnd,
  ComposedHello,
  EncryptedClientHello,
  OfferedEncryptedClientHello,
} from "../handshake/encrypted-client-hello.ts"
import { HpkeAead, HpkeKdf, HpkeKem, type HpkeProvider, HpkeSuite } from "../hpke/index.ts"
import { encodeEchOuter, withEch } from "./client-hello.ts"
import { decodeEchConfigList } from "./config.ts"
import { echInner, encodeInner } from "./inner.ts"
import { rawHelloOf } from "./raw-hello.ts"

export interface GreaseOptions {
  /** Of which HPKE is made: its key exchange has to answer at once. */
  readonly provider: HpkeProvider
}

/** What `greaseEncryptedClientHello` makes. */
export interface EchGrease extends EncryptedClientHello {
  /** What it was made of. */
  readonly options: GreaseOptions
}

/**
 * Sends a made-up one, for servers of which no configuration is known: the value of the option `encryptedClientHello`. It may serve
 * any number of connections. @throws Misuse when the provider has no suite of HPKE
 */
export function greaseEncryptedClientHello(options: GreaseOptions): EchGrease {
  const { provider } = options
  const kem = HpkeKem["DHKEM(X25519, HKDF-SHA256)"]
  const kdf = HpkeKdf["HKDF-SHA256"]
  const aeads = [HpkeAead["AES-128-GCM"], HpkeAead.ChaCha20Poly1305]
  const suites = aeads.flatMap((aead) => HpkeSuite.of(provider, { kem, kdf, aead }) ?? [])
  if (suites.length === 0) throw new Misuse("the crypto provider has no HPKE suite to make one up of")
  return {
    options,
    extensions: { encrypted_client_hello: encryptedClientHello },
    begin: (client) => new Grease(client, suites),
  }
}

/** What a real offer of the usual configuration looks like. */
const usualNameLength = 0

class Grease implements OfferedEncryptedClientHello {
  readonly verdict = undefined
  readonly #client: ClientEnd
  readonly #suites: readonly HpkeSuite[]

  constructor(client: ClientEnd, suites: readonly HpkeSuite[]) {
    this.#client = client
    this.#suites = suites
  }

  send(content: ClientHelloContent, compose: (content: ClientHelloContent) => ComposedHello): ComposedHello {
    const { link } = this.#client
    // "If sending a second ClientHello in response to a HelloRetryRequest, the client copies the entire" extension.
    const isSecond = content.extensions.encrypted_client_hello !== undefined
    const composed = compose(isSecond ? content : this.#withMadeUp(content))
    link.send("client_hello", composed.bytes)
    return composed
  }

  #withMadeUp(content: ClientHelloContent): ClientHelloContent {
    const { link, settings } = this.#client
    const [configId, choice] = draw(link.random, 2)
    const suite = this.#suites[choice! % this.#suites.length]!
    const made = encodeEchOuter({
      suite: suite.ids,
      configId: configId!,
      // "a randomly-generated valid encapsulated public key output by the HPKE KEM"
      enc: suite.generateKeyPair(link.random).publicKey,
      payload: draw(link.random, this.#innerLength(content) + suite.tagLength),
    })
    return withEch(content, made, settings.permuteExtensions ? link.random : undefined)
  }

  /** "the size of the EncodedClientHelloInner the client would compute when offering ECH". */
  #innerLength(content: ClientHelloContent): number {
    const { extensions: table } = this.#client
    const { server_name, ...others } = content.extensions
    // Ahead of what it shares with the outer hello, as an offer has it.
    const extensions = { server_name, encrypted_client_hello: echInner, ...others }
    const raw = (of: ClientHelloContent) => rawHelloOf(encodeClientHelloBy(table, of))
    return encodeInner(raw({ ...content, extensions }), raw(content), server_name, usualNameLength).length
  }

  answered(): undefined {
    return undefined
  }

  /** "the client MUST check the extension syntactically and abort the connection with a "decode_error" alert if it is invalid". */
  encryptedExtensions(contents: Uint8Array | undefined): void {
    if (contents !== undefined) decodeEchConfigList(contents)
  }

  checkAccepted(): void {}
}
