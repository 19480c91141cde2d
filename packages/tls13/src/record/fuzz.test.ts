import { describe, expect, it } from "vitest"
import { AlertDescription } from "../bytes/alerts.ts"
import { ContentType } from "../bytes/code-points.ts"
import { concatBytes } from "../bytes/concat.ts"
import { TlsError } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { TLS_CHACHA20_POLY1305_SHA256 as suite } from "../crypto/noble/index.ts"
import { HandshakeJoiner } from "./handshake-joiner.ts"
import { RecordProtection } from "./protection.ts"
import { RecordReader } from "./record-reader.ts"
import { SkippedEarlyData } from "./skipped-early-data.ts"

// A structure-aware fuzzer of reader and joiner. It knows how records are made, so that its streams reach past the first
// check; then it damages them. Deterministic: a failure names its seed, and the same seed gives the same stream.
// What must hold for every stream:
// - nothing but a TlsError with an alert is thrown;
// - how the stream is cut into receives changes nothing;
// - what was not damaged comes out as it went in.

const seeds = 1200
const maxMessageSize = 2000
const maxContent = 2 ** 14
const secret = new Uint8Array(32).fill(1)
const strangeSecret = new Uint8Array(32).fill(2)

/** A small generator of 32-bit numbers (mulberry32). */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }
}

interface Stream {
  readonly records: Uint8Array[]
  /** What a reader makes of it when nothing is damaged. */
  readonly expected: string[]
}

type Setup = "clear" | "protected" | "skip undecryptable" | "skip application data"

function setUp(setup: Setup): RecordReader {
  const reader = new RecordReader({ maxEmptyRecords: 3 })
  if (setup === "protected" || setup === "skip undecryptable") reader.protect(suite, secret)
  if (setup === "skip undecryptable") reader.skipped = new SkippedEarlyData("undecryptable", 4000)
  if (setup === "skip application data") reader.skipped = new SkippedEarlyData("application_data", 4000)
  return reader
}

function makeStream(random: Random, setup: Setup): Stream {
  const good = new RecordProtection(suite, secret)
  const strange = new RecordProtection(suite, strangeSecret)
  const records: Uint8Array[] = []
  const expected: string[] = []
  const sealed = setup === "protected" || setup === "skip undecryptable"
  if (setup === "skip undecryptable" || setup === "skip application data") {
    for (let i = random.below(4); i > 0; i--) {
      records.push(seal(strange, ContentType.application_data, random.bytes(random.below(300)), random.below(50)))
    }
  }
  for (const { type, content } of makeContents(random, sealed)) {
    if (type === ContentType.change_cipher_spec || !sealed) records.push(plain(type, content))
    else records.push(seal(good, type, content, random.chance(3) ? random.below(40) : 0))
    expected.push(`${type} ${toHex(content)}`)
  }
  return { records, expected }
}

function makeContents(random: Random, sealed: boolean): { type: number; content: Uint8Array }[] {
  const contents: { type: number; content: Uint8Array }[] = []
  for (let i = 1 + random.below(4); i > 0; i--) {
    const kind = random.below(sealed ? 4 : 3)
    if (kind === 0) {
      const messages = concatBytes(...Array.from({ length: 1 + random.below(4) }, () => makeMessage(random)))
      for (let at = 0; at < messages.length; ) {
        const end = at + 1 + random.below(random.chance(3) ? 4 : 400)
        contents.push({ type: ContentType.handshake, content: messages.slice(at, end) })
        at = end
      }
    } else if (kind === 1) contents.push({ type: ContentType.alert, content: Uint8Array.of(1, random.below(120)) })
    else if (kind === 2) contents.push({ type: ContentType.change_cipher_spec, content: Uint8Array.of(1) })
    else contents.push({ type: ContentType.application_data, content: random.bytes(1 + random.below(500)) })
  }
  return contents
}

function makeMessage(random: Random): Uint8Array {
  const length = random.chance(20) ? maxMessageSize - random.below(2) : random.below(200)
  return concatBytes(Uint8Array.of(1 + random.below(25), length >> 16, length >> 8, length), random.bytes(length))
}

function plain(type: number, content: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(type, 3, 3, content.length >> 8, content.length), content)
}

function seal(protection: RecordProtection, type: number, content: Uint8Array, padding: number): Uint8Array {
  const inner = concatBytes(content, Uint8Array.of(type), new Uint8Array(padding))
  const length = inner.length + 16
  const header = Uint8Array.of(ContentType.application_data, 3, 3, length >> 8, length)
  const record = new Uint8Array(5 + length)
  record.set(header)
  protection.seal(header, inner, record, 5)
  return record
}

