// post_handshake_auth: RFC 9846 section 4.3.6.

import { type ExtensionRow, flag } from "./codec.ts"

export const postHandshakeAuth: ExtensionRow<{ CH: true }> = {
  type: 49,
  CH: flag,
}
