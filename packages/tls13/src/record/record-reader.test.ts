import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { ContentType } from "../bytes/code-points.ts"
import { concatBytes } from "../bytes/concat.ts"
import { TlsError } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { TLS_CHACHA20_POLY1305_SHA256 as suite, TLS_AES_128_GCM_SHA256 } from "../crypto/noble/index.ts"
import { InputBuffer } from "./input-buffer.ts"
import { RecordProtection } from "./protection.ts"
import { type InboundRecord, RecordReader } from "./record-reader.ts"
import { SkippedEarlyData } from "./skipped-early-data.ts"

const { alert, application_data, change_cipher_spec, handshake } = ContentType
const secret = new Uint8Array(32).fill(1)
const otherSecret = new Uint8Array(32).fill(2)
const closeNotify = Uint8Array.of(1, 0)

function bytes(length: number, value = 7): Uint8Array {
  return new Uint8Array(length).fill(value)
}

function plain(type: number, content: Uint8Array, version = 0x0303): Uint8Array {
  const { length } = content
  return concatBytes(Uint8Array.of(type, version >> 8, version, length >> 8, length), content)
}

function header(type: number, length: number): Uint8Array {
  return Uint8Array.of(type, 3, 3, length >> 8, length)
}

/** Writes records that no RecordWriter would: the TLSInnerPlaintext is given as it is. */
class Sealer {
  readonly #protection: RecordProtection

  constructor(theSecret: Uint8Array = secret, theSuite: typeof suite = suite) {
    this.#protection = new RecordProtection(theSuite, theSecret)
  }

  inner(inner: Uint8Array): Uint8Array {
    const record = new Uint8Array(5 + inner.length + 16)
    record.set(header(application_data, inner.length + 16))
    this.#protection.seal(record.slice(0, 5), inner, record, 5)
    return record
  }

  record(type: number, content: Uint8Array, padding = 0): Uint8Array {
    return this.inner(concatBytes(content, Uint8Array.of(type), new Uint8Array(padding)))
  }
}

function protectedReader(options: ConstructorParameters<typeof RecordReader>[0] = {}): RecordReader {
  const reader = new RecordReader(options)
  reader.protect(suite, secret)
  return reader
}

function readAll(reader: RecordReader, ...parts: Uint8Array[]): InboundRecord[] {
  const records: InboundRecord[] = []
  for (const part of parts) {
    reader.push(part)
    for (let record = reader.next(); record; record = reader.next()) {
      records.push({ ...record, content: record.content.slice() })
    }
  }
  return records
}

function errorOf(reader: RecordReader, ...parts: Uint8Array[]): TlsError {
  try {
    readAll(reader, ...parts)
  } catch (error) {
    if (error instanceof TlsError) return error
    throw error
  }
  throw new Error("nothing was refused")
}

function show(records: readonly InboundRecord[]): string[] {
  return records.map(
    ({ type, content, wasProtected }) => `${type} ${wasProtected ? "sealed" : "clear"} ${toHex(content)}`,
  )
}

