// The files of a folder that say together what was committed: the last snapshot, and the journals that follow it by number.
// They are read twice: once to know who keeps which message, and once more for what is in those that are kept.

import { copyOf } from "../packet/bytes.ts"
import type { Change } from "../packet/change.ts"
import { decodeTurn } from "../packet/change-encoding.ts"
import { type Folder, type Pace, reasonOf, StoreError, type StoreFile } from "./folder.ts"
import { Image } from "./image.ts"
import {
  type Fault,
  type Head,
  headLength,
  type Kind,
  type RecordFormat,
  RecordReader,
  recordHeadLength,
} from "./records.ts"

export interface HistoryFile {
  readonly kind: Kind
  readonly number: number
  readonly name: string
  /** Bytes of it that count. */
  size: number
  /** What is after those: a record that a crash has cut off, or that was not written as a whole. */
  torn: number
  /** Of what is in it; 0: not known. */
  version: number
  /** Bytes that it had when it was left, where the journal after it says so. */
  left?: number | undefined
}

/** Where a history ends before its last file. */
export interface Cut {
  readonly file: HistoryFile
  /** Bytes of it that count no more, or are not there. */
  readonly bytes: number
  /** What came after it, and counts no more. */
  readonly later: readonly HistoryFile[]
  /** Turns that were committed are lost by it, with the power. */
  readonly turns: boolean
}

export interface History {
  /** In the order in which they are to be read. */
  readonly files: readonly HistoryFile[]
  /** What a crash has left behind: a snapshot that was not finished, or what a newer one has in it. */
  readonly leftovers: readonly string[]
}

export function nameOf(kind: Kind, number: number): string {
  return `${kind}-${String(number).padStart(10, "0")}`
}

/** A snapshot of this name is not finished. */
export function unfinished(name: string): string {
  return `${name}.new`
}

/** One line for people, but for what is done about it. */
export function lossOf(folder: Folder, { file, bytes, later, turns }: Cut): string | undefined {
  if (!turns) return undefined
  const files = later.map(({ name, size }) => `${name} (${size} bytes)`).join(", ")
  const lacks = `${folder.path}/${file.name} lacks ${bytes} bytes from offset ${file.size} on`
  return `power was lost before the disk had all that was acknowledged: ${lacks}, so what came after them is lost too, in ${files}; durability "power" prevents that`
}

function filesOf(folder: Folder): ReturnType<Folder["list"]> {
  try {
    return folder.list()
  } catch (error) {
    throw new StoreError(`cannot look into ${folder.path}: ${reasonOf(error)}`)
  }
}

/** Throws StoreError when a file is missing. */
export function historyOf(folder: Folder): History {
  const found: HistoryFile[] = []
  const leftovers: string[] = []
  for (const { name, size } of filesOf(folder)) {
    const match = /^(journal|snapshot)-(\d{10,15})(\.new)?$/.exec(name)
    if (match === null) continue
    const kind = match[1] === "journal" ? "journal" : "snapshot"
    if (match[3] !== undefined) leftovers.push(name)
    else found.push({ kind, number: Number(match[2]), name, size, torn: 0, version: 0 })
  }
  found.sort((a, b) => a.number - b.number)
  const snapshot = found.filter(({ kind }) => kind === "snapshot").at(-1)
  let next = snapshot === undefined ? 1 : snapshot.number + 1
  const files = snapshot === undefined ? [] : [snapshot]
  for (const file of found) {
    if (file === snapshot) continue
    if (file.kind === "snapshot" || file.number < next) leftovers.push(file.name)
    else if (file.number > next) throw missing(folder, nameOf("journal", next))
    else {
      files.push(file)
      next++
    }
  }
  return { files, leftovers }
}

function missing(folder: Folder, name: string): StoreError {
  return new StoreError(
    `${folder.path}/${name} is missing, and later files are there; nothing was changed: ${folder.remedy}`,
  )
}

/** How long others wait for a slice of this work, in milliseconds. */
const slice = 5

/** Gives way to others now and then. */
export class Slices {
  readonly #pace: Pace
  #since: number

  constructor(pace: Pace) {
    this.#pace = pace
    this.#since = pace.now()
  }

  /** It is time to. */
  get over(): boolean {
    return this.#pace.now() - this.#since >= slice
  }

  async rest(): Promise<void> {
    await this.#pace.breathe()
    this.#since = this.#pace.now()
  }
}

