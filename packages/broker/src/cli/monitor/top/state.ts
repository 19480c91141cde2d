// What `puremq top` knows at one moment, of which the screen is made.

import type {
  BridgeModel,
  BrokerModel,
  CertificatesModel,
  HandshakeFailureModel,
  NodeModel,
  RefusalModel,
} from "../../../admin/http/model.ts"
import type { Numbers, Point } from "../../../admin/words/numbers.ts"

export type Link =
  | { readonly state: "begins" }
  | { readonly state: "there" }
  | {
      readonly state: "lost"
      readonly since: number
      /** In a sentence without a full stop. */
      readonly why: string
      /** When it is asked again. */
      readonly again: number
    }

export interface ClientRow {
  readonly clientId: string
  readonly user: string
  readonly address: string
  /** "1.3", "1.3 pq" with a post-quantum group, or "-". */
  readonly tls: string
  /** Milliseconds since 1970. */
  readonly since: number
  readonly subscriptions: number
  readonly inflight: number
  readonly queuedMessages: number
  readonly queuedBytes: number
  readonly outboundBytes: number
}

export interface TopState {
  /** Where it asks. */
  readonly place: string
  readonly link: Link
  readonly broker: BrokerModel | undefined
  readonly numbers: Numbers | undefined
  /** Five minutes ago, or when it began. */
  readonly earlier: Numbers | undefined
  readonly points: readonly Point[]
  readonly bridges: readonly BridgeModel[]
  readonly nodes: readonly NodeModel[]
  readonly certificates: CertificatesModel | undefined
  readonly failures: readonly HandshakeFailureModel[]
  readonly refusals: readonly RefusalModel[]
  readonly clients: readonly ClientRow[]
  /** Milliseconds since 1970. */
  readonly now: number
  /** Seconds between two looks. */
  readonly interval: number
}

export const sorts = ["waiting", "unsent", "in flight", "subscriptions", "since", "client"] as const
export type Sort = (typeof sorts)[number]

/** How it is looked at. */
export interface View {
  readonly columns: number
  readonly rows: number
  /** The terminal shows more than ASCII. */
  readonly unicode: boolean
  readonly sort: Sort
  readonly paused: boolean
  /** Clients that are scrolled over. */
  readonly offset: number
  readonly help: boolean
  /** Keys do something. */
  readonly keys: boolean
}
