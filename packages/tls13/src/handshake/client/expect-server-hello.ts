// WAIT_SH of RFC 9846 appendix A.1: ServerHello (section 4.2.3) and HelloRetryRequest (section 4.2.4).

import {
  codePointName,
  ExtensionType,
  type HandshakeTypeName,
  NamedGroup,
  ProtocolVersion,
  PskKeyExchangeMode,
} from "../../bytes/code-points.ts"
import { copyOf } from "../../bytes/copy.ts"
import { LimitExceeded, PeerIncompatible, PeerMisbehaved } from "../../bytes/errors.ts"
import { refuseUnsolicited } from "../../codec/extensions/block.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import {
  checkFixedFields,
  decodeServerHello,
  type HelloRetryRequest,
  hasDowngradeSentinel,
  type LegacyServerHello,
  type ServerHello,
} from "../../codec/server-hello.ts"
import { type CipherSuiteAlgorithms, InvalidKeyShare } from "../../crypto/provider.ts"
import { EarlyStage } from "../../schedule/key-schedule.ts"
import { Transcript } from "../../schedule/transcript.ts"
import { PskAgreed } from "../proofs.ts"
import type { State, StateName, Transition } from "../state.ts"
import {
  type ClientHandshake,
  type ClientOffer,
  offerClientHello,
  type Retry,
  retryClientHello,
} from "./client-hello.ts"
import { ExpectEncryptedExtensions } from "./expect-encrypted-extensions.ts"
import { chooseSession, type OfferedPsk } from "./psk-offers.ts"

/** Sends the ClientHello and waits for the answer. */
export function startClient(client: ClientHandshake): Transition {
  return chooseSession(
    client.link,
    client.settings,
    (session) => new ExpectServerHello(client, offerClientHello(client, session)),
  )
}

/** Bytes that the share of any group takes at most (SecP384R1MLKEM1024), with its headers. */
const largestShare = 1_700

export class ExpectServerHello implements State {
  readonly name: StateName = "WAIT_SH"
  readonly accepts: readonly HandshakeTypeName[] = ["server_hello"]
  readonly #client: ClientHandshake
  readonly #offer: ClientOffer

  constructor(client: ClientHandshake, offer: ClientOffer) {
    this.#client = client
    this.#offer = offer
  }

  receive(message: HandshakeMessage): Transition {
    const hello = decodeServerHello(message)
    if (hello.kind === "legacy") {
      // "The value of selected_version in the HelloRetryRequest "supported_versions" extension MUST be retained in the
      // ServerHello, and a client MUST abort the handshake with an "illegal_parameter" alert if the value changes" (section 4.2.4).
      if (this.#offer.retry !== undefined) {
        throw new PeerMisbehaved(
          "illegal_parameter",
          "server chose TLS 1.3 in HelloRetryRequest, and not in ServerHello",
        )
      }
      return refuseLegacy(hello)
    }
    // "If a client receives a second HelloRetryRequest in the same connection ..., it MUST abort the handshake with an
    // "unexpected_message" alert" (section 4.2.4), whatever it says.
    if (hello.kind === "hello_retry_request" && this.#offer.retry !== undefined) {
      throw new PeerMisbehaved("unexpected_message", "server sent a second HelloRetryRequest (RFC 9846 section 4.2.4)")
    }
    checkVersion(hello)
    checkFixedFields(hello, this.#offer.hello.legacySessionId)
    const suite = this.#agreedSuite(hello)
    return hello.kind === "hello_retry_request"
      ? this.#retry(hello, suite, message)
      : this.#accept(hello, suite, message)
  }

  #agreedSuite(hello: ServerHello | HelloRetryRequest): CipherSuiteAlgorithms {
    const suite = this.#client.settings.cipherSuites.find(({ code }) => code === hello.cipherSuite)
    // "A client which receives a cipher suite that was not offered MUST abort the handshake with an "illegal_parameter" alert."
    if (suite === undefined || !this.#offer.hello.cipherSuites.includes(hello.cipherSuite)) {
      throw new PeerMisbehaved("illegal_parameter", "server selected a cipher suite that was not offered")
    }
    return suite
  }

