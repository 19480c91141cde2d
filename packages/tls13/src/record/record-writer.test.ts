import { describe, expect, it } from "vitest"
import { ContentType } from "../bytes/code-points.ts"
import { LimitExceeded, Misuse } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { Writer } from "../bytes/writer.ts"
import { TLS_CHACHA20_POLY1305_SHA256 as suite, TLS_AES_128_GCM_SHA256 } from "../crypto/noble/index.ts"
import { padToFull, padToMultipleOf } from "./padding.ts"
import { RecordReader } from "./record-reader.ts"
import { RecordWriter, type RecordWriterOptions } from "./record-writer.ts"

const { alert, application_data, change_cipher_spec, handshake } = ContentType
const secret = new Uint8Array(32).fill(1)
const clientHello = Uint8Array.of(1, 0, 0, 1, 9)
const serverHello = Uint8Array.of(2, 0, 0, 1, 9)

function content(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8))
}

function protectedWriter(options: RecordWriterOptions = {}): RecordWriter {
  const writer = new RecordWriter(options)
  writer.protect(suite, secret)
  return writer
}

/** One call of write, as the records on the wire. */
function write(writer: RecordWriter, type: number, bytes: Uint8Array): Uint8Array[] {
  const out = new Writer(1)
  writer.write(type, bytes, out)
  return split(out.finish())
}

function split(wire: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = []
  for (let at = 0; at < wire.length; ) {
    const end = at + 5 + ((wire[at + 3]! << 8) | wire[at + 4]!)
    records.push(wire.subarray(at, end))
    at = end
  }
  return records
}

function contentLengths(records: readonly Uint8Array[]): number[] {
  const reader = new RecordReader()
  reader.protect(suite, secret)
  return records.map((record) => {
    reader.push(record)
    return reader.next()!.content.length
  })
}

describe("RFC 9846 5.1: legacy_record_version", () => {
  // Requirement 5.1-10
  it("0x0301 for an initial ClientHello, all of its fragments, and 0x0303 after", () => {
    const writer = new RecordWriter({ maxFragment: 64 })
    const long = content(100)
    long[0] = 1
    expect(write(writer, handshake, long).map((record) => toHex(record.subarray(0, 5)))).toEqual([
      "1603010040",
      "1603010024",
    ])
    expect(toHex(write(writer, change_cipher_spec, Uint8Array.of(1))[0]!)).toBe("140303000101")
    expect(toHex(write(writer, handshake, clientHello)[0]!)).toBe("16030300050100000109")
  })

  // Requirement 5.1-10
  it("0x0303 for a ServerHello, an alert, and everything that is protected", () => {
    expect(toHex(write(new RecordWriter(), handshake, serverHello)[0]!)).toBe("16030300050200000109")
    expect(toHex(write(new RecordWriter(), alert, Uint8Array.of(2, 40))[0]!)).toBe("15030300020228")
    expect(toHex(write(protectedWriter(), handshake, serverHello)[0]!.subarray(0, 5))).toBe("1703030016")
  })
})

describe("RFC 9846 5.1: fragments", () => {
  // Requirement 5.1-12
  it.each([
    [2 ** 14, [2 ** 14]],
    [2 ** 14 + 1, [2 ** 14, 1]],
    [3 * 2 ** 14, [2 ** 14, 2 ** 14, 2 ** 14]],
  ])("%i bytes of content in the clear", (length, expected) => {
    const records = write(new RecordWriter(), handshake, content(length))
    expect(records.map((record) => record.length - 5)).toEqual(expected)
  })

  // Requirements 5.2-1, 5.4-5
  it.each([
    [0, [0]],
    [1, [1]],
    [2 ** 14, [2 ** 14]],
    [2 ** 14 + 1, [2 ** 14, 1]],
  ])("%i bytes of content, protected", (length, expected) => {
    expect(contentLengths(write(protectedWriter(), application_data, content(length)))).toEqual(expected)
  })

  it("what was written reads back", () => {
    const writer = protectedWriter({ maxFragment: 1000, padding: padToMultipleOf(64) })
    const reader = new RecordReader()
    reader.protect(suite, secret)
    const out = new Writer(1)
    const sent = content(4321)
    writer.write(application_data, sent, out)
    writer.write(alert, Uint8Array.of(1, 0), out)
    reader.push(out.finish())
    const got = [1, 2, 3, 4, 5].flatMap(() => [...reader.next()!.content])
    expect(toHex(Uint8Array.from(got))).toBe(toHex(sent))
    expect(reader.next()).toMatchObject({ type: alert, wasProtected: true })
    expect(reader.next()).toBeUndefined()
    expect(toHex(sent)).toBe(toHex(content(4321)))
  })

  it("a configured fragment, 64 to 2^14", () => {
    const writer = protectedWriter()
    writer.maxFragment = 64
    expect(contentLengths(write(writer, application_data, content(129)))).toEqual([64, 64, 1])
    for (const length of [63, 2 ** 14 + 1, 100.5]) {
      expect(() => new RecordWriter({ maxFragment: length })).toThrow(Misuse)
    }
  })

  it("RFC 8449 4: the peer's record_size_limit counts the content type; above 2^14 + 1 it means 2^14 + 1", () => {
    const writer = protectedWriter()
    writer.recordSizeLimit = 64
    expect(contentLengths(write(writer, application_data, content(127)))).toEqual([63, 63, 1])
    const wide = protectedWriter()
    wide.recordSizeLimit = 0xffff
    expect(contentLengths(write(wide, application_data, content(2 ** 14 + 1)))).toEqual([2 ** 14, 1])
    expect(() => {
      writer.recordSizeLimit = 63
    }).toThrow("from 64 to")
  })

  it("RFC 8449 4: records in the clear are not subject to it", () => {
    const writer = new RecordWriter()
    writer.recordSizeLimit = 64
    expect(write(writer, handshake, content(1000))).toHaveLength(1)
  })
})

