// The files of a store: a head that says what it is, then records, each with its length and checksums. What a crash has cut off
// at the end of a file can be told from what was damaged: a record's length has a checksum of its own.
//
//   head    "PureMQ\r\n", kind, 0, version (2 bytes), number (8), CRC-32 of these (4): so it begins in every version;
//           bytes of the journal before (8), CRC-32 of all of these (4)
//   record  length (4), CRC-32 of the bytes (4), CRC-32 of these eight (4), the bytes. Little-endian.

import { Checksum } from "./checksum.ts"
import type { StoreFile } from "./folder.ts"

/**
 * Of what is in the files; a broker reads this and those before it, and writes only files of this one. Heads of version 1 do not
 * tell of the journal before.
 */
export const schemaVersion = 2

/** Bytes of the head of a file that is made now; and of one of version 1. */
export const headLength = 36
const firstHeadLength = 24
export const recordHeadLength = 12

const magic = [0x50, 0x75, 0x72, 0x65, 0x4d, 0x51, 0x0d, 0x0a]
const kinds = { journal: 0x4a, snapshot: 0x53 } as const
export type Kind = keyof typeof kinds

export interface Head {
  readonly version: number
  /** Bytes of it. */
  readonly length: number
  /** How many bytes the journal before had when it was left; 0: none is before it. Undefined: it does not tell. */
  readonly previous: number | undefined
}

export interface Fault {
  /** Offset in the file. */
  readonly at: number
  readonly problem: string
  /** It is the end that a crash has cut off: nothing whole follows. */
  readonly torn: boolean
  /** It was written by a later version of the broker. */
  readonly later: boolean
}

/** Makes and checks heads and records. */
export class RecordFormat {
  readonly #checksum: Checksum = new Checksum()