describe("RFC 9846 5.1: framing", () => {
  const sealer = new Sealer()
  const stream = concatBytes(
    plain(change_cipher_spec, Uint8Array.of(1)),
    sealer.record(handshake, bytes(30)),
    sealer.record(application_data, bytes(0)),
    sealer.record(application_data, bytes(3, 9), 4),
    sealer.record(alert, closeNotify),
  )
  const expected = ["20 clear 01", `22 sealed ${"07".repeat(30)}`, "23 sealed ", "23 sealed 090909", "21 sealed 0100"]

  it("all at once", () => {
    expect(show(readAll(protectedReader(), stream))).toEqual(expected)
  })

  it("cut in two at every byte; the caller reuses its buffer after settle", () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const reader = protectedReader()
      const records: InboundRecord[] = []
      for (const part of [stream.slice(0, cut), stream.slice(cut)]) {
        records.push(...readAll(reader, part))
        reader.settle()
        part.fill(0xee)
      }
      expect(show(records)).toEqual(expected)
      expect(reader.input.length).toBe(0)
    }
  })

  it("cut in three at every two bytes of the first records", () => {
    for (let a = 0; a < 70; a++) {
      for (let b = a; b < 70; b++) {
        const reader = protectedReader()
        const parts = [stream.subarray(0, a), stream.subarray(a, b), stream.subarray(b)]
        expect(show(readAll(reader, ...parts))).toEqual(expected)
      }
    }
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 16, 64])("in parts of %i bytes out of one reused buffer", (size) => {
    const reader = protectedReader()
    const buffer = new Uint8Array(size)
    const records: InboundRecord[] = []
    for (let at = 0; at < stream.length; at += size) {
      const part = stream.subarray(at, at + size)
      buffer.set(part)
      records.push(...readAll(reader, buffer.subarray(0, part.length)))
      reader.settle()
    }
    expect(show(records)).toEqual(expected)
  })

  it("records that are not asked for wait, over several receives", () => {
    const reader = protectedReader()
    for (let at = 0; at < stream.length; at += 11) {
      const part = stream.slice(at, at + 11)
      reader.push(part)
      reader.settle()
      part.fill(0xee)
    }
    expect(reader.input.length).toBe(stream.length)
    expect(show(readAll(reader, new Uint8Array(0)))).toEqual(expected)
  })

  it("push without settle takes over what is left", () => {
    const reader = protectedReader()
    for (let at = 0; at < stream.length; at += 50) reader.push(stream.subarray(at, at + 50))
    expect(show(readAll(reader, new Uint8Array(0)))).toEqual(expected)
  })

  it("content of a protected record may be kept; content in the clear is a view of the input", () => {
    const reader = new RecordReader()
    const input = plain(handshake, bytes(4))
    reader.push(input)
    const clear = reader.next()!.content
    expect(clear.buffer).toBe(input.buffer)
    reader.protect(suite, secret)
    const sealed = new Sealer().record(application_data, bytes(4))
    reader.push(sealed)
    const kept = reader.next()!.content
    reader.settle()
    sealed.fill(0)
    readAll(reader, new Sealer().record(alert, closeNotify).subarray(0, 10))
    expect(toHex(kept)).toBe("07070707")
  })

  it("content of many protected records, of one receive and of the next, may be kept", () => {
    const sealer = new Sealer()
    const contents = [0, 1, 300, 5, 2 ** 14, 20, 9000, 9000, 63, 64, 65].map((length, i) => bytes(length, i + 1))
    const wire = concatBytes(
      ...contents.map((content, i) =>
        sealer.record(application_data, content, Math.min(i * 7, 2 ** 14 - content.length)),
      ),
    )
    for (const parts of [1, 2, 9]) {
      const reader = protectedReader()
      const kept: Uint8Array[] = []
      const size = Math.ceil(wire.length / parts)
      for (let at = 0; at < wire.length; at += size) {
        reader.push(wire.subarray(at, at + size))
        for (let record = reader.next(); record; record = reader.next()) kept.push(record.content)
        reader.settle()
      }
      expect(kept.map(toHex)).toEqual(contents.map(toHex))
      for (const content of kept) expect(content.buffer.byteLength).toBeLessThanOrEqual(2 ** 16 + 1)
    }
  })

  it("content that was opened where it lay stays as it is when the reader is wiped", () => {
    const sealer = new Sealer()
    const reader = protectedReader()
    const [first, second] = [7, 8].map((byte) => sealer.record(application_data, bytes(9000, byte)))
    reader.push(concatBytes(first!, second!.subarray(0, 100)), true)
    reader.settle() // before anything is read, as while a decision is due
    const { content } = reader.next()!
    reader.wipe()
    expect(toHex(content)).toBe(toHex(bytes(9000, 7)))
  })

  it("the input is never written to", () => {
    const before = toHex(stream)
    readAll(protectedReader(), stream)
    expect(toHex(stream)).toBe(before)
  })

  // Requirement 5.1-11
  it("legacy_record_version is ignored for all purposes", () => {
    for (const version of [0x0000, 0x0300, 0x0301, 0x0304, 0xffff]) {
      expect(show(readAll(new RecordReader(), plain(handshake, bytes(1), version)))).toEqual(["22 clear 07"])
    }
  })
})

