// Which topics a bridge hands on, and what they are called on the other side.

import type { Qos } from "../packet/packets.ts"
import { matches, parseFilter } from "../routing/filter.ts"

/** One rule of a bridge. With prefixes a topic is `localPrefix` and the rest here, `remotePrefix` and the same rest there. */
export interface BridgeTopic {
  /** Topic Filter of the rest. */
  readonly filter: string
  /** "out": from this broker to the other; "in": from the other to this one. */
  readonly direction: "out" | "in" | "both"
  /** The highest QoS of what is handed on. Default 1. */
  readonly qos?: Qos | undefined
  /** Whether messages that are retained here are retained there. Default true. */
  readonly retain?: boolean | undefined
  readonly localPrefix?: string | undefined
  readonly remotePrefix?: string | undefined
}

export interface Route {
  /** Of subscriptions at the broker that messages come from. */
  readonly filter: string
  readonly qos: Qos
  readonly retain: boolean
  readonly fromPrefix: string
  readonly toPrefix: string
}

const mostLevels = 1024

/** The rules of one direction. */
export class TopicMap {
  readonly routes: readonly Route[]
  /** Bytes by which a topic may become longer, at most. */
  readonly growth: number
  readonly #levels: readonly (readonly string[])[]

  /** Throws PacketError for a filter that is none. */
  constructor(topics: readonly BridgeTopic[], direction: "out" | "in") {
    this.routes = topics
      .filter((topic) => topic.direction === direction || topic.direction === "both")
      .map(({ filter, qos = 1, retain = true, localPrefix = "", remotePrefix = "" }) => {
        const [fromPrefix, toPrefix] = direction === "out" ? [localPrefix, remotePrefix] : [remotePrefix, localPrefix]
        return { filter: `${fromPrefix}${filter}`, qos, retain, fromPrefix, toPrefix }
      })
    this.#levels = this.routes.map(({ filter }) => parseFilter(filter, mostLevels).levels)
    // A character of UTF-16 is three bytes of UTF-8 at most.
    this.growth = 3 * Math.max(0, ...this.routes.map(({ fromPrefix, toPrefix }) => toPrefix.length - fromPrefix.length))
  }

  /** The first rule that a topic comes by; undefined: none. */
  routeOf(topic: string): Route | undefined {
    return this.routes.find(
      ({ fromPrefix }, index) => topic.startsWith(fromPrefix) && matches(this.#levels[index]!, topic),
    )
  }

  /** What the topic is called on the other side. */
  static across(topic: string, { fromPrefix, toPrefix }: Route): string {
    return `${toPrefix}${topic.slice(fromPrefix.length)}`
  }
}
