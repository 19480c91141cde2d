// A folder for a store in the SQLite database of a host that has no files: of a Durable Object, `ctx.storage`. A write is a row,
// so appending a turn to a journal costs one row of its own length, whatever the journal has.

import { type Folder, reasonOf, StoreError, type StoreFile } from "./folder.ts"

/** What a cell may be. */
export type SqlValue = string | number | null | ArrayBuffer | Uint8Array

/** As much of a database as this needs. */
export interface SqlDatabase {
  /** Of a person's database, for what is said about it. */
  readonly name: string
  /** What a person does when it is damaged, as words that end a sentence. */
  readonly remedy: string
  /** What could be used in its place. */
  readonly instead: string
  /** Runs one statement, at once; rows as objects by the names of their columns. What fails throws. */
  run(statement: string, ...values: readonly SqlValue[]): readonly Readonly<Record<string, unknown>>[]
  /** Runs `work`, whose statements all count or none. */
  together(work: () => void): void
  /** All that ran is on the disk. */
  sync(): Promise<void>
}

/** Bytes of a row: a Durable Object takes 2,000,000. */
const longestPiece = 1_000_000

const tables = [
  "CREATE TABLE IF NOT EXISTS puremq_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
  "CREATE TABLE IF NOT EXISTS puremq_pieces (file INTEGER NOT NULL, start INTEGER NOT NULL, bytes BLOB NOT NULL, " +
    "PRIMARY KEY (file, start)) WITHOUT ROWID",
]

/** Makes its tables where there are none. Throws StoreError when that fails. */
export function sqlFolder(database: SqlDatabase): Folder {
  try {
    for (const table of tables) database.run(table)
  } catch (error) {
    throw new StoreError(`cannot make the tables of a store in ${database.name}: ${reasonOf(error)}`)
  }
  const idOf = (name: string): number => {
    const [row] = database.run("SELECT id FROM puremq_files WHERE name = ?", name)
    if (row === undefined) throw Object.assign(new Error(`there is no ${name}`), { code: "ENOENT" })
    return Number(row["id"])
  }
  const forget = (name: string): void => {
    database.run("DELETE FROM puremq_pieces WHERE file IN (SELECT id FROM puremq_files WHERE name = ?)", name)
    database.run("DELETE FROM puremq_files WHERE name = ?", name)
  }
  return {
    path: database.name,
    remedy: database.remedy,
    instead: database.instead,
    list: () =>
      database
        .run("SELECT id, name FROM puremq_files ORDER BY id")
        .map(({ id, name }) => ({ name: String(name), size: new SqlFile(database, Number(id)).length })),
    async create(name) {
      database.together(() => {
        forget(name)
        database.run("INSERT INTO puremq_files (name) VALUES (?)", name)
      })
      return new SqlFile(database, idOf(name))
    },
    open: async (name) => new SqlFile(database, idOf(name)),
    async rename(from, to) {
      const id = idOf(from)
      database.together(() => {
        if (from !== to) forget(to)
        database.run("UPDATE puremq_files SET name = ? WHERE id = ?", to, id)
      })
    },
    async remove(name) {
      idOf(name)
      database.together(() => forget(name))
    },
    sync: () => database.sync(),
    room: async () => {
      throw new Error("a database does not say how much room it has")
    },
  }
}

interface Piece {
  readonly start: number
  readonly bytes: Uint8Array
}

/** Pieces of a file lie behind each other without gaps. */
class SqlFile implements StoreFile {
  readonly #database: SqlDatabase
  readonly #id: number

  constructor(database: SqlDatabase, id: number) {
    this.#database = database
    this.#id = id
  }

  get length(): number {
    const [last] = this.#database.run(
      "SELECT start + length(bytes) AS size FROM puremq_pieces WHERE file = ? ORDER BY start DESC LIMIT 1",
      this.#id,
    )
    return Number(last?.["size"] ?? 0)
  }

  async read(out: Uint8Array, from: number): Promise<number> {
    let read = 0
    for (const { start, bytes } of this.#from(from)) {
      const part = bytes.subarray(Math.max(0, from - start), Math.max(0, from - start) + out.length - read)
      out.set(part, read)
      read += part.length
      if (read === out.length) break
    }
    // For who reads it an end is an end: what is behind a hole would count for nothing, and be cut off.
    if (read < out.length && from + read < this.length)
      throw new Error(`a row is missing or damaged: there is nothing at offset ${from + read}`)
    return read
  }

  write(bytes: Uint8Array, from: number): number {
    const part = bytes.subarray(0, longestPiece)
    this.#database.together(() => this.#put(part, from))
    return part.length
  }

  async writeBeside(bytes: Uint8Array, from: number): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += this.write(bytes.subarray(at), from + at)
  }

  truncate(length: number): void {
    this.#database.together(() => this.#cut(length))
  }

  sync(): Promise<void> {
    return this.#database.sync()
  }

  async close(): Promise<void> {}

  /** Over the end, as a store writes: in the place of what is there, up to the end of the file. */
  #put(bytes: Uint8Array, from: number): void {
    const size = this.length
    if (from > size) throw new Error(`a write at ${from} of a file of ${size} bytes`)
    const behind = from + bytes.length < size ? this.#bytes(from + bytes.length, size) : undefined
    if (from < size) this.#cut(from)
    this.#insert(from, bytes)
    for (let at = 0; behind !== undefined && at < behind.length; at += longestPiece)
      this.#insert(from + bytes.length + at, behind.subarray(at, at + longestPiece))
  }

  #insert(start: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#database.run("INSERT INTO puremq_pieces (file, start, bytes) VALUES (?, ?, ?)", this.#id, start, bytes)
  }

  #cut(length: number): void {
    const [last] = this.#before(length)
    this.#database.run("DELETE FROM puremq_pieces WHERE file = ? AND start >= ?", this.#id, length)
    if (last === undefined || last.start + last.bytes.length <= length) return
    const kept = last.bytes.subarray(0, length - last.start)
    this.#database.run("UPDATE puremq_pieces SET bytes = ? WHERE file = ? AND start = ?", kept, this.#id, last.start)
  }

  #bytes(from: number, to: number): Uint8Array {
    const out = new Uint8Array(to - from)
    let at = 0
    for (const { start, bytes } of this.#from(from)) {
      const part = bytes.subarray(Math.max(0, from - start), to - start)
      out.set(part, at)
      at += part.length
    }
    return out
  }

  /** The piece that begins before `offset` and is nearest to it. */
  #before(offset: number): readonly Piece[] {
    return this.#pieces("start < ? ORDER BY start DESC LIMIT 1", offset)
  }

  /** Pieces with bytes at `offset` and behind, one after the other. */
  *#from(offset: number): Generator<Piece, void, undefined> {
    let [piece] = this.#pieces("start <= ? ORDER BY start DESC LIMIT 1", offset)
    while (piece !== undefined) {
      const end: number = piece.start + piece.bytes.length
      if (end > offset) yield piece
      if (end === piece.start) break // no write leaves such a row
      ;[piece] = this.#pieces("start = ?", end)
    }
  }

  #pieces(where: string, value: number): readonly Piece[] {
    return this.#database
      .run(`SELECT start, bytes FROM puremq_pieces WHERE file = ? AND ${where}`, this.#id, value)
      .map(({ start, bytes }) => ({ start: Number(start), bytes: asBytes(bytes) }))
  }
}

function asBytes(cell: unknown): Uint8Array {
  if (cell instanceof Uint8Array) return cell
  if (cell instanceof ArrayBuffer) return new Uint8Array(cell)
  throw new Error("a row is damaged: it does not hold bytes")
}
