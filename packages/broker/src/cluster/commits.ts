// Turns of this node, as batches. What of a turn is in one partition is one batch, all or none: messages that its clients have
// published, and what has changed of its sessions. Each batch has a mark of this node's, so that it is there once, whatever
// becomes of answers; and each session's record says what it expects before it.

import { encodeText, sameBytes } from "../packet/bytes.ts"
import type { Change, MessageKept, Sequence } from "../packet/change.ts"
import { Pause } from "../ports/pause.ts"
import type { Committed } from "../ports/store.ts"
import { appendOf } from "./envelope.ts"
import { certain, type Ownership } from "./ownership.ts"
import { partitionOf } from "./partition.ts"
import type { SessionLog } from "./session-log.ts"
import type { Append, Appended, Failed, StreamMessage, StreamSequence, Streams } from "./streams.ts"

/** Seconds for which a mark is kept of a node that says nothing any more. */
const markLifetime = 86_400

export interface CommitsNeeds {
  readonly node: string
  readonly streams: () => Streams | undefined
  readonly logOf: (clientId: string) => SessionLog | undefined
  readonly ownership: Ownership
  /** Somebody else has the session. */
  readonly lost: (log: SessionLog) => void
  /** Nothing of this client is kept, as its session is not this node's: if it is served here, that ends. */
  readonly notOurs: (clientId: string) => void
  /** This node has stood still for longer than others wait for it. */
  readonly stoodStill: () => void
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Seconds that a message is kept at most. */
  readonly retention: number
  /** Told what cannot be kept, a line each. */
  readonly trouble: (line: string) => void
}

/** Messages of one client that are in one batch. */
const mostPublished = 400

/** What one client has in a turn: together in one batch. */
interface Group {
  readonly published: Append[]
  readonly changes: Change[]
  log: SessionLog | undefined
  record: Append | undefined
}

interface Batch {
  readonly partition: number
  readonly number: string
  readonly groups: Group[]
  /** It was refused although all is as it is expected, in this commit: it is tried once more, and then later. */
  refused?: boolean
}

/** How often servers are asked at once for what is to show the next moment; then it is tried later. */
const mostLooks = 4

interface Turn {
  readonly of: readonly Change[]
  /** Clients of whom nothing is kept, as their sessions are not this node's. */
  readonly strangers: readonly string[]
  readonly batches: Batch[]
  /** Of whom something is kept. */
  readonly logs: readonly SessionLog[]
  /** When it was given to the servers first, in milliseconds, and after how many doubts whose its sessions are. */
  readonly begunAt: number
  readonly begunAfter: number
}

export class Commits {
  readonly #needs: CommitsNeeds
  /** Messages of the turn that is prepared, by the numbers that this node gives them. */
  readonly #messages: Map<Sequence, MessageKept> = new Map()
  /** By partition, the last mark of this node. */
  readonly #marks: StreamSequence[] = []
  #turn: Turn | undefined
  #turns = 0
  /** When this node was last known to run. */
  #ran: number | undefined

  constructor(needs: CommitsNeeds) {
    this.#needs = needs
  }

  message(sequence: Sequence): MessageKept | undefined {
    return this.#messages.get(sequence)
  }