  #retry(retry: HelloRetryRequest, suite: CipherSuiteAlgorithms, message: HandshakeMessage): Transition {
    const { hello, bytes } = this.#offer
    refuseUnsolicited(retry.extensionTypes, [...hello.extensionTypes, ExtensionType.cookie], "HelloRetryRequest")
    const { key_share: group, cookie } = retry.extensions
    if (group !== undefined) this.#checkRetryGroup(group)
    // "Clients MUST abort the handshake with an "illegal_parameter" alert if the HelloRetryRequest would not result in
    // any change in the ClientHello."
    if (group === undefined && cookie === undefined) {
      throw new PeerMisbehaved("illegal_parameter", "HelloRetryRequest would not change the ClientHello")
    }
    // Section 4.2.2: extensions<8..2^16-1> have to hold the first ones, another share and the cookie.
    if (cookie !== undefined && bytes.length + largestShare + cookie.length > 0xffff) {
      const problem = `a cookie of ${cookie.length} bytes, which no ClientHello of ours has room for`
      throw new LimitExceeded("illegal_parameter", "handshakeMessageSize", problem)
    }
    const { link, settings } = this.#client
    link.atRecordBoundary()
    if (this.#offer.earlyData) {
      link.sendInClear()
      link.earlyDataDecided(false)
    }
    if (settings.middleboxCompatibility) link.sendChangeCipherSpec()
    const transcript = Transcript.afterHelloRetryRequest(suite.hash, bytes)
    transcript.add(message.bytes)
    const accepted: Retry = { suite, group, transcript, earlyDataRejected: this.#offer.earlyData }
    const cookieCopy = cookie && copyOf(cookie)
    return new ExpectServerHello(this.#client, retryClientHello(this.#client, this.#offer, accepted, cookieCopy))
  }

  /** Section 4.3.8: the group was in supported_groups, and no share for it was sent. */
  #checkRetryGroup(group: number): void {
    const { extensions } = this.#offer.hello
    const name = codePointName(NamedGroup, group)
    if (!extensions.supported_groups?.includes(group)) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        `HelloRetryRequest asks for the group ${name}, which was not offered`,
      )
    }
    if (extensions.key_share?.some((share) => share.group === group)) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        `HelloRetryRequest asks for a share of ${name}, which it already has`,
      )
    }
  }

  #accept(hello: ServerHello, suite: CipherSuiteAlgorithms, message: HandshakeMessage): Transition {
    const { link, settings } = this.#client
    const { retry, bytes, earlyData } = this.#offer
    refuseUnsolicited(hello.extensionTypes, this.#offer.hello.extensionTypes, "ServerHello")
    if (retry !== undefined && retry.suite !== suite) {
      throw new PeerMisbehaved("illegal_parameter", "ServerHello has another cipher suite than HelloRetryRequest")
    }
    const selected = this.#selectedPsk(hello, suite)
    const shared = this.#sharedSecret(hello, selected !== undefined)
    const boundary = link.atRecordBoundary()

    const transcript = retry?.transcript ?? new Transcript(suite.hash)
    transcript.add(bytes)
    transcript.add(message.bytes)
    const transcriptHash = transcript.hash()
    const early = selected?.psk.early ?? EarlyStage.start(suite.hash, undefined, link.observeSecret)
    for (const psk of this.#offer.psks) if (psk !== selected?.psk) psk.early.wipe()
    const schedule = early.toHandshake(shared?.secret)
    shared?.secret.fill(0)
    const clientSecret = schedule.clientHandshakeTrafficSecret(transcriptHash)
    const serverSecret = schedule.serverHandshakeTrafficSecret(transcriptHash)
    link.protectReceiving(suite, serverSecret, "server_handshake_traffic_secret", boundary)
    if (settings.middleboxCompatibility) link.sendChangeCipherSpec()
    // With 0-RTT data on its way the early keys stay until EncryptedExtensions says whether it was taken.
    if (!earlyData) link.protectSending(suite, clientSecret, "client_handshake_traffic_secret")
    return new ExpectEncryptedExtensions(this.#client, {
      offer: this.#offer,
      suite,
      transcript,
      schedule,
      clientSecret,
      serverSecret,
      group: shared?.group,
      selected,
    })
  }

  #selectedPsk(hello: ServerHello, suite: CipherSuiteAlgorithms): SelectedPsk | undefined {
    const index = hello.extensions.pre_shared_key
    if (index === undefined) return undefined
    const selected = PskAgreed.byServer(this.#offer.psks, index)
    // "that the server selected a cipher suite indicating a Hash associated with the PSK"
    if (selected.psk.hash.name !== suite.hash.name) {
      throw new PeerMisbehaved("illegal_parameter", "server selected a PSK whose hash is not the cipher suite's")
    }
    return { ...selected, index }
  }

  /** The asymmetric secret (section 7.4), or undefined for psk_ke. */
  #sharedSecret(hello: ServerHello, psk: boolean): { group: number; secret: Uint8Array } | undefined {
    const share = hello.extensions.key_share
    if (share === undefined) {
      if (!psk) throw new PeerMisbehaved("missing_extension", "ServerHello has neither key_share nor pre_shared_key")
      // "that a server "key_share" extension is present if required by the ClientHello "psk_key_exchange_modes" extension"
      if (!this.#offer.hello.extensions.psk_key_exchange_modes?.includes(PskKeyExchangeMode.psk_ke)) {
        throw new PeerMisbehaved("illegal_parameter", "ServerHello lacks key_share, and psk_ke was not offered")
      }
      return undefined
    }
    const started = this.#offer.shares.get(share.group)
    if (started === undefined) {
      const name = codePointName(NamedGroup, share.group)
      throw new PeerMisbehaved("illegal_parameter", `ServerHello has a share of ${name}, for which we sent none`)
    }
    try {
      return { group: share.group, secret: started.complete(share.keyExchange) }
    } catch (error) {
      if (!(error instanceof InvalidKeyShare)) throw error
      throw new PeerMisbehaved("illegal_parameter", `server's key share cannot be used: ${error.message}`)
    } finally {
      for (const each of this.#offer.shares.values()) each.wipe()
    }
  }
}

export interface SelectedPsk {
  readonly psk: OfferedPsk
  readonly proof: PskAgreed
  /** selected_identity */
  readonly index: number
}

/** Section 4.3.1: "contains a version not offered by the client or contains a version prior to TLS 1.3": illegal_parameter. */
function checkVersion(hello: ServerHello | HelloRetryRequest): void {
  const version = hello.extensions.supported_versions
  if (version === undefined) {
    throw new PeerMisbehaved("missing_extension", "HelloRetryRequest lacks supported_versions")
  }
  if (version !== ProtocolVersion.tls13) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      `server selected version 0x${version.toString(16)}, which was not offered`,
    )
  }
}

function refuseLegacy(hello: LegacyServerHello): never {
  // Section 4.2.3: "If a match is found, the client MUST abort the handshake with an "illegal_parameter" alert."
  if (hasDowngradeSentinel(hello.random)) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      "server speaks TLS 1.3, but somebody made it believe that we do not (downgrade)",
    )
  }
  const spoken = codePointName(ProtocolVersion, hello.legacyVersion).replace("tls1", "TLS 1.")
  throw new PeerIncompatible("protocol_version", `server speaks ${spoken} at most; this client speaks only TLS 1.3`)
}
