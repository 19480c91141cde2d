// What the admin API answers with, as JSON. Times are texts of RFC 3339 in UTC; sizes are bytes. A member that may be absent is
// absent where there is nothing to say. schemas.ts holds each answer to these.

export type Scope = "read" | "operate"

/** Of the token that something is asked with. */
export interface TokenModel {
  readonly name: string
  readonly scope: Scope
}

export interface Health {
  readonly status: "ok" | "not ok"
}

/** RFC 9457. */
export interface Problem {
  readonly type: "about:blank"
  /** The status in words. */
  readonly title: string
  readonly status: number
  /** One sentence: what is wrong, and what to do. */
  readonly detail: string
}

export interface PageOf<Entry> {
  readonly items: readonly Entry[]
  /** For `cursor` of the next page; absent: this is the last. A page before the last may have fewer items than `limit`, or none. */
  readonly next?: string
}

export interface BrokerModel {
  readonly version: string
  /** Such as `Node.js 20.20.2`. */
  readonly runtime: string
  readonly startedAt: string
  readonly uptimeSeconds: number
  readonly health: "ok" | "not ok"
  /** Why it is not well. */
  readonly problem?: string
  readonly connections: number
  readonly clients: number
  readonly sessions: number
  readonly subscriptions: number
  readonly retainedMessages: number
  /** Connected clients by what they agreed on: the protocol, and, where they have TLS of ours, its suite and group. */
  readonly clientsBy: {
    readonly mqtt: Readonly<Record<string, number>>
    readonly suite: Readonly<Record<string, number>>
    /** `none`: a session resumed without key exchange. */
    readonly group: Readonly<Record<string, number>>
  }
  /** Of those with TLS of ours, how many have agreed on a post-quantum group, and how many have not. */
  readonly postQuantum: { readonly with: number; readonly without: number }
  readonly limits: Readonly<Record<string, number>>
  readonly features: Readonly<Record<string, number | boolean>>
  readonly draining?: DrainModel
}

export interface DrainModel {
  /** Server Reference that clients are sent to. */
  readonly server: string
  readonly since: string
  readonly until: string
  /** Connections that are still here. */
  readonly left: number
}

export interface ListenerModel {
  readonly name: string
  readonly type: string
  readonly host: string
  readonly port: number
  /** Connected clients that came by it. */
  readonly clients: number
  readonly tls?: {
    readonly clientCertificate: string
    /** Handshakes under way, connections that wait for theirs, and what those have sent. */
    readonly pending: number
    readonly waiting: number
    readonly waitingBytes: number
  }
}

export interface BridgeModel {
  readonly name: string
  /** Where the other broker is. */
  readonly address: string
  /** Both brokers have let it in. */
  readonly connected: boolean
  /** When the connection of now, or the last one, came about; absent: there was none. */
  readonly since?: string
  /** Messages that the receiving broker has taken. */
  readonly handedOn: { readonly out: number; readonly in: number }
  /** Those that were not handed on and will not be, by why. */
  readonly dropped: { readonly out: Readonly<Record<string, number>>; readonly in: Readonly<Record<string, number>> }
  /** Messages of QoS 1 and 2 at this broker that the other one has not acknowledged. */
  readonly waiting: number
  /** Connections that have ended, or did not come about. */
  readonly failures: number
  /** The last of these. */
  readonly lastFailure?: { readonly at: string; readonly reason: string }
}

/** A node of the cluster; of a broker that is alone there is one. */
export interface NodeModel {
  /** Another with each start. */
  readonly id: string
  readonly name: string
  /**
   * "this": who is asked; "there": it was heard in the last seconds; "unknown": the servers of the cluster cannot be reached, and
   * nobody can be heard; "gone": it has fallen silent; "ended": it has said that it ends.
   */
  readonly state: "this" | "there" | "unknown" | "gone" | "ended"
  readonly version: string
  readonly startedAt: string
  /** All that follows is of then. */
  readonly heardAt: string
  readonly clients: number
  readonly sessions: number
  /** PUBLISH packets a second. */
  readonly receivedPerSecond: number
  readonly sentPerSecond: number
}

export interface CertificateModel {
  readonly listener: string
  /** "server": what clients are shown; "chain": what is shown above it; "clients": an authority that clients' certificates come from. */
  readonly role: "server" | "chain" | "clients"
  readonly subject: string
  readonly issuer: string
  /** DNS names, IP addresses, URIs and mail addresses. */
  readonly names: readonly string[]
  readonly serial: string
  readonly notBefore: string
  readonly notAfter: string
  /** Whole days until it expires; below 0: it has. */
  readonly daysLeft: number
  /** SHA-256 of the certificate, hexadecimal. */
  readonly sha256: string
}

export interface RevocationListModel {
  readonly listener: string
  readonly issuer: string
  readonly thisUpdate: string
  readonly nextUpdate?: string
  readonly daysLeft?: number
  /** How many certificates it revokes. */
  readonly revoked: number
}

export interface CertificatesModel {
  readonly certificates: readonly CertificateModel[]
  readonly revocationLists: readonly RevocationListModel[]
}

export interface TlsModel {
  readonly version: string
  readonly suite: string
  /** Absent: a session resumed without key exchange. */
  readonly group?: string
  readonly postQuantum: boolean
  readonly resumed: boolean
  readonly serverName?: string
}

