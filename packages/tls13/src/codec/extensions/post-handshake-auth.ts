// post_handshake_auth: RFC 9846 section 4.3.6.

import { type ExtensionRow, flag } from "./codec.ts"

declare module "./messages.ts" {
  interface ClientHelloExtensions {
    readonly post_handshake_auth?: true
  }
}

export const postHandshakeAuth: ExtensionRow<"post_handshake_auth"> = {
  type: 49,
  CH: flag,
}
