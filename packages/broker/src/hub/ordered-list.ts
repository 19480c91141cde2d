// Entries that are kept in order while they come and go, for pages: who knows the last one that he has seen goes on behind its
// place, whatever has changed meanwhile. Blocks of a bounded length, each in order: to find a place takes the logarithm of their
// number, to add or remove an entry moves one block's at most.

/** Below 0: `a` comes before `b`; 0: both have the same place. */
export type Order<Entry> = (a: Entry, b: Entry) => number

/** Entries of a block. */
const longest = 512

export class OrderedList<Entry> {
  readonly #order: Order<Entry>
  readonly #blocks: Entry[][] = []
  #size = 0

  constructor(order: Order<Entry>) {
    this.#order = order
  }

  get size(): number {
    return this.#size
  }

  /** False, and nothing changed, when there is one at its place. */
  add(entry: Entry): boolean {
    const isBefore = (other: Entry) => this.#order(other, entry) < 0
    const blocks = this.#blocks
    const at = Math.min(blockOf(blocks, isBefore), blocks.length - 1)
    const block = blocks[at]
    if (block === undefined) {
      blocks.push([entry])
      this.#size = 1
      return true
    }
    const place = placeIn(block, isBefore)
    const there = block[place]
    if (there !== undefined && this.#order(there, entry) === 0) return false
    block.splice(place, 0, entry)
    if (block.length > longest) blocks.splice(at + 1, 0, block.splice(longest >> 1))
    this.#size++
    return true
  }

  /** Takes out what is at the place of this one; false when there is nothing. */
  delete(entry: Entry): boolean {
    const isBefore = (other: Entry) => this.#order(other, entry) < 0
    const blocks = this.#blocks
    const at = blockOf(blocks, isBefore)
    const block = blocks[at]
    if (block === undefined) return false
    const place = placeIn(block, isBefore)
    const there = block[place]
    if (there === undefined || this.#order(there, entry) !== 0) return false
    block.splice(place, 1)
    this.#size--
    // Few entries must not stay in many blocks.
    const next = blocks[at + 1]
    if (block.length === 0) blocks.splice(at, 1)
    else if (next !== undefined && block.length + next.length <= longest >> 1) {
      block.push(...next)
      blocks.splice(at + 1, 1)
    }
    return true
  }

  /** Those from the first for which `isBefore` says no, in order. Nothing may be added or taken out meanwhile. */
  *from(isBefore: (entry: Entry) => boolean): Generator<Entry, void, undefined> {
    const first = blockOf(this.#blocks, isBefore)
    for (let at = first; at < this.#blocks.length; at++) {
      const block = this.#blocks[at]!
      for (let place = at === first ? placeIn(block, isBefore) : 0; place < block.length; place++) yield block[place]!
    }
  }

  /** The first of those. */
  first(isBefore: (entry: Entry) => boolean): Entry | undefined {
    const block = this.#blocks[blockOf(this.#blocks, isBefore)]
    return block?.[placeIn(block, isBefore)]
  }

  /** How many there are for which `isBefore` says yes. */
  rank(isBefore: (entry: Entry) => boolean): number {
    const at = blockOf(this.#blocks, isBefore)
    let before = 0
    for (let i = 0; i < at; i++) before += this.#blocks[i]!.length
    const block = this.#blocks[at]
    return block === undefined ? before : before + placeIn(block, isBefore)
  }
}

/** The first block whose last entry is not before; their number when there is none. */
function blockOf<Entry>(blocks: readonly (readonly Entry[])[], isBefore: (entry: Entry) => boolean): number {
  let [low, high] = [0, blocks.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const block = blocks[middle]!
    if (isBefore(block[block.length - 1]!)) low = middle + 1
    else high = middle
  }
  return low
}

/** The place of the first entry that is not before. */
function placeIn<Entry>(block: readonly Entry[], isBefore: (entry: Entry) => boolean): number {
  let [low, high] = [0, block.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(block[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}
