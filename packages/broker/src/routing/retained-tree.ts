// Retained messages by topic level (MQTT 5.0 section 3.3.1.3), so that a wildcard subscription finds them without looking at all.

import type { Message } from "../packet/message.ts"

class Node {
  children: Map<string, Node> | undefined
  message: Message | undefined
}

export class RetainedTree {
  readonly #root = new Node()
  #size = 0
  #bytes = 0

  /** Number of retained messages. */
  get size(): number {
    return this.#size
  }

  /** Their topics, properties and payloads in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  get(topic: string): Message | undefined {
    let node: Node | undefined = this.#root
    for (const level of topic.split("/")) {
      node = node.children?.get(level)
      if (node === undefined) return undefined
    }
    return node.message
  }

  set(message: Message): void {
    let node = this.#root
    for (const level of message.topic.name.split("/")) {
      node.children ??= new Map()
      let child = node.children.get(level)
      if (child === undefined) {
        child = new Node()
        node.children.set(level, child)
      }
      node = child
    }
    if (node.message === undefined) this.#size++
    else this.#bytes -= node.message.size
    node.message = message
    this.#bytes += message.size
  }

  delete(topic: string): boolean {
    return this.#delete(this.#root, topic.split("/"), 0)
  }

  #delete(node: Node, levels: readonly string[], depth: number): boolean {
    if (depth === levels.length) {
      if (node.message === undefined) return false
      this.#size--
      this.#bytes -= node.message.size
      node.message = undefined
      return true
    }
    const level = levels[depth]!
    const child = node.children?.get(level)
    if (child === undefined) return false
    const deleted = this.#delete(child, levels, depth + 1)
    if (child.message === undefined && child.children === undefined) {
      node.children?.delete(level)
      if (node.children?.size === 0) node.children = undefined
    }
    return deleted
  }

  /** Calls `visit` for every retained message whose topic the filter matches. */
  match(levels: readonly string[], visit: (message: Message) => void): void {
    walk(this.#root, levels, 0, visit)
  }
}

function walk(node: Node, levels: readonly string[], depth: number, visit: (message: Message) => void): void {
  const level = levels[depth]
  if (level === undefined) {
    if (node.message !== undefined) visit(node.message)
    return
  }
  if (level === "#") {
    everything(node, depth === 0, visit)
    return
  }
  if (level !== "+") {
    const child = node.children?.get(level)
    if (child !== undefined) walk(child, levels, depth + 1, visit)
    return
  }
  if (node.children === undefined) return
  for (const [name, child] of node.children) {
    // [MQTT-4.7.2-1] wildcards in the first level do not match topics that begin with $
    if (depth === 0 && name.startsWith("$")) continue
    walk(child, levels, depth + 1, visit)
  }
}

function everything(node: Node, root: boolean, visit: (message: Message) => void): void {
  if (node.message !== undefined) visit(node.message)
  if (node.children === undefined) return
  for (const [name, child] of node.children) {
    if (root && name.startsWith("$")) continue
    everything(child, false, visit)
  }
}
