// Who publishes where, and who gets it. A stream is one topic of one publisher: its messages have an order (MQTT 5.0 section 4.6).

import { type Arguments, UsageError } from "@puremq/tls13/command-line"
import { matches, readFilter } from "../../routing/filter.ts"
import { topicFilter, topicName } from "../client/options.ts"

export interface Shape {
  readonly publishers: number
  readonly subscribers: number
  /** With %i. */
  readonly topic: string
  readonly topics: number
  /** With %i. */
  readonly filter: string
  /** Share Name. */
  readonly share: string | undefined
}

const mostClients = 1_000_000
const mostTopics = 10_000_000
/** Of subscriber and stream: each has a state of about 100 bytes. */
const mostPairs = 5_000_000

/** @throws UsageError */
export function readShape(read: Arguments): Shape {
  const publishers = read.number("publishers", 1, mostClients) ?? 1
  const subscribers = read.number("subscribers", 0, mostClients) ?? 1
  const topic = read.text("topic") ?? "puremq-bench/%i"
  const counts = topic.includes("%i")
  const given = read.number("topic-count", 1, mostTopics)
  if (given !== undefined && !counts) throw new UsageError(`--topic-count counts %i, which is not in --topic ${topic}`)
  const topics = given ?? (counts ? publishers : 1)
  topicName("--topic", numbered(topic, topics - 1))
  const filter = read.text("filter") ?? wildcard(topic)
  topicFilter("--filter", numbered(filter, 0))
  if (filter.startsWith("$share/")) throw new UsageError("--filter is without $share/GROUP: --share GROUP makes that")
  const share = read.text("share")
  // [MQTT-4.8.2-2] a Share Name has neither / nor a wildcard
  if (share !== undefined && /^$|[/+#]/.test(share))
    throw new UsageError(`--share must be a name without /, + and #, not "${share}"`)
  if (share !== undefined) topicFilter("--share", `$share/${share}/${numbered(filter, 0)}`)
  const shape = { publishers, subscribers, topic, topics, filter, share }
  if (subscribers > 0) checkPairs(shape)
  return shape
}

export function numbered(pattern: string, number: number): string {
  return pattern.replaceAll("%i", String(number))
}

/** All of the topics: a wildcard is a whole level. */
function wildcard(topic: string): string {
  return topic
    .split("/")
    .map((level) => (level.includes("%i") ? "+" : level))
    .join("/")
}

export function countStreams({ publishers, topics }: Shape): number {
  return Math.max(publishers, topics)
}

export function topicOf({ topic, topics }: Shape, stream: number): string {
  return numbered(topic, stream % topics)
}

/** The streams of publisher `index`. */
export function streamsOf(shape: Shape, index: number): number[] {
  const streams: number[] = []
  for (let stream = index; stream < countStreams(shape); stream += shape.publishers) streams.push(stream)
  return streams
}

/** Without $share. */
export function filterOf({ filter, topics }: Shape, subscriber: number): string {
  return numbered(filter, subscriber % topics)
}

/** Gives the streams that a filter (without $share) gets; those of one filter are looked for once. */
export class StreamsOfFilter {
  readonly #shape: Shape
  readonly #known = new Map<string, readonly number[]>()
  #byTopic: Map<string, number[]> | undefined

  constructor(shape: Shape) {
    this.#shape = shape
  }

  of(filter: string): readonly number[] {
    const known = this.#known.get(filter)
    if (known !== undefined) return known
    const found = /[+#]/.test(filter) ? this.#matching(filter) : (this.#topics().get(filter) ?? [])
    this.#known.set(filter, found)
    return found
  }

  #matching(filter: string): readonly number[] {
    const levels = readFilter(filter, 0xffff)?.levels ?? []
    const found: number[] = []
    for (const [topic, streams] of this.#topics()) if (matches(levels, topic)) found.push(...streams)
    return found
  }

  #topics(): Map<string, number[]> {
    if (this.#byTopic !== undefined) return this.#byTopic
    const byTopic = new Map<string, number[]>()
    for (let stream = 0; stream < countStreams(this.#shape); stream++) {
      const topic = topicOf(this.#shape, stream)
      const streams = byTopic.get(topic)
      if (streams === undefined) byTopic.set(topic, [stream])
      else streams.push(stream)
    }
    this.#byTopic = byTopic
    return byTopic
  }
}

/** @throws UsageError */
function checkPairs(shape: Shape): void {
  const streams = new StreamsOfFilter(shape)
  const receivers = shape.share === undefined ? shape.subscribers : Math.min(shape.subscribers, shape.topics)
  let pairs = 0
  for (let i = 0; i < receivers; i++) {
    pairs += streams.of(filterOf(shape, i)).length
    if (pairs > mostPairs)
      throw new UsageError(
        `more than ${mostPairs} pairs of a subscriber and a stream would be watched: fewer --subscribers, --publishers or --topic-count`,
      )
  }
  if (pairs === 0)
    throw new UsageError(`--filter ${shape.filter} matches none of the topics that --topic ${shape.topic} makes`)
}
