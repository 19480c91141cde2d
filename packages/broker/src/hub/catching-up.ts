// In a cluster: what came for a session while nobody served it, or faster than its client takes it. Nothing of that is kept in
// here: it is with the servers, and is fetched as there is room. When all of it has come the session gets what comes live.

import type { Position } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"
import type { Arrived, Cluster, FetchedMessages, Served } from "../ports/cluster.ts"
import { Router } from "../routing/router.ts"
import type { Subscriber, Subscription } from "../routing/subscription.ts"
import type { Faults } from "../session/faults.ts"
import type { Behind, Session } from "../session/session.ts"

/** Messages that are fetched at once. */
const fetched = 32
/** Milliseconds until it is tried again, after the servers could not be asked. */
const patience = 1000

export interface CatchingUpNeeds {
  readonly cluster: Cluster
  readonly faults: Faults
  readonly now: () => number
  /** A message of these; undefined: its topic is none that is taken here. */
  readonly messageOf: (arrived: Arrived) => Message | undefined
  /** Tries again in so many milliseconds. */
  readonly after: (milliseconds: number, work: () => void) => void
  readonly askForFlush: () => void
}

/** Where nothing is behind. */
const never = Number.POSITIVE_INFINITY

export class CatchingUp implements Behind {
  readonly #needs: CatchingUpNeeds
  readonly #session: Session
  readonly #since: Map<string, readonly number[]>
  /** By partition: it has been sent what came up to this one. */
  readonly #next: number[]
  /** By partition: nothing is fetched any more; what comes behind `next` is its own. */
  readonly #done: boolean[]
  readonly #recipient: Subscriber
  /** Of so many subscriptions. */
  #all: { readonly of: readonly Subscription[]; readonly router: Router } = { of: [], router: new Router(0, 0) }
  #stopped = false
  /** The partition that was fetched last. */
  #turn = -1
  /** How often it has begun: what was under way before goes on no more. */
  #begun = 0

  constructor(needs: CatchingUpNeeds, session: Session, { through, since }: Served) {
    this.#needs = needs
    this.#session = session
    this.#recipient = recipient(session)
    this.#since = new Map(since)
    this.#next = [...through]
    this.#done = through.map(() => false)
  }

  /** Begins when what is to come live is known to come; anew, when its client has come back to it. */
  begin(): void {
    const begun = ++this.#begun
    this.#session.waiters.delete(this)
    const paths = this.#paths()
    const standing = this.#needs.cluster.wants(paths)
    if (standing === undefined) {
      this.#goOn()
      return
    }
    standing.onAnswer((answer) => {
      if (this.#begun !== begun) return
      if (answer === "standing") this.#goOn()
      else this.#later(patience, () => this.#alive && this.begin())
    })
  }

  /** The session has ended here, or has fallen behind anew. */
  stop(): void {
    this.#stopped = true
  }

  begins(filter: string): void {
    this.#since.set(
      filter,
      this.#next.map((_, partition) => this.#needs.cluster.known(partition)),
    )
  }

  /** See Served. */
  get since(): Served["since"] {
    return this.#since
  }

  takes({ partition, sequence }: Position): boolean {
    return this.#done[partition] === true && sequence > (this.#next[partition] ?? never)
  }

  /**
   * What of a partition it has been sent up to. @param routed what has come live up to, which what was fetched may be ahead of
   */
  sent(partition: number, routed: number): number {
    const next = this.#next[partition] ?? 0
    return this.#done[partition] === true ? Math.max(next, routed) : next
  }

  /** There is room again. */
  resumeSoon(): void {
    this.#session.waiters.delete(this)
    this.#goOn()
  }

