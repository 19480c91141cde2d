// Values by topic levels, for both trees. Levels where nothing branches and nothing is kept are one node with their text
// (`a/b/c`), so that a path of many levels costs about its text. Counts the heap it takes.

import { ownText, textCost } from "./text.ts"

/** One or more levels below its parent; the end of at least one path, or a place where paths part. */
export class PathNode<Value> {
  /** Its levels, joined by "/". */
  path: string
  /** By their first level, once there are two of them. */
  children: PathNode<Value> | Map<string, PathNode<Value>> | undefined
  value: Value | undefined

  constructor(path: string) {
    this.path = path
    this.children = undefined
    this.value = undefined
  }
}

/** Bytes of heap, measured on V8 with 64-bit pointers (tests/heap.test.ts holds them to it). */
const nodeCost = 48
const mapCost = 100
/** An entry of a Map that has grown by doubling, on average, without its key's text. */
const mapEntryCost = 42

export class PathTree<Value> {
  readonly root: PathNode<Value> = new PathNode<Value>("")
  #bytes = 0
  /** While somebody walks through the tree no node is taken out of it but empty ones, so that every place stays one. */
  walkers = 0

  /** Heap that nodes and their texts take, in bytes; not what the values do. */
  get bytes(): number {
    return this.#bytes
  }

  find(path: string): PathNode<Value> | undefined {
    let node = this.root
    for (let at = 0; at <= path.length; ) {
      const child = childAt(node, path, at)
      if (child === undefined || !goesOn(path, at, child.path)) return undefined
      node = child
      at += child.path.length + 1
    }
    return node
  }

  /** The node where that path ends, made if there is none. */
  ensure(path: string): PathNode<Value> {
    let node = this.root
    for (let at = 0; at <= path.length; ) {
      let child = childAt(node, path, at)
      if (child === undefined) {
        child = new PathNode<Value>(ownText(path.slice(at)))
        this.#add(node, child)
        return child
      }
      const common = commonLevels(child.path, path, at)
      if (common < child.path.length) child = this.#split(node, child, common)
      node = child
      at += common + 1
    }
    return node
  }

  /** Removes the node where that path ends, and those above it, as far as nobody needs them any more. */
  prune(path: string): void {
    const above: PathNode<Value>[] = []
    let node = this.root
    for (let at = 0; at <= path.length; ) {
      const child = childAt(node, path, at)
      if (child === undefined || !goesOn(path, at, child.path)) return
      above.push(node)
      node = child
      at += child.path.length + 1
    }
    for (let parent = above.pop(); parent !== undefined; parent = above.pop()) {
      if (node.value !== undefined) return
      if (node.children === undefined) this.#remove(parent, node)
      else if (this.walkers > 0 || node.children instanceof Map) return
      else this.#join(parent, node, node.children)
      node = parent
    }
  }

  // Each change below is worked out first and made then, by steps that cannot fail: whatever is thrown on the way, the tree
  // stays whole, as it is everybody's.

  /** Puts a node for the first `length` characters of the child's path between the two. */
  #split(parent: PathNode<Value>, child: PathNode<Value>, length: number): PathNode<Value> {
    const middle = new PathNode<Value>(ownText(child.path.slice(0, length)))
    const path = ownText(child.path.slice(length + 1))
    const bytes = costOf(middle) + costOf({ path }) - costOf(child)
    const first = firstLevel(middle.path, 0)
    middle.children = child
    child.path = path
    if (parent.children instanceof Map) parent.children.set(first, middle)
    else parent.children = middle
    this.#bytes += bytes
    return middle
  }

  /** Takes out a node that is nothing but the way to one child. */
  #join(parent: PathNode<Value>, node: PathNode<Value>, child: PathNode<Value>): void {
    const path = ownText(`${node.path}/${child.path}`)
    const bytes = costOf({ path }) - costOf(node) - costOf(child)
    const first = firstLevel(path, 0)
    child.path = path
    if (parent.children instanceof Map) parent.children.set(first, child)
    else parent.children = child
    this.#bytes += bytes
  }

  #add(parent: PathNode<Value>, child: PathNode<Value>): void {
    const { children } = parent
    const bytes = costOf(child)
    if (children === undefined) {
      parent.children = child
      this.#bytes += bytes
      return
    }
    const key = keyOf(child)
    if (children instanceof Map) {
      children.set(key, child)
      this.#bytes += bytes + entryCost(key)
      return
    }
    const other = keyOf(children)
    const costs = bytes + mapCost + entryCost(key) + entryCost(other)
    parent.children = new Map([
      [other, children],
      [key, child],
    ])
    this.#bytes += costs
  }

  #remove(parent: PathNode<Value>, child: PathNode<Value>): void {
    const { children } = parent
    let bytes = costOf(child)
    if (!(children instanceof Map)) {
      parent.children = undefined
      this.#bytes -= bytes
      return
    }
    const key = firstLevel(child.path, 0)
    bytes += entryCost(key)
    // What is left of the map once the child is gone: nothing, or one node that needs none.
    let left: PathNode<Value> | undefined
    const dissolved = children.size === 1 || (children.size === 2 && this.walkers === 0)
    if (dissolved) {
      bytes += mapCost
      for (const [other, node] of children) {
        if (node === child) continue
        bytes += entryCost(other)
        left = node
      }
    }
    children.delete(key)
    if (dissolved) parent.children = left
    this.#bytes -= bytes
  }
}

/** The key of a node among its siblings, in a text of its own. */
function keyOf(node: { readonly path: string }): string {
  return ownText(firstLevel(node.path, 0))
}

/** Of an entry in a map of children. */
function entryCost(key: string): number {
  return mapEntryCost + textCost(key)
}

function costOf(node: { readonly path: string }): number {
  return nodeCost + textCost(node.path)
}

function childAt<Value>(node: PathNode<Value>, path: string, at: number): PathNode<Value> | undefined {
  const { children } = node
  if (children === undefined) return undefined
  if (children instanceof Map) return children.get(firstLevel(path, at))
  return sameFirstLevel(children.path, path, at) ? children : undefined
}

/** The level of the path that begins at `at`. */
export function firstLevel(path: string, at: number): string {
  const slash = path.indexOf("/", at)
  return slash < 0 ? path.slice(at) : path.slice(at, slash)
}

function sameFirstLevel(own: string, path: string, at: number): boolean {
  const slash = own.indexOf("/")
  const length = slash < 0 ? own.length : slash
  return endsLevel(path, at + length) && path.startsWith(length === own.length ? own : own.slice(0, length), at)
}

/** Do the levels of `path` from `at` on begin with those of `own`? */
function goesOn(path: string, at: number, own: string): boolean {
  return path.startsWith(own, at) && endsLevel(path, at + own.length)
}

function endsLevel(path: string, at: number): boolean {
  return at === path.length || path.charCodeAt(at) === slash
}

/** Characters of `own`, whole levels, that are also those of `path` from `at` on. The first level is. */
function commonLevels(own: string, path: string, at: number): number {
  let common = 0
  for (let i = 0; ; i++) {
    if (endsLevel(own, i) && endsLevel(path, at + i)) {
      common = i
      if (i === own.length || at + i === path.length) return common
    } else if (i >= own.length || at + i >= path.length || own.charCodeAt(i) !== path.charCodeAt(at + i)) return common
  }
}

const slash = 0x2f
