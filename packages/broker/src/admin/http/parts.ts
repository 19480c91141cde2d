// What the admin API is made of, and what a request to it has.

import type { Inspect, Lists } from "../../hub/inspect.ts"
import type { Operate } from "../../hub/operate.ts"
import type { ShownCertificates } from "../../listen/listener.ts"
import type { BridgeView } from "../../ports/bridges.ts"
import type { HandshakeLoad } from "../../ports/events.ts"
import type { NodeView } from "../../ports/nodes.ts"
import type { Features } from "../../session/features.ts"
import type { Limits } from "../../session/limits.ts"
import type { AdminOperation } from "../log-event.ts"
import type { Stats } from "../metrics.ts"
import type { Token } from "../tokens.ts"
import type { Watch } from "../watch.ts"

/** A listener, this API's own among them. */
export interface KnownListener {
  readonly name: string
  readonly type: string
  readonly host: string
  readonly port: number
  readonly clientCertificate?: string | undefined
  readonly handshakes?: HandshakeLoad | undefined
  readonly certificates?: ShownCertificates | undefined
}

export interface AdminParts {
  readonly inspect: Pick<
    Inspect,
    "connectionCount" | "connectedCount" | "sessionCount" | "subscriptionCount" | "retained"
  > & { readonly limits: Limits; readonly features: Features }
  readonly lists: Lists
  readonly operate: Operate
  readonly version: string
  readonly runtime: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly stats: () => Stats
  readonly listeners: () => readonly KnownListener[]
  readonly bridges: () => readonly BridgeView[]
  readonly nodes: () => readonly NodeView[]
  readonly watch: Pick<Watch, "handshakeFailures" | "refusals" | "live">
  /** Why the broker is not well; undefined: it is. */
  readonly problem: () => string | undefined
  /** Reads the files again; resolves with a sentence when nothing of them was taken. Undefined: the broker has none. */
  readonly reload: (() => Promise<string | undefined>) | undefined
  /** The names of the listeners whose tickets are sealed by a new key now. */
  readonly rotateTicketKeys: (forget: boolean) => readonly string[]
  /** For the log. */
  readonly tell: (event: AdminOperation) => void
  /** The broker's clock, and the machine's, in milliseconds. */
  readonly now: () => number
  readonly wall: () => number
  /** Milliseconds that the latter is ahead. */
  readonly ahead: () => number
}

/** Who asks. */
export interface Asking {
  readonly token: Token
  /** Address and port. */
  readonly peer: string
  /** Whether the token is still one, for what goes on. */
  readonly stands: () => boolean
}