export interface ClientModel {
  readonly clientId: string
  /** "" for an anonymous client. */
  readonly user: string
  /** How it logged in: anonymous, password, certificate ... */
  readonly login: string
  /** The name in its certificate. */
  readonly identity?: string
  readonly address: string
  readonly transport: string
  readonly listener?: string
  readonly mqtt: "3.1" | "3.1.1" | "5.0"
  readonly cleanStart: boolean
  readonly since: string
  /** Seconds; 0: none. */
  readonly keepAlive: number
  /** Absent: there is no TLS of ours. */
  readonly tls?: TlsModel
  readonly subscriptions: number
  /** Sent at QoS 1 or 2, and not completely acknowledged. */
  readonly inflight: number
  /** What waits for it at QoS 1 and 2. */
  readonly queuedMessages: number
  readonly queuedBytes: number
  /** Written for it, and not taken by its transport yet. */
  readonly outboundBytes: number
}

export interface SessionModel {
  readonly clientId: string
  readonly user: string
  readonly login: string
  readonly connected: boolean
  /** It outlives its connection. */
  readonly kept: boolean
  /** Seconds that it does; 4294967295: it does not end by itself. */
  readonly expiryInterval: number
  /** Absent while it is connected, and when it does not end by itself. */
  readonly endsAt?: string
  readonly subscriptions: number
  readonly inflight: number
  readonly queuedMessages: number
  readonly queuedBytes: number
  /** QoS 2 messages of the client that it has not released. */
  readonly unreleased: number
}

export interface SubscriptionModel {
  readonly clientId: string
  readonly filter: string
  readonly shareName?: string
  readonly qos: number
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifier?: number
}

export interface TopicModel {
  readonly level: string
  readonly topic: string
  /** There is a retained message on it. */
  readonly retained: boolean
  /** How many there are below it. */
  readonly below: number
}

export interface RetainedModel {
  readonly topic: string
  readonly qos: number
  /** Of the whole payload. */
  readonly bytes: number
  /** Where the part that follows begins. */
  readonly offset: number
  readonly base64: string
  /** The same part; absent where it is no text in UTF-8. */
  readonly text?: string
  readonly expiresAt?: string
}

/** What a ClientHello had, as far as it could be read. Of a longer list the first 64. */
export interface OfferModel {
  readonly versions: readonly string[]
  readonly suites: readonly string[]
  readonly groups: readonly string[]
  readonly signatureSchemes: readonly string[]
}

export interface HandshakeFailureModel {
  readonly id: number
  readonly at: string
  readonly peer: string
  readonly listener: string
  readonly serverName?: string
  /** Whose fault it was. */
  readonly fault: "client" | "server" | "network"
  /** The alert that was sent, or came. */
  readonly alert?: string
  readonly reason: string
  readonly milliseconds: number
  /** Absent: none came, or none that can be read. */
  readonly offer?: OfferModel
  /** A limit turned it away before its handshake began. */
  readonly turnedAway: boolean
}

export interface RefusalModel {
  readonly id: number
  readonly at: string
  /** "login": a connection did not become a client; the others: what a client may not do, or a message for which there is no room. */
  readonly kind: "login" | "publish" | "subscribe" | "will" | "message"
  readonly peer: string
  readonly transport: string
  readonly listener?: string
  readonly clientId: string
  /** Who it says it is; "" for an anonymous client. */
  readonly user?: string
  /** Topic Name or Topic Filter. */
  readonly topic?: string
  readonly reason: string
}

/** The broker's numbers: those of `/metrics`, by reason where there are several. */
export type MetricsModel = Readonly<Record<string, unknown>>

export interface Done {
  readonly done: true
}

export interface RotatedModel {
  readonly done: true
  /** Listeners whose tickets are sealed by a new key now. */
  readonly listeners: readonly string[]
}

// --- what is asked for ---

export interface PageInput {
  readonly limit?: number
  readonly cursor?: string
}

export interface ClientsInput extends PageInput {
  readonly clientId?: string
  readonly user?: string
  readonly address?: string
  readonly listener?: string
  readonly postQuantum?: boolean
}

export interface SessionsInput extends PageInput {
  readonly clientId?: string
  readonly user?: string
  readonly connected?: boolean
}

export interface SubscriptionsInput extends PageInput {
  readonly clientId?: string
  readonly filter?: string
}

export interface TopicsInput extends PageInput {
  readonly parent?: string
}

export interface RetainedInput extends PageInput {
  readonly topic?: string
  readonly bytes?: number
}

export interface RetainedMessageInput {
  readonly topic: string
  readonly offset?: number
  readonly bytes?: number
}

export interface FailuresInput extends PageInput {
  readonly fault?: "client" | "server" | "network"
}

export interface RefusalsInput extends PageInput {
  readonly kind?: RefusalModel["kind"]
}

export interface OneClient {
  readonly clientId: string
}

export interface OneTopic {
  readonly topic: string
}

export interface EventsInput {
  readonly events?: string
}

export interface DisconnectInput {
  readonly clientId: string
  readonly reason?: string
}

export interface PublishInput {
  readonly topic: string
  /** One of both. */
  readonly text?: string
  readonly base64?: string
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
}

export interface RotateInput {
  readonly forget?: boolean
}

export interface DrainInput {
  readonly server: string
  readonly seconds: number
}
