// Each message of a shared subscription is done by exactly one member: one acknowledges it, and one of QoS 2 comes to no other.

import type { Got, History, Subscription } from "../history.ts"
import { type Check, grouped, several } from "./check.ts"
import { acknowledged } from "./delivered.ts"
import { keyOf, type Words } from "./words.ts"

/**
 * Milliseconds after which an acknowledgement is known to whoever has to know it, when nothing fails meanwhile. What a broker hears
 * just before it is killed nobody knows: then a message of QoS 1 may be another member's, too.
 */
const known = 1000

export const shared: Check = function* (history, words) {
  const said = new Map(history.said.map((one) => [keyOf(one), one]))
  const members = grouped(history.subscriptions, ({ share }) => share)
  for (const [share, subscriptions] of members) {
    const got = by(history, subscriptions)
    const missing = acknowledged(history, subscriptions[0]!).filter((one) => !got.has(keyOf(one)))
    yield* several(`no member of ${share} got acknowledged messages`, missing, (one) => {
      const places = subscriptions.map(({ clientId }) => `${clientId} ${words.whereabouts(clientId, one.at)}`)
      return `${words.said(one)}; ${places.join(", ")}${words.faults(one.at)}`
    })
    const twice = [...got].filter(([key, all]) => isWrong(all, said.get(key)?.times ?? 1, history, words))
    yield* several(`messages were done more than once in ${share}`, twice, ([key, all]) => {
      const who = all.map((one) => `${one.clientId} ${words.got(one)}`).join(" and ")
      return `${said.has(key) ? words.said(said.get(key)!) : key}: ${who}${words.faults(all[1]!.at)}`
    })
  }
}

/** Messages of QoS 1 that two members did, as the first of them lost its broker: at least once, and no finding. */
export function handedOver(history: History, words: Words): number {
  let count = 0
  const said = new Map(history.said.map((one) => [keyOf(one), one]))
  for (const subscriptions of grouped(history.subscriptions, ({ share }) => share).values())
    for (const [key, all] of by(history, subscriptions)) {
      const wrong = isWrong(all, said.get(key)?.times ?? 1, history, words)
      if (new Set(all.map(({ clientId }) => clientId)).size > 1 && !wrong) count++
    }
  return count
}

/** What members of one share took, by message. */
function by(history: History, subscriptions: readonly Subscription[]): Map<string, Got[]> {
  const ids = new Set(subscriptions.map(({ clientId }) => clientId))
  const isTheirs = ({ taken, count, clientId }: Got) => taken && count !== undefined && ids.has(clientId)
  return grouped(history.got, (one) => (isTheirs(one) ? keyOf(one) : undefined))
}

/** @param times how often its publisher has said it */
function isWrong(all: readonly Got[], times: number, history: History, words: Words): boolean {
  const [first] = all
  if (first === undefined || all.length === 1) return false
  // [MQTT-4.8.2-5]
  if (first.qos === 2) return true
  // What was said again at QoS 1, as no acknowledgement came, is another message for a broker that has both.
  if (all.length <= times) return false
  const other = all.find(({ clientId }) => clientId !== first.clientId)
  return other !== undefined && isKnown(first, history, words)
}

function isKnown({ at, clientId, connection }: Got, history: History, words: Words): boolean {
  const closedAt = words.connection(clientId, connection)?.closedAt ?? Infinity
  const fails = history.faults.some(({ from, to }) => from - known <= at && at <= (to ?? Infinity) + known)
  return closedAt > at + known && !fails
}
