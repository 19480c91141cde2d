// What a broker says of the nodes of its cluster, itself among them: for $SYS, metrics and the admin API.

/** What a node says of itself. */
export interface NodeSaid {
  /** Another with each start: 1 to 64 letters, digits, - and _. */
  readonly id: string
  /** For people: 1 to 64 letters, digits, ".", - and _. */
  readonly name: string
  readonly version: string
  /** Milliseconds since 1970, by its own clock. */
  readonly startedAt: number
  readonly clients: number
  /** Those that it has in memory. */
  readonly sessions: number
  /** PUBLISH packets a second, from its clients and to them. */
  readonly received: number
  readonly sent: number
}

/**
 * "this": who is asked; "there": it was heard in the last seconds; "unknown": nobody can be heard at the moment, as the servers cannot
 * be reached; "gone": it has fallen silent; "ended": it has said that it ends.
 */
export type NodeState = "this" | "there" | "unknown" | "gone" | "ended"

export interface NodeView extends NodeSaid {
  readonly state: NodeState
  /** When it said this; milliseconds of the broker's clock. */
  readonly heardAt: number
}

/** Of those that are not gone. */
export interface ClusterNumbers {
  /** This one, and those that are there. */
  readonly nodes: number
  /** Clients that are connected to these. */
  readonly clients: number
  /** The servers can be reached. */
  readonly reachable: boolean
}
