// The tree of all subscriptions, so that a publish costs what it matches and not what exists (MQTT 5.0 sections 4.7 and 4.8).

import { firstLevel, type PathNode, PathTree } from "./path-tree.ts"
import { ShareGroup } from "./share-group.ts"
import type { Subscriber, Subscription } from "./subscription.ts"
import { textCost } from "./text.ts"

/** The subscriptions with one Topic Filter. Nearly always it is one, which then stands in the tree by itself. */
class Leaf {
  readonly direct: Map<Subscriber, Subscription> = new Map()
  readonly groups: Map<string, ShareGroup> = new Map()

  get size(): number {
    return this.direct.size + this.groups.size
  }
}

type Value = Subscription | Leaf

/** Bytes of heap of a subscription without its texts: it, its filter, its place in its session; measured. */
const subscriptionCost = 245
const leafCost = 480
const leafEntryCost = 42
const groupCost = 330
const memberCost = 60

/**
 * Bytes that a subscription counts for with who made it: what one of its own takes, whatever else there is. What all of them
 * really take is less where they share nodes, and known to the tree.
 */
export function subscriptionShare({ text }: { readonly text: string }): number {
  return subscriptionCost + 100 + 2 * textCost(text)
}

/** What a topic matches. */
export interface Matches {
  subscription(one: Subscription): void
  group(one: ShareGroup): void
}

export class SubscriptionTree {
  readonly #tree = new PathTree<Value>()
  #size = 0
  #shared = 0
  #bytes = 0
  /** Nodes that match has looked at since the beginning: what matching costs, without a clock. */
  visited = 0

  /** Number of subscriptions. */
  get size(): number {
    return this.#size
  }

  /** How many of them are Shared Subscriptions. */
  get shared(): number {
    return this.#shared
  }

  /** Heap that subscriptions and the tree take, in bytes. */
  get bytes(): number {
    return this.#bytes + this.#tree.bytes
  }

  /** Adds a subscription or replaces the same session's one with the same filter ([MQTT-3.8.4-3]). */
  add(subscription: Subscription): void {
    const { filter, subscriber } = subscription
    const node = this.#tree.ensure(filter.path)
    if (filter.shareName === undefined) {
      const { value } = node
      if (value === undefined) {
        node.value = subscription
        this.#count(subscription, 1)
        return
      }
      if (!(value instanceof Leaf) && value.subscriber === subscriber) {
        node.value = subscription
        return
      }
      const { direct } = this.#leaf(node)
      if (!direct.has(subscriber)) {
        this.#count(subscription, 1)
        this.#bytes += leafEntryCost
      }
      direct.set(subscriber, subscription)
      return
    }
    const { groups } = this.#leaf(node)
    let group = groups.get(filter.shareName)
    if (group === undefined) {
      const bytes = groupCost + textCost(filter.shareName)
      group = new ShareGroup()
      groups.set(filter.shareName, group)
      this.#bytes += bytes
    }
    if (!group.add(subscription)) return
    this.#count(subscription, 1)
    this.#bytes += memberCost
  }

  /** Removes it and the nodes nobody needs any more. */
  remove(subscription: Subscription): void {
    const { filter, subscriber } = subscription
    const node = this.#tree.find(filter.path)
    const value = node?.value
    if (node === undefined || value === undefined) return
    if (!(value instanceof Leaf)) {
      if (filter.shareName !== undefined || value.subscriber !== subscriber) return
      node.value = undefined
      this.#count(subscription, -1)
      this.#tree.prune(filter.path)
      return
    }
    if (filter.shareName === undefined) {
      if (!value.direct.delete(subscriber)) return
      this.#bytes -= leafEntryCost
    } else {
      const group = value.groups.get(filter.shareName)
      if (group?.remove(subscriber) !== true) return
      this.#bytes -= memberCost
      if (group.size === 0) {
        value.groups.delete(filter.shareName)
        this.#bytes -= groupCost + textCost(filter.shareName)
      }
    }
    this.#count(subscription, -1)
    if (value.size > 0) return
    node.value = undefined
    this.#bytes -= leafCost
    this.#tree.prune(filter.path)
  }

