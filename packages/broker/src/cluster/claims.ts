// How a session becomes this node's: whoever serves it is asked to let it go; then what its subject has is read, and a snapshot is
// put in its place that expects just that. Who wins that has the session, and who had it before can commit nothing of it.

import { encodeText } from "../packet/bytes.ts"
import type { Change, MessageKept } from "../packet/change.ts"
import type { Claimed } from "../ports/cluster.ts"
import { Pause } from "../ports/pause.ts"
import type { StoreFailed } from "../ports/store.ts"
import { arrivedOf } from "./envelope.ts"
import type { Ownership } from "./ownership.ts"
import { partitionOf } from "./partition.ts"
import { SessionImage, type Waiting } from "./session-image.ts"
import { SessionLog, type SessionLogNeeds } from "./session-log.ts"
import { applyRecord, type RecordHead } from "./session-record.ts"
import type { Slots } from "./slots.ts"
import type { StreamMessage, Streams } from "./streams.ts"
import { tokenOfClient } from "./subjects.ts"

/** Milliseconds that a node has to let a session go; after that it is taken from it. */
const patience = 1500

/** Others may want the same session: each round somebody has it. */
const mostRounds = 8

export interface ClaimsNeeds extends SessionLogNeeds {
  readonly streams: () => Streams | undefined
  readonly ownership: Ownership
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** For what is asked by session, or by message: many sessions may come at once. */
  readonly reads: Slots
  /** The session is this node's from here on. */
  readonly claimed: (log: SessionLog) => void
  /** It may be this node's, and is not served: to be looked at later. */
  readonly doubtful: (clientId: string) => void
  readonly alive: (node: string) => boolean
  /** A node that was heard, and is not any more, is not asked. */
  readonly mayBeThere: (node: string) => boolean
}

interface Claim {
  readonly clientId: string
  readonly cleanStart: boolean
  readonly onlyOf: string | undefined
  readonly wanted: () => boolean
  readonly streams: Streams
  readonly partition: number
  readonly subject: string
  readonly number: number
  /** Nodes that were asked, and by which claim they had it. */
  readonly asked: Set<string>
  rounds: number
  /** Something was appended. */
  tried: boolean
  /** Why that is not there, where it is not that somebody else was first. */
  failed: string | undefined
  /** Another node has asked for the session meanwhile, and takes it. */
  wantedElsewhere: boolean
  readonly done: Pause<Claimed | StoreFailed>
}

export class Claims {
  readonly #needs: ClaimsNeeds
  /** By Client Identifier. */
  readonly #underWay: Map<string, Claim> = new Map()
  #count = 0

  constructor(needs: ClaimsNeeds) {
    this.#needs = needs
  }

