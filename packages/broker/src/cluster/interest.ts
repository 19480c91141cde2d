// What a node asks the servers for: the subjects of its sessions' filters, as few as may be. One that is part of another is not
// asked for, as a consumer must not have both; past a limit the fullest places of the tree are asked for as a whole, and what that
// brings too much is nobody's here. Subjects are dropped from it and asked for as filters come and go; it only says which.

import { encodeText } from "../packet/bytes.ts"

/** Of each subject, what its cluster and partition say of it, and a comma. */
const besideBytes = 80

/** As changes of what is asked for: first the new ones, then those that they or nobody need any more. */
export interface InterestChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

interface Node {
  readonly children: Map<string, Node>
  /** Filters that end here, and that end with > here. */
  ends: number
  rests: number
  /** All below is asked for as one, to keep to the limit. */
  widened: boolean
}

/** Widened places are narrowed again when what they hold would leave so much of the limit free. */
const roomToNarrow = 0.5

export class Interest {
  readonly #root: Node = nodeOf()
  readonly #limit: number
  /** Bytes of the subjects, as JSON, at most; 16,000 at least, more than one subject for each root has. */
  mostBytes: number = Number.POSITIVE_INFINITY
  #asked: ReadonlySet<string> = new Set()
  #dirty = false

  /** @param limit subjects that are asked for at most; 3 at least, one for each root */
  constructor(limit: number) {
    this.#limit = limit
  }

  add(subject: string): void {
    const tokens = subject.split(".")
    const rest = tokens.at(-1) === ">"
    let node = this.#root
    for (const token of rest ? tokens.slice(0, -1) : tokens) {
      const child = node.children.get(token) ?? nodeOf()
      node.children.set(token, child)
      node = child
    }
    if ((rest ? node.rests++ : node.ends++) === 0) this.#dirty = true
  }

