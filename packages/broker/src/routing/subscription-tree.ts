// The tree of all subscriptions, one level of a filter a node, so that a publish costs what it matches and not what exists
// (MQTT 5.0 sections 4.7 and 4.8).

import type { Subscriber, Subscription } from "./subscription.ts"

/** The sessions of one Shared Subscription (section 4.8.2). */
export class ShareGroup {
  readonly members: Subscription[] = []
  #next = 0

  /** The member who gets the next message: in turn, those first that are connected and keep up. Undefined: nobody may. */
  choose(topic: string): Subscription | undefined {
    const count = this.members.length
    let second: Subscription | undefined
    let last: Subscription | undefined
    for (let i = 0; i < count; i++) {
      const member = this.members[(this.#next + i) % count]!
      if (member.mayReceive?.(topic) === false) continue
      last ??= member
      if (!member.subscriber.connected) continue
      if (!member.subscriber.congested) {
        this.#next = (this.#next + i + 1) % count
        return member
      }
      second ??= member
    }
    this.#next = count === 0 ? 0 : (this.#next + 1) % count
    return second ?? last
  }
}

class Node {
  children: Map<string, Node> | undefined
  plus: Node | undefined
  hash: Node | undefined
  subscriptions: Map<Subscriber, Subscription> | undefined
  groups: Map<string, ShareGroup> | undefined

  get empty(): boolean {
    return (
      this.plus === undefined &&
      this.hash === undefined &&
      this.children === undefined &&
      this.subscriptions === undefined &&
      this.groups === undefined
    )
  }
}

/** What a topic matches. */
export interface Matches {
  subscription(one: Subscription): void
  group(one: ShareGroup): void
}

export class SubscriptionTree {
  readonly #root = new Node()
  #size = 0

  /** Number of subscriptions. */
  get size(): number {
    return this.#size
  }

  /** Adds a subscription or replaces the same session's one with the same filter ([MQTT-3.8.4-3]). */
  add(subscription: Subscription): void {
    const { levels, shareName } = subscription.filter
    let node = this.#root
    for (const level of levels) {
      if (level === "+") node = node.plus ??= new Node()
      else if (level === "#") node = node.hash ??= new Node()
      else {
        node.children ??= new Map()
        let child = node.children.get(level)
        if (child === undefined) {
          child = new Node()
          node.children.set(level, child)
        }
        node = child
      }
    }
    if (shareName === undefined) {
      node.subscriptions ??= new Map()
      if (!node.subscriptions.has(subscription.subscriber)) this.#size++
      node.subscriptions.set(subscription.subscriber, subscription)
      return
    }
    node.groups ??= new Map()
    let group = node.groups.get(shareName)
    if (group === undefined) {
      group = new ShareGroup()
      node.groups.set(shareName, group)
    }
    const at = group.members.findIndex((member) => member.subscriber === subscription.subscriber)
    if (at >= 0) group.members[at] = subscription
    else {
      group.members.push(subscription)
      this.#size++
    }
  }

  /** Removes it and the nodes nobody needs any more. */
  remove(subscription: Subscription): void {
    this.#remove(this.#root, subscription, 0)
  }

  #remove(node: Node, subscription: Subscription, depth: number): void {
    const level = subscription.filter.levels[depth]
    if (level === undefined) {
      this.#detach(node, subscription)
      return
    }
    const child = level === "+" ? node.plus : level === "#" ? node.hash : node.children?.get(level)
    if (child === undefined) return
    this.#remove(child, subscription, depth + 1)
    if (!child.empty) return
    if (level === "+") node.plus = undefined
    else if (level === "#") node.hash = undefined
    else {
      node.children?.delete(level)
      if (node.children?.size === 0) node.children = undefined
    }
  }

  #detach(node: Node, subscription: Subscription): void {
    const { shareName } = subscription.filter
    if (shareName === undefined) {
      if (node.subscriptions?.delete(subscription.subscriber) === true) this.#size--
      if (node.subscriptions?.size === 0) node.subscriptions = undefined
      return
    }
    const group = node.groups?.get(shareName)
    const at = group?.members.findIndex((member) => member.subscriber === subscription.subscriber) ?? -1
    if (group === undefined || at < 0) return
    group.members.splice(at, 1)
    this.#size--
    if (group.members.length > 0) return
    node.groups?.delete(shareName)
    if (node.groups?.size === 0) node.groups = undefined
  }

  /** Calls `matches` for every subscription and group whose filter matches the topic. */
  match(topic: string, matches: Matches): void {
    const levels = topic.split("/")
    // [MQTT-4.7.2-1] wildcards in the first level do not match topics that begin with $
    walk(this.#root, levels, 0, topic.charCodeAt(0) === 0x24, matches)
  }
}

function walk(node: Node, levels: readonly string[], depth: number, dollar: boolean, matches: Matches): void {
  const wildcards = depth > 0 || !dollar
  if (wildcards && node.hash !== undefined) report(node.hash, matches) // "#" also matches the parent level
  if (depth === levels.length) {
    report(node, matches)
    return
  }
  const child = node.children?.get(levels[depth]!)
  if (child !== undefined) walk(child, levels, depth + 1, dollar, matches)
  if (wildcards && node.plus !== undefined) walk(node.plus, levels, depth + 1, dollar, matches)
}

function report(node: Node, matches: Matches): void {
  if (node.subscriptions !== undefined) for (const one of node.subscriptions.values()) matches.subscription(one)
  if (node.groups !== undefined) for (const group of node.groups.values()) matches.group(group)
}