  /** The group of a Shared Subscription. */
  /** The sessions of a Shared Subscription, by its filter: `$share/NAME/FILTER`. */
  group(share: string): ShareGroup | undefined {
    const slash = share.indexOf("/", 7)
    const value = this.#tree.find(share.slice(slash + 1))?.value
    return value instanceof Leaf ? value.groups.get(share.slice(7, slash)) : undefined
  }

  groupOf(subscription: Subscription): ShareGroup | undefined {
    const { path, shareName } = subscription.filter
    const value = this.#tree.find(path)?.value
    return value instanceof Leaf && shareName !== undefined ? value.groups.get(shareName) : undefined
  }

  #leaf(node: PathNode<Value>): Leaf {
    const { value } = node
    if (value instanceof Leaf) return value
    const leaf = new Leaf()
    if (value !== undefined) leaf.direct.set(value.subscriber, value)
    node.value = leaf
    this.#bytes += leafCost + (value === undefined ? 0 : leafEntryCost)
    return leaf
  }

  #count(subscription: Subscription, sign: 1 | -1): void {
    this.#size += sign
    if (subscription.filter.shareName !== undefined) this.#shared += sign
    this.#bytes += sign * (subscriptionCost + textCost(subscription.filter.text))
  }

  /** Calls `matches` for every subscription and group whose filter matches the topic. */
  match(topic: string, matches: Matches): void {
    // [MQTT-4.7.2-1] wildcards in the first level do not match topics that begin with $
    this.#walk(this.#tree.root, topic, 0, topic.charCodeAt(0) !== 0x24, matches)
  }

  /** `at` is the offset of the topic's level that children must match, above its length when there is none. */
  #walk(node: PathNode<Value>, topic: string, at: number, wildcards: boolean, matches: Matches): void {
    this.visited++
    if (at > topic.length) report(node.value, matches)
    const { children } = node
    if (children === undefined) return
    if (!(children instanceof Map)) {
      if (wildcards || !isWildcard(children.path.charCodeAt(0))) this.#try(children, topic, at, matches)
      return
    }
    if (at <= topic.length) {
      this.#try(children.get(firstLevel(topic, at)), topic, at, matches)
      if (wildcards) this.#try(children.get("+"), topic, at, matches)
    }
    if (wildcards) this.#try(children.get("#"), topic, at, matches)
  }

  #try(child: PathNode<Value> | undefined, topic: string, at: number, matches: Matches): void {
    if (child === undefined) return
    const next = follow(child.path, topic, at)
    if (next !== nothing) this.#walk(child, topic, next, true, matches)
    else this.visited++
  }
}

function report(value: Value | undefined, matches: Matches): void {
  if (value === undefined) return
  if (!(value instanceof Leaf)) {
    matches.subscription(value)
    return
  }
  for (const one of value.direct.values()) matches.subscription(one)
  for (const group of value.groups.values()) matches.group(group)
}

const nothing = -1

/** Where the topic goes on after the filter levels `path`, above its length at its end; `nothing` if they do not match. */
function follow(path: string, topic: string, at: number): number {
  for (let i = 0; ; i++) {
    // "#" takes the rest, and also matches the parent level
    if (path.charCodeAt(i) === hash) return topic.length + 1
    if (at > topic.length) return nothing
    if (path.charCodeAt(i) === plus) {
      i++
      const end = topic.indexOf("/", at)
      at = end < 0 ? topic.length : end
    } else {
      for (; i < path.length && path.charCodeAt(i) !== slash; i++, at++) {
        if (topic.charCodeAt(at) !== path.charCodeAt(i)) return nothing
      }
      if (at < topic.length && topic.charCodeAt(at) !== slash) return nothing
    }
    at++
    if (i === path.length) return at
  }
}

function isWildcard(code: number): boolean {
  return code === plus || code === hash
}

const slash = 0x2f
const plus = 0x2b
const hash = 0x23
