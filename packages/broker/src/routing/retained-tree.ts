// Retained messages by topic level (MQTT 5.0 section 3.3.1.3), so that a wildcard subscription finds them without looking at
// all, in steps, while they change.

import type { Message } from "../packet/message.ts"
import { firstLevel, type PathNode, PathTree } from "./path-tree.ts"
import { textCost } from "./text.ts"

/** Whose memory a message is on. */
export interface RetainedAccount {
  /** Bytes of heap. */
  retained: number
  retainedMessages: number
  /** Bytes of topics, properties and payloads. */
  retainedSize: number
}

interface Entry {
  readonly message: Message
  readonly account: RetainedAccount | undefined
  /** Which retained message since the beginning this is. */
  readonly sequence: number
}

/** Bytes of heap of a message without its texts and bytes, measured. */
const entryCost = 640
/** Bytes of the places that one which expires has among those. */
const expiryCost = 120

/** A walk over the retained messages that match one Topic Filter. Its place in the tree is all it keeps. */
export interface RetainedWalk {
  /**
   * The next message that was there when the walk was made and has not been replaced since; undefined when there is none
   * within `steps` places of the tree.
   */
  next(steps: number): Message | undefined
  /** Places that the last call of next has looked at. */
  readonly steps: number
  /** The last one could not be taken: it comes again, if it is still there then. */
  back(): void
  /** There is no more. */
  readonly done: boolean
  /** Ends the walk. */
  close(): void
}

export class RetainedTree {
  readonly #tree = new PathTree<Entry>()
  #size = 0
  #bytes = 0
  #sequence = 0
  /** Bytes of their payloads. */
  payloads = 0
  /** How many of them expire. */
  expiring = 0

  /** Number of retained messages. */
  get size(): number {
    return this.#size
  }

  /** Heap that they and the tree take, in bytes. */
  get bytes(): number {
    return this.#bytes + this.#tree.bytes
  }

  get(topic: string): Message | undefined {
    return this.#tree.find(topic)?.value?.message
  }

  /**
   * Keeps the message, without the encodings that are made of it for subscribers; `account` is whose it is from now on. When
   * `fits` then says no, what was there before is there again, and the answer is false.
   */
  set(message: Message, account?: RetainedAccount, fits: () => boolean = () => true): boolean {
    const topic = message.topic.name
    const node = this.#tree.ensure(topic)
    const before = node.value
    this.#put(node, { message: message.own().bare(), account, sequence: ++this.#sequence })
    if (fits()) return true
    this.#put(node, before)
    if (before === undefined) this.#tree.prune(topic)
    return false
  }

  delete(topic: string): boolean {
    const node = this.#tree.find(topic)
    if (node?.value === undefined) return false
    this.#put(node, undefined)
    this.#tree.prune(topic)
    return true
  }

  #put(node: PathNode<Entry>, entry: Entry | undefined): void {
    this.#count(node.value, -1)
    this.#count(entry, 1)
    node.value = entry
  }

  #count(entry: Entry | undefined, sign: 1 | -1): void {
    if (entry === undefined) return
    const bytes = sign * costOf(entry.message)
    this.#size += sign
    this.#bytes += bytes
    this.payloads += sign * (entry.message.payloadEnd - entry.message.payloadStart)
    if (entry.message.expiresAt !== Number.POSITIVE_INFINITY) this.expiring += sign
    if (entry.account === undefined) return
    entry.account.retained += bytes
    entry.account.retainedMessages += sign
    entry.account.retainedSize += sign * entry.message.size
  }

  /**
   * A walk over what is there now and matches, of which `wanted` leaves out more; `path` is a Topic Filter without `$share` and
   * Share Name.
   */
  walk(path: string, wanted: (message: Message) => boolean = () => true): RetainedWalk {
    return new Walk(this.#tree, path, this.#sequence, wanted)
  }
}

function costOf(message: Message): number {
  const topic = message.topic
  const expiry = message.expiresAt === Number.POSITIVE_INFINITY ? 0 : expiryCost
  return entryCost + expiry + message.bytes.byteLength + topic.bytes.byteLength + textCost(topic.name)
}

/** Below this place every topic matches. */
const everything = -1
/** No topic below this place matches. */
const nothing = -2

/** A node on the way, and where in the filter it is. */
interface Frame {
  readonly node: PathNode<Entry>
  /** Offset of the filter's level that its children must match, above its length when there is none. */
  readonly at: number
  /** Those children of it that are still to be visited, where they are many. */
  rest: Iterator<PathNode<Entry>> | undefined
  visited: boolean
}

