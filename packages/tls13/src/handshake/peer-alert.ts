// The peer's error alerts as failures, for whoever reads the log (RFC 9846 section 6.2).

import { PeerAlert } from "../bytes/errors.ts"
import type { Explanations } from "./settings.ts"

/** @param role ours. @param how it came, for the sentence */
export function peerAlert(
  role: "client" | "server",
  name: string,
  explanations: Explanations | undefined,
  how: string = "",
  answer?: "unexpected_message",
): PeerAlert {
  const meaning = explanations?.alertMeaning(name)
  const peer = role === "server" ? "the client" : "the server"
  const explained = meaning === undefined ? "" : `: ${peer} ${meaning}`
  return new PeerAlert(name, `peer ended the connection with the alert ${name}${how}${explained}`, answer)
}
