// The last of what happened: so many entries, the oldest of which goes when one more comes. Each has a number of its own, so that who
// reads page by page, newest first, is not confused by what comes meanwhile.

export interface Numbered<Entry> {
  /** Counted from 1. */
  readonly id: number
  readonly entry: Entry
}

export class Recent<Entry> {
  readonly #most: number
  /** The newest last, at its number modulo `most`. */
  readonly #entries: Entry[] = []
  #last = 0

  /** @param most entries that are kept */
  constructor(most: number) {
    this.#most = most
  }

  /** The number of the newest; 0: there was none. */
  get last(): number {
    return this.#last
  }

  add(entry: Entry): void {
    this.#entries[this.#last % this.#most] = entry
    this.#last++
  }

  /** Those with a number below `before`, newest first. */
  *newest(before: number = Number.POSITIVE_INFINITY): Generator<Numbered<Entry>, void, undefined> {
    const oldest = Math.max(1, this.#last - this.#most + 1)
    for (let id = Math.min(this.#last, before - 1); id >= oldest; id--) {
      const entry = this.#entries[(id - 1) % this.#most]
      if (entry !== undefined) yield { id, entry }
    }
  }
}

/** The same of two kinds, so many of each: one that comes in floods does not push out the other. Numbers are of both together. */
export class RecentOfTwo<Entry> {
  readonly #isFirst: (entry: Entry) => boolean
  readonly #first: Recent<Numbered<Entry>>
  readonly #second: Recent<Numbered<Entry>>
  #last = 0

  /** @param most entries that are kept of each kind @param isFirst which kind it is of */
  constructor(most: number, isFirst: (entry: Entry) => boolean) {
    this.#isFirst = isFirst
    this.#first = new Recent(most)
    this.#second = new Recent(most)
  }

  add(entry: Entry): void {
    const list = this.#isFirst(entry) ? this.#first : this.#second
    list.add({ id: ++this.#last, entry })
  }

  /** Those of both with a number below `before`, newest first. */
  *newest(before: number = Number.POSITIVE_INFINITY): Generator<Numbered<Entry>, void, undefined> {
    const [ones, others] = [this.#first.newest(), this.#second.newest()]
    let [one, other] = [ones.next().value, others.next().value]
    while (one !== undefined || other !== undefined) {
      const isOne = (one?.entry.id ?? 0) > (other?.entry.id ?? 0)
      const next = isOne ? one : other
      if (isOne) one = ones.next().value
      else other = others.next().value
      if (next !== undefined && next.entry.id < before) yield next.entry
    }
  }
}
