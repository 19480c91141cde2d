// The server's part of the key exchange (RFC 9846 section 4.3.8), and with a signer that is elsewhere its signature as well
// (section 4.5.2): when the ClientHello is there, all that is signed is known but for the server's share.

import { concatBytes } from "../../bytes/concat.ts"
import { PeerMisbehaved } from "../../bytes/errors.ts"
import type { Pause } from "../../bytes/pause.ts"
import { InvalidKeyShare, type KeyExchangeAnswer } from "../../crypto/provider.ts"
import type { SignedFlight } from "../../x509/interfaces.ts"
import { type Decides, type DecisionName, decide } from "../coroutine.ts"
import { asksInHandshake, certificateRequest } from "./certificate-request.ts"
import type { CertificateTypes, OwnCredential } from "./credential.ts"
import { certificate, encryptedExtensions } from "./flight-messages.ts"
import type { Negotiated } from "./negotiate.ts"
import type { ServerHandshake } from "./server.ts"

export interface ServerShare {
  /** undefined for psk_ke */
  readonly exchange: KeyExchangeAnswer | undefined
  /** ServerHello.random. */
  readonly random: Uint8Array
  readonly signed: SignedFlight | undefined
}

export function* respondToKeyShare(
  server: ServerHandshake,
  negotiated: Negotiated,
  own: OwnCredential | undefined,
  certificateTypes: CertificateTypes,
): Decides<ServerShare> {
  const { link } = server
  const { group, clientShare } = negotiated
  if (group === undefined || clientShare === undefined) {
    return { exchange: undefined, random: link.random(32), signed: undefined }
  }
  const asked = own && askForBoth(server, negotiated, own, certificateTypes)
  if (asked !== undefined) {
    const signed = yield* answered("RespondAndSign", () => asked.pause)
    return { exchange: signed, random: asked.random, signed }
  }
  const exchange = yield* answered("RespondToKeyShare", () => group.respond(clientShare, link.random))
  return { exchange, random: link.random(32), signed: undefined }
}

/** undefined where the signer cannot, and where what is sent may be other than what is foreseen here. */
function askForBoth(
  { link, settings }: ServerHandshake,
  negotiated: Negotiated,
  { credential, scheme }: OwnCredential,
  certificateTypes: CertificateTypes,
): { readonly pause: Pause<SignedFlight>; readonly random: Uint8Array } | undefined {
  const { signer } = credential
  const { hello, bytes, suite, group, clientShare, retry, ech } = negotiated
  // An accepted encrypted hello is confirmed in the random of ServerHello (RFC 9849 section 7.2).
  const isForeseen = retry === undefined && ech?.verdict !== "accepted" && settings.rewriteMessage === undefined
  if (signer.respondAndSign === undefined || !isForeseen || group === undefined || clientShare === undefined) return
  const random = link.random(32)
  const pause = signer.respondAndSign(scheme, {
    suite: suite.code,
    group: group.code,
    clientShare,
    clientHello: bytes,
    random,
    legacySessionIdEcho: hello.legacySessionId,
    messages: concatBytes(
      encryptedExtensions(settings, { certificateTypes, ...negotiated }),
      ...(asksInHandshake(settings) ? [certificateRequest(settings, new Uint8Array(0))] : []),
      certificate(settings, hello, credential).message,
    ),
  })
  return pause && { pause, random }
}

/** With a share of the client's that cannot be used, its fault is told. */
function* answered<Answer extends KeyExchangeAnswer>(
  name: DecisionName,
  answer: () => Answer | Pause<Answer>,
): Decides<Answer> {
  try {
    return yield* decide(name, answer(), ({ secret }) => secret.fill(0))
  } catch (error) {
    if (!(error instanceof InvalidKeyShare)) throw error
    throw new PeerMisbehaved("illegal_parameter", `client's key share cannot be used: ${error.message}`)
  }
}
