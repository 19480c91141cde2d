// Encrypted Client Hello, the client's side: RFC 9849 section 6.1.

import { concatBytes } from "../bytes/concat.ts"
import { constantTimeEqual } from "../bytes/equal.ts"
import { Misuse, PeerMisbehaved } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { asciiToBytes } from "../bytes/text.ts"
import { type ClientHelloContent, encodeClientHelloBy, extensionTypesOf } from "../codec/client-hello.ts"
import { encryptedClientHello } from "../codec/extensions/encrypted-client-hello.ts"
import type { ClientHelloExtensions } from "../codec/extensions/messages.ts"
import type { OfferedPsks } from "../codec/extensions/pre-shared-key.ts"
import { type HandshakeMessage, handshakeMessage } from "../codec/message.ts"
import { decodeServerHelloBy } from "../codec/server-hello.ts"
import { draw } from "../crypto/draw.ts"
import type {
  ClientEnd,
  ComposedHello,
  EncryptedClientHello,
  EndSettings,
  Offered,
  OfferedEncryptedClientHello,
} from "../handshake/encrypted-client-hello.ts"
import type { HpkeProvider, HpkeSender } from "../hpke/index.ts"
import { Transcript } from "../schedule/transcript.ts"
import { chooseEchConfig, type EchChoice } from "./choice.ts"
import { encodeEchOuter, withEch } from "./client-hello.ts"
import { decodeEchConfigList } from "./config.ts"
import { confirmation, serverHelloSignal } from "./confirmation.ts"
import { EncryptedClientHelloRejected } from "./errors.ts"
import { echInner, encodeInner } from "./inner.ts"
import { extensionOf, rawHelloOf } from "./raw-hello.ts"

export interface OfferOptions {
  /** Of which HPKE is made: its key exchange has to answer at once. */
  readonly provider: HpkeProvider
  /** An ECHConfigList, as the `ech` parameter of an HTTPS record has it. */
  readonly configs: Uint8Array
  /** What ClientHelloOuter has as application protocols (RFC 7301); default: the same as ClientHelloInner. None: nothing is said. */
  readonly outerAlpnProtocols?: readonly string[] | undefined
}

/** What `offerEncryptedClientHello` makes. */
export interface EchOffer extends EncryptedClientHello {
  /** What it was made of. */
  readonly options: OfferOptions
}

/**
 * Offers Encrypted Client Hello with the first configuration of the list that can be used: the value of the option
 * `encryptedClientHello`. It may serve any number of connections.
 * @throws InvalidMessage for what is no ECHConfigList; Misuse when none of it can be used, saying why: section 6.1 lets a client send
 *   a made-up one then, by `greaseEncryptedClientHello`, which hides nothing
 */
export function offerEncryptedClientHello(options: OfferOptions): EchOffer {
  const choice = chooseEchConfig(decodeEchConfigList(options.configs), options.provider)
  if ("problems" in choice) {
    const problems = choice.problems.length === 0 ? "it has none of version 0xfe0d" : choice.problems.join("; ")
    throw new Misuse(`no configuration of the ECHConfigList can be used: ${problems}`)
  }
  const { outerAlpnProtocols } = options
  return {
    options,
    extensions: { encrypted_client_hello: encryptedClientHello },
    begin(client) {
      const offer = new Offer(client, choice, outerAlpnProtocols)
      client.erasure.hold(offer)
      return offer
    },
  }
}

/** What of ClientHelloInner is not in ClientHelloOuter as it is (section 10.5): it may say who is meant. */
const isPrivate: Readonly<Partial<Record<keyof ClientHelloExtensions, true>>> = {
  server_name: true,
  certificate_authorities: true,
}

class Offer implements OfferedEncryptedClientHello {
  readonly #client: ClientEnd
  readonly #choice: EchChoice
  readonly #outerAlpnProtocols: readonly string[] | undefined
  readonly #enc: Uint8Array
  readonly #context: HpkeSender
  /** ClientHelloOuter.random, of both. */
  readonly #outerRandom: Uint8Array
  /** Made-up identities, by the real ones. */
  readonly #identities = new Map<string, Uint8Array>()
  #inner: ComposedHello | undefined
  #outer: ComposedHello | undefined
  /** The first ClientHelloInner has been accepted by a HelloRetryRequest. */
  #isRetried = false
  #verdict: "accepted" | "rejected" | undefined
  #retryConfigs: Uint8Array | undefined

