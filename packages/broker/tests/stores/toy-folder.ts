// A folder in memory that fails, loses power or dies at a chosen step, and says what is left then.

import type { Folder, Pace, StoreFile } from "../../src/stores/folder.ts"
import type { Seeded } from "./random-changes.ts"

export class Inode {
  content = new Uint8Array(0)
  /** What is on the disk for certain. */
  durable = new Uint8Array(0)
  /** Grows with each sync that begins; and which of them was the last that counts. */
  begun = 0
  counted = 0

  resize(length: number): void {
    const grown = new Uint8Array(length)
    grown.set(this.content.subarray(0, length))
    this.content = grown
  }

  copy(content: Uint8Array, durable: Uint8Array = content): Inode {
    const inode = new Inode()
    inode.content = new Uint8Array(content)
    inode.durable = new Uint8Array(durable)
    return inode
  }
}

export interface Trouble {
  /** Counted from 1; the steps are what changes something. */
  readonly at: number
  /** "once": this step fails; "death": all from it on. */
  readonly kind: "once" | "death"
  readonly code?: string
}

export class ToyFolder implements Folder {
  readonly path = "FOLDER"
  readonly remedy = "REMEDY"
  readonly instead = "another folder"
  readonly entries: Map<string, Inode>
  readonly #durable: Map<string, Inode>
  steps = 0
  trouble: Trouble | undefined
  /** Files of such names cannot be made. */
  refused: RegExp | undefined
  /** No file gets to the disk. */
  failing = false
  /** Bytes that fit in it. */
  capacity: number = Number.POSITIVE_INFINITY
  /** What a sync waits for beside its own steps. */
  late: (() => Promise<void>) | undefined
  /** Syncs under way now, and at most. */
  syncing = 0
  mostSyncing = 0

  constructor(entries: Map<string, Inode> = new Map(), durable: Map<string, Inode> = entries) {
    this.entries = entries
    this.#durable = new Map(durable)
  }

  get size(): number {
    let size = 0
    for (const { content } of this.entries.values()) size += content.length
    return size
  }

  list() {
    return [...this.entries].map(([name, { content }]) => ({ name, size: content.length }))
  }

  async create(name: string): Promise<StoreFile> {
    this.step()
    if (this.refused?.test(name)) throw fault("EACCES")
    const inode = new Inode()
    this.entries.set(name, inode)
    return new ToyFile(this, inode)
  }

  async open(name: string): Promise<StoreFile> {
    const inode = this.entries.get(name)
    if (inode === undefined) throw fault("ENOENT")
    return new ToyFile(this, inode)
  }

  async rename(from: string, to: string): Promise<void> {
    this.step()
    const inode = this.entries.get(from)
    if (inode === undefined) throw fault("ENOENT")
    this.entries.delete(from)
    this.entries.set(to, inode)
  }

  async remove(name: string): Promise<void> {
    this.step()
    if (!this.entries.delete(name)) throw fault("ENOENT")
  }

  async sync(): Promise<void> {
    const entries = [...this.entries]
    await this.sluggishly(async () => {
      this.step()
      this.#durable.clear()
      for (const [name, inode] of entries) this.#durable.set(name, inode)
    })
  }

  async room(): Promise<number> {
    return this.capacity - this.size
  }

  async sluggishly(sync: () => Promise<void>): Promise<void> {
    this.mostSyncing = Math.max(this.mostSyncing, ++this.syncing)
    try {
      await this.late?.()
      await sync()
    } finally {
      this.syncing--
    }
  }

  /** Throws when it is the step that fails. */
  step(): void {
    this.steps++
    if (this.trouble === undefined || this.steps < this.trouble.at) return
    if (this.trouble.kind === "death" || this.steps === this.trouble.at) throw fault(this.trouble.code ?? "EIO")
  }

  /** What is there when the process has died. */
  afterDeath(): ToyFolder {
    return new ToyFolder(new Map([...this.entries].map(([name, inode]) => [name, inode.copy(inode.content)])))
  }

