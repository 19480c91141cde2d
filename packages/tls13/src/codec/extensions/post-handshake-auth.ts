// post_handshake_auth: RFC 9846 section 4.3.6.

import { ExtensionType } from "../../bytes/code-points.ts"
import { type ExtensionRow, flag } from "./codec.ts"

declare module "./messages.ts" {
  interface ClientHelloExtensions {
    readonly post_handshake_auth?: true
  }
}

export const postHandshakeAuth: ExtensionRow<"post_handshake_auth"> = {
  type: ExtensionType.post_handshake_auth,
  CH: flag,
}