  constructor(client: ClientEnd, choice: EchChoice, outerAlpnProtocols: readonly string[] | undefined) {
    this.#client = client
    this.#choice = choice
    this.#outerAlpnProtocols = outerAlpnProtocols
    const { random } = client.link
    const { config, suite } = choice
    // Section 6.1: "tls ech" || 0x00 || ECHConfig
    const info = concatBytes(asciiToBytes("tls ech\0"), config.bytes)
    const { enc, context } = suite.setupBaseS(config.publicKey, info, random)
    this.#enc = enc
    this.#context = context
    this.#outerRandom = draw(random, 32)
  }

  get verdict(): "accepted" | "rejected" | undefined {
    return this.#verdict
  }

  wipe(): void {
    this.#context.wipe()
  }

  send(content: ClientHelloContent, compose: (content: ClientHelloContent) => ComposedHello): ComposedHello {
    const { link, settings } = this.#client
    if (this.#verdict === "rejected") {
      // Section 6.1.5: a second ClientHelloOuter goes on from the first, its encrypted_client_hello included.
      const outer = compose(content)
      link.send("client_hello", outer.bytes)
      return outer
    }
    const inner = compose(this.#innerContent(content))
    const outer = this.#seal(content, inner, settings)
    settings.trace?.({ type: "inner-hello", direction: "sent", message: inner.bytes })
    link.send("client_hello", outer.bytes)
    // RFC 9850 section 2: the key log has the random of ClientHelloInner, unless it is rejected.
    link.noteClientRandom(inner.hello.random)
    this.#inner = inner
    this.#outer = outer
    return inner
  }

  /** What can be named instead of repeated stands together at the end (section 6.1). */
  #innerContent(content: ClientHelloContent): ClientHelloContent {
    const entries = Object.entries({ ...content.extensions, encrypted_client_hello: echInner })
    const isApart = ([name]: [string, unknown]) => name === "encrypted_client_hello" || this.#isPrivate(name)
    const extensions = [...entries.filter(isApart), ...entries.filter((entry) => !isApart(entry))]
    return { ...content, extensions: Object.fromEntries(extensions) as ClientHelloExtensions }
  }

