// WAIT_FINISHED of RFC 9846 appendix A.1: the server's Finished (section 4.5.3), the application secrets, and the messages of
// the client's last flight that are not about certificates.

import { decodeFinished, encodeFinished } from "../../codec/finished.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { MainStage } from "../../schedule/key-schedule.ts"
import { finishedMac } from "../../schedule/traffic.ts"
import { type ApplicationSecrets, applicationSecretsOf } from "../connected.ts"
import { FinishedVerified } from "../proofs.ts"
import type { ClientHandshake, HandshakeKeys } from "./client.ts"

/** Both sides have seen the same handshake. @throws PeerMisbehaved decrypt_error, InvalidMessage */
export function checkFinished(
  { suite, transcript, serverSecret }: HandshakeKeys,
  message: HandshakeMessage,
): FinishedVerified {
  const verifyData = decodeFinished(message, suite.hash.length)
  const finished = FinishedVerified.check(suite.hash, serverSecret, transcript.hash(), verifyData)
  transcript.add(message.bytes)
  return finished
}

/** Of ClientHello ... server Finished. */
export function applicationSecrets(
  { erasure }: ClientHandshake,
  { schedule, transcript, serverSecret }: HandshakeKeys,
): { readonly main: MainStage; readonly secrets: ApplicationSecrets } {
  const main = erasure.hold(schedule.toMain())
  erasure.erase(schedule)
  erasure.erase(serverSecret)
  return { main, secrets: applicationSecretsOf(main, transcript.hash(), erasure) }
}

export function sendFinished({ link }: ClientHandshake, { suite, transcript, clientSecret }: HandshakeKeys): void {
  const verifyData = finishedMac(suite.hash, clientSecret, transcript.hash())
  transcript.add(link.send("finished", encodeFinished(verifyData)))
}