const outline = "outline"

/** What is left out instead of refused: nothing; turns that the disk never had; or also what comes after damage. */
export type Lenience = "none" | "unwritten" | "damage"

/** Reads the files of a history. Throws StoreError, in one line with file and offset, for what cannot be read. */
export class HistoryReader {
  readonly #folder: Folder
  readonly #format: RecordFormat
  readonly #pace: Pace
  readonly #lenience: Lenience
  readonly #walkPlaces: number | undefined
  readonly #heads: Map<HistoryFile, Head | Fault> = new Map()
  /** Why reading ended before the end of the files, where it may. */
  damage: StoreError | undefined
  cut: Cut | undefined

  /** @param walkPlaces of the image */
  constructor(folder: Folder, format: RecordFormat, pace: Pace, lenience: Lenience, walkPlaces?: number) {
    this.#folder = folder
    this.#format = format
    this.#pace = pace
    this.#lenience = lenience
    this.#walkPlaces = walkPlaces
  }

  /** What all of them make. Sets size and `torn` of those that have less than their size, or more than counts. */
  async image(files: readonly HistoryFile[]): Promise<Image> {
    const image = new Image(this.#walkPlaces)
    if (this.#lenience !== "none") await this.#readHeads(files)
    await this.#each(
      files,
      (change) => image.apply(change),
      () => image.settle(),
      outline,
    )
    return image
  }

  /** Those of the same files that count. */
  kept(files: readonly HistoryFile[]): readonly HistoryFile[] {
    return files.filter((file) => this.cut?.later.includes(file) !== true)
  }

  /** Visits the messages that an image of the same files takes; their byte arrays are the visitor's. */
  async messages(
    files: readonly HistoryFile[],
    image: Image,
    visit: (change: Change) => Promise<void> | undefined,
  ): Promise<void> {
    let missing = image.counts().messages
    if (missing === 0) return
    const taken: Change[] = []
    const take = (change: Change) => {
      if (change.type !== "message" || !image.takes(change)) return
      taken.push({ ...change, properties: copyOf(change.properties), payload: copyOf(change.payload) })
    }
    await this.#each(
      this.kept(files),
      take,
      () => true,
      async () => {
        for (const change of taken) {
          const answer = visit(change)
          if (answer !== undefined) await answer
        }
        missing -= taken.length
        taken.length = 0
        return missing > 0
      },
    )
  }

