// Every limit of the broker in one place. A test beside the code that enforces it is at the limit and one past it.

export interface Limits {
  /** Largest packet a client may send, fixed header included, in bytes. Sent as Maximum Packet Size. */
  readonly maximumPacketSize: number
  /**
   * Largest payload of a PUBLISH or will, in bytes: a message with more goes to nobody, and gets 0x97 in PUBACK, PUBREC or
   * CONNACK; MQTT 3.1.1: it is acknowledged, and with such a will CONNECT is refused with 3. Default: what a packet may have.
   */
  readonly maximumPayloadSize: number
  /** Largest CONNECT, in bytes: what a peer can make the broker buffer before it is known. */
  readonly maximumConnectSize: number
  /** Milliseconds from the connection to a complete CONNECT. */
  readonly connectTimeout: number
  /** Milliseconds from a complete CONNECT to the decision about its login; then the client is answered 0x88 (3.1.1: 3). */
  readonly loginTimeout: number
  /** Logins whose password waits to be checked; one more is answered 0x89 (3.1.1: 3). So many again may wait that use SCRAM, after failures. */
  readonly maximumWaitingLogins: number
  /** The same from one address (of IPv6, one /64). */
  readonly maximumWaitingLoginsPerAddress: number
  /** Passwords that are checked at once. Fewer where there are fewer cores: one is left to everything else. */
  readonly maximumPasswordChecks: number
  /**
   * Bytes that checking passwords may take at once; a single check may always go on (128 MiB at most, 32 MiB by default).
   * createBroker's default is a quarter of the heap that the process may have, 128 MiB at most.
   */
  readonly maximumPasswordMemory: number
  /** Open network connections, all listeners together. */
  readonly maximumConnections: number
  /** The same of one address (of IPv6, one /64), once they have come through TLS; one more is closed. 0: any. */
  readonly maximumConnectionsPerAddress: number
  /** The same of one user; one more gets 0x97 (3.1.1: 3), unless it takes the place of one of them. 0: any. */
  readonly maximumConnectionsPerUser: number
  /** Sessions, connected or not. When there are as many, the one that has been absent for the longest time makes room. */
  readonly maximumSessions: number
  /** Sessions of one user, or of anonymous clients from one address; of these the longest absent makes room. */
  readonly maximumSessionsPerOwner: number
  /** Client Identifier in UTF-8 bytes. */
  readonly maximumClientIdLength: number
  /** Seconds. A longer Keep Alive, or none, of an MQTT 5.0 client is answered with this as Server Keep Alive. 0: any. */
  readonly maximumKeepAlive: number
  /** Seconds a session may outlive its connection; more is cut to this. MQTT 3.1.1 sessions get this too. */
  readonly maximumSessionExpiryInterval: number
  /** QoS 1 and 2 PUBLISH a client may have unacknowledged (Receive Maximum of the broker). */
  readonly receiveMaximum: number
  /**
   * QoS 1 and 2 PUBLISH the broker has unacknowledged at one client, with what its earlier connections left; the client's
   * Receive Maximum may lower it.
   */
  readonly maximumInflight: number
  /** Messages waiting for one session, online or offline. `queuePolicy` says what is dropped when full: by default the newest. */
  readonly maximumQueuedMessages: number
  /** Bytes (topics, properties, payloads) waiting for one session. */
  readonly maximumQueuedBytes: number
  /**
   * Bytes of memory of all messages that wait for sessions or for their acknowledgements, of wills, of Topic Aliases, and of
   * Packet Identifiers of QoS 2 messages received. Each session may keep as much as is left free, an owner (a user, or the
   * anonymous clients of an address) three times as much, absent sessions together seven eighths. createBroker's default is
   * a quarter of the heap that the process may have.
   */
  readonly maximumTotalQueuedBytes: number
  /**
   * Bytes of memory of packets that have come in part, all connections together; past that the longest unfinished ends with
   * 0x97. Half as much again for CONNECTs whose login waits, of which one may take a sixteenth of what is free (else 0x89).
   * createBroker's default is a sixteenth of the heap that the process may have.
   */
  readonly maximumTotalPartialBytes: number
  /**
   * Bytes of memory of all subscriptions; past it 0x97 in SUBACK. Each session may have as much as is left free, an owner
   * three times as much. createBroker's default is an eighth of the heap that the process may have.
   */
  readonly maximumTotalSubscriptionBytes: number
  /** Bytes written for one client and not yet taken by its transport. Then QoS 0 is dropped and QoS 1 and 2 wait. */
  readonly maximumOutboundBytes: number
  /**
   * Bytes of memory of all clients' output that their transports have not taken. Past that a client may have 65,536 bytes, and
   * no message of QoS 0 whose payload is larger, until it is less. createBroker's default is a quarter of the heap that the process may have.
   */
  readonly maximumTotalOutboundBytes: number
  /**
   * Bytes of memory of all of these together, and of the sessions: past that nobody gets more of any, though its own bound
   * would allow it. createBroker's default is three quarters of the heap that the process may have, five eighths with a store
   * that lasts.
   */
  readonly maximumTotalBytes: number
  /**
   * Milliseconds in any 10 seconds that a publisher is not read from because subscribers do not keep up, all of them
   * together. After that their messages wait or are dropped by the limits of their queues. 0: it is never held up.
   */
  readonly maximumPublisherPause: number
  /**
   * Messages a second that one connection may publish; as many as a second has may come at once. One that is faster is not
   * refused: it is read more slowly, and what it says meanwhile counts for its Keep Alive once it is read. When it closes its
   * connection, what has come has half a minute. 0: any.
   */
  readonly maximumPublishRate: number
  /** The same in bytes a second of PUBLISH packets. A larger packet comes whole, and what follows waits for it. 0: any. */
  readonly maximumPublishByteRate: number
  /** Subscriptions of one session. */
  readonly maximumSubscriptions: number
  /**
   * Those of them with a wildcard or a Share Name: as many copies or matches one message can cost a session. The next is
   * answered with 0x97 in SUBACK, 0x80 for MQTT 3.1.1.
   */
  readonly maximumWildcardSubscriptions: number
  /** Topic Filters of one SUBSCRIBE or UNSUBSCRIBE. More end the connection: DISCONNECT 0x97, or a mere close. */
  readonly maximumFiltersPerPacket: number
  /** Levels of a Topic Name or Topic Filter. */
  readonly maximumTopicLevels: number
  /** Topic Aliases a client may use (Topic Alias Maximum of the broker), for Topic Names of 16,384 bytes together. */
  readonly topicAliasMaximum: number
  /**
   * Topic Aliases the broker uses towards one client, for Topic Names of 16,384 bytes together; the client's Topic Alias
   * Maximum may lower it.
   */
  readonly outboundTopicAliases: number
  /** Retained messages. */
  readonly maximumRetainedMessages: number
  /** Bytes of heap that all retained messages take, with the tree they are kept in: 820 for a short topic and payload. */
  readonly maximumRetainedBytes: number
  /**
   * Retained messages that one user has set, or the anonymous clients of one address. One more is refused as one is for which
   * there is no room; one in the place of his own is not more. 0: any.
   */
  readonly maximumRetainedMessagesPerOwner: number
  /** The same in bytes (topics, properties, payloads). 0: any. */
  readonly maximumRetainedBytesPerOwner: number
}