describe("RFC 9846 5: what is never sent", () => {
  // Requirement 5.1-15
  it("5.1: application data unprotected", () => {
    expect(() => write(new RecordWriter(), application_data, content(1))).toThrow("never sent unprotected")
  })

  // Requirements 5.1-7, 5.4-2
  it("5.1, 5.4: handshake or alert records without content", () => {
    for (const type of [handshake, alert, change_cipher_spec]) {
      expect(() => write(new RecordWriter(), type, content(0))).toThrow(Misuse)
      expect(() => write(protectedWriter(), type, content(0))).toThrow(Misuse)
    }
  })

  it("a protected change_cipher_spec: it goes in the clear and counts as no record of the key", () => {
    const writer = protectedWriter()
    expect(toHex(write(writer, change_cipher_spec, Uint8Array.of(1))[0]!)).toBe("140303000101")
    expect(contentLengths(write(writer, application_data, content(3)))).toEqual([3])
  })

  it("anything with a wiped key", () => {
    const writer = protectedWriter()
    expect(writer.protection !== undefined).toBe(true)
    writer.wipe()
    expect(writer.protection !== undefined).toBe(false)
    for (const type of [application_data, handshake, alert]) {
      expect(() => write(writer, type, content(2))).toThrow("nothing more can be sent")
    }
  })
})

it("RFC 9846 4.3.10: after 0-RTT data the ClientHello that follows a HelloRetryRequest is in the clear again", () => {
  const writer = new RecordWriter()
  write(writer, handshake, clientHello)
  writer.protect(suite, secret)
  write(writer, application_data, content(3))
  writer.replace()
  expect(writer.protection !== undefined).toBe(false)
  expect(toHex(write(writer, handshake, clientHello)[0]!)).toBe("16030300050100000109")
  expect(() => write(writer, application_data, content(3))).toThrow("never sent unprotected")
})

describe("RFC 9846 5.4: padding", () => {
  it.each([
    [0, 64 + 17],
    [1, 64 + 17],
    [64, 64 + 17],
    [65, 128 + 17],
  ])("to multiples of 64: %i bytes of content", (length, expected) => {
    const writer = protectedWriter({ padding: (type, n, room) => (n === 0 ? 64 : padToMultipleOf(64)(type, n, room)) })
    expect(write(writer, application_data, content(length))[0]).toHaveLength(expected + 5)
  })

  // Requirements 5.4-5, 5.2-1
  it("to the full record, and not past 2^14 + 1", () => {
    const writer = protectedWriter({ padding: padToFull() })
    const lengths = [0, 1, 2 ** 14].map((length) => write(writer, application_data, content(length))[0]!.length)
    expect(lengths).toEqual(Array(3).fill(5 + 2 ** 14 + 1 + 16))
  })

  it("within the peer's record_size_limit", () => {
    const writer = protectedWriter({ padding: padToFull() })
    writer.recordSizeLimit = 100
    const records = write(writer, application_data, content(150))
    expect(records.map((record) => record.length)).toEqual([5 + 100 + 16, 5 + 100 + 16])
    expect(contentLengths(records)).toEqual([99, 51])
  })

  it("a policy is told type, length and room; more than the room is cut to it", () => {
    const asked: number[][] = []
    const writer = protectedWriter({
      padding: (type, length, room) => {
        asked.push([type, length, room])
        return Number.MAX_SAFE_INTEGER
      },
    })
    const [record] = write(writer, handshake, content(10))
    expect(asked).toEqual([[handshake, 10, 2 ** 14 - 10]])
    expect(record).toHaveLength(5 + 2 ** 14 + 1 + 16)
    expect(contentLengths([record!])).toEqual([10])
  })

  it.each([-1, 0.5, Number.NaN])("a policy that asks for %d bytes", (padding) => {
    const writer = protectedWriter({ padding: () => padding })
    expect(() => write(writer, handshake, content(1))).toThrow("a padding policy asked for")
  })

  // Requirement 5.4-1
  it("padding octets are zeros, whatever the output buffer held before", () => {
    class UsedWriter extends Writer {
      override reserve(length: number): { readonly buffer: Uint8Array; readonly at: number } {
        const room = super.reserve(length)
        room.buffer.fill(0xff, room.at, room.at + length)
        return room
      }
    }
    const out = new UsedWriter()
    protectedWriter({ padding: () => 100 }).write(handshake, content(10), out)
    expect(contentLengths([out.finish()])).toEqual([10])
  })

  it("records in the clear have none", () => {
    expect(write(new RecordWriter({ padding: padToFull() }), handshake, serverHello)[0]).toHaveLength(10)
  })
})

