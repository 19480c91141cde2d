// Every bound on what a broker can make the client keep, in one place. A test beside the client is at each and one past it.

export interface Limits {
  /**
   * Bytes of the largest packet that is taken, with its fixed header: what a broker can make this client keep. MQTT 5.0 tells it so.
   * At 268,435,460 there is no packet that is larger.
   */
  readonly maximumPacketSize: number
  /**
   * Messages of QoS 1 and 2 that the broker may have unacknowledged here; MQTT 5.0 tells it so. The identifiers of that many
   * messages of QoS 2 are kept. 1 to 65,535.
   */
  readonly receiveMaximum: number
  /** Messages of QoS 1 and 2 that may be unacknowledged at the broker, of which it may want fewer. 65,519 at most. */
  readonly maximumInFlight: number
  /** Bytes that may wait for `take`: with one more, `publish` and its kin are refused. A single packet may be larger. */
  readonly maximumWaiting: number
  /** Milliseconds that the broker has for CONNACK. */
  readonly patience: number
}

export const defaultLimits: Limits = {
  maximumPacketSize: 65_536,
  receiveMaximum: 100,
  maximumInFlight: 20,
  maximumWaiting: 65_536,
  patience: 60_000,
}

/** SUBSCRIBE and UNSUBSCRIBE that may be unanswered. */
export const maximumAsked = 16
/** Packet Identifiers, which are never 0. */
export const identifiers = 0xffff
/**
 * Bytes of acknowledgements that wait for `take`: four for each identifier of the broker's and of ours. It has no more to be
 * acknowledged before it has seen some.
 */
export const maximumOwed: number = 4 * 2 * identifiers
