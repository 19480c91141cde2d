// What a bridge remembers of one direction from one connection to the next, while its process lives.

/** A message that the receiving broker has not taken. */
export interface Offered {
  readonly packetId: number
  /** Its topic at the broker that it comes from. */
  readonly topic: string
  /** How often it was; 0: it is the first of several that were under way when the connection ended. */
  readonly times: number
  /** How many those were at most. */
  readonly among: number
}

export interface LaneMemory {
  /**
   * Packet Identifiers that are free at the receiving broker, when its session may have some of a session of the other that has
   * ended: a message by one of those would be taken for one that it has got already. Undefined: all are.
   */
  free: Set<number> | undefined
  /** While there is one, messages of QoS 1 and 2 go one at a time: which of several it is that ends a connection cannot be told. */
  offered: Offered | undefined
  /** Messages that the receiving broker has taken; at QoS 0 those that were sent. */
  handedOn: number
  /** Messages that were not handed on and will not be, by why. */
  readonly dropped: Map<string, number>
}

export function newLaneMemory(): LaneMemory {
  return { free: undefined, offered: undefined, handedOn: 0, dropped: new Map() }
}