describe("what a connection costs", () => {
  /** Bytes of the array buffers that are alive. */
  function arrayBuffers(): number {
    setFlagsFromString("--expose-gc")
    const collect: () => void = runInNewContext("gc")
    // What one collection finds is freed beside the program; the next one waits for it.
    for (let i = 0; i < 3; i++) collect()
    return process.memoryUsage().arrayBuffers
  }

  it("memory follows what was received, not what a header announces", () => {
    const before = arrayBuffers()
    const readers = Array.from({ length: 1000 }, () => new RecordReader())
    for (const reader of readers) {
      readAll(reader, concatBytes(header(handshake, 2 ** 14), bytes(95)))
      reader.settle()
    }
    expect(arrayBuffers() - before).toBeLessThan(1_000_000)
    expect(readers[999]!.input.length).toBe(100)
  })

  it("opens a long record where it lies when its bytes are given, and leaves what is lent as it was", () => {
    const content = bytes(10_000)
    const record = new Sealer().record(application_data, content)
    for (const given of [true, false]) {
      const reader = protectedReader()
      const input = record.slice()
      reader.push(input, given)
      const { content: opened } = reader.next()!
      expect(opened).toEqual(content)
      expect(opened.buffer === input.buffer).toBe(given)
      if (!given) expect(input).toEqual(record)
    }
  })

  it("a short record keeps no more than itself alive, given or not; a traced one is seen as it came", () => {
    const short = new Sealer().record(application_data, bytes(1000))
    const reader = protectedReader()
    const input = short.slice()
    reader.push(input, true)
    expect(reader.next()!.content.buffer).not.toBe(input.buffer)

    const long = new Sealer().record(application_data, bytes(10_000))
    const seen: Uint8Array[] = []
    const traced = protectedReader({ observer: (_type, _inner, record) => void seen.push(record.slice()) })
    traced.push(long.slice(), true)
    expect(traced.next()!.content).toEqual(bytes(10_000))
    expect(seen).toEqual([long])
  })

  it.each([1, 4, 5, 1000, 5000, 9000, 10_021])(
    "given in two parts, the first of %i bytes, records are whole",
    (first) => {
      const sealer = new Sealer()
      const all = concatBytes(...[10_000, 10_000, 100].map((length) => sealer.record(application_data, bytes(length))))
      const reader = protectedReader()
      const lengths: number[] = []
      for (const part of [all.slice(0, first), all.slice(first)]) {
        reader.push(part, true)
        for (let record = reader.next(); record !== undefined; record = reader.next()) {
          expect(record.content.every((byte) => byte === 7)).toBe(true)
          lengths.push(record.content.length)
        }
        reader.settle()
      }
      expect(lengths).toEqual([10_000, 10_000, 100])
    },
  )

  it("memory is not taken on a header's word", () => {
    const record = new Sealer().record(application_data, bytes(16_000))
    for (const there of [100, 4500]) {
      const buffer = new InputBuffer()
      buffer.push(record.slice(0, there))
      buffer.settle()
      expect(buffer.ensure(there)).toBe(true)
      expect(buffer.take(there).buffer.byteLength).toBe(there)
    }
  })

  it("an idle connection keeps no buffer, though its last record came in two parts", () => {
    const record = new Sealer().record(application_data, bytes(2 ** 14))
    const before = arrayBuffers()
    const readers = Array.from({ length: 200 }, () => protectedReader())
    for (const reader of readers) {
      for (const part of [record.subarray(0, 10_000), record.subarray(10_000)]) {
        reader.push(part)
        reader.next()
        reader.settle()
      }
    }
    expect(arrayBuffers() - before).toBeLessThan(500_000)
    expect(readers[199]!.input.length).toBe(0)
  })

  /** Bytes that are copied from array to array while `work` runs. */
  function copiedBy(work: () => void): number {
    const { set } = Uint8Array.prototype
    let copied = 0
    Uint8Array.prototype.set = function (source: ArrayLike<number>, offset?: number) {
      copied += source.length
      set.call(this, source, offset)
    }
    try {
      work()
    } finally {
      Uint8Array.prototype.set = set
    }
    return copied
  }

  it("a record that comes byte by byte is copied a few times, not as often as it has bytes", () => {
    const record = plain(handshake, bytes(2 ** 14))
    const reader = new RecordReader()
    const copied = copiedBy(() => {
      for (let at = 0; at < record.length; at++) {
        reader.push(record.subarray(at, at + 1))
        if (at < record.length - 1) reader.next()
        reader.settle()
      }
    })
    expect(reader.next()?.content).toHaveLength(2 ** 14)
    expect(copied).toBeLessThan(4 * record.length)
  })

  it("of a long input only the records that its ends cut are copied", () => {
    const wire = concatBytes(...Array.from({ length: 100 }, () => plain(handshake, bytes(995))))
    const reader = new RecordReader()
    let count = 0
    const copied = copiedBy(() => {
      for (let at = 0; at < wire.length; at += 10_500) {
        reader.push(wire.subarray(at, at + 10_500))
        while (reader.next()) count++
        reader.settle()
      }
    })
    expect(count).toBe(100)
    // Every second of the nine seams cuts a record of 1000 bytes in two; growing copies its first half once more.
    expect(copied).toBeLessThan(5 * 1500 + 1)
  })
})