/** Those that CONNACK tells a client: for its connection they stay what they were when it began. */
export type ToldLimits = Pick<
  Limits,
  "maximumPacketSize" | "maximumKeepAlive" | "maximumSessionExpiryInterval" | "receiveMaximum" | "topicAliasMaximum"
>

/**
 * The defaults that depend on the memory of the process: `heap` is the most it may have for them, in bytes. A lasting store, which is in
 * files, goes through all that is kept when it folds them and when it starts, and needs memory of its own for that.
 */
export function limitsOfMemory(
  heap: number,
  lasting: boolean,
): Pick<
  Limits,
  | "maximumTotalQueuedBytes"
  | "maximumTotalPartialBytes"
  | "maximumTotalSubscriptionBytes"
  | "maximumTotalOutboundBytes"
  | "maximumTotalBytes"
  | "maximumRetainedBytes"
  | "maximumPasswordMemory"
> {
  return {
    maximumRetainedBytes: Math.floor((heap * 3) / 8),
    maximumTotalQueuedBytes: Math.floor(heap / 4),
    maximumTotalPartialBytes: Math.floor(heap / 16),
    maximumTotalOutboundBytes: Math.floor(heap / 4),
    maximumTotalBytes: Math.floor((heap * (lasting ? 5 : 6)) / 8),
    maximumTotalSubscriptionBytes: Math.floor(heap / 8),
    maximumPasswordMemory: Math.min(128 * 1_048_576, Math.floor(heap / 4)),
  }
}