  /** What the heads of journals say of those before them. */
  async #readHeads(files: readonly HistoryFile[]): Promise<void> {
    for (const [index, file] of files.entries()) {
      const before = files[index - 1]
      if (before === undefined || file.kind === "snapshot") continue
      const head = await this.#using(file, (handle) => {
        const reader = new RecordReader(handle, file.size, this.#format, headLength)
        return this.#reading(file, reader.head(file.kind, file.number))
      })
      this.#heads.set(file, head)
      // Else an end that is missing before it would be told first.
      if ("problem" in head && head.later && this.#lenience !== "damage")
        throw this.#cannotRead(file, head.at, head.problem, head.later)
      if (before.kind === "snapshot" || "problem" in head || head.previous === undefined) continue
      if (head.previous === 0) this.#heads.set(file, noneBefore)
      else before.left = head.previous
    }
  }

  /** @param goOn is called after each record; "outline": messages come without what is in them */
  async #each(
    files: readonly HistoryFile[],
    visit: (change: Change) => void,
    turnEnds: () => boolean,
    goOn: (() => Promise<boolean>) | typeof outline,
  ): Promise<void> {
    const slices = new Slices(this.#pace)
    for (const file of files) {
      let ends = false
      try {
        const fault = await this.#using(file, (handle) => this.#records(file, handle, slices, visit, turnEnds, goOn))
        if (fault === "enough") return
        if (fault !== undefined) this.#cut(files, file, fault)
      } catch (error) {
        if (!(error instanceof StoreError) || this.#lenience !== "damage") throw error
        this.damage = error
        ends = true
      }
      while (!turnEnds()) await slices.rest()
      if (ends || this.cut?.file === file) return
    }
  }

  async #records(
    file: HistoryFile,
    handle: StoreFile,
    slices: Slices,
    visit: (change: Change) => void,
    turnEnds: () => boolean,
    goOn: (() => Promise<boolean>) | typeof outline,
  ): Promise<Fault | "enough" | undefined> {
    // More is of a turn that failed, and was written anew in the next journal.
    const size = Math.min(file.size, file.left ?? file.size)
    const reader = new RecordReader(handle, size, this.#format)
    const head = await this.#reading(file, reader.head(file.kind, file.number))
    const told = this.#heads.get(file) ?? head
    if ("problem" in told) return told
    file.version = told.version
    let complete = file.kind === "journal"
    for (;;) {
      const next = reader.next()
      const record = next instanceof Promise ? await this.#reading(file, next) : next
      if (record === undefined) break
      if ("problem" in record) return record
      if (complete && file.kind === "snapshot") return beyond(reader.at - record.length)
      if (record.length === 0) {
        if (complete) return beyond(reader.at)
        complete = true
        continue
      }
      const at = reader.at - record.length
      const problem = decodeTurn(record, visit, goOn === outline)
      if (problem !== undefined) throw this.#cannotRead(file, at + problem.at, problem.problem)
      if (file.kind === "journal") while (!turnEnds()) await slices.rest()
      if (goOn !== outline && !(await goOn())) return "enough"
      if (slices.over) await slices.rest()
    }
    if (!complete) return { at: size, problem: "its end is missing", torn: false, later: false }
    if (size < (file.left ?? 0)) return { at: size, problem: "its end is missing", torn: true, later: false }
    if (size < file.size) {
      file.torn = file.size - size
      file.size = size
    }
    return undefined
  }

  async #using<T>(file: HistoryFile, work: (handle: StoreFile) => Promise<T>): Promise<T> {
    let handle: StoreFile
    try {
      handle = await this.#folder.open(file.name)
    } catch (error) {
      throw new StoreError(`cannot open ${this.#folder.path}/${file.name}: ${reasonOf(error)}`)
    }
    try {
      return await work(handle)
    } finally {
      await handle.close()
    }
  }

  async #reading<T>(file: HistoryFile, read: Promise<T>): Promise<T> {
    try {
      return await read
    } catch (error) {
      throw new StoreError(`cannot read ${this.#folder.path}/${file.name}: ${reasonOf(error)}`)
    }
  }

  /** The file ends at the fault, and so does the history, when that is the disk's lack of what came last. All else is damage. */
  #cut(files: readonly HistoryFile[], file: HistoryFile, fault: Fault): void {
    const later = files.slice(files.indexOf(file) + 1)
    if (!fault.torn || !this.#mayEndEarly(file, later))
      throw this.#cannotRead(file, fault.at, fault.problem, fault.later)
    if (later.length > 0) {
      const turns = file.left !== undefined || !later.every((file) => this.#hasNoTurn(file))
      this.cut = { file, bytes: (file.left ?? file.size) - fault.at, later, turns }
    }
    file.torn = file.size - fault.at
    file.size = fault.at
    file.left = undefined
  }

  #mayEndEarly(file: HistoryFile, later: readonly HistoryFile[]): boolean {
    if (this.#lenience === "none" || file.kind === "snapshot") return false
    if (later.length === 0 || file.left !== undefined) return true
    // A journal of version 1 has turns only when the disk has all of the one before.
    return later[0] !== undefined && (this.#isUnwritten(later[0]) || later.every((file) => this.#hasNoTurn(file)))
  }

  #isUnwritten(file: HistoryFile): boolean {
    const head = this.#heads.get(file)
    return head !== undefined && "problem" in head && head.torn
  }

  #hasNoTurn(file: HistoryFile): boolean {
    const head = this.#heads.get(file)
    if (head === undefined || "problem" in head) return this.#isUnwritten(file)
    return file.size < head.length + recordHeadLength
  }

  #cannotRead(file: HistoryFile, at: number, problem: string, later = false): StoreError {
    const where = `${this.#folder.path}/${file.name}`
    if (later)
      return new StoreError(
        `cannot use ${where}: ${problem}; use a newer version of the broker, or ${this.#folder.instead}`,
      )
    return new StoreError(
      `${where} is damaged at offset ${at}: ${problem}; nothing was changed: ${this.#folder.remedy}`,
    )
  }
}

const noneBefore: Fault = { at: 0, problem: "its head says that no journal is before it", torn: false, later: false }

function beyond(at: number): Fault {
  return { at: at - recordHeadLength, problem: "a record that should not be there", torn: false, later: false }
}