describe("RFC 9846 5.1: lengths in the clear", () => {
  it("2^14 bytes are allowed", () => {
    expect(readAll(new RecordReader(), plain(handshake, bytes(2 ** 14)))[0]!.content).toHaveLength(2 ** 14)
  })

  it("one more is record_overflow, from the header alone", () => {
    expect(errorOf(new RecordReader(), header(handshake, 2 ** 14 + 1))).toMatchObject({ alert: "record_overflow" })
  })

  it.each([
    ["handshake", handshake],
    ["alert", alert],
  ])("a zero-length %s record is unexpected_message", (_name, type) => {
    expect(errorOf(new RecordReader(), header(type, 0))).toMatchObject({ alert: "unexpected_message" })
  })

  // Requirement 5.1-8
  it("an alert is neither fragmented nor coalesced", () => {
    expect(errorOf(new RecordReader(), header(alert, 1))).toMatchObject({ alert: "decode_error" })
    expect(errorOf(new RecordReader(), header(alert, 4))).toMatchObject({ alert: "decode_error" })
    expect(show(readAll(new RecordReader(), plain(alert, closeNotify)))).toEqual(["21 clear 0100"])
  })
})

describe("RFC 9846 5.2: protected lengths", () => {
  // Requirement 5.2-1
  it("2^14 + 256 bytes of ciphertext may come; the header is not refused", () => {
    const reader = protectedReader()
    reader.push(header(application_data, 2 ** 14 + 256))
    expect(reader.next()).toBeUndefined()
  })

  it("one more is record_overflow, from the header alone", () => {
    const error = errorOf(protectedReader(), header(application_data, 2 ** 14 + 257))
    expect(error).toMatchObject({ kind: "PeerMisbehaved", alert: "record_overflow" })
  })

  it("RFC 9846 5.4: a TLSInnerPlaintext of 2^14 + 1 bytes is allowed, padded or not", () => {
    const sealer = new Sealer()
    const full = sealer.record(application_data, bytes(2 ** 14))
    const padded = sealer.record(application_data, bytes(1), 2 ** 14 - 1)
    const records = readAll(protectedReader(), full, padded)
    expect(records.map((record) => record.content.length)).toEqual([2 ** 14, 1])
  })

  // Requirement 5.4-5
  it("RFC 9846 5.4: one more is record_overflow, even when it is padding", () => {
    expect(errorOf(protectedReader(), new Sealer().record(handshake, bytes(2 ** 14 + 1)))).toMatchObject({
      alert: "record_overflow",
    })
    expect(errorOf(protectedReader(), new Sealer().record(handshake, bytes(1), 2 ** 14))).toMatchObject({
      alert: "record_overflow",
    })
  })

  it("RFC 8449 4: our record_size_limit counts content, type and padding", () => {
    const reader = protectedReader()
    reader.recordSizeLimit = 64
    const sealer = new Sealer()
    const records = readAll(reader, sealer.record(handshake, bytes(63)), sealer.record(handshake, bytes(1), 62))
    expect(records.map((record) => record.content.length)).toEqual([63, 1])
    expect(errorOf(reader, header(application_data, 64 + 16 + 1))).toMatchObject({ alert: "record_overflow" })
  })

  it("RFC 8449 4: records in the clear are not subject to it", () => {
    const reader = new RecordReader()
    reader.recordSizeLimit = 64
    expect(readAll(reader, plain(handshake, bytes(65)))).toHaveLength(1)
  })

  it("RFC 8449 4: the limit is 64 to 2^14 + 1", () => {
    const reader = new RecordReader()
    for (const limit of [63, 2 ** 14 + 2, 64.5]) {
      expect(() => {
        reader.recordSizeLimit = limit
      }).toThrow("whole number from 64 to 16385")
    }
  })
})

