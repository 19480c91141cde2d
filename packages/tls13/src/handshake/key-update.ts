// KeyUpdate, by either side and at any time after the handshake: RFC 9846 sections 4.7.3 and 7.2.

import { Misuse } from "../bytes/errors.ts"
import { decodeKeyUpdate, encodeKeyUpdate, type KeyUpdateRequest } from "../codec/key-update.ts"
import type { HandshakeMessage } from "../codec/message.ts"
import type { CipherSuiteAlgorithms } from "../crypto/provider.ts"
import { nextTrafficSecret } from "../schedule/traffic.ts"
import type { Connected, TrafficSecret } from "./connected.ts"
import type { Link } from "./link.ts"

/** Section 4.7.3: the number of key updates that a sender may not exceed. */
const mostKeyUpdates = 2 ** 48 - 1

export function receiveKeyUpdate(link: Link, connected: Connected, message: HandshakeMessage): undefined {
  const { suite, receiving } = connected
  const request = decodeKeyUpdate(message)
  const boundary = link.atRecordBoundary()
  toNextGeneration(receiving, suite, link)
  link.protectReceiving(suite, receiving.secret, receiving.name, boundary)
  connected.keyUpdateAwaited = false
  // "the receiver MUST send a KeyUpdate of its own ... prior to sending its next Application Data record"
  if (request === "update_requested") connected.keyUpdateOwed = true
}

/**
 * Sends the KeyUpdate that the peer asked for, ahead of data of ours: "an implementation which receives multiple KeyUpdates
 * while it is silent" is "to respond with a single update".
 */
export function answerKeyUpdate(link: Link, connected: Connected): void {
  const { sending } = connected
  if (connected.keyUpdateOwed && sending.generation < mostKeyUpdates)
    sendKeyUpdate(link, connected, "update_not_requested")
  connected.keyUpdateOwed = false
}

/** New sending keys now; with `update_requested` the peer renews its own too. @throws Misuse after too many of them */
export function updateKeys(link: Link, connected: Connected, request: KeyUpdateRequest): void {
  const { sending } = connected
  if (sending.generation >= mostKeyUpdates) throw new Misuse("no more key updates: open a new connection")
  // "Until receiving a subsequent KeyUpdate from the peer, the sender MUST NOT send another KeyUpdate with update_requested."
  sendKeyUpdate(link, connected, connected.keyUpdateAwaited ? "update_not_requested" : request)
  if (request === "update_requested") connected.keyUpdateAwaited = true
  connected.keyUpdateOwed = false
}

function sendKeyUpdate(link: Link, { suite, sending }: Connected, request: KeyUpdateRequest): void {
  link.send("key_update", encodeKeyUpdate(request))
  toNextGeneration(sending, suite, link)
  link.protectSending(suite, sending.secret, sending.name)
}

/** application_traffic_secret_N+1 in the place of application_traffic_secret_N. */
function toNextGeneration(traffic: TrafficSecret, suite: CipherSuiteAlgorithms, link: Link): void {
  const next = nextTrafficSecret(suite.hash, traffic.secret)
  traffic.secret.fill(0)
  traffic.secret = next
  traffic.generation++
  link.observeSecret?.(traffic.name, next, traffic.generation)
}