describe("RFC 9846 5.5: limits on key usage", () => {
  it("the AEAD's own limit, 2^24.5 records of AES-GCM", () => {
    const writer = new RecordWriter()
    expect(writer.needsKeyUpdate).toBe(false)
    writer.protect(TLS_AES_128_GCM_SHA256, secret)
    expect(writer.contentUntilKeyUpdate).toBe((Math.floor(2 ** 24.5) - 2 ** 16) * 2 ** 14)
    expect(writer.needsKeyUpdate).toBe(false)
    write(writer, application_data, content(1))
    expect(writer.contentUntilKeyUpdate).toBe((Math.floor(2 ** 24.5) - 1 - 2 ** 16) * 2 ** 14)
  })

  // Requirement 5.5-1
  it("a KeyUpdate is due before the limit, with room for it and an alert; past the limit nothing is sealed", () => {
    const writer = protectedWriter({ recordLimit: 5 })
    for (let i = 0; i < 3; i++) {
      expect(writer.needsKeyUpdate).toBe(false)
      expect(writer.contentUntilKeyUpdate).toBe((3 - i) * 2 ** 14)
      write(writer, application_data, content(1))
    }
    expect(writer.needsKeyUpdate).toBe(true)
    expect(writer.contentUntilKeyUpdate).toBe(0)
    expect(writer.protection?.sequenceNumber).toBe(5 - 2)
    write(writer, handshake, content(5))
    write(writer, alert, Uint8Array.of(1, 0))
    expect(writer.protection?.sequenceNumber).toBe(5)
    expect(() => write(writer, alert, Uint8Array.of(1, 0))).toThrow(LimitExceeded)
  })

  it("content split at contentUntilKeyUpdate stays before it", () => {
    const writer = protectedWriter({ recordLimit: 16, maxFragment: 100 })
    write(writer, application_data, content(writer.contentUntilKeyUpdate))
    expect(writer.needsKeyUpdate).toBe(true)
    expect(writer.protection?.sequenceNumber).toBe(16 - 2)
  })

  // Requirement 5.3-1
  it("new keys begin at sequence number 0 and count anew", () => {
    const writer = protectedWriter({ recordLimit: 4 })
    write(writer, application_data, content(300))
    write(writer, application_data, content(300))
    expect(writer.needsKeyUpdate).toBe(true)
    const next = new Uint8Array(32).fill(2)
    writer.protect(suite, next)
    expect(writer.needsKeyUpdate).toBe(false)
    const reader = new RecordReader()
    reader.protect(suite, next)
    reader.push(write(writer, application_data, content(3))[0]!)
    expect(reader.next()?.content).toHaveLength(3)
  })

  it("a limit of fewer than 4 records makes no sense", () => {
    expect(() => protectedWriter({ recordLimit: 3 })).toThrow(Misuse)
  })
})

it("an observer sees every record as on the wire, and its content", () => {
  const seen: string[] = []
  const writer = new RecordWriter({
    observer: (outer, inner, record, bytes, wasProtected) =>
      seen.push(`${outer} ${inner} ${toHex(record)} ${toHex(bytes)} ${wasProtected}`),
  })
  const clear = toHex(write(writer, handshake, serverHello)[0]!)
  const keys: number[] = []
  writer.protect(suite, secret, (key, iv) => keys.push(key.length, iv.length))
  const sealed = toHex(write(writer, handshake, serverHello)[0]!)
  expect(seen).toEqual([`22 22 ${clear} 0200000109 false`, `23 22 ${sealed} 0200000109 true`])
  expect(keys).toEqual([32, 12])
})