describe("RFC 9846 5.2: what does not open is bad_record_mac", () => {
  // Requirement 5.2-3
  it("at every byte of the body that is changed, and at the authenticated header", () => {
    const record = new Sealer().record(handshake, bytes(5))
    for (let at = 5; at < record.length; at++) {
      const changed = record.slice()
      changed[at]! ^= 0x80
      expect(errorOf(protectedReader(), changed)).toMatchObject({ kind: "PeerMisbehaved", alert: "bad_record_mac" })
    }
    const version = record.slice()
    version[1] = 2
    expect(errorOf(protectedReader(), version)).toMatchObject({ alert: "bad_record_mac" })
  })

  it.each([0, 1, 15, 16])("a record of %i bytes", (length) => {
    expect(errorOf(protectedReader(), plain(application_data, bytes(length)))).toMatchObject({
      alert: "bad_record_mac",
    })
  })

  // Requirement 5.3-1
  it("RFC 9846 5.3: a record again, or one left out", () => {
    const sealer = new Sealer()
    const first = sealer.record(application_data, bytes(1))
    const second = sealer.record(application_data, bytes(1))
    expect(errorOf(protectedReader(), first, first)).toMatchObject({ alert: "bad_record_mac" })
    expect(errorOf(protectedReader(), second)).toMatchObject({ alert: "bad_record_mac" })
  })

  // Requirement 5.3-1
  it("RFC 9846 5.3: with new keys the sequence number begins at 0, for the records after the change", () => {
    const reader = protectedReader()
    const old = new Sealer()
    const fresh = new Sealer(otherSecret)
    reader.push(
      concatBytes(
        old.record(handshake, bytes(1)),
        old.record(handshake, bytes(2)),
        fresh.record(handshake, bytes(3)),
        fresh.record(handshake, bytes(4)),
      ),
    )
    expect(reader.next()?.content).toHaveLength(1)
    expect(reader.next()?.content).toHaveLength(2)
    reader.protect(suite, otherSecret)
    expect(reader.next()?.content).toHaveLength(3)
    expect(reader.next()?.content).toHaveLength(4)
  })

  it("from one suite to another", () => {
    const reader = protectedReader()
    reader.protect(TLS_AES_128_GCM_SHA256, otherSecret)
    const record = new Sealer(otherSecret, TLS_AES_128_GCM_SHA256).record(handshake, bytes(1))
    expect(show(readAll(reader, record))).toEqual(["22 sealed 07"])
  })
})