class Walk implements RetainedWalk {
  readonly #tree: PathTree<Entry>
  readonly #filter: string
  readonly #before: number
  readonly #wanted: (message: Message) => boolean
  readonly #frames: Frame[] = []
  #state: "new" | "open" | "done" = "new"
  /** Where the last one is. */
  #last: PathNode<Entry> | undefined
  #again = false
  steps = 0

  constructor(tree: PathTree<Entry>, filter: string, before: number, wanted: (message: Message) => boolean) {
    this.#tree = tree
    this.#filter = filter
    this.#before = before
    this.#wanted = wanted
  }

  get done(): boolean {
    return this.#state === "done"
  }

  next(steps: number): Message | undefined {
    this.steps = 0
    if (this.#state === "new") {
      this.#state = "open"
      this.#tree.walkers++
      this.#frames.push({ node: this.#tree.root, at: 0, rest: undefined, visited: false })
    }
    if (this.#again) {
      this.#again = false
      this.steps++
      const message = this.#messageOf(this.#last)
      if (message !== undefined) return message
    }
    while (this.steps < steps) {
      const frame = this.#frames.at(-1)
      if (frame === undefined) {
        this.close()
        return undefined
      }
      this.steps++
      const child = this.#nextChild(frame)
      if (child === undefined) {
        this.#frames.pop()
        continue
      }
      const at = frame.at === everything ? everything : follow(this.#filter, frame.at, child.path)
      if (at === nothing) continue
      if (at <= this.#filter.length && child.children !== undefined) {
        this.#frames.push({ node: child, at, rest: undefined, visited: false })
      }
      const message = this.#endsAt(at) ? this.#messageOf(child) : undefined
      if (message === undefined) continue
      this.#last = child
      return message
    }
    return undefined
  }

  #messageOf(node: PathNode<Entry> | undefined): Message | undefined {
    const entry = node?.value
    if (entry === undefined || entry.sequence > this.#before) return undefined
    return this.#wanted(entry.message) ? entry.message.fresh() : undefined
  }

  back(): void {
    this.#again = true
  }

  close(): void {
    if (this.#state === "open") this.#tree.walkers--
    this.#state = "done"
    this.#last = undefined
    this.#frames.length = 0
  }

  /** Does the filter match a topic that ends at this place? "#" also matches the parent level. */
  #endsAt(at: number): boolean {
    return at === everything || at > this.#filter.length || this.#isHash(at)
  }

  #isHash(at: number): boolean {
    return at === this.#filter.length - 1 && this.#filter.charCodeAt(at) === hash
  }

  #nextChild(frame: Frame): PathNode<Entry> | undefined {
    const { children } = frame.node
    // [MQTT-4.7.2-1] wildcards in the first level do not match topics that begin with $
    const dollar = frame.node === this.#tree.root
    if (frame.rest === undefined) {
      if (frame.visited || children === undefined) return undefined
      frame.visited = true
      const wild = frame.at === everything || isWildAt(this.#filter, frame.at)
      if (!(children instanceof Map)) return wild && dollar && startsWithDollar(children.path) ? undefined : children
      if (!wild) return children.get(firstLevel(this.#filter, frame.at))
      // A Map's iterator stays right while entries come and go.
      frame.rest = children.values()
    }
    for (;;) {
      const next = frame.rest.next()
      if (next.done === true) return undefined
      if (!dollar || !startsWithDollar(next.value.path)) return next.value
    }
  }
}

/** Where the filter goes on after the topic levels `path`; `everything` after "#", `nothing` when they do not match. */
function follow(filter: string, at: number, path: string): number {
  for (let i = 0; ; ) {
    if (at > filter.length) return nothing
    const first = filter.charCodeAt(at)
    if (first === hash) return everything
    if (first === plus) {
      at++
      const end = path.indexOf("/", i)
      i = end < 0 ? path.length : end
    } else {
      while (i < path.length && path.charCodeAt(i) !== slash) {
        if (filter.charCodeAt(at) !== path.charCodeAt(i)) return nothing
        at++
        i++
      }
      if (at < filter.length && filter.charCodeAt(at) !== slash) return nothing
    }
    at++
    if (i === path.length) return at
    i++
  }
}

function isWildAt(filter: string, at: number): boolean {
  const code = filter.charCodeAt(at)
  return code === plus || code === hash
}

function startsWithDollar(path: string): boolean {
  return path.charCodeAt(0) === 0x24
}

const slash = 0x2f
const plus = 0x2b
const hash = 0x23
