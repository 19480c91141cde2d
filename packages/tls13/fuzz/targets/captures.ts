// What strangers give to the explorer: captures and saved traces. A reader may throw a TraceFileError and nothing else, and what it
// gives of a capture is in the file.

import { bytesToLatin1, utf8ToBytes } from "../../src/bytes/text.ts"
import { readCaptureFile } from "../../src/trace/capture-file.ts"
import { TraceFileError } from "../../src/trace/file-error.ts"
import { readSavedTrace, writeSavedTrace } from "../../src/trace/saved-trace.ts"
import { TcpFlag } from "../../src/trace/tcp-packet.ts"
import { type CapturedStream, unbrokenBytes } from "../../src/trace/tcp-streams.ts"
import {
  answer,
  enhancedPacket,
  type Frame,
  here,
  packet,
  packetBlock,
  pcapFile,
  pcapngFile,
  secrets,
  simplePacket,
} from "../../tests/tools/capture-builder.ts"
import { everyKindOfEvent } from "../../tests/tools/trace-events.ts"
import type { Random } from "../random.ts"
import { type Target, Violation, wordsOf } from "../target.ts"
import { ofBytes } from "./decoders.ts"

function refusing<Value>(read: () => Value): Value | string {
  try {
    return read()
  } catch (error) {
    if (error instanceof TraceFileError && !error.message.includes("\n")) return wordsOf(error)
    throw error
  }
}

/** Half of the inputs are made anew: segments that overlap, come again and are missing, in any kind of file. */
export function captures(corpus: readonly Uint8Array[]): Target {
  return ofBytes("captures", [...corpus, ...someCaptures()], (given, random) => {
    const input = random.oneIn(2) ? given : madeUp(random)
    const read = refusing(() => readCaptureFile(input))
    if (typeof read === "string") return read
    if (read.notes.length > 10) throw new Violation(`${read.notes.length} notes`)
    for (const { fromClient, fromServer } of read.connections) {
      for (const stream of [fromClient, fromServer]) checkStream(stream, input)
    }
    const note = wordsOf({ name: "note", message: read.notes[0] ?? "none" })
    const secret = read.keyLog === "" ? "" : "with secrets"
    return `${read.connections.length > 1 ? "some" : read.connections.length} connections ${secret} ${note}`
  })
}

/** Pieces and what is missing make up the stream without a seam, and a byte of the file is in it once. */
function checkStream(stream: CapturedStream, file: Uint8Array): void {
  const parts = [
    ...stream.pieces.map(({ offset, bytes }) => ({ offset, length: bytes.length })),
    ...stream.missing,
  ].sort((a, b) => a.offset - b.offset)
  let end = 0
  for (const { offset, length } of parts) {
    if (offset !== end || length < 1) throw new Violation(`a part of ${length} bytes at ${offset}, behind ${end}`)
    end += length
  }
  const bytes = stream.pieces.reduce((sum, piece) => sum + piece.bytes.length, 0)
  if (bytes > file.length) throw new Violation(`${bytes} bytes of a file of ${file.length}`)
  if (unbrokenBytes(stream).length > bytes) throw new Violation("more unbroken bytes than there are")
  let last = { at: Number.NEGATIVE_INFINITY, packet: 0 }
  for (const piece of stream.pieces) {
    if (!(piece.at >= last.at && piece.packet >= last.packet)) throw new Violation("a stream goes back in time")
    last = piece
  }
}

function someCaptures(): Uint8Array[] {
  const [data, back] = [packet({ data: "hello" }), answer({ data: "back", sequence: 77 })]
  const cooked = Buffer.concat([new Uint8Array(14), Uint8Array.of(8, 0), data])
  return [
    pcapFile([{ bytes: data }, { bytes: back }], { little: true }),
    pcapFile([{ bytes: cooked }], { linkType: 113, nanoseconds: true }),
    ...[true, false].map((little) =>
      pcapngFile(
        [
          secrets("CLIENT_RANDOM 00 11\n", { little }),
          enhancedPacket(data, { little }),
          packetBlock(back, { little }),
          simplePacket(data, { little }),
        ],
        { little },
      ),
    ),
  ]
}

function madeUp(random: Random): Uint8Array {
  const base = random.pick([0, 1000, 2 ** 31 - 20, 2 ** 32 - 20])
  const whole = random.bytes(64)
  const frames: Frame[] = Array.from({ length: 1 + random.integer(24) }, () => {
    const begin = random.integer(64)
    const data = random.oneIn(20) ? random.bytes(5) : whole.subarray(begin, begin + random.integer(20))
    const flags = random.oneIn(4) ? random.integer(32) : TcpFlag.ACK
    const shape = { sequence: (base + begin + (random.oneIn(30) ? random.integer(2 ** 32) : 0)) % 2 ** 32, flags, data }
    const bytes = random.oneIn(3) ? answer(shape) : packet({ ...shape, from: [here[0], here[1] + random.integer(2)] })
    return {
      bytes: random.oneIn(20) ? bytes.subarray(0, random.integer(bytes.length)) : bytes,
      at: random.integer(5000),
    }
  })
  if (random.oneIn(2)) return pcapFile(frames, { little: random.oneIn(2), nanoseconds: random.oneIn(2) })
  const order = { little: random.oneIn(2) }
  const kinds = [enhancedPacket, packetBlock, simplePacket]
  return pcapngFile(
    frames.map(({ bytes }) => random.pick(kinds)(bytes, order)),
    order,
  )
}

export function savedTraces(corpus: readonly Uint8Array[]): Target {
  const events = everyKindOfEvent.map((event, at) => ({ at, event }))
  const seeds = events.map((event) => writeSavedTrace({ role: "client", started: 0, events: [event], omitted: 0 }))
  return ofBytes("saved-traces", [...corpus, ...seeds.map(utf8ToBytes)], (input) => {
    const read = refusing(() => readSavedTrace(bytesToLatin1(input)))
    if (typeof read === "string") return read
    // What was taken can be written, and is the same then.
    const text = writeSavedTrace(read)
    if (writeSavedTrace(readSavedTrace(text)) !== text) throw new Violation("what was read is not what is written")
    return `taken, ${read.events[0]?.event.type ?? "without events"}`
  })
}
