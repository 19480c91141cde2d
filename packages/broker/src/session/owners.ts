// Whose sessions there are, so that one user, or one address full of anonymous clients, cannot take all of them.

import type { Owner } from "../packet/change.ts"
import type { Identity, Rights } from "../ports/access.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { Limits } from "./limits.ts"
import { type Account, emptyAccount } from "./memory.ts"
import type { Session } from "./session.ts"
import { sourceOf } from "./source.ts"

/** Who a session counts for: its user, or the address that an anonymous client comes from. */
export function ownerOf(identity: Identity, peer: PeerInfo): string {
  if (identity.source !== "anonymous") return `user ${identity.user}`
  return `address ${sourceOf(peer.address)}`
}

/** The owner of a session that this client opens, or goes on with. @param account as `ownerOf` says, or as it was */
export function ownerBy({ user, source, rights }: Identity, account: string): Owner {
  return rights === undefined ? { user, source, account } : { user, source, account, ownRights: true }
}

/**
 * Who an absent client is. Rights that came with its login are with its next login again, and before that nothing is sent to
 * it: until then what it subscribed to when it had them goes on collecting.
 */
export function identityOf({ user, source, ownRights }: Owner): Identity {
  return ownRights ? { user, source, rights: asGranted } : { user, source }
}

const asGranted: Rights = { size: 0, allows: () => true }

interface Owned extends Account {
  readonly owner: string
  /** In the order in which they were left. */
  readonly absent: Set<Session>
  count: number
}

export class SessionOwners {
  readonly #limits: Pick<Limits, "maximumSessionsPerOwner">
  readonly #byOwner: Map<string, Owned> = new Map()
  readonly #bySession: Map<Session, Owned> = new Map()
  /** In the order in which they were left. */
  readonly #absent: Set<Session> = new Set()

  /** @param limits those of the moment: they may change */
  constructor(limits: Pick<Limits, "maximumSessionsPerOwner">) {
    this.#limits = limits
  }

  /** What the sessions of an owner, and the retained messages that they have set, use together: the same object as long as there are any, or messages on his account. */
  account(owner: string): Account {
    return this.#owned(owner)
  }

  #owned(owner: string): Owned {
    let owned = this.#byOwner.get(owner)
    if (owned === undefined) {
      if (this.#byOwner.size > 2 * this.#bySession.size + 1000) this.#forgetIdle()
      owned = { ...emptyAccount(), owner, absent: new Set(), count: 0 }
      this.#byOwner.set(owner, owned)
    }
    return owned
  }

  /** Those whose sessions have ended, and of whom nothing is kept any more. */
  #forgetIdle(): void {
    for (const [owner, owned] of this.#byOwner) if (isIdle(owned)) this.#byOwner.delete(owner)
  }

  add(owner: string, session: Session): void {
    const owned = this.#owned(owner)
    owned.count++
    this.#bySession.set(session, owned)
  }

  remove(session: Session): void {
    const owned = this.#bySession.get(session)
    if (owned === undefined) return
    this.attended(session)
    this.#bySession.delete(session)
    owned.count--
    if (isIdle(owned)) this.#byOwner.delete(owned.owner)
  }

  /** Its connection has gone. */
  absent(session: Session): void {
    this.#absent.add(session)
    this.#bySession.get(session)?.absent.add(session)
  }

  /** It has a connection again. */
  attended(session: Session): void {
    this.#absent.delete(session)
    this.#bySession.get(session)?.absent.delete(session)
  }

  full(owner: string): boolean {
    return (this.#byOwner.get(owner)?.count ?? 0) >= this.#limits.maximumSessionsPerOwner
  }

  /** The session that has been without a connection for the longest time; undefined when all have one. */
  get oldestAbsent(): Session | undefined {
    return this.#absent.values().next().value
  }

  oldestAbsentOf(owner: string): Session | undefined {
    return this.#byOwner.get(owner)?.absent.values().next().value
  }
}

function isIdle({ count, retained, queued }: Owned): boolean {
  return count === 0 && retained === 0 && queued === 0
}
