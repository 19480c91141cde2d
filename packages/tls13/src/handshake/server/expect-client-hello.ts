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
import { restoreRetry, retryStatelessly } from "./cookie.ts"
import { decideEarlyData } from "./early-data.ts"
import { changed, checkSecondClientHello, type ServerRetry, sendHelloRetryRequest } from "./hello-retry.ts"
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
  readonly #before: ServerRetry | "cookie sent" | undefined

  /** @param before set when a HelloRetryRequest was sent, and this is the second ClientHello; `cookie sent`: nothing was kept */
  constructor(server: ServerHandshake, before: ServerRetry | "cookie sent" | undefined) {
    this.#server = server
    this.#before = before
  }

  receive(message: HandshakeMessage): Transition {
    const { link, settings } = this.#server
    const hello = decodeClientHello(message)
    if (this.#before === undefined) announce(link, hello)
    checkClientHello(hello)
    const { bytes } = message
    const retry = this.#retryBefore(hello, bytes)
    if (retry !== undefined) checkSecondClientHello(hello, bytes, retry)
    else if (settings.statelessRetry !== undefined && retryStatelessly(this.#server, hello, bytes)) {
      return new ExpectClientHello(this.#server, "cookie sent")
    }
    // "Servers MUST ensure that they negotiate the same cipher suite when receiving a conformant updated ClientHello" (section 4.2.4)
    const suites = retry === undefined ? commonSuites(hello, settings) : [retry.suite]
    const query = { link, settings, hello, bytes, suites, earlier: retry?.transcript, opened: retry?.opened }
    return selectPsk(query, (psk) => this.#negotiate(hello, bytes, suites[0]!, psk, retry))
  }

  /** The HelloRetryRequest that came before this ClientHello, from memory or from its cookie. */
  #retryBefore(hello: ClientHello, bytes: Uint8Array): ServerRetry | undefined {
    const before = this.#before
    if (typeof before === "object") return before
    const { cookie } = hello.extensions
    if (this.#server.settings.statelessRetry === undefined) return undefined
    if (cookie !== undefined) return restoreRetry(this.#server, hello, bytes, cookie)
    if (before === "cookie sent") throw changed("cookie")
    return undefined
  }

  #negotiate(
    hello: ClientHello,
    bytes: Uint8Array,
    bestSuite: CipherSuiteAlgorithms,
    psk: ChosenPsk | undefined,
    retry: ServerRetry | undefined,
  ): Transition {
    const { link, settings } = this.#server
    const suite = psk?.suite ?? bestSuite
    const group = this.#chooseGroup(hello, psk, retry)
    if (group !== undefined && group.clientShare === undefined) {
      // Section 4.2.4: a second HelloRetryRequest is never sent. Only servers of different groups that share cookies meet this.
      if (retry !== undefined) throw noCommonGroup()
      link.atRecordBoundary()
      psk?.early.wipe()
      return new ExpectClientHello(this.#server, sendHelloRetryRequest(link, hello, bytes, suite, group.group, psk))
    }
    link.stopSkippingEarlyData()
    const alpnProtocol = chooseAlpn(hello, settings)
    return decideEarlyData(this.#server, hello, psk, alpnProtocol, retry !== undefined, (earlyData) =>
      answerClientHello(this.#server, {
        hello,
        bytes,
        suite,
        psk,
        group: group?.group,
        clientShare: group?.clientShare,
        alpnProtocol,
        earlyData,
        retry,
      }),
    )
  }

  /** The group for the key exchange; undefined for psk_ke. */
  #chooseGroup(
    hello: ClientHello,
    psk: ChosenPsk | undefined,
    retry: ServerRetry | undefined,
  ): GroupChoice | undefined {
    const { settings } = this.#server
    const choice = retry?.group
      ? { group: retry.group, clientShare: hello.extensions.key_share![0]!.keyExchange }
      : chooseGroup(hello, settings)
    const modes = pskModes(hello, settings)
    if (psk !== undefined && modes.pskOnly && (choice === undefined || !modes.dhe)) return undefined
    if (choice === undefined) throw noCommonGroup()
    return choice
  }
}

function noCommonGroup(): PeerIncompatible {
  return new PeerIncompatible("handshake_failure", "client and server have no key exchange group in common")
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