  get #alive(): boolean {
    return !this.#stopped && this.#session.connected && this.#session.behind === this
  }

  #later(milliseconds: number, work: () => void): void {
    const begun = this.#begun
    this.#needs.after(milliseconds, () => {
      if (this.#begun === begun) work()
    })
  }

  #paths(): string[] {
    return this.#own().map(({ filter }) => filter.path)
  }

  #goOn(): void {
    const { cluster, faults } = this.#needs
    if (!this.#alive) return
    if (!this.#session.quiet) {
      this.#session.waiters.add(this)
      return
    }
    // In turns: a publisher that is faster than its client takes it does not keep the other partitions waiting.
    const next = this.#done.indexOf(false, this.#turn + 1)
    const partition = next < 0 ? this.#done.indexOf(false) : next
    if (partition < 0) return
    this.#turn = partition
    const paths = this.#paths()
    if (paths.length === 0) {
      this.#finish(partition, cluster.routed(partition), false)
      return
    }
    const after = Math.max(this.#next[partition]!, this.#oldest(partition))
    const begun = this.#begun
    cluster.fetch(partition, paths, after, fetched).onAnswer((answer) => {
      faults.attempt(
        () => {
          if (!this.#alive || this.#begun !== begun) return
          if ("failed" in answer) this.#later(patience, () => this.#goOn())
          else this.#take(partition, answer)
        },
        { clientId: this.#session.clientId },
      )
    })
  }

  /** What its subscriptions begin with. */
  #oldest(partition: number): number {
    let oldest = never
    for (const { filter } of this.#session.subscriptions.values()) {
      oldest = Math.min(oldest, this.#since.get(filter.text)?.[partition] ?? 0)
    }
    return oldest === never ? 0 : oldest
  }

  #take(partition: number, { messages, through, more }: FetchedMessages): void {
    const now = this.#needs.now()
    const first = messages[0]?.position.sequence ?? 0
    const router = this.#newest(partition) < first ? this.#routerOfAll() : undefined
    for (const arrived of messages) {
      const message = this.#needs.messageOf(arrived)
      if (message !== undefined && !message.expired(now) && !this.#give(message, arrived, now, router)) {
        this.#needs.askForFlush()
        return
      }
      this.#next[partition] = arrived.position.sequence
    }
    this.#needs.askForFlush()
    this.#finish(partition, through, more)
  }

  /** False: there is no room yet, and it goes on when there may be. What could never have room is dropped, and counted. */
  #give(message: Message, arrived: Arrived, now: number, router: Router | undefined): boolean {
    const session = this.#session
    if (session.isFullFor(message)) {
      session.waiters.add(this)
      return false
    }
    if (this.#deliver(message, arrived, now, router) || !session.hasRoom(message)) return true
    // Others have taken the memory that all share.
    this.#later(patience, () => this.#goOn())
    return false
  }

  #finish(partition: number, through: number, more: boolean): void {
    const next = Math.max(this.#next[partition]!, through)
    this.#next[partition] = next
    // What has been offered to others since then it has not got: it is fetched, too.
    if (!more && next >= this.#needs.cluster.routed(partition)) this.#done[partition] = true
    if (this.#done.includes(false)) this.#later(0, () => this.#goOn())
  }

  /**
   * As it would have come live: by all of its subscriptions together that there were when it was published. False: there is no
   * room for it. @param all a router of all of them, if there were all
   */
  #deliver(message: Message, { position, publisher }: Arrived, now: number, all: Router | undefined): boolean {
    const { partition, sequence } = position
    const router = all ?? this.#routerOf(this.#own().filter((one) => sequence > this.#begin(one, partition)))
    const publishes = publisher === this.#session.clientId
    return router.route(message, publishes ? this.#recipient : undefined, now).withoutRoom === 0
  }

  /** Where the newest of its subscriptions begins. */
  #newest(partition: number): number {
    return this.#own().reduce((newest, one) => Math.max(newest, this.#begin(one, partition)), 0)
  }

  #begin({ filter }: Subscription, partition: number): number {
    return this.#since.get(filter.text)?.[partition] ?? 0
  }

  #own(): Subscription[] {
    return [...this.#session.subscriptions.values()].filter(isOwn)
  }

  /** The same as before, while the subscriptions are. */
  #routerOfAll(): Router {
    const own = this.#own()
    const { of, router } = this.#all
    if (own.length === of.length && own.every((one, at) => one === of[at])) return router
    this.#all = { of: own, router: this.#routerOf(own) }
    return this.#all.router
  }

  #routerOf(subscriptions: readonly Subscription[]): Router {
    const router = new Router(0, 0)
    for (const one of subscriptions) router.add({ ...one, subscriber: this.#recipient })
    return router
  }
}

/** Of a Shared Subscription the group is asked. */
function isOwn({ filter }: Subscription): boolean {
  return filter.shareName === undefined
}

/** The session, as one that is sent what it had not been sent. */
function recipient(session: Session): Subscriber {
  return {
    clientId: session.clientId,
    connected: true,
    congested: false,
    ready: session.ready,
    lasting: session.lasting,
    recorded: session.recorded,
    hasRoom: (message) => session.hasRoom(message),
    deliver: (message, qos: Qos, retain, identifiers, now, share) =>
      session.deliverBehind(message, qos, retain, identifiers, now, share),
  }
}