/** One to three damages, each of a kind that an attacker or a broken peer makes. */
function damage(random: Random, stream: Stream): Uint8Array[] {
  const records: Uint8Array[] = stream.records.map((record) => record.slice())
  for (let i = 1 + random.below(3); i > 0 && records.length > 0; i--) {
    const at = random.below(records.length)
    const record = records[at]!
    switch (random.below(8)) {
      case 0: // a bit anywhere
        record[random.below(record.length)]! ^= 1 << random.below(8)
        break
      case 1: // another content type
        record[0] = random.chance(2) ? 20 + random.below(5) : random.below(256)
        break
      case 2: // a length at or around the limits
        setLength(
          record,
          random.pick([0, 1, 2, 16, 17, maxContent, maxContent + 1, maxContent + 256, maxContent + 257, 0xffff]),
        )
        break
      case 3: // cut short, in the body or in the header
        records[at] = record.slice(0, random.below(record.length))
        break
      case 4: // left out
        records.splice(at, 1)
        break
      case 5: // again
        records.splice(at, 0, record.slice())
        break
      case 6: // bytes from elsewhere
        records.splice(at, 0, random.bytes(1 + random.below(40)))
        break
      default: // a record that no writer makes
        records.splice(at, 0, plain(20 + random.below(5), random.bytes(random.below(4))))
    }
  }
  return records
}

function setLength(record: Uint8Array, length: number): void {
  if (record.length < 5) return
  record[3] = length >> 8
  record[4] = length
}

interface Result {
  readonly records: string[]
  readonly messages: string[]
  readonly error: string
}

/** Reads `wire` in parts that come in one reused buffer, through reader and joiner. */
function run(setup: Setup, wire: Uint8Array, partLength: () => number): Result {
  const reader = setUp(setup)
  const joiner = new HandshakeJoiner(maxMessageSize)
  const records: string[] = []
  const messages: string[] = []
  const buffer = new Uint8Array(wire.length)
  try {
    for (let at = 0; at < wire.length; ) {
      const length = Math.min(partLength(), wire.length - at)
      buffer.set(wire.subarray(at, at + length))
      reader.push(buffer.subarray(0, length))
      for (let record = reader.next(); record; record = reader.next()) {
        if (record.content.length > maxContent) throw new Error("a record of more than 2^14 bytes came out")
        records.push(`${record.type} ${toHex(record.content)}`)
        if (record.type !== ContentType.handshake) continue
        joiner.push(record.content)
        for (let message = joiner.next(); message; message = joiner.next()) messages.push(toHex(message))
      }
      reader.settle()
      buffer.fill(0xee)
      if (reader.input.length > 5 + maxContent + 256) throw new Error("more than a record is kept")
      at += length
    }
  } catch (error) {
    if (!(error instanceof TlsError)) throw error
    if (error.alert === undefined || !(error.alert in AlertDescription)) throw new Error(`no alert: ${error.message}`)
    return { records, messages, error: `${error.kind} ${error.alert}: ${error.message}` }
  }
  return { records, messages, error: reader.input.length === 0 ? "" : "unfinished" }
}

describe.each(["clear", "protected", "skip undecryptable", "skip application data"] as const)(
  "fuzzing: %s",
  (setup) => {
    it("RFC 9846 5.1: a well-formed stream comes out as it went in, however it is cut", () => {
      for (let seed = 0; seed < seeds / 4; seed++) {
        const random = new Random(seed)
        const stream = makeStream(random, setup)
        const wire = concatBytes(...stream.records)
        for (const partLength of [() => wire.length, () => 1 + random.below(100), () => 1]) {
          const { records, messages, error } = run(setup, wire, partLength)
          expect(records, `seed ${seed}`).toEqual(stream.expected)
          expect(error, `seed ${seed}`).toBe("")
          const handshake = stream.expected
            .filter((record) => record.startsWith("22 "))
            .map((record) => record.slice(3))
          expect(messages.join(""), `seed ${seed}`).toBe(handshake.join(""))
        }
      }
    })

    it("RFC 9846 5: a damaged stream gives an alert or waits, the same however it is cut", () => {
      const errors = new Set<string>()
      for (let seed = 0; seed < seeds; seed++) {
        const random = new Random(0x10000 + seed)
        const stream = makeStream(random, setup)
        const wire = concatBytes(...damage(random, stream))
        const whole = run(setup, wire, () => Math.max(1, wire.length))
        expect(
          run(setup, wire, () => 1 + random.below(60)),
          `seed ${seed}`,
        ).toEqual(whole)
        if (seed % 4 === 0)
          expect(
            run(setup, wire, () => 1),
            `seed ${seed}`,
          ).toEqual(whole)
        errors.add(whole.error.split(":")[0]!)
      }
      // The damage reaches the checks that it is meant for.
      expect([...errors]).toEqual(expect.arrayContaining(["PeerMisbehaved unexpected_message", "unfinished", ""]))
      if (setup === "protected") expect([...errors]).toContain("PeerMisbehaved bad_record_mac")
      expect([...errors]).toContain("PeerMisbehaved record_overflow")
    })
  },
)
