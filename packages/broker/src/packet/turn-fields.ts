// The fields of a turn as bytes (change-encoding.ts). Integers are 7 bits a byte, lowest first; text is UTF-8 after its length; a
// Client Identifier like the one before is one byte.

import { copy, decodeUtf8, textLength, writeText } from "./bytes.ts"
import type { Owner } from "./change.ts"
import { PacketError } from "./errors.ts"

/** The first byte of a turn; those before it are read too. Version 1 knew of signs of life only when they were. */
export const turnVersion = 2
/** That of a turn with what version 2 did not know: kinds of owners, and that they change. A broker of then says so, instead of calling it damage. */
export const newestTurnVersion = 3

const sources: readonly Owner["source"][] = ["anonymous", "password", "certificate", "token", "hook", "bridge"]
/** Those of version 2. */
const olderSources = 3
/** In the byte of an owner's source. */
const ownRights = 0x80

/** Why bytes are no turn. */
export interface TurnFault {
  /** Offset in the bytes. */
  readonly at: number
  readonly problem: string
}

/** A time that is no whole number from 0 on is written as eight bytes after this. */
const timeAsFloat = 1

/** Bytes of room that a writer keeps for the next turn. */
const mostKept = 1024 * 1024

/** Bytes that grow at their end; used again for each turn. */
export class TurnWriter {
  bytes: Uint8Array = new Uint8Array(1024)
  length = 0
  /** How many of all that were written were of Client Identifiers. */
  clientIdBytes = 0
  #clientId: string | undefined
  /** Where the version of this turn stands. */
  #versionAt = 0

  /** Nothing is in it any more; what a large turn has needed goes. */
  clear(): void {
    this.length = 0
    if (this.bytes.length > mostKept) this.bytes = new Uint8Array(1024)
  }

  begin(changes: number): void {
    this.#clientId = undefined
    this.#versionAt = this.length
    this.byte(turnVersion)
    this.integer(changes)
  }

  /** Makes room for `count` bytes more. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1)
    this.bytes[this.length++] = value
  }

  /** A whole number from 0 to 2^53 - 1. */
  integer(value: number): void {
    this.reserve(8)
    const bytes = this.bytes
    let at = this.length
    let rest = value
    while (rest >= 0x8000_0000) {
      bytes[at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  optional(value: number | undefined): void {
    this.integer(value === undefined ? 0 : value + 1)
  }

  /** Infinity is 0. */
  time(value: number): void {
    if (value === Number.POSITIVE_INFINITY) this.byte(0)
    else if (Number.isSafeInteger(value + 2) && value >= 0) this.integer(value + 2)
    else {
      this.reserve(9)
      this.byte(timeAsFloat)
      new DataView(this.bytes.buffer, this.bytes.byteOffset).setFloat64(this.length, value)
      this.length += 8
    }
  }

  text(value: string): void {
    this.#text(value, 0)
  }

  /** 0 is the one of the Change before. */
  clientId(value: string): void {
    if (value === this.#clientId) this.byte(0)
    else {
      this.#clientId = value
      const before = this.length
      this.#text(value, 1)
      this.clientIdBytes += this.length - before - 1
    }
  }

  #text(value: string, more: number): void {
    const count = value.length
    this.reserve(3 * count + 8)
    const bytes = this.bytes
    // Most text is short and ASCII: its length is known to be one byte, and the bytes are its characters.
    if (count + more < 0x80) {
      let at = this.length + 1
      let i = 0
      for (; i < count; i++) {
        const code = value.charCodeAt(i)
        if (code >= 0x80) break
        bytes[at++] = code
      }
      if (i === count) {
        bytes[this.length] = count + more
        this.length = at
        return
      }
    }
    this.integer(textLength(value) + more)
    this.length = writeText(bytes, this.length, value)
  }

  binary(value: Uint8Array): void {
    this.integer(value.length)
    this.reserve(value.length)
    this.length = copy(this.bytes, this.length, value, 0, value.length)
  }

  /** The turn has something that version 2 did not know. */
  newest(): void {
    this.bytes[this.#versionAt] = newestTurnVersion
  }

  owner(owner: Owner): void {
    const source = sources.indexOf(owner.source)
    if (source >= olderSources || owner.ownRights) this.newest()
    this.byte(source | (owner.ownRights ? ownRights : 0))
    this.text(owner.user)
    this.text(owner.account)
  }
}

/** What a reader throws; `attempt` catches it. */
export class Unreadable extends Error {}

/** Reads them back, from the first byte on. */
export class TurnReader {
  readonly bytes: Uint8Array
  at = 0
  version: number = turnVersion
  #clientId: string | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** What `read` returns; where it cannot be read, why. */
  attempt<T>(read: () => T): T | TurnFault {
    try {
      return read()
    } catch (error) {
      if (error instanceof Unreadable || error instanceof PacketError) return { at: this.at, problem: error.message }
      throw error
    }
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new Unreadable("the turn is cut off")
    return this.bytes[this.at++]!
  }

  flags(known: number): number {
    const flags = this.byte()
    if ((flags & ~(known | 3)) !== 0) throw new Unreadable(`unknown flags 0x${flags.toString(16)}`)
    return flags
  }

  integer(): number {
    let value = this.byte()
    if (value < 0x80) return value
    value &= 0x7f
    for (let scale = 0x80; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte >= 0x80) continue
      if (byte === 0) throw new Unreadable("a number is longer than it needs to be")
      if (!Number.isSafeInteger(value)) break
      return value
    }
    throw new Unreadable("a number is too large")
  }

  integers(): number[] {
    const count = this.integer()
    const values: number[] = []
    for (let i = 0; i < count; i++) values.push(this.integer())
    return values
  }

  optional(): number | undefined {
    const value = this.integer()
    return value === 0 ? undefined : value - 1
  }

  time(): number {
    const value = this.integer()
    if (value === 0) return Number.POSITIVE_INFINITY
    if (value !== timeAsFloat) return value - 2
    const start = this.skip(8)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset).getFloat64(start)
  }

  text(): string {
    return this.#text(this.integer())
  }

  clientId(): string {
    const length = this.integer()
    if (length > 0) this.#clientId = this.#text(length - 1)
    if (this.#clientId === undefined) throw new Unreadable("there is no Client Identifier before it")
    return this.#clientId
  }

  #text(length: number): string {
    const start = this.skip(length)
    return decodeUtf8(this.bytes, start, start + length)
  }

  binary(): Uint8Array {
    const length = this.integer()
    const start = this.skip(length)
    return this.bytes.subarray(start, start + length)
  }

  owner(): Owner {
    const byte = this.byte()
    const source = this.version < newestTurnVersion && byte >= olderSources ? undefined : sources[byte & ~ownRights]
    if (source === undefined) throw new Unreadable("an owner of an unknown source")
    const owner: Owner = { user: this.text(), source, account: this.text() }
    return (byte & ownRights) === 0 ? owner : { ...owner, ownRights: true }
  }

  /** Returns where the bytes begin. */
  skip(length: number): number {
    const start = this.at
    if (length > this.bytes.length - start) throw new Unreadable("the turn is cut off")
    this.at = start + length
    return start
  }
}
