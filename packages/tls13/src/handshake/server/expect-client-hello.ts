// START and RECVD_CH of RFC 9846 appendix A.2: ClientHello (section 4.2.2), negotiation, HelloRetryRequest or not.

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { PeerIncompatible } from "../../bytes/errors.ts"
import { type ClientHello, decodeClientHello } from "../../codec/client-hello.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { CipherSuiteAlgorithms } from "../../crypto/provider.ts"
import type { Link } from "../link.ts"
import type { ServerSettings } from "../settings.ts"
import type { State, StateName, Transition } from "../state.ts"
import { checkClientHello, offeredVersions } from "./client-hello-rules.ts"
import { decideEarlyData } from "./early-data.ts"
import { checkSecondClientHello, type ServerRetry, sendHelloRetryRequest } from "./hello-retry.ts"
import { chooseAlpn, chooseGroup, commonSuites, type GroupChoice } from "./negotiation.ts"
import { type ChosenPsk, pskModes, selectPsk } from "./psk-selection.ts"
import { answerClientHello } from "./server-flight.ts"

/** What stays the same through one server handshake. */
export interface ServerHandshake {
  readonly link: Link
  readonly settings: ServerSettings
}

export class ExpectClientHello implements State {
  readonly name: StateName = "START"
  readonly accepts: readonly HandshakeTypeName[] = ["client_hello"]
  readonly #server: ServerHandshake
  readonly #retry: ServerRetry | undefined

  /** @param retry set when a HelloRetryRequest was sent, and this is the second ClientHello */
  constructor(server: ServerHandshake, retry: ServerRetry | undefined) {
    this.#server = server
    this.#retry = retry
  }

  receive(message: HandshakeMessage): Transition {
    const { link, settings } = this.#server
    const hello = decodeClientHello(message)
    if (this.#retry === undefined) announce(link, hello)
    checkClientHello(hello)
    if (this.#retry !== undefined) checkSecondClientHello(hello, message.bytes, this.#retry)
    // "Servers MUST ensure that they negotiate the same cipher suite when receiving a conformant updated ClientHello" (section 4.2.4)
    const suites = this.#retry === undefined ? commonSuites(hello, settings) : [this.#retry.suite]
    // The message is remembered until the flight is sent, and the caller may reuse its buffer.
    const bytes = message.bytes.slice()
    const query = {
      link,
      settings,
      hello,
      bytes,
      suites,
      earlier: this.#retry?.transcript,
      opened: this.#retry?.opened,
    }
    return selectPsk(query, (psk) => this.#negotiate(hello, bytes, suites[0]!, psk))
  }

  #negotiate(
    hello: ClientHello,
    bytes: Uint8Array,
    bestSuite: CipherSuiteAlgorithms,
    psk: ChosenPsk | undefined,
  ): Transition {
    const { link, settings } = this.#server
    const suite = psk?.suite ?? bestSuite
    const group = this.#chooseGroup(hello, psk)
    if (group !== undefined && group.clientShare === undefined) {
      link.atRecordBoundary()
      psk?.early.wipe()
      return new ExpectClientHello(this.#server, sendHelloRetryRequest(link, hello, bytes, suite, group.group, psk))
    }
    link.stopSkippingEarlyData()
    const alpnProtocol = chooseAlpn(hello, settings)
    return decideEarlyData(this.#server, hello, psk, alpnProtocol, this.#retry !== undefined, (earlyData) =>
      answerClientHello(this.#server, {
        hello,
        bytes,
        suite,
        psk,
        group: group?.group,
        clientShare: group?.clientShare,
        alpnProtocol,
        earlyData,
        retry: this.#retry,
      }),
    )
  }

  /** The group for the key exchange; undefined for psk_ke. */
  #chooseGroup(hello: ClientHello, psk: ChosenPsk | undefined): GroupChoice | undefined {
    const { settings } = this.#server
    const choice = this.#retry
      ? { group: this.#retry.group, clientShare: hello.extensions.key_share![0]!.keyExchange }
      : chooseGroup(hello, settings)
    const modes = pskModes(hello, settings)
    if (psk !== undefined && modes.pskOnly && (choice === undefined || !modes.dhe)) return undefined
    if (choice === undefined)
      throw new PeerIncompatible("handshake_failure", "client and server have no key exchange group in common")
    return choice
  }
}

function announce(link: Link, hello: ClientHello): void {
  link.offered({
    versions: offeredVersions(hello),
    serverName: hello.extensions.server_name,
    alpnProtocols: hello.extensions.application_layer_protocol_negotiation ?? [],
    cipherSuites: hello.cipherSuites,
    groups: hello.extensions.supported_groups ?? [],
  })
}
