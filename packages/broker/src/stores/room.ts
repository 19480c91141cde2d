// How many bytes a folder may have, and when there are so many of what is done with that journals are folded.

import type { Change } from "../packet/change.ts"
import { bytesToCome } from "../packet/change-encoding.ts"
import { type Folder, type Pace, StoreError } from "./folder.ts"
import { snapshotBytes } from "./snapshot.ts"

const defaultFoldAfter = 8 * 1024 * 1024

/** Milliseconds between two looks at how much room the disk has. */
const lookInterval = 10_000

/** Milliseconds between folds of a full folder in which few things have ended; up to the other after folds that gave little. */
const shortPause = 10_000
const longPause = 600_000

/** Bytes of the disk that are left for what ends messages; of a small disk nine sixteenths, as of a limit. */
const diskReserve = 4 * 1024 * 1024

export interface RoomOptions {
  /**
   * Bytes that the folder may have. Seven sixteenths of them are for what is kept, and past that the store says that it is full;
   * what ends messages goes in as long as a snapshot of all that may be kept has room beside it, and then waits for one. Default:
   * as many as the disk has.
   */
  readonly maximumBytes?: number | undefined
  /** Bytes of journal, at least, before it is folded; default 8 MiB. It is also as long as the snapshot before. */
  readonly foldAfter?: number | undefined
}

/** Of files, in bytes. */
export interface Sizes {
  readonly snapshot: number
  readonly journals: number
}

/** Sessions, their subscriptions and wills, messages on their way to them, and retained ones. */
export interface Things {
  readonly there: number
  /** Of those that are there: sessions, and messages on their way, of which more may follow without being asked for. */
  readonly growing: number
  /** Those that are there no more, and are in the files still. */
  readonly ended: number
}

/** One of the two is called at its end. */
export interface Fold {
  /** @param found what it has; @param before bytes of what was folded; @param after of the snapshot */
  readonly made: (found: Pick<Things, "there" | "growing">, before: number, after: number) => void
  readonly failed: () => void
}

/**
 * Sixteenths of the limit that are left when nothing new is taken, when nothing follows of what was taken, and when journals are
 * folded whatever that gives.
 */
const roomWhenFull = 1
const roomToGrow = 0.5
const roomToFold = 0.25

export class StoreRoom {
  readonly #folder: Folder
  readonly #pace: Pace
  readonly #maximumBytes: number
  readonly #foldAfter: number
  /** Bytes that the folder could have, as the disk had room for them when it was looked at; and when that is due again. */
  #diskBytes = Number.POSITIVE_INFINITY
  #nextLook = Number.NEGATIVE_INFINITY
  /** Or more: what ends with a session, or gives way to another of its kind, is known only after a fold. */
  #there: number
  /** Those that have ended, or may have, since the last fold began that was done. */
  #ended: number
  /** A fold is worth it then, whatever little is known to have ended. */
  #nextFold: number
  #foldPause = shortPause
  /** Bytes, at most, of Changes that make what was there when the last fold began, and what that may come to by itself. */
  #base: number
  /** Bytes that have been added since. */
  #added: number

  /** @param sizes of what there is; who has read it knows no more of how much of it is kept */
  constructor(
    folder: Folder,
    pace: Pace,
    options: RoomOptions,
    { there, growing, ended }: Things,
    sizes: Sizes = { snapshot: 0, journals: 0 },
  ) {
    this.#folder = folder
    this.#pace = pace
    this.#maximumBytes = options.maximumBytes ?? Number.POSITIVE_INFINITY
    this.#foldAfter = options.foldAfter ?? defaultFoldAfter
    this.#there = there
    this.#ended = ended
    this.#nextFold = pace.now() + shortPause
    this.#base = sizes.snapshot + bytesToCome * growing
    this.#added = sizes.journals
  }

  /** @param size bytes that the folder has now */
  async look(size: number): Promise<void> {
    this.#nextLook = this.#pace.now() + lookInterval
    try {
      this.#diskBytes = size + (await this.#folder.room())
    } catch {
      this.#diskBytes = Number.POSITIVE_INFINITY // not every system can tell
    }
  }