  commit(changes: readonly Change[]): Committed | Pause<Committed> {
    const streams = this.#needs.streams()
    if (streams === undefined) return { failed: "the cluster is not open" }
    this.runs()
    // The same again: what of it is there already is not made again.
    if (this.#turn?.of !== changes) this.#turn = this.#prepare(changes, streams)
    const turn = this.#turn
    for (const batch of turn.batches) batch.refused = false
    const done = new Pause<Committed>()
    let left = 1
    let failed: string | undefined
    const one = (problem: string | undefined) => {
      failed ??= problem
      if (--left > 0) return
      if (failed !== undefined) {
        done.answer({ failed })
        return
      }
      this.#confirm(turn).onAnswer((problem) => {
        if (problem !== undefined) {
          done.answer(problem)
          return
        }
        this.#turn = undefined
        // Before anything leaves: what is not kept is not acknowledged.
        for (const clientId of turn.strangers) this.#needs.notOurs(clientId)
        done.answer("committed")
      })
    }
    // Of one partition one after the other.
    const byPartition = new Map<number, Batch[]>()
    for (const batch of turn.batches) {
      const its = byPartition.get(batch.partition)
      if (its === undefined) byPartition.set(batch.partition, [batch])
      else its.push(batch)
    }
    for (const batches of byPartition.values()) {
      left++
      this.#appendAll(streams, turn, batches, one)
    }
    one(undefined)
    return done
  }

  /** A turn that has taken long is kept, and sessions of it may be another node's since: to their clients here nothing leaves. */
  #confirm({ begunAfter, begunAt, logs }: Turn): Pause<undefined | Failed> {
    const { ownership } = this.#needs
    if (!ownership.isCertainSince(begunAt, begunAfter)) return ownership.confirm(logs)
    // Of those nothing was appended.
    return ownership.confirm(logs.filter((log) => ownership.isDoubtful(log)))
  }

  #prepare(changes: readonly Change[], streams: Streams): Turn {
    const { logOf, now, retention, trouble } = this.#needs
    const turn = ++this.#turns
    const time = now()
    this.#messages.clear()
    /** By client; one with much has it in several. */
    const groups = new Map<string, Group[]>()
    const groupOf = (clientId: string) => {
      const its = groups.get(clientId)
      const last = its?.at(-1)
      if (last !== undefined && last.published.length < mostPublished) return last
      const group: Group = { published: [], changes: [], log: undefined, record: undefined }
      if (its === undefined) groups.set(clientId, [group])
      else its.push(group)
      return group
    }
    for (const change of changes) {
      if (change.type === "message") {
        const { publisher } = change
        if (publisher === undefined) this.#messages.set(change.sequence, change)
        else {
          const append = appendOf({ ...change, publisher }, retention, time)
          if (append.data.length <= streams.largest) groupOf(publisher).published.push(append)
          else {
            trouble(`a message of ${append.data.length} bytes is dropped: the servers take ${streams.largest}`)
            // Its client is refused before, unless they have come to take less since: nothing says then that it is kept.
            const log = logOf(publisher)
            if (log !== undefined) this.lose(log)
          }
        }
      } else if (change.type !== "clock" && change.type !== "retained") groupOf(change.clientId).changes.push(change)
    }
    const strangers: string[] = []
    const logs: SessionLog[] = []
    const byPartition = new Map<number, Group[][]>()
    for (const [clientId, its] of groups) {
      const partition = partitionOf(clientId, streams.partitions)
      const batches = byPartition.get(partition) ?? [[]]
      byPartition.set(partition, batches)
      const log = logOf(clientId)
      // It was another node's before this turn was over; "": the broker's own.
      if (log === undefined && clientId !== "") {
        strangers.push(clientId)
        continue
      }
      if (log !== undefined) logs.push(log)
      for (const [at, group] of its.entries()) {
        group.log = log
        if (group.changes.length > 0) group.record = log?.take(group.changes, time)
        if (group.published.length === 0 && group.record === undefined) continue
        const size = group.published.length + 1
        const last = batches.at(-1)!
        // Of one session no batch has two records.
        if (at > 0 || (last.length > 0 && sizeOf(last) + size >= streams.batch)) batches.push([group])
        else last.push(group)
      }
    }
    const batches: Batch[] = []
    for (const [partition, parts] of byPartition) {
      for (const [part, its] of parts.entries())
        if (its.length > 0) batches.push({ partition, number: `${turn}.${part}`, groups: its })
    }
    return { of: changes, batches, strangers, logs, begunAt: time, begunAfter: this.#needs.ownership.doubts }
  }

  #appendAll(
    streams: Streams,
    turn: Turn,
    batches: readonly Batch[],
    done: (problem: string | undefined) => void,
  ): void {
    const [batch, ...rest] = batches
    if (batch === undefined) {
      done(undefined)
      return
    }
    this.#append(streams, batch, (problem, parts = []) => {
      if (problem !== undefined) {
        done(problem)
        return
      }
      turn.batches.splice(turn.batches.indexOf(batch), 1, ...parts)
      this.#appendAll(streams, turn, [...parts, ...rest], done)
    })
  }

  /** What one client has that servers never take holds up nobody else: the batch goes in parts, until it stands alone, and is dropped. */
  #apart({ partition, groups, number }: Batch, why: string): Batch[] {
    const left = groups.filter(({ log }) => log?.lost !== true)
    if (left.length < 2) {
      for (const { log } of left) {
        this.#needs.trouble(`what a client has said is dropped, and its connection ends: ${why}`)
        if (log !== undefined) this.lose(log)
      }
      return []
    }
    const middle = left.length >> 1
    const halves = [left.slice(0, middle), left.slice(middle)]
    return halves.map((its, half) => ({ partition, groups: its, number: `${number}/${half}` }))
  }

  /** @param done told what went wrong, or the batches that take the place of this one */
  #append(streams: Streams, batch: Batch, done: (problem: string | undefined, parts?: Batch[]) => void): void {
    const { ownership } = this.#needs
    const { partition, groups, number } = batch
    const appends = [this.#mark(partition, number)]
    const places: (SessionLog | undefined)[] = [undefined]
    for (const group of groups) {
      const { published, log } = group
      // What its client has published it publishes again where its session is now.
      if (log?.lost === true) continue
      // Another node may have it.
      if (log !== undefined && ownership.isDoubtful(log)) group.record ??= log.touch()
      const { record } = group
      if (log?.tooLarge === true) {
        this.#needs.trouble(
          "what is under way for a session is more than servers take of it at once: its connection ends",
        )
        this.lose(log)
        continue
      }
      for (const one of published) {
        appends.push(one)
        places.push(undefined)
      }
      if (log === undefined || record === undefined) continue
      appends.push({ ...record, expected: log.fence })
      places.push(log)
    }
    const { doubts } = ownership
    const asked = this.#needs.now()
    streams.append(partition, appends).onAnswer((answer) => {
      if ("last" in answer) {
        for (const log of places) if (log !== undefined) ownership.shown(log, asked, doubts)
        this.#there(partition, places, answer.last, done)
        return
      }
      if ("failed" in answer && answer.final === true) {
        done(undefined, this.#apart(batch, answer.failed))
        return
      }
      ownership.doubt()
      this.#look(streams, batch, answer, done)
    })
  }

  /** The node runs. One that has stood still may have been asked for sessions, and have lost them, before it hears of that. */
  runs(): void {
    const now = this.#needs.now()
    // There is a sign of it each second.
    const stoodStill = this.#ran !== undefined && now - this.#ran >= certain
    // Before anybody is told: who ends a connection then is here again.
    this.#ran = now
    if (!stoodStill) return
    this.#needs.ownership.doubt()
    this.#needs.stoodStill()
  }

  #mark(partition: number, number: string): Append {
    const subject = markOf(this.#needs.node)
    const expected = this.#marks[partition] ?? 0
    return { subject, headers: {}, data: encodeText(number), expected, rollup: true, lifetime: markLifetime }
  }

  #there(
    partition: number,
    places: readonly (SessionLog | undefined)[],
    last: StreamSequence,
    done: (problem: undefined) => void,
  ): void {
    const first = last - places.length + 1
    this.#marks[partition] = first
    for (const [at, log] of places.entries()) log?.appended(first + at)
    done(undefined)
  }

  /** Nobody knows what is there, or something is not as it was expected: the mark says whether the batch is. */
  #look(
    streams: Streams,
    batch: Batch,
    answer: Exclude<Appended, { readonly last: StreamSequence }>,
    done: (problem: string | undefined) => void,
    looks = 1,
  ): void {
    const { partition, number } = batch
    if ("failed" in answer && !streams.reachable) {
      done(answer.failed)
      return
    }
    streams.last(partition, markOf(this.#needs.node)).onAnswer((mark) => {
      if (isFailed(mark)) {
        done(mark.failed)
        return
      }
      const there = mark !== undefined && saysNumber(mark.data, number)
      if (!there && mark !== undefined) this.#marks[partition] = mark.sequence
      if (!there && mark === undefined) this.#marks[partition] = 0
      this.#lookAt(streams, batch, there, mark?.sequence, answer, done, looks)
    })
  }

  /** Each session of the batch: whether its subject ends with what it is to follow, or with its own record. */
  #lookAt(
    streams: Streams,
    batch: Batch,
    there: boolean,
    mark: StreamSequence | undefined,
    answer: Exclude<Appended, { readonly last: StreamSequence }>,
    done: (problem: string | undefined) => void,
    looks: number,
  ): void {
    const { partition, groups } = batch
    const logs = groups.flatMap(({ log, record }) =>
      log === undefined || record === undefined || log.lost ? [] : [log],
    )
    let left = logs.length + 1
    let failed: string | undefined
    let lost = 0
    let late = false
    const one = () => {
      if (--left > 0) return
      if (failed !== undefined) done(failed)
      else if (late && looks < mostLooks) this.#look(streams, batch, answer, done, looks + 1)
      else if (late) done("refused" in answer ? answer.refused : answer.failed)
      else if (there) {
        this.#marks[partition] = mark ?? 0
        done(undefined)
      } else if (lost > 0 || "refused" in answer) this.#again(streams, batch, answer, lost, done)
      else done(answer.failed)
    }
    for (const log of logs) {
      streams.last(partition, log.subject).onAnswer((last) => {
        if (isFailed(last)) failed ??= last.failed
        // It has come to the servers after the mark was asked for.
        else if (!there && last !== undefined && last.sequence > log.fence && log.wrote(last)) late = true
        else if (!this.#isOurs(log, last, there)) {
          lost++
          this.lose(log)
        } else if (there && last !== undefined) log.appended(last.sequence)
        one()
      })
    }
    one()
  }

  /** Somebody else has it: nothing of it goes anywhere any more. */
  lose(log: SessionLog): void {
    if (log.lost) return
    log.lost = true
    this.#needs.lost(log)
  }

  #isOurs(log: SessionLog, last: StreamMessage | undefined, there: boolean): boolean {
    // A record whose lifetime is over has gone by itself.
    if (last === undefined) return there || log.fence === 0
    return there ? log.wrote(last) : last.sequence === log.fence
  }

  /** Without the sessions that are somebody else's. What the refused batch was refused for is gone now, or is this node's mark. */
  #again(
    streams: Streams,
    batch: Batch,
    answer: Exclude<Appended, { readonly last: StreamSequence }>,
    lost: number,
    done: (problem: string | undefined) => void,
  ): void {
    if (lost === 0 && batch.refused === true) {
      done("refused" in answer ? answer.refused : answer.failed)
      return
    }
    batch.refused = true
    this.#append(streams, batch, done)
  }
}

function markOf(node: string): string {
  return `t.${node}`
}

/** Whoever can write into the streams may have written anything. */
function saysNumber(data: Uint8Array, number: string): boolean {
  const expected = encodeText(number)
  return data.length === expected.length && sameBytes(data, expected, 0, expected.length)
}

function isFailed(answer: StreamMessage | undefined | Failed): answer is Failed {
  return answer !== undefined && "failed" in answer
}

function sizeOf(groups: readonly Group[]): number {
  return groups.reduce((sum, { published }) => sum + published.length + 1, 1)
}