  /** @param number which file of its kind it is; @param previous bytes of the journal before, 0 when there is none */
  head(kind: Kind, number: number, previous: number, version: number = schemaVersion): Uint8Array {
    const head = new Uint8Array(version === 1 ? firstHeadLength : headLength)
    const view = new DataView(head.buffer)
    head.set(magic)
    head[8] = kinds[kind]
    view.setUint16(10, version, true)
    setUint64(view, 12, number)
    view.setUint32(20, this.#checksum.of(head, 0, 20), true)
    if (version === 1) return head
    setUint64(view, 24, previous)
    view.setUint32(32, this.#checksum.of(head, 0, 32), true)
    return head
  }

  /** What a file says that begins with these bytes: at least 36, or all that it has. */
  readHead(bytes: Uint8Array, kind: Kind, number: number): Head | Fault {
    if (bytes.length < firstHeadLength) return headFault("its head is cut off", { torn: true })
    if (magic.some((byte, i) => bytes[i] !== byte)) return headFault("it does not begin as a file of a store")
    const version = bytes[10]! | (bytes[11]! << 8)
    const begins = this.head(kind, number, 0, version).subarray(0, firstHeadLength)
    if (begins.some((byte, i) => byte !== bytes[i])) return headFault("its head is damaged")
    if (version > schemaVersion) {
      return headFault(`it is of version ${version}, and this broker reads up to ${schemaVersion}`, { later: true })
    }
    if (version === 1) return { version, length: firstHeadLength, previous: undefined }
    if (bytes.length < headLength) return headFault("its head is cut off", { torn: true })
    const previous = readUint64(bytes, 24)
    const whole = this.head(kind, number, previous)
    if (whole.some((byte, i) => byte !== bytes[i])) return headFault("its head is damaged")
    return { version, length: headLength, previous }
  }

  /** Fills in the head of the record in [start, end) of `bytes`, whose first 12 bytes are left free for it. */
  seal(bytes: Uint8Array, start: number, end: number): void {
    const body = start + recordHeadLength
    writeUint32(bytes, start, end - body)
    writeUint32(bytes, start + 4, this.#checksum.of(bytes, body, end))
    writeUint32(bytes, start + 8, this.#checksum.of(bytes, start, start + 8))
  }

  /** The length that the head at `at` gives; undefined when it is none. */
  length(bytes: Uint8Array, at: number): number | undefined {
    if (this.#checksum.of(bytes, at, at + 8) !== readUint32(bytes, at + 8)) return undefined
    return readUint32(bytes, at)
  }

  /** Whether the record of `length` at `at` is as it was written. */
  intact(bytes: Uint8Array, at: number, length: number): boolean {
    const body = at + recordHeadLength
    return this.#checksum.of(bytes, body, body + length) === readUint32(bytes, at + 4)
  }
}

export type RecordOrEnd = Uint8Array | Fault | undefined

/** Reads a file's records in their order. */
export class RecordReader {
  readonly #file: StoreFile
  readonly #size: number
  readonly #format: RecordFormat
  #buffer: Uint8Array
  /** The buffer has the bytes [#from, #from + #length) of the file. */
  #from = 0
  #length = 0
  /** Offset in the file of what comes next. */
  at = 0

  /** @param size bytes of the file to read; @param chunk how many are read at once */
  constructor(file: StoreFile, size: number, format: RecordFormat, chunk: number = 256 * 1024) {
    this.#file = file
    this.#size = size
    this.#format = format
    this.#buffer = new Uint8Array(chunk)
  }

  /** A head that is cut off, or was never written, is torn. */
  async head(kind: Kind, number: number): Promise<Head | Fault> {
    const length = Math.min(headLength, this.#size)
    const start = (await this.#have(length)) ?? 0
    const head = this.#format.readHead(
      this.#buffer.subarray(start, start + Math.min(length, this.#length)),
      kind,
      number,
    )
    if (!("problem" in head)) this.at = head.length
    else if (!head.torn && !head.later && (await this.#unwritten(0, length))) return { ...head, torn: true }
    return head
  }

  /** The bytes of the next record, until the next call; undefined at the end of the file. At once when they are read already. */
  next(): RecordOrEnd | Promise<RecordOrEnd> {
    const start = this.at - this.#from
    const there = this.#length - start
    if (there < recordHeadLength) return this.#readNext()
    const length = this.#format.length(this.#buffer, start)
    if (length === undefined || there < recordHeadLength + length) return this.#readNext()
    if (!this.#format.intact(this.#buffer, start, length)) return this.#readNext()
    return this.#take(start, length)
  }

  #take(start: number, length: number): Uint8Array {
    const end = start + recordHeadLength + length
    this.at = this.#from + end
    return this.#buffer.subarray(start + recordHeadLength, end)
  }

  async #readNext(): Promise<RecordOrEnd> {
    const at = this.at
    if (at === this.#size) return undefined
    let start = await this.#have(recordHeadLength)
    if (start === undefined) return cutOff(at)
    const length = this.#format.length(this.#buffer, start)
    if (length === undefined) return (await this.#unwritten(at, recordHeadLength)) ? cutOff(at) : damaged(at)
    const whole = recordHeadLength + length
    if (at + whole > this.#size) return cutOff(at)
    start = await this.#have(whole)
    if (start === undefined) return cutOff(at)
    if (this.#format.intact(this.#buffer, start, length)) return this.#take(start, length)
    return (await this.#unwritten(at, whole)) ? cutOff(at) : damaged(at)
  }

  /** Where in the buffer the next `count` bytes are; undefined when there are not so many. */
  async #have(count: number): Promise<number | undefined> {
    if (this.at + count > this.#size) return undefined
    const kept = this.#from + this.#length - this.at
    if (kept >= count) return this.at - this.#from
    const buffer = count > this.#buffer.length ? new Uint8Array(count) : this.#buffer
    if (kept > 0) buffer.set(this.#buffer.subarray(this.at - this.#from, this.#length))
    this.#buffer = buffer
    this.#from = this.at
    this.#length = Math.max(0, kept)
    while (this.#length < count) {
      const wanted = Math.min(buffer.length, this.#size - this.#from)
      const read = await this.#file.read(buffer.subarray(this.#length, wanted), this.#from + this.#length)
      if (read === 0) return undefined
      this.#length += read
    }
    return 0
  }

  /**
   * Whether the `length` bytes at `at` were the last, and their end was never written: the system had made the file longer
   * before it lost power, and so there are zeros to the end of the file, at least 16 or all of its last sector.
   */
  async #unwritten(at: number, length: number): Promise<boolean> {
    const buffer = new Uint8Array(64 * 1024)
    const last = Math.max(this.#size - leastUnwritten, this.#size - 1 - ((this.#size - 1) % sector))
    if (last < at) return false
    for (let from = Math.min(at + length, last); from < this.#size; ) {
      const read = await this.#file.read(buffer.subarray(0, Math.min(buffer.length, this.#size - from)), from)
      if (read === 0) return true
      if (!isBlank(buffer.subarray(0, read))) return false
      from += read
    }
    return true
  }
}

const leastUnwritten = 16
/** Disks write no less than these. */
const sector = 512

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

function headFault(problem: string, { torn = false, later = false } = {}): Fault {
  return { at: 0, problem, torn, later }
}

function cutOff(at: number): Fault {
  return { at, problem: "a record is cut off", torn: true, later: false }
}

function damaged(at: number): Fault {
  return { at, problem: "a record is damaged: its checksum does not fit", torn: false, later: false }
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function readUint64(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) + readUint32(bytes, at + 4) * 2 ** 32
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}
