// How many connections there may be: in all, of an address, and of a user.

import type { Connection } from "../client/connection.ts"
import { PacketError } from "../packet/errors.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Identity } from "../ports/access.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { Limits } from "../session/limits.ts"
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
  readonly #byAddress: Tally = new Tally()
  /** Connections of users: who is anonymous counts for no user. */
  readonly #byUser: Tally = new Tally()
  readonly #users: Map<Connection, string> = new Map()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Undefined: one more may come from there. */
  refusal(peer: PeerInfo): Refused | undefined {
    const { maximumConnections, maximumConnectionsPerAddress: most } = this.#limits
    if (this.connections.size >= maximumConnections) return { label: "too many connections" }
    if (most === 0 || this.#byAddress.of(sourceOf(peer.address)) < most) return undefined
    const reason = `its address has ${most} connections, as many as one may have`
    return { label: "too many connections of an address", reason }
  }

  add(connection: Connection): void {
    this.#byAddress.add(sourceOf(connection.peer.address))
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
    if (this.connections.delete(connection)) this.#byAddress.remove(sourceOf(connection.peer.address))
    if (user !== undefined) this.#byUser.remove(user)
  }
}
