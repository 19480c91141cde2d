// A store in a folder: each turn is appended to a journal with a checksum, and now and then journals are folded into a snapshot
// by reading the files back, so no message is in memory for it.

import type { Change } from "../packet/change.ts"
import { encodeTurn } from "../packet/change-encoding.ts"
import { TurnWriter } from "../packet/turn-fields.ts"
import { type WorkingMemory, workingMemory } from "../packet/working-memory.ts"
import { Pause } from "../ports/pause.ts"
import type { Committed, Restored, Store, StoreFailed, StoreNumbers } from "../ports/store.ts"
import { type Folder, type Pace, reasonOf, StoreError, type StoreFile } from "./folder.ts"
import { type HistoryFile, HistoryReader, historyOf, nameOf, Slices, unfinished } from "./history.ts"
import type { Image, ImageCounts } from "./image.ts"
import { partsOf } from "./parts.ts"
import { headLength, type Kind, RecordFormat, recordHeadLength, schemaVersion } from "./records.ts"
import { repair } from "./repair.ts"
import { type Fold, type RoomOptions, type Sizes, StoreRoom, type Things } from "./room.ts"
import { writeSnapshot } from "./snapshot.ts"

export interface FileStoreOptions extends RoomOptions {
  /**
   * What a turn outlives when it is committed: "process" (the default), the end of the broker, `kill -9` included; "power", also
   * that of the machine: commits wait for the disk.
   */
  readonly durability?: "process" | "power" | undefined
  /** Milliseconds for which turns are collected before they are written, for flash; 0, the default: none. Commits wait for it. */
  readonly flushInterval?: number | undefined
  /** Bytes of heap for what it works with; default 512 MiB. */
  readonly heap?: number | undefined
  /** Told in one line what nobody else is: what a crash has cut off, and why journals could not be folded. */
  readonly onNote?: ((line: string) => void) | undefined
}

/** Milliseconds after a snapshot that could not be written; and after one for which the disk has no room. */
const foldPause = 10_000
const foldPauseWhenFull = 60_000

/** Milliseconds between two looks at whether the journal is still where it was. */
const lookInterval = 1000

/**
 * Opens the store in a folder that nobody else has open. Reads all of it; rejects with StoreError, and changes nothing, when
 * something cannot be read. `release` is called when it is closed.
 */
export async function openStoreIn(
  folder: Folder,
  pace: Pace,
  options: FileStoreOptions,
  release: () => Promise<void>,
): Promise<FileStore> {
  const format = new RecordFormat()
  const { files, leftovers } = historyOf(folder)
  const reader = new HistoryReader(folder, format, pace, "unwritten", workingMemory(options.heap).walkPlaces)
  const image = await reader.image(files)
  const kept = reader.kept(files)
  const store = new FileStore(folder, pace, options, format, kept, image, release)
  await store.begin(() => repair(folder, kept, leftovers, reader.cut, options.onNote ?? (() => {})))
  return store
}

/** A turn that is not answered yet. */
interface Waiting {
  readonly pause: Pause<Committed>
  readonly turn: readonly Change[]
}

export class FileStore implements Store {
  readonly lasting = true
  readonly #folder: Folder
  readonly #pace: Pace
  readonly #format: RecordFormat
  readonly #note: (line: string) => void
  readonly #power: boolean
  readonly #flushInterval: number
  readonly #room: StoreRoom
  readonly #working: WorkingMemory
  readonly #release: () => Promise<void>

  /** Snapshot and journals; the last journal is the one that grows. */
  #files: HistoryFile[]
  /** Of `restore`, until it is called. */
  #image: Image | undefined
  #counts: ImageCounts

  #journal: StoreFile | undefined
  /** Bytes of the journal that count, and how many of them are on the disk for certain. */
  #end = 0
  #synced = 0
  /** There may be something after #end. */
  #ragged = false
  /** Journals before it that the disk may not have all of, the oldest first. */
  readonly #behind: Set<string> = new Set()
  /** Bytes of the other files. */
  #others = 0

  /** It is not looked before that whether the journal is where it was. */
  #inPlaceUntil = Number.NEGATIVE_INFINITY