  /**
   * One of a client at a time.
   * @param wanted false: nobody waits for it any more
   * @param onlyOf only from this node, which has gone
   */
  claim(clientId: string, cleanStart: boolean, wanted: () => boolean, onlyOf?: string): Pause<Claimed | StoreFailed> {
    const done = new Pause<Claimed | StoreFailed>()
    const streams = this.#needs.streams()
    if (streams === undefined || !streams.reachable) {
      if (onlyOf === this.#needs.node) this.#needs.doubtful(clientId)
      done.answer({ failed: "no server of the cluster can be reached" })
      return done
    }
    const claim: Claim = {
      clientId,
      cleanStart,
      onlyOf,
      wanted,
      streams,
      partition: partitionOf(clientId, streams.partitions),
      subject: subjectOfSession(clientId),
      number: ++this.#count,
      asked: new Set(),
      rounds: 0,
      tried: false,
      failed: undefined,
      wantedElsewhere: false,
      done,
    }
    this.#underWay.set(clientId, claim)
    this.#read(claim)
    return done
  }

  /** Another node has asked for the session: as soon as this node has it, it may not have it any more. */
  asked(clientId: string): void {
    const claim = this.#underWay.get(clientId)
    if (claim !== undefined) claim.wantedElsewhere = true
  }

  /**
   * What was appended may be there all the same, or the session was this node's before: then nobody sees to it.
   * @param settled that is known, or nothing is going to change it
   */
  #fail(claim: Claim, failed: string, settled: boolean = false): void {
    const { clientId, onlyOf, tried } = claim
    this.#underWay.delete(clientId)
    if (tried || (onlyOf === this.#needs.node && !settled)) this.#needs.doubtful(clientId)
    claim.done.answer({ failed })
  }

  #read(claim: Claim): void {
    const { clientId, partition, streams, subject } = claim
    if (++claim.rounds > mostRounds) {
      this.#fail(claim, claim.failed ?? `${mostRounds} times somebody else was first to have the session`)
      return
    }
    const { reads } = this.#needs
    reads
      .ask(() => streams.all(partition, subject))
      .onAnswer((records) => {
        if ("failed" in records) {
          this.#fail(claim, records.failed)
          return
        }
        const image = new SessionImage(clientId, streams.partitions)
        let head: RecordHead | undefined
        for (const { data } of records) {
          const read = applyRecord(image, data)
          if (typeof read === "string") {
            this.#fail(claim, read, true)
            return
          }
          head = read
        }
        this.#decide(claim, image, head, records.at(-1))
      })
  }

  #decide(claim: Claim, image: SessionImage, head: RecordHead | undefined, last: StreamMessage | undefined): void {
    const { asked, clientId, cleanStart, number, streams } = claim
    const { alive, mayBeThere, node } = this.#needs
    // The answer to an append that was made may have been lost.
    if (head?.node === node && head.claim === number && last !== undefined) {
      this.#has(claim, image, last.sequence)
      return
    }
    const { onlyOf } = claim
    // It may have been heard again since it was found gone.
    const isThere = onlyOf !== undefined && onlyOf !== node && alive(onlyOf)
    if (onlyOf !== undefined && (head?.node !== onlyOf || !image.attended || isThere)) {
      this.#fail(claim, "somebody else has seen to it", true)
      return
    }
    if (!claim.wanted()) {
      this.#fail(claim, "its client has gone")
      return
    }
    const whose = `${head?.node} ${head?.claim}`
    if (image.attended && head !== undefined && head.node !== node && !asked.has(whose) && mayBeThere(head.node)) {
      asked.add(whose)
      const question = encodeText(JSON.stringify({ clientId, cleanStart }))
      streams.ask(letGoOf(head.node), question, patience).onAnswer(() => this.#read(claim))
      return
    }
    this.#append(claim, image, last?.sequence ?? 0)
  }

  #append(claim: Claim, image: SessionImage, fence: number): void {
    const { number, partition, streams, subject } = claim
    const log = new SessionLog(this.#needs, image, { subject, partition, claim: number, fence })
    let snapshot = log.snapshot()
    if (log.tooLarge && claim.cleanStart) {
      // It is going to end: nothing of it is needed.
      image.end()
      snapshot = log.snapshot()
    }
    if (log.tooLarge) {
      this.#fail(claim, "the session is larger than the servers take: raise max_payload of nats-server")
      return
    }
    claim.tried = true
    const { now, ownership } = this.#needs
    const { doubts } = ownership
    const asked = now()
    streams.append(partition, [snapshot]).onAnswer((answer) => {
      if ("last" in answer) {
        log.appended(answer.last)
        ownership.shown(log, asked, doubts)
        this.#fetch(claim, log)
        return
      }
      claim.failed = "failed" in answer ? answer.failed : undefined
      if (claim.failed === undefined || streams.reachable) this.#read(claim)
      else this.#fail(claim, claim.failed)
    })
  }

  #has(claim: Claim, image: SessionImage, fence: number): void {
    const { number, partition, subject } = claim
    this.#fetch(claim, new SessionLog(this.#needs, image, { subject, partition, claim: number, fence }))
  }

  /** The messages that it was sent, and has not acknowledged, from where they are. */
  #fetch(claim: Claim, log: SessionLog): void {
    const { done, streams } = claim
    const { reads } = this.#needs
    log.claimedAt = log.fence
    const wanted = [...log.image.waiting.values()].filter(({ content, released }) => !("type" in content) && !released)
    const found = new Map<Waiting, MessageKept>()
    let left = wanted.length + 1
    let failed: string | undefined
    const one = () => {
      if (--left > 0) return
      if (failed !== undefined) {
        this.#fail(claim, failed)
        return
      }
      this.#underWay.delete(claim.clientId)
      log.wanted = claim.wantedElsewhere
      this.#needs.claimed(log)
      done.answer(claimedOf(log.image, found))
    }
    for (const waiting of wanted) {
      const { content } = waiting
      if ("type" in content) continue
      reads
        .ask(() => streams.at(content.partition, content.sequence))
        .onAnswer((message) => {
          if (message !== undefined && "failed" in message) failed ??= message.failed
          else {
            const arrived = message && arrivedOf(message, content.partition)
            if (arrived !== undefined) found.set(waiting, { type: "message", sequence: 0, ...arrived })
          }
          one()
        })
    }
    one()
  }
}

/** With numbers of this answer's. */
function claimedOf(image: SessionImage, found: ReadonlyMap<Waiting, MessageKept>): Claimed {
  const served = { through: [...image.through], since: new Map(image.since) }
  const changes: Change[] = []
  let number = 0
  for (const change of image.changes()) {
    if (change.type === "message") continue
    if (change.type !== "queued") {
      changes.push(change)
      continue
    }
    const waiting = image.waiting.get(change.place)
    const content = waiting === undefined || waiting.released ? undefined : contentOf(waiting, found)
    if (content === undefined) changes.push({ ...change, sequence: 0 })
    else {
      number++
      changes.push({ ...content, sequence: number, publisher: undefined }, { ...change, sequence: number })
    }
  }
  return { changes, served }
}

function contentOf(waiting: Waiting, found: ReadonlyMap<Waiting, MessageKept>): MessageKept | undefined {
  return "type" in waiting.content ? waiting.content : found.get(waiting)
}

export function subjectOfSession(clientId: string): string {
  return `s.${tokenOfClient(clientId)}`
}

/** Where a node is asked to let a session go. */
export function letGoOf(node: string): string {
  return `node.${node}.let-go`
}