describe("RFC 9846 5.4: padding and the inner content type", () => {
  it.each([0, 1, 2, 255, 256, 1000])("%i bytes of padding are taken off", (padding) => {
    const record = new Sealer().record(application_data, Uint8Array.of(1, 0, 0), padding)
    expect(show(readAll(protectedReader(), record))).toEqual(["23 sealed 010000"])
  })

  // Requirements 5.4-3, 5.4-4
  it.each([0, 1, 2, 300])("%i zeros and no content type are unexpected_message", (length) => {
    const error = errorOf(protectedReader(), new Sealer().inner(new Uint8Array(length)))
    expect(error).toMatchObject({ alert: "unexpected_message" })
    expect(error.message).toContain("has no content type")
  })

  // Requirement 5.4-2
  it.each([
    ["handshake", handshake],
    ["alert", alert],
  ])("a %s record without content is unexpected_message, even with padding", (_name, type) => {
    for (const padding of [0, 10]) {
      const error = errorOf(protectedReader(), new Sealer().record(type, bytes(0), padding))
      expect(error).toMatchObject({ alert: "unexpected_message" })
    }
  })

  it("RFC 9846 5.1: a protected alert of another length than 2", () => {
    for (const length of [1, 3, 4]) {
      expect(errorOf(protectedReader(), new Sealer().record(alert, bytes(length)))).toMatchObject({
        alert: "decode_error",
      })
    }
  })

  it.each([1, 19, change_cipher_spec, 24, 25, 255])(
    "RFC 9846 5: inner content type %i is unexpected_message",
    (type) => {
      expect(errorOf(protectedReader(), new Sealer().record(type, Uint8Array.of(1)))).toMatchObject({
        alert: "unexpected_message",
      })
    },
  )
})

describe("RFC 9846 5: record types out of place", () => {
  // Requirement 5-5
  it.each([0, 19, 24, 25, 128, 255])("content type %i in the clear is unexpected_message", (type) => {
    expect(errorOf(new RecordReader(), header(type, 1))).toMatchObject({ alert: "unexpected_message" })
    expect(errorOf(protectedReader(), header(type, 1))).toMatchObject({ alert: "unexpected_message" })
  })

  it("5.1: application data in the clear, from the header alone", () => {
    expect(errorOf(new RecordReader(), header(application_data, 1))).toMatchObject({ alert: "unexpected_message" })
  })

  it("5.2: handshake and alert in the clear after there are keys", () => {
    expect(errorOf(protectedReader(), header(handshake, 1))).toMatchObject({ alert: "unexpected_message" })
    expect(errorOf(protectedReader(), header(alert, 3))).toMatchObject({ alert: "unexpected_message" })
    const error = errorOf(
      protectedReader(),
      new Sealer().record(handshake, bytes(1)),
      plain(alert, Uint8Array.of(2, 40)),
    )
    expect(error).toMatchObject({ alert: "unexpected_message" })
    expect(error.message).toBe("peer sent an alert in the clear after keys were set: handshake_failure")
  })

  it("5.2: an alert in the clear is handed on as such until a record was opened", () => {
    expect(show(readAll(protectedReader(), plain(alert, Uint8Array.of(2, 48))))).toEqual(["21 clear 0230"])
    expect(errorOf(protectedReader(), plain(alert, Uint8Array.of(2)))).toMatchObject({ alert: "unexpected_message" })
  })

  it("a change_cipher_spec is handed on, before and after there are keys", () => {
    const record = plain(change_cipher_spec, Uint8Array.of(1))
    expect(show(readAll(new RecordReader(), record))).toEqual(["20 clear 01"])
    const sealer = new Sealer()
    const records = readAll(protectedReader(), record, sealer.record(handshake, bytes(1)), record)
    expect(show(records)).toEqual(["20 clear 01", "22 sealed 07", "20 clear 01"])
  })

  // Requirement 5-2
  it("a change_cipher_spec of another value or length is unexpected_message", () => {
    for (const reader of [() => new RecordReader(), () => protectedReader()]) {
      expect(errorOf(reader(), plain(change_cipher_spec, Uint8Array.of(2)))).toMatchObject({
        alert: "unexpected_message",
      })
      expect(errorOf(reader(), plain(change_cipher_spec, Uint8Array.of(0)))).toMatchObject({
        alert: "unexpected_message",
      })
      expect(errorOf(reader(), header(change_cipher_spec, 0))).toMatchObject({ alert: "unexpected_message" })
      expect(errorOf(reader(), header(change_cipher_spec, 2))).toMatchObject({ alert: "unexpected_message" })
    }
  })
})

