import type { OpenedEncryptedClientHello } from "../encrypted-client-hello.ts"
import type { Erasure } from "../erasure.ts"
import type { ServerLink } from "../link.ts"
import type { ServerSettings } from "../settings.ts"

/** What stays the same through a server's connection. */
export interface Server {
  readonly link: ServerLink
  readonly settings: ServerSettings
}

/** What stays the same through one server handshake. */
export interface ServerHandshake extends Server {
  /** What is to be erased at its end. */
  readonly erasure: Erasure
  /** RFC 9849; undefined: this server knows nothing of it. */
  readonly ech: OpenedEncryptedClientHello | undefined
}
