// How a finding tells which message it was, from where to where, and what happened then.

import type { Connection, Got, History, Said } from "../history.ts"

/** Milliseconds before and after a fault in which it explains something. */
const before = 500
const after = 2000

export function keyOf({
  by,
  count,
}: {
  readonly by?: string | undefined
  readonly count?: number | undefined
}): string {
  return `${by} ${count}`
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`
}

export class Words {
  readonly #history: History
  readonly #connections: Map<string, Connection>

  constructor(history: History) {
    this.#history = history
    this.#connections = new Map(history.connections.map((one) => [`${one.clientId} ${one.number}`, one]))
  }

  connection(clientId: string, number: number): Connection | undefined {
    return this.#connections.get(`${clientId} ${number}`)
  }

  /** "p1 12 (QoS 1, messages/p1/1), said at 3.120 s to A, acknowledged at 3.125 s by A" */
  said(said: Said): string {
    const { by, count, qos, topic, at, connection, acknowledgedAt, acknowledgedOn, times } = said
    const again = times > 1 ? ` (${times} times in all)` : ""
    const answered =
      acknowledgedAt === undefined
        ? "not acknowledged"
        : `acknowledged at ${seconds(acknowledgedAt)}${this.#node(by, acknowledgedOn, "by")}`
    return `${by} ${count} (QoS ${qos}, ${topic}), said at ${seconds(at)}${this.#node(by, connection, "to")}${again}, ${answered}`
  }

  /** "at 3.120 s from B" */
  got({ at, clientId, connection }: Got): string {
    return `at ${seconds(at)}${this.#node(clientId, connection, "from")}`
  }

  /** Where a client was then: "on B", or "away since 3.1 s". */
  whereabouts(clientId: string, at: number): string {
    let last: Connection | undefined
    for (const one of this.#history.connections) if (one.clientId === clientId && one.openedAt <= at) last = one
    if (last === undefined) return "not there yet"
    if (last.closedAt === undefined || last.closedAt > at) return `on ${last.node}`
    return `away since ${seconds(last.closedAt)}, when it left ${last.node}`
  }

  /** What was broken then: "; then: round 3, broker B killed (2.100 s to 3.400 s)". */
  faults(at: number): string {
    const near = this.#history.faults.filter(({ from, to }) => from - before <= at && at <= (to ?? Infinity) + after)
    if (near.length === 0) return ""
    const told = near.map(({ round, what, from, to }) => {
      const end = to === undefined ? "on" : `to ${seconds(to)}`
      return `round ${round}, ${what} (${seconds(from)} ${end})`
    })
    return `; then: ${told.join(", ")}`
  }

  #node(clientId: string, number: number | undefined, word: string): string {
    const node = number === undefined ? undefined : this.connection(clientId, number)?.node
    return node === undefined ? "" : ` ${word} ${node}`
  }
}

/** Whether a filter, without $share, matches a topic that does not begin with $. */
export function matches(filter: string, topic: string): boolean {
  const levels = topic.split("/")
  const wanted = filter.split("/")
  for (const [i, level] of wanted.entries()) {
    if (level === "#") return true
    if (levels[i] === undefined || (level !== "+" && level !== levels[i])) return false
  }
  return wanted.length === levels.length
}
