// What a subscriber of its own has to get: everything acknowledged, QoS 2 and 0 no more than once, in the order in which it was said.

import type { Got, History, Said, Subscription } from "../history.ts"
import { type Check, grouped, several } from "./check.ts"
import { keyOf, matches } from "./words.ts"

/** Every acknowledged message of QoS 1 and 2 comes to each session that has subscribed to it. */
export const lost: Check = function* (history, words) {
  for (const [subscription, got] of alone(history)) {
    const has = new Set(got.map(keyOf))
    const missing = acknowledged(history, subscription).filter((said) => !has.has(keyOf(said)))
    yield* several(`${subscription.clientId} has lost acknowledged messages`, missing, (said) => {
      const { at } = said
      return `${words.said(said)}; it was ${words.whereabouts(subscription.clientId, at)}${words.faults(at)}`
    })
  }
}

/** No message of QoS 2 comes twice, and none of QoS 0. */
export const doubled: Check = function* (history, words) {
  const said = new Map(history.said.map((one) => [keyOf(one), one]))
  for (const [{ clientId }, all] of alone(history)) {
    const twice = [...grouped(all, keyOf)].filter(([, got]) => got.length > 1 && got[0]!.qos !== 1)
    yield* several(`${clientId} got messages more than once`, twice, ([key, got]) => {
      const times = got.map((one) => words.got(one)).join(" and ")
      const one = said.get(key)
      return `${one === undefined ? key : words.said(one)}: ${times}${words.faults(got[1]!.at)}`
    })
  }
}

/** [MQTT-4.6.0-6]: by publisher, topic and QoS, each first arrival. */
export const order: Check = function* (history, words) {
  const said = new Map(history.said.map((one) => [keyOf(one), one]))
  // What was refused, and the refusal lost, is said again after what came behind it.
  const refusing = new Set(history.said.filter(({ refused }) => refused !== undefined).map(({ by }) => by))
  const early = (one: Said | undefined) => one !== undefined && !(one.times > 1 && refusing.has(one.by))
  for (const [{ clientId }, all] of alone(history)) {
    const wrong: [Got, Got][] = []
    for (const got of grouped(all, (one) => `${one.by} ${one.topic} ${lifeOf(one, said)}`).values()) {
      const first = firsts(got).filter((one) => early(said.get(keyOf(one))))
      for (let i = 1, last = first[0]; i < first.length; i++) {
        if (first[i]!.count! < last!.count!) wrong.push([last!, first[i]!])
        else last = first[i]
      }
    }
    yield* several(`${clientId} got messages out of order`, wrong, ([last, one]) => {
      const [a, b] = [said.get(keyOf(last))!, said.get(keyOf(one))!]
      return `${words.said(b)}, came ${words.got(one)}, behind ${words.said(a)}, which came ${words.got(last)}${words.faults(one.at)}`
    })
  }
}

/** Everything that comes was said, and comes with its topic and QoS; nothing that was refused comes. */
export const foreign: Check = function* (history, words) {
  const said = new Map(history.said.map((one) => [keyOf(one), one]))
  const wills = new Set(history.wills.map(({ payload }) => payload))
  const strange = history.got.filter((one) => {
    if (one.count === undefined) return !wills.has(one.payload)
    const found = said.get(keyOf(one))
    return found === undefined || found.topic !== one.topic || found.qos !== one.qos
  })
  yield* several("nobody has said what came", strange, (got) => {
    const { clientId, payload, topic, qos } = got
    return `"${payload}" (QoS ${qos}, ${topic}), to ${clientId} ${words.got(got)}${words.faults(got.at)}`
  })
  const unwanted = history.got.filter((one) => said.get(keyOf(one))?.refused === true)
  yield* several("what was refused came", unwanted, (got) => {
    return `${words.said(said.get(keyOf(got))!)}, to ${got.clientId} ${words.got(got)}`
  })
}

/** QoS 0 has no order from one connection to another, of the publisher or of the subscriber. */
function lifeOf(got: Got, said: ReadonlyMap<string, Said>): string {
  return got.qos > 0 ? "" : `${got.connection} ${said.get(keyOf(got))?.connection}`
}

/** Subscribers that share with nobody, each with what it took. */
function* alone(history: History): Generator<[Subscription, readonly Got[]]> {
  const taken = grouped(history.got, (one) => (one.taken && one.count !== undefined ? one.clientId : undefined))
  for (const subscription of history.subscriptions)
    if (subscription.share === undefined) yield [subscription, taken.get(subscription.clientId) ?? []]
}

/** What has to come, in its order: retained messages go elsewhere. */
export function acknowledged(history: History, { filters }: Subscription): readonly Said[] {
  const wanted = (said: Said) => said.qos > 0 && !said.retain && said.acknowledgedAt !== undefined
  return history.said.filter((one) => wanted(one) && filters.some((filter) => matches(filter, one.topic)))
}

function firsts(all: readonly Got[]): readonly Got[] {
  const known = new Set<string>()
  return all.filter((one) => !known.has(keyOf(one)) && known.add(keyOf(one)))
}