  /** Turns that are not written yet, sealed, and who waits for them. */
  readonly #writer: TurnWriter = new TurnWriter()
  /** How many bytes of them add to what is kept. */
  #adds = 0
  /** Of what was written and the disk may not have yet, what adds to what is kept. */
  #addedUnsynced = 0
  #collected: Waiting[] = []
  #cancelFlush: (() => void) | undefined
  /** Another journal is ready; and with durability "power" turns are collected for it while the disk takes the last of this one. */
  #leaving = false
  #held = false

  /** What was collected is being written as far as there is room, with folds before it. */
  #squeezing: Promise<void> | undefined

  /** Written, not on the disk for certain. */
  #unsynced: Waiting[] = []
  #syncing: Promise<void> | undefined

  #folding: Promise<void> | undefined
  /** Of the snapshot that is being written. */
  #foldBytes = 0
  /** How many were made, and how many could not be. */
  #folds = 0
  #foldsFailed = 0
  /** The last one has left the last journal to turns, which may have had none. */
  #foldFailed = false
  /** After a failure it is not tried again at once. */
  #noFoldBefore = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(
    folder: Folder,
    pace: Pace,
    options: FileStoreOptions,
    format: RecordFormat,
    files: readonly HistoryFile[],
    image: Image,
    release: () => Promise<void>,
  ) {
    this.#folder = folder
    this.#pace = pace
    this.#format = format
    this.#files = [...files]
    this.#image = image
    this.#counts = image.counts()
    this.#release = release
    this.#note = options.onNote ?? (() => {})
    this.#power = options.durability === "power"
    this.#flushInterval = options.flushInterval ?? 0
    this.#working = workingMemory(options.heap)
    this.#room = new StoreRoom(folder, pace, options, thingsOf(image), sizesOf(files))
  }

  /** What was found when it was opened. */
  get counts(): ImageCounts {
    return this.#counts
  }

  /** Bytes of snapshot and journals. */
  get #kept(): number {
    return this.#others + this.#end
  }

  /** Bytes of the files. */
  get size(): number {
    return this.#kept + this.#foldBytes
  }

  /** For who watches it. */
  get numbers(): StoreNumbers {
    this.#room.lookWhenDue(this.size)
    const { size } = this
    return { bytes: size, diskFree: this.#room.free(size), folds: this.#folds, foldsFailed: this.#foldsFailed }
  }

  /** Makes the last journal ready to be appended to, once the files are as they were read. Throws StoreError. */
  async begin(repair: () => Promise<void>): Promise<void> {
    let last: HistoryFile | undefined
    try {
      await repair()
      await this.#dropUnbegun()
      last = this.#files.at(-1)
      const older = last !== undefined && last.version > 0 && last.version < schemaVersion
      // A process that has died may have left to the system's memory what commits from now on stand on.
      for (const { kind, name } of this.#files) {
        if (this.#power) await this.#toDisk(name)
        else if (kind === "journal" && (name !== last?.name || older)) this.#behind.add(name)
      }
      if (last?.kind === "journal" && last.size > 0 && !older) {
        this.#journal = await this.#folder.open(last.name)
        this.#end = last.size
      } else {
        if (last?.kind !== "journal" || older) {
          const number = (last?.number ?? 0) + 1
          const name = nameOf("journal", number)
          last = { kind: "journal", number, name, size: 0, torn: 0, version: schemaVersion }
          this.#files.push(last)
        }
        const before = this.#files.at(-2)
        this.#journal = await this.#folder.create(last.name)
        this.#writeHead(this.#journal, last.number, before?.kind === "journal" ? before.size : 0)
        this.#end = headLength
        await this.#journal.sync()
      }
      await this.#folder.sync()
    } catch (error) {
      throw new StoreError(`cannot write to ${this.#folder.path}: ${reasonOf(error)}`)
    }
    this.#synced = this.#end
    this.#others = this.#sizeOf(this.#files.slice(0, -1))
    await this.#room.look(this.size)
  }

  /** A journal that has no head yet goes: a full disk may have no room for one, and the journal before it goes on. */
  async #dropUnbegun(): Promise<void> {
    const [before, last] = this.#files.slice(-2)
    if (before?.kind !== "journal" || before.version !== schemaVersion || last?.size !== 0) return
    await this.#folder.remove(last.name)
    this.#files.pop()
  }

  async #toDisk(name: string): Promise<void> {
    const file = await this.#folder.open(name)
    await file.sync().finally(() => file.close())
  }

  #writeHead(journal: StoreFile, number: number, previous: number): void {
    writeAll(journal, this.#format.head("journal", number, previous), 0)
  }

  restore(visit: (change: Change) => void): Pause<Restored> {
    const pause = new Pause<Restored>()
    this.#restore(visit).then(
      () => pause.answer("restored"),
      (error: unknown) => pause.answer({ failed: reasonOf(error) }),
    )
    return pause
  }

  async #restore(visit: (change: Change) => void): Promise<void> {
    const image = this.#image
    if (image === undefined) throw new StoreError(`${this.#folder.path} was restored before`)
    this.#image = undefined
    if (this.#counts.missing > 0) {
      this.#note(
        `${this.#folder.path}: references to messages that are not there were left out: ${this.#counts.missing}`,
      )
    }
    const reader = new HistoryReader(this.#folder, this.#format, this.#pace, "none")
    await reader.messages(this.#files, image, (change) => {
      visit(change)
      return undefined
    })
    const slices = new Slices(this.#pace)
    let visited = 0
    for (const change of image.changes({ last: true })) {
      visit(change)
      if (++visited % 500 === 0 && slices.over) await slices.rest()
    }
    this.#foldWhen(this.#room.folds(this.#sizes, this.#journalBytes))
  }

  commit(turn: readonly Change[]): Committed | Pause<Committed> {
    if (this.#closed) return { failed: `${this.#folder.path} is closed` }
    const waits = this.#held || this.#squeezing !== undefined || this.#flushInterval > 0
    if (!waits) this.#clear()
    this.#encode(turn)
    if (waits) return this.#collect(turn)
    if (!this.#fits) {
      const pause = this.#collect(turn)
      this.#squeeze()
      return pause
    }
    const failed = this.#append()
    if (failed !== undefined) return failed
    if (!this.#power) {
      this.#room.count(turn)
      return "committed"
    }
    const pause = new Pause<Committed>()
    this.#unsynced.push({ pause, turn })
    this.#sync()
    return pause
  }

  get largest(): number | undefined {
    return this.#room.largest
  }

  full(more = 0): string | undefined {
    this.#room.lookWhenDue(this.size)
    const why = this.#room.full(this.#kept, more)
    // Who asks may wait for that, and have no turn to write.
    if (why !== undefined)
      this.#foldWhen(this.#room.foldsFull(this.#sizes, more) || this.#room.foldsBefore(this.#sizes, 0))
    return why
  }

  mayGrow(bytes: number): boolean {
    return this.#room.mayGrow(this.#kept + bytes, bytes)
  }

  /** Folds the journals now. Rejects with StoreError when that is not possible. */
  async compact(): Promise<void> {
    while (this.#folding !== undefined) await this.#folding
    const failed = await this.#fold()
    if (failed !== undefined) throw new StoreError(failed)
  }

  close(): Pause<void> {
    const pause = new Pause<void>()
    this.#closed = true
    this.#close().then(
      () => pause.answer(undefined),
      (error: unknown) => {
        this.#note(`${this.#folder.path}: ${reasonOf(error)}`)
        pause.answer(undefined)
      },
    )
    return pause
  }

  async #close(): Promise<void> {
    while (this.#folding !== undefined) await this.#folding
    this.#flush()
    while (this.#squeezing !== undefined) await this.#squeezing
    while (this.#syncing !== undefined) await this.#syncing
    const journal = this.#journal
    this.#journal = undefined
    try {
      await this.#catchUp()
      await journal?.sync()
    } finally {
      await journal?.close().catch(() => {}) // what it has is synced, or that has failed
      await this.#release()
    }
  }

  /* ---------------------------------------------------------------- writing */

  /** Behind what the writer has. */
  #encode(turn: readonly Change[]): void {
    const start = this.#writer.length
    this.#writer.reserve(recordHeadLength)
    this.#writer.length = start + recordHeadLength
    this.#adds += encodeTurn(turn, this.#writer)
    this.#format.seal(this.#writer.bytes, start, this.#writer.length)
  }

  #clear(): void {
    this.#writer.clear()
    this.#adds = 0
  }

  /** What the writer has leaves room for a fold. */
  get #fits(): boolean {
    return this.#room.fits(this.#kept + this.#writer.length, this.#adds)
  }

  #collect(turn: readonly Change[]): Pause<Committed> {
    const pause = new Pause<Committed>()
    this.#collected.push({ pause, turn })
    if (this.#held || this.#squeezing !== undefined) return pause
    if (this.#writer.length >= this.#working.collected) this.#flush()
    else this.#cancelFlush ??= this.#pace.after(this.#flushInterval, () => this.#flush())
    return pause
  }

  /** Writes what was collected. */
  #flush(): void {
    if (this.#held || this.#squeezing !== undefined) return
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    if (this.#collected.length === 0) return
    if (!this.#fits) {
      this.#squeeze()
      return
    }
    const waiting = this.#collected
    this.#collected = []
    const failed = this.#append()
    this.#clear()
    if (failed !== undefined) this.#answer(waiting, failed)
    else if (!this.#power) this.#answer(waiting, "committed")
    else {
      this.#unsynced.push(...waiting)
      this.#sync()
    }
  }

  /** What was collected has no room beside the next fold: it waits for one, and is written in parts where that is not enough. */
  #squeeze(): void {
    if (this.#squeezing !== undefined) return
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    this.#squeezing = this.#squeezeAll().finally(() => {
      this.#squeezing = undefined
      this.#flush()
    })
  }

  async #squeezeAll(): Promise<void> {
    let failed: StoreFailed | undefined
    for (let one = this.#collected.shift(); one !== undefined; one = this.#collected.shift()) {
      for (const part of failed === undefined ? partsOf(one.turn, this.#room.part) : []) {
        failed = await this.#squeezeIn(part)
        if (failed !== undefined) break
      }
      this.#answer([one], failed ?? "committed") // those behind one that has failed fail with it
    }
    this.#clear()
  }

  async #squeezeIn(part: readonly Change[]): Promise<StoreFailed | undefined> {
    this.#clear()
    this.#encode(part)
    const [length, adds] = [this.#writer.length, this.#adds]
    // The first may have begun before what makes room, and that is in the next.
    for (let folds = 0; folds < 2 && !this.#room.fits(this.#kept + length, adds); folds++) {
      if (this.#folding === undefined) this.#foldWhen(this.#journalBytes > headLength)
      if (this.#folding === undefined) break
      await this.#folding
    }
    while (this.#held || this.#leaving) await this.#pace.breathe()
    // Others have been collected meanwhile, behind it.
    this.#clear()
    this.#encode(part)
    const refusal = this.#fits ? undefined : this.#room.refusal(this.#kept + length)
    const failed = refusal === undefined ? this.#append() : { failed: refusal }
    this.#clear()
    if (failed !== undefined || !this.#power) return failed
    // The disk has it before a fold leaves this journal.
    const synced = new Pause<Committed>()
    this.#unsynced.push({ pause: synced, turn: [] })
    this.#sync()
    const answer = await new Promise<Committed>((resolve) => synced.onAnswer(resolve))
    return answer === "committed" ? undefined : answer
  }

  #answer(waiting: readonly Waiting[], answer: Committed): void {
    for (const { pause, turn } of waiting) {
      if (answer === "committed") this.#room.count(turn)
      pause.answer(answer)
    }
  }

  /** All that the writer has, or nothing. */
  #append(): StoreFailed | undefined {
    const bytes = this.#writer.bytes.subarray(0, this.#writer.length)
    this.#foldWhen(this.#room.foldsBefore(this.#sizes, bytes.length))
    if (this.#journal === undefined || !this.#cut()) return this.#failed("its end cannot be cut off")
    if (!this.#isInPlace(this.#journal))
      return this.#failed("it is not there any more; put the folder back, or start the broker anew")
    try {
      writeAll(this.#journal, bytes, this.#end)
    } catch (error) {
      this.#ragged = true
      this.#cut()
      return this.#failed(reasonOf(error))
    }
    this.#end += bytes.length
    this.#room.add(this.#adds)
    if (this.#power) this.#addedUnsynced += this.#adds
    this.#room.lookWhenDue(this.size)
    this.#foldWhen(this.#room.folds(this.#sizes, this.#end))
    return undefined
  }

  /** Who moves the folder away, or deletes it, takes with it what is written: the system goes on writing. */
  #isInPlace(journal: StoreFile): boolean {
    const now = this.#pace.now()
    if (now < this.#inPlaceUntil) return true
    if (journal.isInPlace?.() === false) return false
    this.#inPlaceUntil = now + lookInterval
    return true
  }

  #failed(reason: string): StoreFailed {
    return { failed: `cannot write ${this.#folder.path}/${this.#files.at(-1)?.name}: ${reason}` }
  }

  /** Takes away what a failed write has left after the end. */
  #cut(): boolean {
    if (!this.#ragged) return true
    try {
      this.#journal?.truncate(this.#end)
      this.#ragged = false
    } catch {
      return false // tried again at the next turn
    }
    return true
  }

  /** Sees to it that what is written gets to the disk, and answers those who wait for it. One at a time. */
  #sync(): void {
    if (this.#syncing !== undefined || this.#journal === undefined) return
    const waiting = this.#unsynced
    const end = this.#end
    const added = this.#addedUnsynced
    this.#unsynced = []
    this.#held = this.#leaving
    this.#syncing = this.#journal.sync().then(
      () => {
        this.#syncing = undefined
        this.#synced = end
        this.#addedUnsynced -= added
        if (this.#unsynced.length > 0) this.#sync()
        this.#answer(waiting, "committed")
      },
      (error: unknown) => {
        this.#syncing = undefined
        // What the disk has of them is not known: all of it is taken back, and what came meanwhile with it.
        const all = [...waiting, ...this.#unsynced]
        this.#unsynced = []
        this.#end = this.#synced
        this.#room.takeBack(this.#addedUnsynced)
        this.#addedUnsynced = 0
        this.#ragged = true
        this.#cut()
        this.#answer(all, this.#failed(reasonOf(error)))
      },
    )
  }

  /* ---------------------------------------------------------------- folding */

  get #snapshotBytes(): number {
    return this.#files[0]?.kind === "snapshot" ? this.#files[0].size : 0
  }

  get #journalBytes(): number {
    return this.#others - this.#snapshotBytes + this.#end
  }

  get #sizes(): Sizes {
    return { snapshot: this.#snapshotBytes, journals: this.#journalBytes }
  }

  #foldWhen(due: boolean): void {
    if (!due || this.#folding !== undefined || this.#closed || this.#image !== undefined) return
    if (this.#pace.now() < this.#noFoldBefore) return
    this.#folding = this.#fold().then((failed) => {
      this.#folding = undefined
      if (failed === undefined || this.#closed) return
      this.#noFoldBefore = this.#pace.now() + (this.#room.diskIsFull(this.#kept) ? foldPauseWhenFull : foldPause)
      this.#note(failed)
    })
  }

  /** Makes a snapshot of all that is committed until now. Returns why not. */
  async #fold(): Promise<string | undefined> {
    const folder = this.#folder
    let made: string | undefined
    let fold: Fold | undefined
    try {
      fold = this.#isUnused ? await this.#foldBefore() : await this.#changeJournal()
      this.#foldFailed = true // until it is not
      const files = this.#files.slice(0, -1)
      const number = files.at(-1)?.number ?? 0
      const name = nameOf("snapshot", number)
      made = unfinished(name)
      const { size, found } = await this.#writeSnapshot(made, number, files)
      await folder.rename(made, name)
      made = undefined
      fold.made(found, this.#sizeOf(files), size)
      await folder.sync()
      this.#files = [
        { kind: "snapshot", number, name, size, torn: 0, version: schemaVersion },
        ...this.#files.slice(files.length),
      ]
      this.#foldFailed = false
      this.#folds++
      for (const file of files) await folder.remove(file.name)
      return undefined
    } catch (error) {
      this.#foldsFailed++
      if (made !== undefined) {
        fold?.failed()
        await folder.remove(made).catch(() => {}) // else when it is opened again
      }
      return `cannot fold the journals of ${folder.path}: ${reasonOf(error)}`
    } finally {
      this.#foldBytes = 0
      this.#others = this.#sizeOf(this.#files.slice(0, -1))
    }
  }

  async #writeSnapshot(
    name: string,
    number: number,
    files: readonly HistoryFile[],
  ): Promise<{ readonly size: number; readonly found: Pick<Things, "there" | "growing"> }> {
    const { walkPlaces } = this.#working
    const reader = new HistoryReader(this.#folder, this.#format, this.#pace, "none", walkPlaces)
    const image = await reader.image(files)
    const found = thingsOf(image)
    const target = await this.#folder.create(name)
    try {
      const source = { files, reader, image }
      const size = await writeSnapshot(target, number, source, this.#format, this.#pace, (bytes) =>
        this.#takeRoom(bytes),
      )
      await target.sync()
      return { size, found }
    } finally {
      await target.close()
    }
  }

  #takeRoom(bytes: number): void {
    if (this.#closed) throw new StoreError("it is closed")
    this.#room.take(this.size + bytes)
    this.#foldBytes += bytes
  }

  /** The last journal has nothing, and another is before it: a fold that has failed has left it. */
  get #isUnused(): boolean {
    return this.#foldFailed && this.#end <= headLength && this.#files.at(-2)?.kind === "journal"
  }

  /** What is before the last journal is folded. */
  async #foldBefore(): Promise<Fold> {
    const fold = this.#room.folding()
    await this.#catchUp()
    return fold
  }

  /** Turns go to a new journal, and none waits for the disk because of that. Then the disk has all of the one before. */
  async #changeJournal(): Promise<Fold> {
    const old = this.#journal
    const last = this.#files.at(-1)
    if (old === undefined || last === undefined) throw new StoreError("it is closed")
    const number = last.number + 1
    const name = nameOf("journal", number)
    const next: HistoryFile = { kind: "journal", number, name, size: headLength, torn: 0, version: schemaVersion }
    const journal = await this.#folder.create(name)
    let fold: Fold
    try {
      await this.#folder.sync() // a journal that has something is never missing
      fold = await this.#leave(last, next, journal)
    } catch (error) {
      await journal.close()
      await this.#folder.remove(name).catch(() => {}) // else when it is opened again
      throw error
    }
    await old.close()
    await this.#catchUp()
    return fold
  }

  /** The disk has all of the journals before the last. */
  async #catchUp(): Promise<void> {
    for (const name of this.#behind) {
      await this.#toDisk(name)
      this.#behind.delete(name)
    }
  }

  async #leave(last: HistoryFile, next: HistoryFile, journal: StoreFile): Promise<Fold> {
    this.#leaving = true
    try {
      while (this.#syncing !== undefined) await this.#syncing
      this.#writeHead(journal, next.number, this.#end)
      last.size = this.#end
      if (!this.#power) this.#behind.add(last.name)
      this.#files.push(next)
      this.#others = this.#sizeOf(this.#files.slice(0, -1))
      this.#journal = journal
      this.#end = headLength
      this.#synced = headLength
      this.#ragged = false
      return this.#room.folding() // what comes from now on is not folded
    } finally {
      this.#leaving = false
      this.#held = false
      this.#flush()
    }
  }

  #sizeOf(files: readonly HistoryFile[]): number {
    return files.reduce((sum, { size }) => sum + size, 0)
  }
}

function sizesOf(files: readonly HistoryFile[]): Sizes {
  const size = (kind: Kind) => files.reduce((sum, file) => sum + (file.kind === kind ? file.size : 0), 0)
  return { snapshot: size("snapshot"), journals: size("journal") }
}

/** Of messages that nobody keeps it is not known how many had them: as many, about, as have the others. */
function thingsOf(image: Image): Things {
  const { sessions, subscriptions, wills, queued, retained, messages } = image.counts()
  const dead = image.messagesSeen - messages
  const ended = messages === 0 ? dead : Math.ceil(((queued + retained) / messages) * dead)
  const growing = sessions + queued
  return { there: growing + subscriptions + wills + retained, growing, ended }
}

function writeAll(file: StoreFile, bytes: Uint8Array, from: number): void {
  for (let at = 0; at < bytes.length; ) {
    const written = file.write(at === 0 ? bytes : bytes.subarray(at), from + at)
    if (written === 0) throw new StoreError("nothing was written")
    at += written
  }
}
