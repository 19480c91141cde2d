// How many connections there may be: in all, of an address, and of a user.

import type { Connection } from "../client/connection.ts"
import { PacketError } from "../packet/errors.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Identity } from "../ports/access.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { Limits, ListenerLimits } from "../session/limits.ts"
import { sourceOf } from "../session/source.ts"
import { Tally } from "../session/tally.ts"

/** Why a connection is not taken. */
export interface Refused {
  /** The same for all of a kind: what is counted. */
  readonly label: string
  /** For the log; undefined where there may be too many of them to be told one by one. */
  readonly reason?: string
}

export class Admission {
  readonly connections: Set<Connection> = new Set()
  readonly #limits: Limits
  #listenerLimits: ReadonlyMap<string, ListenerLimits>
  /** Connections through listeners, and those of an address through one. */
  readonly #byListener: Tally = new Tally()
  readonly #byAddress: Tally = new Tally()
  /** Connections of users: who is anonymous counts for no user. */
  readonly #byUser: Tally = new Tally()
  readonly #users: Map<Connection, string> = new Map()

  constructor(limits: Limits, listeners: ReadonlyMap<string, ListenerLimits> = new Map()) {
    this.#limits = limits
    this.#listenerLimits = listeners
  }

  /** Other limits of listeners, by their names; who is there stays. */
  limitListeners(limits: ReadonlyMap<string, ListenerLimits>): void {
    this.#listenerLimits = limits
  }

  /** Undefined: one more may come from there. */
  refusal(peer: PeerInfo): Refused | undefined {
    const { maximumConnections, maximumConnectionsPerAddress: most } = this.#limits
    if (this.connections.size >= maximumConnections) return { label: "too many connections" }
    if (most !== 0 && this.#byAddress.of(sourceOf(peer.address)) >= most) {
      const reason = `its address has ${most} connections, as many as one may have`
      return { label: "too many connections of an address", reason }
    }
    return this.#ofListener(peer)
  }

  #ofListener({ listener, address }: PeerInfo): Refused | undefined {
    const own = listener === undefined ? undefined : this.#listenerLimits.get(listener)
    if (listener === undefined || own === undefined) return undefined
    const { maximumConnections = Number.POSITIVE_INFINITY, maximumConnectionsPerAddress: most = 0 } = own
    if (this.#byListener.of(listener) >= maximumConnections) return { label: "too many connections of a listener" }
    if (most === 0 || this.#byListener.of(placeOf(listener, address)) < most) return undefined
    const reason = `its address has ${most} connections through ${listener}, as many as one may have there`
    return { label: "too many connections of an address through a listener", reason }
  }

  add(connection: Connection): void {
    const { address, listener } = connection.peer
    this.#byAddress.add(sourceOf(address))
    if (listener !== undefined) {
      this.#byListener.add(listener)
      this.#byListener.add(placeOf(listener, address))
    }
    this.connections.add(connection)
  }

  /**
   * Throws PacketError when the user has as many connections as one may have, `follows` not among them: the one that the new
   * one takes the place of.
   */
  check({ source, user }: Identity, follows: () => Connection | undefined): void {
    const { maximumConnectionsPerUser: most } = this.#limits
    if (most === 0 || source === "anonymous" || this.#byUser.of(user) < most) return
    const present = follows()
    if (present !== undefined && this.#users.get(present) === user) return
    const what = `the user has ${most} connections, as many as one may have`
    throw new PacketError(ReasonCode.QuotaExceeded, "MQTT-3.1.4-2", what)
  }

  /** The connection has logged in. */
  known(connection: Connection, { source, user }: Identity): void {
    if (source === "anonymous") return
    this.#users.set(connection, user)
    this.#byUser.add(user)
  }

  delete(connection: Connection): void {
    const user = this.#users.get(connection)
    this.#users.delete(connection)
    if (this.connections.delete(connection)) {
      const { address, listener } = connection.peer
      this.#byAddress.remove(sourceOf(address))
      if (listener !== undefined) {
        this.#byListener.remove(listener)
        this.#byListener.remove(placeOf(listener, address))
      }
    }
    if (user !== undefined) this.#byUser.remove(user)
  }
}

/** An address at a listener: no name of a listener has a space. */
function placeOf(listener: string, address: string): string {
  return `${listener} ${sourceOf(address)}`
}