  #isPrivate(name: string): boolean {
    if (name === "application_layer_protocol_negotiation") return this.#outerAlpnProtocols !== undefined
    return isPrivate[name as keyof ClientHelloExtensions] === true
  }

  /** Section 6.1.1. */
  #seal(content: ClientHelloContent, inner: ComposedHello, settings: EndSettings): ComposedHello {
    const { extensions: table, link } = this.#client
    const { config, suite } = this.#choice
    const partial = this.#outerContent(content)
    const placed = { ...partial, extensions: { ...partial.extensions, encrypted_client_hello: undefined } }
    const encoded = encodeInner(
      rawHelloOf(inner.bytes),
      rawHelloOf(encodeClientHelloBy(table, placed)),
      inner.hello.extensions.server_name,
      config.maximumNameLength,
    )
    const enc = this.#isRetried ? new Uint8Array(0) : this.#enc
    const payload = new Uint8Array(encoded.length + suite.tagLength)
    const outer = { suite: suite.ids, configId: config.configId, enc, payload }
    const composed = withEch(partial, encodeEchOuter(outer), settings.permuteExtensions ? link.random : undefined)
    const bytes = encodeClientHelloBy(table, composed)
    const { data } = extensionOf(rawHelloOf(bytes), encryptedClientHello.type)!
    // ClientHelloOuterAAD (section 5.2): the message without its header, and with zeros as the payload.
    const sealed = this.#context.seal(bytes.subarray(4), encoded)
    encoded.fill(0)
    data.set(sealed, data.length - sealed.length)
    const encrypted_client_hello = encodeEchOuter({ ...outer, payload: sealed })
    const extensions = { ...composed.extensions, encrypted_client_hello }
    return { hello: { ...composed, extensions, extensionTypes: extensionTypesOf(handshakeMessage(bytes)) }, bytes }
  }

  #outerContent(content: ClientHelloContent): ClientHelloContent {
    const { pre_shared_key, certificate_authorities: _, ...extensions } = content.extensions
    const alpn = this.#outerAlpnProtocols
    // The extension keeps the place that the first ClientHelloOuter has it in.
    const place = this.#outer && Object.keys(this.#outer.hello.extensions)
    const outer: ClientHelloExtensions = {
      ...extensions,
      server_name: this.#choice.config.publicName,
      ...(alpn && { application_layer_protocol_negotiation: alpn.length > 0 ? alpn : undefined }),
      ...(pre_shared_key && { pre_shared_key: this.#madeUpPsks(pre_shared_key) }),
    }
    return { ...content, random: this.#outerRandom, extensions: place ? inOrder(outer, place) : outer }
  }

  /** Section 6.1.2: as many identities and binders, of the same lengths, of random bytes. */
  #madeUpPsks({ identities, binders }: OfferedPsks): OfferedPsks {
    const { random } = this.#client.link
    const made = (identity: Uint8Array): Uint8Array => {
      const name = toHex(identity)
      const known = this.#identities.get(name) ?? draw(random, identity.length)
      this.#identities.set(name, known)
      return known
    }
    return {
      identities: identities.map(({ identity }) => {
        const [a, b, c, d] = draw(random, 4)
        return { identity: made(identity), obfuscatedTicketAge: ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0 }
      }),
      binders: binders.map(({ length }) => draw(random, length)),
    }
  }

  answered<Client extends { readonly settings: EndSettings }, Hello extends ComposedHello & Offered>(
    { client, offer }: { readonly client: Client; readonly offer: Hello },
    message: HandshakeMessage,
  ): { readonly client: Client; readonly offer: Hello } | undefined {
    if (this.#verdict === "rejected") return undefined
    const isAccepted = this.#isAccepted(message, offer)
    if (isAccepted) return undefined
    // Section 6.1.5: "If the ServerHello does not also indicate ECH acceptance, the client MUST terminate the connection with
    // an "illegal_parameter" alert."
    if (this.#isRetried) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        "server accepts Encrypted Client Hello in HelloRetryRequest, and not in ServerHello (RFC 9849 section 6.1.5)",
      )
    }
    this.#verdict = "rejected"
    const { hello, bytes } = this.#outer!
    this.#client.link.noteClientRandom(hello.random)
    // Section 6.1.7: it is the public name that is verified, and a client certificate is not shown.
    const settings = { ...client.settings, serverName: this.#choice.config.publicName, credentials: undefined }
    return { client: { ...client, settings }, offer: { ...offer, hello, bytes, psks: [] } }
  }

  /** Section 6.1.4. */
  #isAccepted(message: HandshakeMessage, { retry }: Offered): boolean {
    const { settings, extensions } = this.#client
    const answer = decodeServerHelloBy(extensions, message)
    if (answer.kind === "legacy") return false
    const hash = settings.cipherSuites.find(({ code }) => code === answer.cipherSuite)?.hash
    // One that was not offered is refused whichever hello it is for.
    if (hash === undefined) return false
    const { hello, bytes } = this.#inner!
    if (answer.kind === "hello_retry_request") {
      // A second one is refused by whoever reads it next, whatever it says.
      if (retry !== undefined) return true
      const signal = answer.extensions.encrypted_client_hello
      if (signal === undefined) return false
      const at = signal.byteOffset - message.bytes.byteOffset
      const transcript = Transcript.afterHelloRetryRequest(hash, bytes)
      const wanted = confirmation("hrr ech accept confirmation", hash, hello.random, transcript, message.bytes, at)
      if (!constantTimeEqual(signal, wanted)) return false
      this.#isRetried = true
      return true
    }
    const transcript = retry?.transcript.clone() ?? new Transcript(hash)
    transcript.add(bytes)
    const { random } = hello
    const wanted = confirmation("ech accept confirmation", hash, random, transcript, message.bytes, serverHelloSignal)
    if (!constantTimeEqual(answer.random.subarray(24), wanted)) return false
    this.#verdict = "accepted"
    return true
  }

  encryptedExtensions(contents: Uint8Array | undefined): void {
    if (contents === undefined) return
    // Section 5: "If the server sent this extension in response to the `inner` variant, then the client MUST abort with an
    // "unsupported_extension" alert."
    if (this.#verdict === "accepted") {
      throw new PeerMisbehaved(
        "unsupported_extension",
        "server accepts Encrypted Client Hello and sends configurations to retry with (RFC 9849 section 5)",
      )
    }
    // Section 6.1.6: "If none of the values provided in "retry_configs" contains a supported version", ECH is disabled.
    if (decodeEchConfigList(contents).length > 0) this.#retryConfigs = new Uint8Array(contents)
  }

  checkAccepted(): void {
    if (this.#verdict === "rejected") {
      throw new EncryptedClientHelloRejected(this.#choice.config.publicName, this.#retryConfigs)
    }
  }
}

/** The extensions in the order of these names, then the others. */
function inOrder(extensions: ClientHelloExtensions, names: readonly string[]): ClientHelloExtensions {
  const blank = Object.fromEntries(names.map((name) => [name, undefined]))
  return { ...blank, ...extensions }
}
