// Encrypted Client Hello, the server's side: RFC 9849 section 7, in shared mode: who decrypts the hello answers it, too.

import { concatBytes } from "../bytes/concat.ts"
import { copyOf } from "../bytes/copy.ts"
import { equalBytes } from "../bytes/equal.ts"
import { Misuse, PeerMisbehaved } from "../bytes/errors.ts"
import { asciiToBytes } from "../bytes/text.ts"
import { decodeClientHello } from "../codec/client-hello.ts"
import type { HandshakeMessage } from "../codec/message.ts"
import { draw } from "../crypto/draw.ts"
import type { Hash } from "../crypto/provider.ts"
import type {
  OpenedEncryptedClientHello,
  ServerEnd,
  TakesEncryptedClientHello,
} from "../handshake/encrypted-client-hello.ts"
import { HpkeError, type HpkeKeyPair, type HpkeProvider, type HpkeRecipient, HpkeSuite } from "../hpke/index.ts"
import type { Transcript } from "../schedule/transcript.ts"
import { decodeEchOuter, type EchOuter } from "./client-hello.ts"
import { decodeEchConfig, type EchConfig, encodeEchConfigList } from "./config.ts"
import { confirmation, serverHelloSignal } from "./confirmation.ts"
import { decodeInner } from "./decode-inner.ts"
import type { EchKey } from "./key.ts"
import { rawHelloOf } from "./raw-hello.ts"

/** A key of a server, and whether clients are sent to it. */
export interface EchServerKey extends EchKey {
  /** Whether its configuration is one of those that a client with an unknown one is told to retry with; default true. */
  readonly retry?: boolean | undefined
}

export interface EchKeyRingOptions {
  /** Of which HPKE is made: its key exchange has to answer at once. */
  readonly provider: HpkeProvider
  /** Those that are published, best first, and those that clients may still have (section 4.1). */
  readonly keys: readonly EchServerKey[]
  /**
   * Tries every key on every hello, for clients that draw config_id (section 10.4): each hello costs as many key exchanges as there
   * are keys. Default false.
   */
  readonly trialDecryption?: boolean | undefined
}

interface Candidate {
  readonly config: EchConfig
  readonly keyPair: HpkeKeyPair
  readonly suites: readonly HpkeSuite[]
  readonly info: Uint8Array
}

/**
 * The ECH keys of a server, for any number of connections: the value of the option `encryptedClientHello`. They can be replaced
 * while it runs.
 */
export class EchKeyRing implements TakesEncryptedClientHello {
  readonly #provider: HpkeProvider
  readonly #trialDecryption: boolean
  #candidates: readonly Candidate[] = []
  #retryConfigs: Uint8Array = new Uint8Array(0)

  /** @throws Misuse, InvalidMessage: see `replace` */
  constructor({ provider, keys, trialDecryption = false }: EchKeyRingOptions) {
    this.#provider = provider
    this.#trialDecryption = trialDecryption
    this.replace(keys)
  }

