// What clients saw of a cluster, as plain values: it is all that the checks read. Times are milliseconds from the beginning of a leg.

export type Qos = 0 | 1 | 2

/** A connection that had CONNACK. */
export interface Connection {
  readonly clientId: string
  /** Of this client, from 1, in the order of their CONNACKs. */
  readonly number: number
  readonly node: string
  readonly openedAt: number
  /** CONNACK said that there is a session. */
  readonly present: boolean
  /** Undefined: it is open. */
  closedAt?: number
}

/** A message that a publisher handed over. */
export interface Said {
  readonly by: string
  /** From 1: the how manieth of that publisher. */
  readonly count: number
  readonly topic: string
  readonly qos: Qos
  readonly retain: boolean
  /** The retained message goes: its payload is empty. */
  readonly removal: boolean
  /** When, and on which connection of its publisher, it was said first. */
  readonly at: number
  readonly connection: number
  /** How often it was said. */
  times: number
  /** PUBACK or PUBREC has come. */
  acknowledgedAt?: number
  acknowledgedOn?: number
  /** There was no room for it: nobody may get it. */
  refused?: boolean
}

/** A message that came to a subscriber; one of QoS 2 once as long as its identifier is held. */
export interface Got {
  readonly clientId: string
  readonly connection: number
  readonly at: number
  readonly topic: string
  readonly qos: Qos
  /** Trimmed. */
  readonly payload: string
  /** Who said it, when it is a count. */
  readonly by?: string
  readonly count?: number
  /** It came on the newest connection, and was acknowledged; else on one that another had replaced, and was not. */
  readonly taken: boolean
}

/** Who subscribes, before anything is said, with a session that is kept, and QoS 2. */
export interface Subscription {
  readonly clientId: string
  readonly filters: readonly string[]
  /** The share that all of its filters are of. */
  readonly share?: string
}

export interface Will {
  readonly clientId: string
  readonly topic: string
  readonly payload: string
  readonly qos: Qos
  readonly retain: boolean
  /** Milliseconds. */
  readonly delay: number
  readonly node: string
  /** CONNACK has come. */
  readonly connectedAt?: number
  readonly end?: { readonly how: "lost" | "good-bye"; readonly at: number }
  /** CONNACK of a connection that takes the session up, without a will. */
  readonly backAt?: number
}

/** PUBACK or PUBREC for what was said on a connection when another had replaced it. */
export interface Late {
  readonly clientId: string
  readonly connection: number
  readonly what: string
  readonly saidAt: number
  readonly at: number
}

/** What a new client found retained. */
export interface Retained {
  readonly node: string
  /** By topic, trimmed. */
  readonly found: ReadonlyMap<string, string>
}

export interface Fault {
  readonly round: number
  readonly what: string
  /** Nodes that it concerns. */
  readonly nodes: readonly string[]
  readonly from: number
  /** Undefined: it lasts. */
  to?: number
}

export interface History {
  readonly connections: Connection[]
  readonly said: Said[]
  readonly got: Got[]
  readonly subscriptions: Subscription[]
  readonly wills: Will[]
  readonly late: Late[]
  readonly retained: Retained[]
  readonly faults: Fault[]
}

export function emptyHistory(): History {
  return { connections: [], said: [], got: [], subscriptions: [], wills: [], late: [], retained: [], faults: [] }
}