/** What a listener may have of its own, below the limits of the broker, which hold for all listeners together. */
export interface ListenerLimits {
  /** Connections through it; default: as many as the broker may have. */
  readonly maximumConnections?: number | undefined
  /** Those of one address, or of one /64 of IPv6; 0, the default: any. */
  readonly maximumConnectionsPerAddress?: number | undefined
  /** Bytes of a packet that a client may send; default: the broker's limit, which also holds for one that is lower. */
  readonly maximumPacketSize?: number | undefined
}

/** Limits whose defaults are those of the machine: of its memory, and of its processors. */
export const machineLimits: readonly (keyof Limits)[] = [
  ...(["maximumTotalQueuedBytes", "maximumTotalPartialBytes", "maximumTotalSubscriptionBytes"] as const),
  ...(["maximumTotalOutboundBytes", "maximumTotalBytes", "maximumRetainedBytes", "maximumPasswordMemory"] as const),
  "maximumPasswordChecks",
]

/** For a heap of 512 MiB. */
export const defaultLimits: Limits = {
  maximumPacketSize: 1_048_576 + 1024,
  maximumPayloadSize: 0x0fff_ffff,
  maximumConnectSize: 131_072,
  connectTimeout: 10_000,
  loginTimeout: 20_000,
  maximumWaitingLogins: 512,
  maximumWaitingLoginsPerAddress: 256,
  maximumPasswordChecks: 3,
  maximumPasswordMemory: 128 * 1_048_576,
  maximumConnections: 100_000,
  maximumConnectionsPerAddress: 0,
  maximumConnectionsPerUser: 0,
  maximumSessions: 100_000,
  maximumSessionsPerOwner: 10_000,
  maximumClientIdLength: 256,
  maximumKeepAlive: 0,
  maximumSessionExpiryInterval: 7 * 24 * 3600,
  receiveMaximum: 10_000,
  maximumInflight: 1024,
  maximumQueuedMessages: 10_000,
  maximumQueuedBytes: 16 * 1_048_576,
  maximumTotalQueuedBytes: 128 * 1_048_576,
  maximumTotalPartialBytes: 32 * 1_048_576,
  maximumTotalSubscriptionBytes: 64 * 1_048_576,
  maximumOutboundBytes: 2 * 1_048_576,
  maximumTotalOutboundBytes: 128 * 1_048_576,
  maximumTotalBytes: 384 * 1_048_576,
  maximumPublisherPause: 500,
  maximumPublishRate: 0,
  maximumPublishByteRate: 0,
  maximumSubscriptions: 10_000,
  maximumWildcardSubscriptions: 1000,
  maximumFiltersPerPacket: 1000,
  maximumTopicLevels: 32,
  topicAliasMaximum: 32,
  outboundTopicAliases: 32,
  maximumRetainedMessages: 1_000_000,
  maximumRetainedBytes: 192 * 1_048_576,
  maximumRetainedMessagesPerOwner: 0,
  maximumRetainedBytesPerOwner: 0,
}
