// What a store needs of a file system. Whatever fails throws, or rejects.

export interface StoreFile {
  /** Reads from offset `from` into `out`; how many bytes, 0 at the end of the file. Beside the event loop. */
  read(out: Uint8Array, from: number): Promise<number>
  /** Writes at offset `from`, at once; how many bytes, maybe fewer than all. */
  write(bytes: Uint8Array, from: number): number
  /** Writes all, beside the event loop. */
  writeBeside(bytes: Uint8Array, from: number): Promise<void>
  truncate(length: number): void
  /** What was written is on the disk. Beside the event loop, as all that may take the disk's time. */
  sync(): Promise<void>
  /** Whether the file of its name is still this one; absent where it cannot be another. */
  isInPlace?(): boolean
  /** Some file systems write then. */
  close(): Promise<void>
}

export interface Folder {
  /** As a person knows it. */
  readonly path: string
  /** What a person does when something in it is missing or damaged, as words that end a sentence. */
  readonly remedy: string
  /** What could be used in its place: "another folder". */
  readonly instead: string
  list(): readonly { readonly name: string; readonly size: number }[]
  /** An empty file to read and to write, whatever there was of this name. */
  create(name: string): Promise<StoreFile>
  /** A file that is there, to read and to write. */
  open(name: string): Promise<StoreFile>
  /** In the place of what has that name. */
  rename(from: string, to: string): Promise<void>
  remove(name: string): Promise<void>
  /** Which files there are is on the disk. */
  sync(): Promise<void>
  /** Bytes that the disk has room for yet. Rejects where nobody can tell. */
  room(): Promise<number>
}

/** Time, for a store that collects and that works in slices. */
export interface Pace {
  /** Milliseconds. */
  now(): number
  /** Calls `work` once; the result takes it back. */
  after(milliseconds: number, work: () => void): () => void
  /** Others have had their turn. */
  breathe(): Promise<void>
}

/** A store that cannot be used, in one line: what, where, what to do. */
export class StoreError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "StoreError"
  }
}

/** What went wrong with a file, for people. */
export function reasonOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : ""
  const words = reasons[code]
  if (words !== undefined) return `${words} (${code})`
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; make room on it",
  EDQUOT: "the disk quota is used up; make room in it",
  EROFS: "the file system is read-only",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EIO: "the disk fails; look at the system's log",
  EMFILE: "too many open files",
  ENOENT: "there is no such file",
  ENOTDIR: "it is not a folder",
  EEXIST: "there is a file of this name",
}
