// Writes what a history makes as one file: turns of a few Changes, and an empty record at the end.

import type { Change } from "../packet/change.ts"
import { encodeTurn } from "../packet/change-encoding.ts"
import { TurnWriter } from "../packet/turn-fields.ts"
import type { Pace, StoreFile } from "./folder.ts"
import { type HistoryFile, type HistoryReader, Slices } from "./history.ts"
import type { Image } from "./image.ts"
import { headLength, type RecordFormat, recordHeadLength } from "./records.ts"

/** Changes of a record, and bytes of messages and filters in it, after which it ends. */
const changesOfRecord = 500
const bytesOfRecord = 64 * 1024
/** Of a number in a list of messages, about. */
const bytesOfSequence = 4
/** A record says its first Client Identifier again: as many Changes for each character of it, and bytes, so that it is not long beside them. */
const changesOfCharacter = 64
const bytesOfCharacter = 3 * changesOfCharacter

/** What a snapshot has at most of whose Changes have so many bytes, heads and ends of records and of the file included. */
export function snapshotBytes(changes: number): number {
  return changes + changes / 32 + 256
}
/** What is written at once. */
const bytesOfWrite = 256 * 1024

/** Returns how long the file is. `room` is asked before each write and throws when there is none. */
export async function writeSnapshot(
  target: StoreFile,
  number: number,
  source: { readonly files: readonly HistoryFile[]; readonly reader: HistoryReader; readonly image: Image },
  format: RecordFormat,
  pace: Pace,
  room: (bytes: number) => void,
): Promise<number> {
  const writer = new SnapshotWriter(target, format, room)
  await writer.start(number)
  await source.reader.messages(source.files, source.image, (change) => writer.add(change))
  const slices = new Slices(pace)
  for (const change of source.image.changes()) {
    const written = writer.add(change)
    if (written !== undefined) {
      await written
      if (slices.over) await slices.rest()
    }
  }
  return writer.end()
}

export class SnapshotWriter {
  readonly #target: StoreFile
  readonly #format: RecordFormat
  readonly #room: (bytes: number) => void
  readonly #writer: TurnWriter = new TurnWriter()
  #changes: Change[] = []
  #bytes = 0
  #written = 0

  constructor(target: StoreFile, format: RecordFormat, room: (bytes: number) => void) {
    this.#target = target
    this.#format = format
    this.#room = room
  }

  async start(number: number): Promise<void> {
    await this.#write(this.#format.head("snapshot", number, 0))
    this.#written = headLength
  }

  /** A promise at the end of a record. */
  add(change: Change): Promise<void> | undefined {
    this.#changes.push(change)
    let id = 0
    switch (change.type) {
      case "message":
        this.#bytes += change.payload.length + change.properties.length
        break
      case "will set":
        this.#bytes += change.will.payload.length + change.will.properties.length
        break
      case "retained":
      case "clock":
        break
      default:
        id = change.clientId.length
        if (change.type === "walk begun") this.#bytes += bytesOfSequence * change.sent.length
        else if (change.type === "subscribed") this.#bytes += change.filter.length
    }
    const [most, mostBytes] = [changesOfCharacter * id, bytesOfCharacter * id]
    const goesOn =
      this.#bytes < Math.max(bytesOfRecord, mostBytes) && this.#changes.length < Math.max(changesOfRecord, most)
    return goesOn ? undefined : this.#record()
  }

  async end(): Promise<number> {
    if (this.#changes.length > 0) await this.#record()
    this.#seal(() => {})
    await this.#flush()
    return this.#written
  }

  async #record(): Promise<void> {
    this.#seal(() => encodeTurn(this.#changes, this.#writer))
    this.#changes = []
    this.#bytes = 0
    if (this.#writer.length >= bytesOfWrite) await this.#flush()
  }

  #seal(encode: () => void): void {
    const start = this.#writer.length
    this.#writer.reserve(recordHeadLength)
    this.#writer.length = start + recordHeadLength
    encode()
    this.#format.seal(this.#writer.bytes, start, this.#writer.length)
  }

  async #flush(): Promise<void> {
    const bytes = this.#writer.bytes.subarray(0, this.#writer.length)
    await this.#write(bytes)
    this.#written += bytes.length
    this.#writer.clear()
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#room(bytes.length)
    await this.#target.writeBeside(bytes, this.#written)
  }
}
