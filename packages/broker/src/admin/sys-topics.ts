// The topics below $SYS. Those below $SYS/broker/ have Mosquitto's names, texts and meaning (mosquitto(8), "Broker status"), so
// that what shows its numbers shows ours; what else the broker knows of itself is below $SYS/puremq/. Left out is what it does not
// know: see docs/sys-topics.md.

import type { Stats } from "./metrics.ts"

const prefix = "$SYS/broker/"
const ownPrefix = "$SYS/puremq/"

type NumberOf = (stats: Stats) => number

/** Mosquitto's numbers, with the names it has them by. */
const numbers: readonly (readonly [topics: readonly string[], number: NumberOf])[] = [
  [["clients/connected", "clients/active"], ({ clientsConnected }) => clientsConnected],
  [["clients/disconnected", "clients/inactive"], ({ sessions, clientsConnected }) => sessions - clientsConnected],
  [["clients/total"], ({ sessions }) => sessions],
  [["clients/maximum"], ({ clientsMaximum }) => clientsMaximum],
  [["clients/expired"], ({ sessionsExpired }) => sessionsExpired],
  [["connections/socket/count"], ({ sockets }) => sockets],
  [["subscriptions/count"], ({ subscriptions, sharedSubscriptions }) => subscriptions - sharedSubscriptions],
  [["shared_subscriptions/count"], ({ sharedSubscriptions }) => sharedSubscriptions],
  [["retained messages/count"], ({ retainedMessages }) => retainedMessages],
  [["store/messages/count", "messages/stored"], ({ storedMessages }) => storedMessages],
  [["store/messages/bytes"], ({ storedBytes }) => storedBytes],
  [["messages/inflight"], ({ inflightMessages }) => inflightMessages],
  [["messages/received"], ({ packetsReceived }) => packetsReceived],
  [["messages/sent"], ({ packetsSent }) => packetsSent],
  [["bytes/received"], ({ bytesReceived }) => bytesReceived],
  [["bytes/sent"], ({ bytesSent }) => bytesSent],
  [["publish/messages/received"], ({ publishReceived }) => publishReceived],
  [["publish/messages/sent"], ({ publishSent }) => publishSent],
  [["publish/messages/dropped"], ({ publishDropped }) => publishDropped],
  [["publish/bytes/received"], ({ publishBytesReceived }) => publishBytesReceived],
  [["publish/bytes/sent"], ({ publishBytesSent }) => publishBytesSent],
  [["heap/current"], ({ heapBytes }) => heapBytes],
]

/** What is below $SYS/puremq/: those of our numbers that none of Mosquitto's says. */
const own = [
  ...(["connections", "connectionsOpened", "connectsAccepted", "connectsRefused", "sessionsDisplaced"] as const),
  ...(["retainedBytes", "queuedBytes", "willBytes", "partialBytes", "subscriptionBytes", "outboundBytes"] as const),
  ...(["retainedRefused", "willsPublished", "publishersPaused", "publishersRationed", "faults"] as const),
  ...(["handshakes", "handshakesPending", "handshakesWaiting", "handshakeWaitingBytes"] as const),
] satisfies readonly (keyof Stats)[]

/** By reason. */
const reasons = ["dropped", "disconnects", "handshakeFailures"] as const

/** Below load/, what comes a minute, averaged over the last 1, 5 and 15 minutes. */
const loads: readonly (readonly [topic: string, total: NumberOf])[] = [
  ["messages/received", ({ packetsReceived }) => packetsReceived],
  ["messages/sent", ({ packetsSent }) => packetsSent],
  ["publish/dropped", ({ publishDropped }) => publishDropped],
  ["publish/received", ({ publishReceived }) => publishReceived],
  ["publish/sent", ({ publishSent }) => publishSent],
  ["bytes/received", ({ bytesReceived }) => bytesReceived],
  ["bytes/sent", ({ bytesSent }) => bytesSent],
  ["sockets", ({ sockets }) => sockets],
  ["connections", ({ connectsReceived }) => connectsReceived],
]
const minutes = [1, 5, 15] as const

/** One of `loads`. */
interface Load {
  readonly topic: string
  readonly total: NumberOf
  /** At the last round. */
  before: number
  /** A minute, for each of `minutes`. */
  readonly averages: number[]
}

export class SysTopics {
  readonly #version: string
  readonly #publish: (topic: string, text: string) => boolean
  /** What is there. */
  readonly #said: Map<string, string> = new Map()
  readonly #loads: readonly Load[] = loads.map(([topic, total]) => {
    return { topic: `load/${topic}`, total, before: 0, averages: minutes.map(() => 0) }
  })
  #heapMaximum = 0
  /** Milliseconds, of the last round. */
  #last: number | undefined

  /** @param publish says whether the message is retained now; else it is published again in the next round */
  constructor(version: string, publish: (topic: string, text: string) => boolean) {
    this.#version = version
    this.#publish = publish
  }

  /** Publishes what is other than in the last round. `now` is in milliseconds, of a clock that does not run backwards. */
  round(stats: Stats, now: number): void {
    this.#say(`${prefix}version`, `puremq version ${this.#version}`)
    this.#say(`${prefix}uptime`, `${stats.uptimeSeconds} seconds`)
    for (const [topics, number] of numbers)
      for (const topic of topics) this.#say(`${prefix}${topic}`, `${number(stats)}`)
    if (stats.cluster !== undefined) {
      this.#say(`${prefix}cluster/nodes`, `${stats.cluster.nodes}`)
      this.#say(`${prefix}cluster/clients`, `${stats.cluster.clients}`)
    }
    this.#heapMaximum = Math.max(this.#heapMaximum, stats.heapBytes)
    this.#say(`${prefix}heap/maximum`, `${this.#heapMaximum}`)
    for (const key of own) this.#say(`${ownPrefix}${words(key)}`, `${stats[key]}`)
    for (const key of reasons) {
      for (const [reason, value] of Object.entries(stats[key])) {
        this.#say(`${ownPrefix}${words(key)}/${slug(reason)}`, `${value}`)
      }
    }
    this.#sayLoads(stats, now)
  }

  /** Exponentially decaying averages, as those of a Unix system's load: the rate of the last round with what is left of before. */
  #sayLoads(stats: Stats, now: number): void {
    // The first round only begins to count.
    const passed = this.#last === undefined ? Number.POSITIVE_INFINITY : (now - this.#last) / 60_000
    if (passed <= 0) return
    this.#last = now
    for (const load of this.#loads) {
      const total = load.total(stats)
      const rate = Math.max(0, total - load.before) / passed
      load.before = total
      for (const [i, over] of minutes.entries()) {
        const average = rate + Math.exp(-passed / over) * ((load.averages[i] ?? 0) - rate)
        load.averages[i] = average
        this.#say(`${prefix}${load.topic}/${over}min`, average.toFixed(2))
      }
    }
  }

  #say(topic: string, text: string): void {
    if (this.#said.get(topic) === text) return
    if (this.#publish(topic, text)) this.#said.set(topic, text)
    else this.#said.delete(topic)
  }
}

/** `queuedBytes` is `queued-bytes`. */
function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** A reason as one topic level. */
function slug(reason: string): string {
  return reason
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
}
