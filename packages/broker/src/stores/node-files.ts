// The file system of Node.js, which Deno and Bun have too, for a store in a folder.

import * as fs from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Change } from "../packet/change.ts"
import { type FileStore, type FileStoreOptions, openStoreIn } from "./file-store.ts"
import { type Folder, type Pace, reasonOf, StoreError, type StoreFile } from "./folder.ts"
import type { ImageCounts } from "./image.ts"
import { lockFolder, makeFolder, removeFolders } from "./node-lock.ts"
import { readStoreIn, type Whole, writeStoreIn } from "./whole.ts"

export interface NodeFileStoreOptions extends FileStoreOptions {
  /** It is made when it is not there, for its owner alone. One broker has it at a time. */
  readonly directory: string
}

/** Opens the store in a folder. Rejects with StoreError, one line. */
export async function openFileStore(options: NodeFileStoreOptions): Promise<FileStore> {
  const { directory } = options
  makeFolder(directory)
  const release = await lockFolder(directory)
  try {
    return await openStoreIn(nodeFolder(directory), nodePace(), options, release)
  } catch (error) {
    await release()
    if (error instanceof StoreError) throw error
    throw new StoreError(`cannot open the store ${directory}: ${reasonOf(error)}`)
  }
}

/** Reads all of a store that no broker has open; nothing of it changes. Rejects with StoreError. */
export async function readFileStore(
  directory: string,
  upToDamage: boolean,
  visit?: (change: Change) => Promise<void> | undefined,
): Promise<Whole> {
  if (!fs.existsSync(directory)) throw new StoreError(`there is no store in ${directory}`)
  return locked(directory, () => readStoreIn(nodeFolder(directory), nodePace(), upToDamage, visit))
}

/**
 * Makes a store of Changes in a folder without one. Rejects with StoreError, also for a Change that cannot be true of what comes
 * before it; nothing is left then of what it made. Parameters as those of `writeStoreIn`.
 */
export async function writeFileStore(
  directory: string,
  changes: AsyncIterable<Change>,
  where: () => string,
  leftOut?: (change: Change, problem: string) => void,
): Promise<ImageCounts> {
  const made = makeFolder(directory)
  try {
    return await locked(directory, () => writeStoreIn(nodeFolder(directory), changes, where, leftOut))
  } catch (error) {
    removeFolders(made)
    throw error
  }
}

async function locked<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const release = await lockFolder(directory)
  try {
    return await work()
  } catch (error) {
    if (typeof error === "object" && error !== null && "syscall" in error) {
      throw new StoreError(`cannot use the store ${directory}: ${reasonOf(error)}`)
    }
    throw error
  } finally {
    await release()
  }
}

export function nodePace(): Pace {
  return {
    now: () => performance.now(),
    after(milliseconds, work) {
      const timer = setTimeout(work, milliseconds)
      return () => clearTimeout(timer)
    },
    // Deno looks at no socket between immediates: see platform/deno.ts.
    breathe: () =>
      new Promise((resolve) =>
        process.versions["deno"] === undefined ? setImmediate(resolve) : setTimeout(resolve, 0),
      ),
  }
}

export function nodeFolder(path: string): Folder {
  const at = (name: string) => join(path, name)
  return {
    path,
    remedy: 'put the whole folder back from a backup, or see "puremq store export --help"',
    instead: "another folder",
    list: () =>
      fs
        .readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => ({ name, size: fs.statSync(at(name)).size })),
    create: async (name) => new NodeFile(await open(at(name), "w+", 0o600), at(name)),
    open: async (name) => new NodeFile(await open(at(name), "r+"), at(name)),
    rename: (from, to) => fs.promises.rename(at(from), at(to)),
    remove: (name) => fs.promises.rm(at(name)),
    sync: () => syncFolder(path),
    async room() {
      const { bavail, bsize } = await fs.promises.statfs(path)
      return bavail * bsize
    },
  }
}

/** Windows has no such thing for folders. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return
  const folder = await open(path, "r")
  try {
    await sync(folder)
  } finally {
    await close(folder)
  }
}

const open = promisify(fs.open)
const close = promisify(fs.close)
const sync = promisify(fs.fsync)
const dataSync = promisify(fs.fdatasync)
const read = promisify(fs.read)
const write = promisify(fs.write)

class NodeFile implements StoreFile {
  readonly #descriptor: number
  readonly #path: string

  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor
    this.#path = path
  }

  async read(out: Uint8Array, from: number): Promise<number> {
    return (await read(this.#descriptor, out, 0, out.length, from)).bytesRead
  }

  write(bytes: Uint8Array, from: number): number {
    return fs.writeSync(this.#descriptor, bytes, 0, bytes.length, from)
  }

  async writeBeside(bytes: Uint8Array, from: number): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      at += (await write(this.#descriptor, bytes, at, bytes.length - at, from + at)).bytesWritten
    }
  }

  truncate(length: number): void {
    fs.ftruncateSync(this.#descriptor, length)
  }

  /** Times of the file are of no use; its length is written. */
  sync(): Promise<void> {
    return dataSync(this.#descriptor)
  }

  isInPlace(): boolean {
    try {
      const named = fs.statSync(this.#path, { throwIfNoEntry: false })
      const { ino, dev } = fs.fstatSync(this.#descriptor)
      return named?.ino === ino && named.dev === dev
    } catch {
      return true // nobody can tell
    }
  }

  close(): Promise<void> {
    return close(this.#descriptor)
  }
}