describe("the limit of empty records in a row", () => {
  it("at the limit; content begins the count again", () => {
    const sealer = new Sealer()
    const parts: Uint8Array[] = []
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) parts.push(sealer.record(application_data, bytes(0), i))
      parts.push(sealer.record(application_data, bytes(1)))
    }
    expect(readAll(protectedReader({ maxEmptyRecords: 4 }), ...parts)).toHaveLength(15)
  })

  it("one past it", () => {
    const sealer = new Sealer()
    const parts = Array.from({ length: 5 }, () => sealer.record(application_data, bytes(0)))
    const reader = protectedReader({ maxEmptyRecords: 4 })
    expect(readAll(reader, ...parts.slice(0, 4))).toHaveLength(4)
    expect(errorOf(reader, parts[4]!)).toMatchObject({
      kind: "LimitExceeded",
      limit: "emptyRecords",
      alert: "unexpected_message",
    })
  })

  it("none at all", () => {
    const reader = protectedReader({ maxEmptyRecords: 0 })
    expect(errorOf(reader, new Sealer().record(application_data, bytes(0)))).toMatchObject({ kind: "LimitExceeded" })
  })
})

describe("RFC 9846 4.3.10: early data that the server does not accept", () => {
  const early = new Sealer(otherSecret)
  // Content of 10 bytes each.
  const earlyRecords = [1, 2, 3, 4].map(() => early.record(application_data, bytes(10)))

  // Requirement 4.3.10-4
  it("records that do not open are dropped, up to max_early_data_size, until one opens", () => {
    const reader = protectedReader()
    reader.skipped = new SkippedEarlyData("undecryptable", 40)
    const sealer = new Sealer()
    const finished = sealer.record(handshake, bytes(36))
    expect(show(readAll(reader, ...earlyRecords, finished))).toEqual([`22 sealed ${"07".repeat(36)}`])
    expect(errorOf(reader, earlyRecords[0]!)).toMatchObject({ alert: "bad_record_mac" })
  })

  it("past max_early_data_size", () => {
    const reader = protectedReader()
    reader.skipped = new SkippedEarlyData("undecryptable", 39)
    expect(readAll(reader, ...earlyRecords.slice(0, 3))).toEqual([])
    expect(errorOf(reader, earlyRecords[3]!)).toMatchObject({
      kind: "LimitExceeded",
      limit: "skippedEarlyData",
      alert: "unexpected_message",
    })
  })

  it("a record counts as one byte at least", () => {
    const reader = protectedReader()
    reader.skipped = new SkippedEarlyData("undecryptable", 3)
    const tiny = plain(application_data, bytes(0))
    expect(readAll(reader, tiny, tiny, tiny)).toEqual([])
    expect(errorOf(reader, tiny)).toMatchObject({ limit: "skippedEarlyData" })
  })

  it("a change_cipher_spec between is handed on; other records are refused as ever", () => {
    const reader = protectedReader()
    reader.skipped = new SkippedEarlyData("undecryptable", 100)
    const ccs = plain(change_cipher_spec, Uint8Array.of(1))
    expect(show(readAll(reader, earlyRecords[0]!, ccs, earlyRecords[1]!))).toEqual(["20 clear 01"])
    expect(errorOf(reader, header(application_data, 2 ** 14 + 257))).toMatchObject({ alert: "record_overflow" })
    expect(errorOf(protectedReader(), header(handshake, 1))).toMatchObject({ alert: "unexpected_message" })
  })

  it("undefined: from then on bad_record_mac", () => {
    const reader = protectedReader()
    reader.skipped = new SkippedEarlyData("undecryptable", 100)
    reader.skipped = undefined
    expect(errorOf(reader, earlyRecords[0]!)).toMatchObject({ alert: "bad_record_mac" })
  })

  it("after a HelloRetryRequest, records of outer type application_data are dropped until the second ClientHello", () => {
    const reader = new RecordReader()
    readAll(reader, plain(handshake, bytes(4)))
    reader.skipped = new SkippedEarlyData("application_data", 40)
    const clientHello2 = plain(handshake, bytes(5))
    expect(show(readAll(reader, earlyRecords[0]!, earlyRecords[1]!, clientHello2))).toEqual(["22 clear 0707070707"])
    expect(errorOf(reader, earlyRecords[2]!)).toMatchObject({ kind: "PeerMisbehaved", alert: "unexpected_message" })
  })

  it("after a HelloRetryRequest, past max_early_data_size", () => {
    const reader = new RecordReader()
    reader.skipped = new SkippedEarlyData("application_data", 39)
    expect(errorOf(reader, ...earlyRecords)).toMatchObject({ kind: "LimitExceeded", limit: "skippedEarlyData" })
  })

  it("after a HelloRetryRequest, protected records have their own length limit", () => {
    const reader = new RecordReader()
    reader.skipped = new SkippedEarlyData("application_data", 2 ** 15)
    expect(readAll(reader, plain(application_data, bytes(2 ** 14 + 256)))).toEqual([])
    expect(errorOf(reader, header(application_data, 2 ** 14 + 257))).toMatchObject({ alert: "record_overflow" })
  })

  it("keys end it", () => {
    const reader = new RecordReader()
    reader.skipped = new SkippedEarlyData("application_data", 100)
    reader.protect(suite, secret)
    expect(errorOf(reader, earlyRecords[0]!)).toMatchObject({ alert: "bad_record_mac" })
  })
})

describe("observing and wiping", () => {
  it("an observer sees every record as on the wire", () => {
    const seen: string[] = []
    const reader = new RecordReader({
      observer: (outer, inner, record, content, wasProtected) =>
        seen.push(`${outer} ${inner} ${toHex(record)} ${toHex(content)} ${wasProtected}`),
    })
    const clear = plain(handshake, bytes(2))
    const sealed = new Sealer().record(handshake, bytes(2), 3)
    readAll(reader, clear)
    reader.protect(suite, secret)
    readAll(reader, sealed)
    expect(seen).toEqual([`22 22 ${toHex(clear)} 0707 false`, `23 22 ${toHex(sealed)} 0707 true`])
  })

  it("protect tells the key and iv", () => {
    const told: number[] = []
    new RecordReader().protect(suite, secret, (key, iv) => told.push(key.length, iv.length))
    expect(told).toEqual([32, 12])
  })

  it("wipe forgets the keys and what was buffered", () => {
    const reader = protectedReader()
    expect(reader.protection !== undefined).toBe(true)
    reader.push(header(application_data, 100))
    reader.wipe()
    expect(reader.protection !== undefined).toBe(false)
    expect(reader.input.length).toBe(0)
  })
})