  /** @throws RangeError when it was not added */
  remove(subject: string): void {
    const tokens = subject.split(".")
    const rest = tokens.at(-1) === ">"
    const path = [this.#root]
    for (const token of rest ? tokens.slice(0, -1) : tokens) {
      const child = path.at(-1)!.children.get(token)
      if (child === undefined) throw new RangeError(`${subject} was not added`)
      path.push(child)
    }
    const node = path.at(-1)!
    if ((rest ? node.rests : node.ends) === 0) throw new RangeError(`${subject} was not added`)
    if ((rest ? --node.rests : --node.ends) > 0) return
    this.#dirty = true
    for (let at = path.length - 1; at > 0 && isEmpty(path[at]!); at--) {
      path[at - 1]!.children.delete((rest ? tokens.slice(0, -1) : tokens)[at - 1]!)
    }
  }

  /** What is asked for now. */
  get subjects(): ReadonlySet<string> {
    return this.#asked
  }

  /** Works out what is to be asked for after what was added and removed: best once for many of them. */
  settle(): InterestChange {
    if (!this.#dirty) return { added: [], removed: [] }
    this.#dirty = false
    let wanted = this.#wanted()
    if (this.#narrow(this.#limit * roomToNarrow - wanted.length)) wanted = this.#wanted()
    while (wanted.length > this.#limit || !this.#fits(wanted)) {
      this.#widen(wanted)
      wanted = this.#wanted()
    }
    const next = new Set(wanted)
    const before = this.#asked
    this.#asked = next
    return {
      added: wanted.filter((subject) => !before.has(subject)),
      removed: [...before].filter((subject) => !next.has(subject)),
    }
  }

  #fits(wanted: readonly string[]): boolean {
    if (this.mostBytes === Number.POSITIVE_INFINITY) return true
    let bytes = 0
    for (const subject of wanted) {
      bytes += encodeText(JSON.stringify(subject)).length + besideBytes
      if (bytes > this.mostBytes) return false
    }
    return true
  }

  /** All that is there and is not part of another. */
  #wanted(): string[] {
    const found: string[][] = []
    const walk = (node: Node, path: string[]) => {
      if (path.length > 0 && (node.rests > 0 || node.widened)) {
        found.push([...path, ">"])
        // What ends right here is not part of it.
        if (node.ends > 0) found.push([...path])
        return
      }
      if (node.ends > 0) found.push([...path])
      for (const [token, child] of node.children) walk(child, [...path, token])
    }
    walk(this.#root, [])
    return found.filter((path) => !this.#isPart(path)).map((path) => path.join("."))
  }

  /** Whether another subject of the tree has all of this one's. */
  #isPart(path: readonly string[]): boolean {
    const covers = (node: Node, at: number, same: boolean): boolean => {
      // `same`: on the very way of the subject itself.
      if (at > 0 && at < path.length && (node.rests > 0 || node.widened) && !(same && path[at] === ">")) return true
      if (at === path.length) return node.ends > 0 && !same
      const token = path[at]!
      if (token === ">") return false
      const exact = node.children.get(token)
      if (exact !== undefined && covers(exact, at + 1, same)) return true
      const any = token === "*" ? undefined : node.children.get("*")
      return any !== undefined && covers(any, at + 1, false)
    }
    return covers(this.#root, 0, true)
  }

  /** Asks for places as a whole, as many as are needed: those with the most below them, as deep as may be. */
  #widen(wanted: readonly string[]): void {
    const paths = wanted.map((subject) => subject.split("."))
    const deepest = paths.reduce((deepest, { length }) => Math.max(deepest, length), 0)
    const few = wanted.length <= this.#limit
    for (let depth = deepest - 1; depth > 0; depth--) {
      const places = new Map<string, number>()
      for (const path of paths) {
        // `a.>` is there already as a place.
        if (path.length <= depth || (path.length === depth + 1 && path[depth] === ">")) continue
        const place = path.slice(0, depth).join(".")
        places.set(place, (places.get(place) ?? 0) + 1)
      }
      // A place that holds little saves little: then rather one nearer to the root.
      const least = depth === 1 || few ? 2 : Math.max(2, this.#limit / 16)
      const fullest = [...places].filter(([, count]) => count >= least).sort(([, one], [, other]) => other - one)
      if (fullest.length === 0) continue
      // Each saves what it has, and what it covers: others of this depth, where it has a wildcard.
      let over = wanted.length - this.#limit
      for (const [place, count] of fullest) {
        if (!places.has(place)) continue
        const tokens = place.split(".")
        let node = this.#root
        for (const token of tokens) node = node.children.get(token)!
        node.widened = true
        over -= count - 1
        places.delete(place)
        if (tokens.includes("*")) {
          for (const [other, its] of places) {
            if (!covers(tokens, other.split("."))) continue
            over -= its
            places.delete(other)
          }
        }
        if (over <= 0) break
      }
      return
    }
    throw new RangeError(`${wanted.length} roots are more than the limit of ${this.#limit}`)
  }

  /** Takes back what was widened, where that holds no more than what is free. @returns whether it has */
  #narrow(free: number): boolean {
    let narrowed = false
    const walk = (node: Node) => {
      if (node.widened) {
        const held = heldBy(node, free)
        if (held > free) return // and what is below it is not looked at
        node.widened = false
        narrowed = true
        free -= held
      }
      for (const child of node.children.values()) walk(child)
    }
    walk(this.#root)
    return narrowed
  }
}

/** Both have as many tokens. */
function covers(place: readonly string[], other: readonly string[]): boolean {
  return place.every((token, at) => token === "*" || token === other[at])
}

function nodeOf(): Node {
  return { children: new Map(), ends: 0, rests: 0, widened: false }
}

function isEmpty({ children, ends, rests }: Node): boolean {
  return children.size === 0 && ends === 0 && rests === 0
}

/** Subjects at and below it; counted no further than to one more than `most`. */
function heldBy(node: Node, most: number): number {
  let held = (node.ends > 0 ? 1 : 0) + (node.rests > 0 ? 1 : 0)
  for (const child of node.children.values()) {
    if (held > most) break
    held += heldBy(child, most - held)
  }
  return held
}
