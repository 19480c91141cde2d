// What this node is told of: what matches the filters of its sessions, whether it comes from a partition, as what has a QoS does,
// or past all of them, as what has none.

import type { Standing } from "../ports/cluster.ts"
import { Pause } from "../ports/pause.ts"
import { roots } from "./envelope.ts"
import { Interest } from "./interest.ts"
import type { Failed, Following, StreamMessage, Streams } from "./streams.ts"
import { subjectMatches, subjectsOfFilter } from "./subjects.ts"

/** Subjects that one consumer has at most: more cost the servers a tenth of a second and more (docs/decisions/0025). */
export const mostSubjects = 300

/** Bytes of them: a consumer is asked for in one message. */
export function subjectBytes({ largest }: Streams): number {
  return Math.max(16_000, largest / 2)
}

/** Answers that are remembered about which of overlapping subjects a message of no QoS is taken by. */
const mostFirsts = 10_000

export interface InterestsNeeds {
  readonly arrived: (partition: number, message: StreamMessage) => void
  readonly passed: (message: Omit<StreamMessage, "sequence">) => void
}

export class Interests {
  readonly #needs: InterestsNeeds
  readonly #interest = new Interest(mostSubjects)
  /** How often each filter is wanted. */
  readonly #wanted: Map<string, number> = new Map()
  /** Filters that the servers know of. */
  readonly #standing: Set<string> = new Set()
  /** What the servers are asked for; each with what ends that of messages of no QoS. */
  readonly #asked: Map<string, () => void> = new Map()
  readonly #firsts: Map<string, string | undefined> = new Map()
  #streams: Streams | undefined
  #followings: readonly Following[] = []
  /** By partition, the last that came. */
  readonly #seen: number[] = []
  /** By partition, the last that is known of. */
  readonly known: number[] = []
  #updating = false
  #again = false
  /** The servers may not know what is wanted. */
  #unsure = true
  #waiting: { readonly paths: readonly string[]; readonly done: Pause<Standing> }[] = []
  #paused = false

  constructor(needs: InterestsNeeds) {
    this.#needs = needs
  }

  open(streams: Streams): void {
    this.#streams = streams
    this.#interest.mostBytes = subjectBytes(streams)
    this.#followings = Array.from({ length: streams.partitions }, (_, partition) => {
      this.#seen[partition] = 0
      this.known[partition] = 0
      return streams.follow(partition, (message) => this.#arrived(partition, message))
    })
    this.#update()
  }

  /** How many are wanted, or are still asked for. */
  get filters(): number {
    return Math.max(this.#wanted.size, this.#standing.size)
  }

  /** How many the servers are asked for. */
  get subjects(): number {
    return this.#asked.size
  }

  seen(partition: number): number {
    return this.#seen[partition] ?? 0
  }

  pause(paused: boolean): void {
    if (paused === this.#paused) return
    this.#paused = paused
    for (const following of this.#followings) {
      if (paused) following.pause()
      else following.resume()
    }
  }

  wants(paths: readonly string[]): Pause<Standing> | undefined {
    if (paths.every((path) => this.#standing.has(path))) return undefined
    for (const path of paths) this.add(path)
    const done = new Pause<Standing>()
    this.#waiting.push({ paths, done })
    this.#update()
    return done
  }

  add(path: string): void {
    const before = this.#wanted.get(path) ?? 0
    this.#wanted.set(path, before + 1)
    if (before > 0) return
    for (const subject of subjectsOfFilter(path)) this.#interest.add(subject)
  }

  remove(path: string): void {
    const before = this.#wanted.get(path) ?? 0
    if (before > 1) {
      this.#wanted.set(path, before - 1)
      return
    }
    if (before === 0) return
    this.#wanted.delete(path)
    this.#standing.delete(path)
    for (const subject of subjectsOfFilter(path)) this.#interest.remove(subject)
    this.#update()
  }

  /** The servers can be reached again. */
  retry(): void {
    if (this.#waiting.length > 0 || this.#unsure) this.#update()
  }

  /** Tells the servers what is wanted now; while they are being told, once more afterwards. */
  #update(): void {
    const streams = this.#streams
    if (streams === undefined) return
    if (this.#updating) {
      this.#again = true
      return
    }
    const { added, removed } = this.#interest.settle()
    const waiting = this.#waiting
    this.#waiting = []
    const paths = [...this.#wanted.keys()]
    if (added.length === 0 && removed.length === 0 && !this.#unsure) {
      for (const path of paths) this.#standing.add(path)
      this.#tell(waiting, "standing")
      return
    }
    this.#updating = true
    this.#unsure = false
    for (const subject of added) {
      const told = (message: Omit<StreamMessage, "sequence">) => this.#passed(subject, message)
      const { stop } = streams.listen(`${roots.passing}.${subject}`, told)
      this.#asked.set(subject, stop)
    }
    this.#firsts.clear()
    let left = this.#followings.length + 1
    let failed: string | undefined
    const one = (problem: Failed | undefined) => {
      failed ??= problem?.failed
      if (--left === 0) this.#updated(removed, paths, waiting, failed)
    }
    const subjects = [...this.#interest.subjects].map((subject) => `*.${subject}`)
    for (const [partition, following] of this.#followings.entries()) {
      following.subjects(subjects).onAnswer((answer) => {
        if (!("failed" in answer)) this.known[partition] = Math.max(this.known[partition] ?? 0, answer.through)
        one("failed" in answer ? answer : undefined)
      })
    }
    streams.settled().onAnswer((answer) => one(answer))
  }

  #updated(
    removed: readonly string[],
    paths: readonly string[],
    waiting: readonly { readonly paths: readonly string[]; readonly done: Pause<Standing> }[],
    failed: string | undefined,
  ): void {
    this.#updating = false
    for (const subject of removed) {
      this.#asked.get(subject)?.()
      this.#asked.delete(subject)
    }
    this.#firsts.clear()
    if (failed !== undefined) this.#unsure = true
    else {
      for (const path of paths) if (this.#wanted.has(path)) this.#standing.add(path)
    }
    this.#tell(waiting, failed === undefined ? "standing" : { failed })
    if (!this.#again && this.#waiting.length === 0) return
    this.#again = false
    this.#update()
  }

  #tell(
    waiting: readonly { readonly paths: readonly string[]; readonly done: Pause<Standing> }[],
    answer: Standing,
  ): void {
    for (const { paths, done } of waiting) {
      done.answer(answer)
      for (const path of paths) this.remove(path)
    }
  }

  /**
   * Each in its order. Some that come may be older than a filter that they match, by what the consumer was behind: of subjects that
   * have taken the place of others nobody could tell these from what is still owed.
   */
  #arrived(partition: number, message: StreamMessage): void {
    const { sequence } = message
    if (sequence <= (this.#seen[partition] ?? 0)) return
    this.#seen[partition] = sequence
    if (sequence > (this.known[partition] ?? 0)) this.known[partition] = sequence
    this.#needs.arrived(partition, message)
  }

  /** A message comes once by each subject that matches it: it is taken by the first of them. */
  #passed(by: string, message: Omit<StreamMessage, "sequence">): void {
    const subject = message.subject.slice(2)
    let first = this.#firsts.get(subject)
    if (first === undefined) {
      if (this.#firsts.size >= mostFirsts) this.#firsts.clear()
      for (const pattern of this.#asked.keys()) {
        if (!subjectMatches(pattern, subject)) continue
        first = pattern
        break
      }
      this.#firsts.set(subject, first)
    }
    if (first === by) this.#needs.passed(message)
  }
}
