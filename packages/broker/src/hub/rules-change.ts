// New rules of access for a broker that runs: what they no longer allow ends at once, in turns where there is much of it.

import type { Connection } from "../client/connection.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access, Identity } from "../ports/access.ts"
import type { Router } from "../routing/router.ts"
import type { Faults } from "../session/faults.ts"
import { identityOf, ownerBy } from "../session/owners.ts"
import { Session } from "../session/session.ts"
import type { Chore } from "./chores.ts"
import { type LostRight, never, type RulesApplied, type RulesChange, RulesSweep } from "./rules.ts"
import type { Sessions } from "./sessions.ts"
import type { Subscriptions } from "./subscriptions.ts"
import type { Wills } from "./wills.ts"

/** What a change of the rules needs of the hub. */
export interface RulesChangesNeeds {
  readonly access: Access
  readonly faults: Faults
  readonly router: Router
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  readonly wills: Wills
  readonly connections: ReadonlySet<Connection>
  readonly now: () => number
  /** Adds work that is done in turns. */
  readonly later: (chore: Chore) => void
  /** Counts work that is not routing, in its units. */
  readonly cost: (units: number) => void
  /** The boundary around one connection's work. */
  readonly bound: (connection: Connection, now: number, work: () => void) => void
}

export class RulesChanges {
  readonly #needs: RulesChangesNeeds
  /** New rules are on their way. Even newer ones take the place of those. */
  #sweep: RulesSweep | undefined
  /** What the last login of a session has begun and not brought to its end: that of an earlier one stops. */
  readonly #byLogin: WeakMap<Session, RulesSweep> = new WeakMap()

  constructor(needs: RulesChangesNeeds) {
    this.#needs = needs
  }

  /** See `Broker.rulesChanged`. */
  begin(lost: LostRight, { rights, disconnect }: RulesChange, done: (applied: RulesApplied) => void): void {
    const { bound, connections, later, now, wills } = this.#needs
    if (rights) wills.rulesChanged()
    const leaving = new Map<Connection, string>()
    for (const connection of connections) {
      bound(connection, now(), () => {
        connection.rulesChanged()
        const why = connection.identity && lost(connection.identity, connection.peer)
        if (why !== undefined) leaving.set(connection, why)
      })
    }
    const sweep = rights ? this.#beginSweep() : undefined
    later(this.#apply(sweep, leaving, disconnect, done))
  }

  /**
   * The client of this session has logged in, anew or again. What a login has allowed before is not what this one does: where
   * either has rights of its own, what it has subscribed to is judged now, and what waits before it is sent. Before the session
   * has its connection, or while it has this one.
   */
  loggedIn(session: Session, identity: Identity): void {
    const { cost, later, router } = this.#needs
    const before = session.owner
    const owner = ownerBy(identity, before.account)
    if (owner.source !== before.source || owner.ownRights !== before.ownRights) {
      session.owner = owner
      if (session.recorded) session.record({ type: "owned", clientId: session.clientId, owner })
    }
    if (identity.rights === undefined && before.ownRights !== true) return
    this.#sweep?.forget(session)
    const sweep = this.#sweepFor(() => identity)
    const { work = 0 } = this.#needs.access
    let changed = false
    for (const subscription of session.subscriptions.values()) {
      const rule = subscription.mayReceive
      sweep.ahead(session, subscription)
      changed ||= subscription.mayReceive !== rule
    }
    if (changed) router.forget()
    // The list counts what it does; this is for what it does not.
    if (work === 0) cost(session.subscriptions.size)
    sweep.freshen(session)
    this.#byLogin.set(session, sweep)
    later(this.#rest(sweep, session))
  }

  /** What waits in the session, in turns, unless its client logs in once more meanwhile. */
  *#rest(sweep: RulesSweep, session: Session): Chore {
    try {
      const steps = sweep.session(session)
      for (;;) {
        if (this.#byLogin.get(session) !== sweep) return
        const step = steps.next()
        if (step.done === true) break
        yield step.value
      }
    } catch (error) {
      sweep.giveUp(session, error)
    }
    this.#byLogin.delete(session)
    if (sweep.isBroken(session)) this.#giveUp(session, this.#needs.sessions.connectionOf(session))
  }

  #beginSweep(): RulesSweep {
    const { router, sessions } = this.#needs
    const sweep = this.#sweepFor((session) => sessions.connectionOf(session)?.identity ?? identityOf(session.owner))
    this.#sweep = sweep
    router.judge = (subscription) => {
      if (subscription.subscriber instanceof Session) sweep.ahead(subscription.subscriber, subscription)
    }
    router.forget()
    for (const session of sessions.all()) session.stale = () => sweep.freshen(session)
    return sweep
  }

  #sweepFor(identity: (session: Session) => Identity): RulesSweep {
    const { access, faults, router, sessions, subscriptions, wills } = this.#needs
    return new RulesSweep({
      access,
      identityOf: identity,
      put: (session, subscription, rule) => {
        router.rule(subscription, rule === never ? rule : subscriptions.withoutThrowing(rule, session))
      },
      willLost: (session) => wills.cleared(session),
      fault: (session, error) => {
        const peer = sessions.connectionOf(session)?.peer.address
        faults.report(error, { peer, clientId: session.clientId })
      },
    })
  }

  *#apply(
    sweep: RulesSweep | undefined,
    leaving: Map<Connection, string>,
    disconnect: boolean,
    done: (applied: RulesApplied) => void,
  ): Chore {
    const { bound, faults, now, router, sessions } = this.#needs
    const logins = leaving.size
    let filters = 0
    try {
      if (sweep !== undefined) {
        for (const session of sessions.all()) {
          if (this.#sweep !== sweep) break // the newer one comes to all that is left
          let refused = 0
          try {
            refused = yield* sweep.session(session)
          } catch (error) {
            sweep.giveUp(session, error)
          }
          filters += refused
          const connection = sessions.connectionOf(session)
          if (sweep.isBroken(session)) this.#giveUp(session, connection)
          else if (refused > 0 && connection !== undefined && !leaving.has(connection))
            leaving.set(connection, "a subscription is no longer allowed")
        }
      }
    } finally {
      if (sweep !== undefined && this.#sweep === sweep) {
        router.judge = undefined
        this.#sweep = undefined
      }
    }
    const gone = disconnect ? leaving.size : 0
    faults.attempt(() => done({ logins, filters, disconnected: gone }))
    if (!disconnect) return
    // Now, as everybody has the new rules: a will may be published.
    for (const [connection, reason] of leaving) {
      bound(connection, now(), () => connection.disconnect(now(), ReasonCode.NotAuthorized, reason))
      yield 1
    }
  }

  #giveUp(session: Session, connection: Connection | undefined): void {
    const { now, sessions } = this.#needs
    session.expiryInterval = 0
    if (connection === undefined) sessions.end(session, now())
    else connection.disconnect(now(), ReasonCode.ImplementationSpecificError, "internal error")
  }
}
