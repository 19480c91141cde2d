import type { Erasure } from "../erasure.ts"
import type { Link } from "../link.ts"
import type { ClientSettings } from "../settings.ts"

/** What stays the same through a client's connection. */
export interface Client {
  readonly link: Link
  readonly settings: ClientSettings
}

/** What stays the same through one client handshake. */
export interface ClientHandshake extends Client {
  /** What is to be erased at its end. */
  readonly erasure: Erasure
}