  /** The same, and the machine goes on: what was not on the disk is not there yet. */
  afterKill(): ToyFolder {
    const copies = new Map<Inode, Inode>()
    const copy = (inode: Inode): Inode => {
      const made = copies.get(inode) ?? inode.copy(inode.content, inode.durable)
      copies.set(inode, made)
      return made
    }
    const copied = (map: Map<string, Inode>) => new Map([...map].map(([name, inode]) => [name, copy(inode)] as const))
    return new ToyFolder(copied(this.entries), copied(this.#durable))
  }

  /** All that may be there when the machine has lost power: each file has lost what `cuts` say, each change of the folder is or is not. */
  *powerLosses(cuts: (inode: Inode, name: string) => readonly Uint8Array[]): Generator<ToyFolder, void, undefined> {
    const choices: (readonly [string, Uint8Array | undefined])[][] = []
    for (const name of new Set([...this.entries.keys(), ...this.#durable.keys()])) {
      const choice: (readonly [string, Uint8Array | undefined])[] = []
      for (const inode of new Set([this.entries.get(name), this.#durable.get(name)])) {
        const left = inode === undefined ? [undefined] : cuts(inode, name)
        for (const content of left) choice.push([name, content])
      }
      choices.push(choice)
    }
    for (const chosen of combinations(choices)) {
      const left = new Map<string, Inode>()
      for (const [name, content] of chosen) if (content !== undefined) left.set(name, new Inode().copy(content))
      yield new ToyFolder(left)
    }
  }

  /** What may be there when the machine has lost power: what was synced, and any part of the rest. */
  afterPowerLoss(random: Seeded): ToyFolder {
    const left = new Map<string, Inode>()
    for (const name of new Set([...this.entries.keys(), ...this.#durable.keys()])) {
      const inode = (random.chance(0.5) ? this.entries : this.#durable).get(name)
      if (inode !== undefined) left.set(name, inode.copy(survived(inode, random)))
    }
    return new ToyFolder(left)
  }
}

function* combinations<T>(choices: readonly (readonly T[])[]): Generator<T[], void, undefined> {
  const [first, ...rest] = choices
  if (first === undefined) return yield []
  for (const others of combinations(rest)) for (const one of first) yield [one, ...others]
}

function survived({ content, durable }: Inode, random: Seeded): Uint8Array {
  if (content.length <= durable.length || random.chance(0.3)) return durable
  const length = durable.length + random.below(content.length - durable.length + 1)
  const left = new Uint8Array(content.subarray(0, length))
  // A system may have made the file longer before it wrote the bytes.
  const blank = random.below(length - durable.length + 1)
  if (blank >= 16) left.fill(0, length - blank)
  return left
}

class ToyFile implements StoreFile {
  readonly #folder: ToyFolder
  readonly #inode: Inode
  #open = true

  constructor(folder: ToyFolder, inode: Inode) {
    this.#folder = folder
    this.#inode = inode
  }

  async read(out: Uint8Array, from: number): Promise<number> {
    this.#check()
    const part = this.#inode.content.subarray(from, from + Math.min(out.length, 700))
    out.set(part)
    return part.length
  }

  write(bytes: Uint8Array, from: number): number {
    this.#check()
    try {
      this.#folder.step()
    } catch (error) {
      this.#put(bytes.subarray(0, bytes.length >> 1), from)
      throw error
    }
    const room = this.#folder.capacity - this.#folder.size + Math.max(0, this.#inode.content.length - from)
    if (room <= 0) throw fault("ENOSPC")
    const fits = bytes.subarray(0, Math.min(bytes.length, room))
    this.#put(fits, from)
    return fits.length
  }

  async writeBeside(bytes: Uint8Array, from: number): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += this.write(bytes.subarray(at), from + at)
  }

  truncate(length: number): void {
    this.#check()
    this.#folder.step()
    this.#inode.resize(length)
    this.#inode.counted = this.#inode.begun + 1
    if (this.#inode.durable.length > length)
      this.#inode.durable = new Uint8Array(this.#inode.durable.subarray(0, length))
  }

  async sync(): Promise<void> {
    this.#check()
    const content = new Uint8Array(this.#inode.content)
    const begun = ++this.#inode.begun
    await this.#folder.sluggishly(async () => {
      for (let n = this.#folder.steps % 4; n >= 0; n--) await new Promise((resolve) => setImmediate(resolve))
      this.#folder.step()
      if (this.#folder.failing) throw fault("EIO")
      if (begun < this.#inode.counted) return // one that began later has more
      this.#inode.counted = begun
      this.#inode.durable = content
    })
  }

  async close(): Promise<void> {
    this.#check()
    this.#open = false
  }

  #put(bytes: Uint8Array, from: number): void {
    if (from + bytes.length > this.#inode.content.length) this.#inode.resize(from + bytes.length)
    this.#inode.content.set(bytes, from)
  }

  #check(): void {
    if (!this.#open) throw fault("EBADF")
  }
}

function fault(code: string): Error {
  return Object.assign(new Error(`${code}: toy`), { code })
}

export const toyPace: Pace = {
  now: () => performance.now(),
  after(milliseconds, work) {
    const timer = setTimeout(work, milliseconds)
    return () => clearTimeout(timer)
  },
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
}