  /**
   * From now on these are the keys. Connections that have begun go on with what they have.
   * @throws Misuse for none that clients can retry with (section 7.1 wants one), and for a private key that is not the configuration's;
   *   InvalidMessage for what is no ECHConfig. Then the keys are what they were.
   */
  replace(keys: readonly EchServerKey[]): void {
    const candidates = keys.map((key) => candidateOf(key, this.#provider))
    const retry = candidates.filter((_, index) => keys[index]!.retry ?? true)
    if (retry.length === 0)
      throw new Misuse("encryptedClientHello needs a key whose configuration clients can retry with")
    this.#retryConfigs = encodeEchConfigList(retry.map(({ config }) => config.bytes))
    this.#candidates = candidates
  }

  /** The ECHConfigList to publish. */
  get configs(): Uint8Array {
    return copyOf(this.#retryConfigs)
  }

  begin(server: ServerEnd): OpenedEncryptedClientHello {
    const candidates = this.#candidates
    const isTried = ({ configId }: EchConfig, { configId: named }: EchOuter): boolean =>
      this.#trialDecryption || configId === named
    const opened = new Opened(server, this.#retryConfigs, (outer) =>
      candidates.filter(({ config }) => isTried(config, outer)),
    )
    server.erasure.hold(opened)
    return opened
  }
}

/** @throws Misuse, InvalidMessage */
function candidateOf({ config: bytes, privateKey }: EchServerKey, provider: HpkeProvider): Candidate {
  const config = decodeEchConfig(bytes)
  const { kem, cipherSuites, configId, publicKey } = config
  const suites = cipherSuites.flatMap(({ kdf, aead }) => HpkeSuite.of(provider, { kem, kdf, aead }) ?? [])
  if (suites[0] === undefined) {
    throw new Misuse(`the ECH key with config_id ${configId} has no HPKE suite that the crypto provider has`)
  }
  const keyPair = suites[0].keyPairOf(privateKey)
  if (!equalBytes(keyPair.publicKey, publicKey)) {
    throw new Misuse(`the private key of the ECH key with config_id ${configId} is not that of its configuration`)
  }
  return { config, keyPair, suites, info: concatBytes(asciiToBytes("tls ech\0"), config.bytes) }
}

class Opened implements OpenedEncryptedClientHello {
  readonly #server: ServerEnd
  readonly #configs: Uint8Array
  readonly #candidates: (outer: EchOuter) => readonly Candidate[]
  #isFirst = true
  #verdict: "accepted" | "rejected" | undefined
  #context: HpkeRecipient | undefined
  /** Of the first ClientHelloOuter. */
  #named: Pick<EchOuter, "suite" | "configId"> | undefined
  /** ClientHelloInner.random */
  #random: Uint8Array = new Uint8Array(0)

  constructor(server: ServerEnd, configs: Uint8Array, candidates: (outer: EchOuter) => readonly Candidate[]) {
    this.#server = server
    this.#configs = configs
    this.#candidates = candidates
  }

  get verdict(): "accepted" | "rejected" | undefined {
    return this.#verdict
  }

  /** Section 7.1: "If the server is configured with any ECHConfigs, it MUST include" them, where it could not decrypt. */
  get retryConfigs(): Uint8Array | undefined {
    return this.#verdict === "rejected" ? this.#configs : undefined
  }

  wipe(): void {
    this.#context?.wipe()
  }

  read(message: HandshakeMessage): HandshakeMessage {
    const isFirst = this.#isFirst
    this.#isFirst = false
    // Section 7.1.1: what was not accepted, or not offered, in the first hello is not looked at in the second.
    if (!isFirst && this.#verdict !== "accepted") return message
    const contents = decodeClientHello(message).extensions.encrypted_client_hello
    if (isFirst) return contents === undefined ? message : this.#readFirst(message, decodeEchOuter(contents))
    if (contents === undefined) {
      // "it checks the second ClientHelloOuter also contains the "encrypted_client_hello" extension. If not, it MUST abort the
      // handshake with a "missing_extension" alert."
      throw new PeerMisbehaved(
        "missing_extension",
        "second ClientHello lacks encrypted_client_hello (RFC 9849 section 7.1.1)",
      )
    }
    return this.#readSecond(message, decodeEchOuter(contents))
  }

  #readFirst(message: HandshakeMessage, outer: EchOuter): HandshakeMessage {
    const aad = outerAad(message, outer)
    for (const candidate of this.#candidates(outer)) {
      const opened = open(candidate, outer, aad)
      if (opened === undefined) continue
      const { context, encoded } = opened
      this.#context = context
      this.#named = { suite: outer.suite, configId: outer.configId }
      const inner = decodeInner(encoded, rawHelloOf(message.bytes))
      encoded.fill(0)
      this.#verdict = "accepted"
      this.#random = copyOf(inner.body.subarray(2, 34))
      return this.#told(inner)
    }
    this.#verdict = "rejected"
    return message
  }

  /** Section 7.1.1. */
  #readSecond(message: HandshakeMessage, outer: EchOuter): HandshakeMessage {
    const { suite, configId } = this.#named!
    const isSame = outer.suite.kdf === suite.kdf && outer.suite.aead === suite.aead && outer.configId === configId
    if (!isSame || outer.enc.length > 0) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        "second ClientHello changes the key of encrypted_client_hello (RFC 9849 section 7.1.1)",
      )
    }
    const encoded = openBy(this.#context!, outerAad(message, outer), outer.payload)
    if (encoded === undefined) {
      throw new PeerMisbehaved("decrypt_error", "second ClientHelloInner cannot be decrypted (RFC 9849 section 7.1.1)")
    }
    const inner = decodeInner(encoded, rawHelloOf(message.bytes))
    encoded.fill(0)
    return this.#told(inner)
  }

  #told(inner: HandshakeMessage): HandshakeMessage {
    const { link, trace } = this.#server
    trace?.({ type: "inner-hello", direction: "received", message: inner.bytes })
    // RFC 9850 section 2: the key log has the random of ClientHelloInner.
    link.noteClientRandom(this.#random)
    return inner
  }

  get retrySignal(): Uint8Array | undefined {
    if (this.#verdict === undefined) return undefined
    // Section 10.10.4: where it is rejected, random bytes, so that nobody can tell.
    return this.#verdict === "accepted" ? new Uint8Array(8) : draw(this.#server.link.random, 8)
  }

  confirmRetry(message: Uint8Array, transcript: Transcript, hash: Hash): void {
    if (this.#verdict !== "accepted") return
    // The extension is the last.
    const at = message.length - 8
    message.set(confirmation("hrr ech accept confirmation", hash, this.#random, transcript, message, at), at)
  }

  confirm(message: Uint8Array, transcript: Transcript, hash: Hash): void {
    if (this.#verdict !== "accepted") return
    const at = serverHelloSignal
    message.set(confirmation("ech accept confirmation", hash, this.#random, transcript, message, at), at)
  }
}

/** ClientHelloOuterAAD (section 5.2): the hello without its header, and with zeros as the payload. */
function outerAad({ body }: HandshakeMessage, { payload }: EchOuter): Uint8Array {
  const aad = copyOf(body)
  const at = payload.byteOffset - body.byteOffset
  aad.fill(0, at, at + payload.length)
  return aad
}

/** undefined when it was not made for this key. */
function open(
  { suites, keyPair, info }: Candidate,
  { suite: { kdf, aead: cipher }, enc, payload }: EchOuter,
  aad: Uint8Array,
): { readonly context: HpkeRecipient; readonly encoded: Uint8Array } | undefined {
  const suite = suites.find(({ ids }) => ids.kdf === kdf && ids.aead === cipher)
  if (suite === undefined) return undefined
  try {
    const context = suite.setupBaseR(enc, keyPair, info)
    const encoded = openBy(context, aad, payload)
    if (encoded !== undefined) return { context, encoded }
    context.wipe()
  } catch (error) {
    if (!(error instanceof HpkeError)) throw error
  }
  return undefined
}

function openBy(context: HpkeRecipient, aad: Uint8Array, payload: Uint8Array): Uint8Array | undefined {
  try {
    return context.open(aad, payload)
  } catch (error) {
    if (error instanceof HpkeError) return undefined
    throw error
  }
}
