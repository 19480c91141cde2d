// A session is served by one connection: when a newer one has CONNACK the older gets and keeps nothing more, and is closed.

import type { Connection, Got } from "../history.ts"
import { type Check, grouped, several } from "./check.ts"
import { keyOf, seconds } from "./words.ts"

/** Milliseconds in which what was on its way arrives. */
const onItsWay = 1000

export const served: Check = function* (history, words) {
  const connections = grouped(history.connections, ({ clientId }) => clientId)
  const next = (clientId: string, number: number) => words.connection(clientId, number + 1)
  const said = new Map(history.said.map((one) => [keyOf(one), one]))

  /** QoS 0 needs no session: it may come on a node that is cut off. */
  const isTwice = (got: Got) => {
    const newer = next(got.clientId, got.connection)
    if (newer === undefined || got.qos === 0 || got.taken) return false
    const saidAt = said.get(keyOf(got))?.at
    return got.at > newer.openedAt + onItsWay || (saidAt !== undefined && saidAt > newer.openedAt)
  }
  yield* several("a session was served by two connections", history.got.filter(isTwice), (got) => {
    const newer = next(got.clientId, got.connection)!
    const older = words.connection(got.clientId, got.connection)
    const what = said.has(keyOf(got)) ? words.said(said.get(keyOf(got))!) : `"${got.payload}"`
    return `${got.clientId} on ${older?.node} got ${what}, ${words.got(got)}, and had a connection to ${newer.node} from ${seconds(newer.openedAt)}${words.faults(got.at)}`
  })

  const kept = history.late.filter(({ clientId, connection, saidAt }) => {
    return saidAt > (next(clientId, connection)?.openedAt ?? Infinity)
  })
  yield* several(
    "a connection that another had replaced was answered",
    kept,
    ({ clientId, connection, what, saidAt, at }) => {
      const [older, newer] = [words.connection(clientId, connection), next(clientId, connection)]
      return `${clientId} said ${what} to ${older?.node} at ${seconds(saidAt)}, acknowledged at ${seconds(at)}, and had a connection to ${newer?.node} from ${seconds(newer?.openedAt ?? 0)}${words.faults(saidAt)}`
    },
  )

  const left = [...connections].filter(([, all]) => open(all).length > 1)
  yield* several("more than one connection of a client is open in the end", left, ([clientId, all]) => {
    const where = open(all).map(({ node, openedAt }) => `to ${node} from ${seconds(openedAt)}`)
    return `${clientId}: ${where.join(", ")}${words.faults(open(all)[0]!.openedAt)}`
  })
}

/** A session that is kept is there, whichever node its client comes to. */
export const sessions: Check = function* (history, words) {
  const gone = history.connections.filter(({ number, present }) => number > 1 && !present)
  yield* several("a session was lost", gone, ({ clientId, node, openedAt, number }) => {
    const before = words.connection(clientId, number - 1)
    return `${clientId} came to ${node} at ${seconds(openedAt)}, and was on ${before?.node} before${words.faults(openedAt)}`
  })
}

function open(all: readonly Connection[]): readonly Connection[] {
  return all.filter(({ closedAt }) => closedAt === undefined)
}