  lookWhenDue(size: number): void {
    if (this.#pace.now() >= this.#nextLook) void this.look(size)
  }

  /** Bytes that the disk had left when it was looked at last, less what was written since; undefined: nobody can tell. */
  free(size: number): number | undefined {
    return Number.isFinite(this.#diskBytes) ? Math.max(0, this.#diskBytes - size) : undefined
  }

  /** These Changes are kept. */
  count(turn: readonly Change[]): void {
    for (const change of turn) {
      switch (change.type) {
        case "queued":
        case "opened":
        case "subscribed":
        case "will set":
          this.#there++
          break
        case "retained":
          this.#there += change.sequence === 0 ? -1 : 1
          this.#ended++ // it may be in the place of another
          break
        case "done":
        case "ended":
        case "unsubscribed":
        case "will cleared":
          this.#there--
          this.#ended++
          break
        case "released":
          this.#ended++ // its message
      }
    }
  }

  /** So many bytes of what was written add to what is kept. */
  add(bytes: number): void {
    this.#added += bytes
  }

  /** So much of that was taken back: the disk never had it. */
  takeBack(bytes: number): void {
    this.#added = Math.max(0, this.#added - bytes)
  }

  /** A fold begins, of what has been counted until now. */
  folding(): Fold {
    const [there, ended, added] = [this.#there, this.#ended, this.#added]
    const rest = (worthIt: boolean) => {
      this.#foldPause = worthIt ? shortPause : Math.min(2 * this.#foldPause, longPause)
      this.#nextFold = this.#pace.now() + this.#foldPause
    }
    return {
      made: (found, before, after) => {
        this.#there += found.there - there
        this.#ended -= ended
        this.#base = after + bytesToCome * found.growing
        this.#added = Math.max(0, this.#added - added)
        rest(after < before - before / 16 || !this.#isFull(before))
      },
      failed: () => rest(false),
    }
  }

  /** Of a message: more, past the seven sixteenths, could leave no room for a snapshot. */
  get largest(): number | undefined {
    return this.#maximumBytes === Number.POSITIVE_INFINITY ? undefined : Math.floor(this.#maximumBytes / 16)
  }

  /** Why nothing more is to be kept, in one line. @param bytes of snapshot and journals; @param more on their way to them */
  full(bytes: number, more = 0): string | undefined {
    const most = (this.#maximumBytes * 7) / 16
    const { path } = this.#folder
    if (this.#passesLimit(bytes + more)) {
      const has = `${bytes + more} bytes, and keeps ${Math.floor(most)} of the ${this.#maximumBytes} that it may have`
      return `${path} has ${has}; raise the limit, or let clients take what waits`
    }
    if (this.#tight(bytes + more, more)) {
      const has = `${bytes + more} bytes of the ${this.#maximumBytes} that it may have, and the rest is for folding it`
      return `${path} has ${has}; raise the limit, or let clients take what waits`
    }
    if (!this.diskIsFull(bytes + more)) return undefined
    return `${path} is on a disk that is almost full; make room on it, or let clients take what waits`
  }

  /** What is left of the disk is for what ends messages, which makes room once it is folded. */
  diskIsFull(bytes: number): boolean {
    return bytes > this.#diskBytes - this.#diskReserve
  }

  get #diskReserve(): number {
    return Math.min(diskReserve, (this.#diskBytes * 9) / 16)
  }

  /**
   * Bytes that are left beside snapshot, journals and another snapshot of all that may be kept: below 0 there might never be one.
   * @param bytes of snapshot and journals; @param more of them that may add to what is kept, and are not counted yet
   */
  #spare(bytes: number, more: number): number {
    return this.#maximumBytes - bytes - snapshotBytes(this.#base + this.#added + more)
  }

  #tight(bytes: number, more: number): boolean {
    return this.#spare(bytes, more) < (roomWhenFull / 16) * this.#maximumBytes
  }

  /** @param bytes of snapshot and journals, with what follows of what was taken; @param more what that adds */
  mayGrow(bytes: number, more: number): boolean {
    if (this.#spare(bytes, more) < (roomToGrow / 16) * this.#maximumBytes) return false
    // Half of what is left of the disk is for what ends messages, and for nothing else.
    return bytes <= this.#diskBytes - this.#diskReserve / 2
  }

  /** A turn leaves room for a fold. @param bytes of snapshot and journals with it; @param more what it adds */
  fits(bytes: number, more: number): boolean {
    return this.#spare(bytes, more) >= 0
  }

  /** Of a turn that is written in parts, bytes of one. */
  get part(): number {
    return this.#maximumBytes / 64
  }

  /**
   * Why not even what ends messages has room, in one line: of a turn that leaves none for a fold, and there has just been one.
   * @param bytes of snapshot and journals, with the turn
   */
  refusal(bytes: number): string | undefined {
    if (bytes <= (this.#maximumBytes * 3) / 4) return undefined
    const most = `three quarters of the ${this.#maximumBytes} that ${this.#folder.path} may have`
    return `the store is full: ${bytes} bytes are more than ${most}; raise the limit`
  }

  /** @throws StoreError when a snapshot may not have so many bytes beside the other files */
  take(bytes: number): void {
    if (bytes > this.#maximumBytes)
      throw new StoreError(`it may have ${this.#maximumBytes} bytes and no more; raise the limit`)
  }

  /** The folder's limit is near: what is done with is folded before a turn, if that can be much; or as it has room now. */
  foldsBefore({ snapshot, journals }: Sizes, turn: number): boolean {
    const bytes = snapshot + journals + turn
    if (this.#passesLimit(bytes) && journals > this.#maximumBytes / 32) return true
    return this.#spare(bytes, 0) < (roomToFold / 16) * this.#maximumBytes && journals > this.#maximumBytes / 128
  }

  /**
   * A snapshot is written as often as there is as much to fold: each byte is written twice in all. More often where room is
   * scarce, as what is done would fill it; but not where another snapshot has none beside the last, unless that is worth it.
   */
  folds(sizes: Sizes, journal: number): boolean {
    const { snapshot } = sizes
    const room = snapshot < this.#diskBytes / 2 ? this.#diskBytes : Number.POSITIVE_INFINITY
    if (journal > Math.min(Math.max(this.#foldAfter, snapshot), this.#maximumBytes / 8, room / 8)) return true
    return this.foldsFull(sizes)
  }

  /**
   * It is full, and things have ended since the last fold: a quarter of them, where that has room for certain, else half. How many
   * bytes these had is not known, and one may be nearly all: so fewer are tried now and then, the less often the less that gives.
   */
  foldsFull({ snapshot, journals }: Sizes, more = 0): boolean {
    const bytes = snapshot + journals
    if (this.#ended === 0 || !this.#isFull(bytes, more)) return false
    const there = Math.max(0, this.#there)
    return this.#ended > (this.diskIsFull(bytes) ? there : there / 3) || this.#pace.now() >= this.#nextFold
  }

  #isFull(bytes: number, more = 0): boolean {
    return this.#passesLimit(bytes + more) || this.#tight(bytes + more, more) || this.diskIsFull(bytes + more)
  }

  #passesLimit(bytes: number): boolean {
    return bytes > (this.#maximumBytes * 7) / 16
  }
}
