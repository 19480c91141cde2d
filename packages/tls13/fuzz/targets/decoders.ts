// The deframer, every message decoder and the ticket decoder: bytes in, a value or a typed error out.

import { AlertDescription } from "../../src/bytes/alerts.ts"
import { TlsError } from "../../src/bytes/errors.ts"
import { decodeCertificate } from "../../src/codec/certificate.ts"
import { decodeCertificateRequest } from "../../src/codec/certificate-request.ts"
import { decodeCertificateVerify } from "../../src/codec/certificate-verify.ts"
import { decodeClientHello } from "../../src/codec/client-hello.ts"
import { decodeCompressedCertificate } from "../../src/codec/compressed-certificate.ts"
import { decodeEncryptedExtensions } from "../../src/codec/encrypted-extensions.ts"
import { decodeFinished } from "../../src/codec/finished.ts"
import { decodeEndOfEarlyData, decodeKeyUpdate } from "../../src/codec/key-update.ts"
import { handshakeMessage } from "../../src/codec/message.ts"
import { decodeNewSessionTicket } from "../../src/codec/new-session-ticket.ts"
import { decodeServerHello } from "../../src/codec/server-hello.ts"
import { HandshakeJoiner } from "../../src/record/handshake-joiner.ts"
import { RecordReader } from "../../src/record/record-reader.ts"
import { SkippedEarlyData } from "../../src/record/skipped-early-data.ts"
import { decodeSession } from "../../src/session/serialize.ts"
import { createToyProvider } from "../../tests/tools/toy-provider.ts"
import { mutateBytes } from "../mutate-messages.ts"
import type { Random } from "../random.ts"
import { type Outcome, type Target, Violation, wordsOf } from "../target.ts"

/** A target whose execution is one input: one of the corpus, changed. What gives a new outcome joins the corpus. */
export function ofBytes(
  name: string,
  corpus: readonly Uint8Array[],
  execute: (input: Uint8Array, random: Random) => string,
): Target {
  const pool = corpus.length > 0 ? [...corpus] : [new Uint8Array(0)]
  const seen = new Set<string>()
  return {
    name,
    run(random): Outcome {
      const input = random.oneIn(50)
        ? random.bytes(random.integer(64))
        : mutateBytes(random.pick(pool), random, random.pick(pool))
      const words = execute(input, random)
      if (!seen.has(words)) {
        seen.add(words)
        if (pool.length < 500 && input.length < 4096) pool.push(input)
      }
      return { words, input }
    },
  }
}

/** Runs code that may refuse its input, but only with an error of these. */
export function refusing(run: () => void): string {
  try {
    run()
    return "taken"
  } catch (error) {
    if (error instanceof TlsError) {
      if (error.alert === undefined || !(error.alert in AlertDescription) || error.alert === "internal_error")
        throw error
      return wordsOf(error)
    }
    throw error
  }
}

export function deframer(corpus: readonly Uint8Array[]): Target {
  const { cipherSuites } = createToyProvider((length) => new Uint8Array(length))
  return ofBytes("deframer", corpus, (input, random) => {
    const reader = new RecordReader({ maxEmptyRecords: 4 })
    const joiner = new HandshakeJoiner(4096)
    if (random.oneIn(3)) reader.protect(cipherSuites[0]!, new Uint8Array(32))
    if (random.oneIn(5)) reader.skipped = new SkippedEarlyData("undecryptable", 100)
    let records = 0
    const words = refusing(() => {
      for (let at = 0; at < input.length; ) {
        const end = at + 1 + random.integer(input.length)
        reader.push(input.subarray(at, end))
        for (let record = reader.next(); record !== undefined; record = reader.next()) {
          if (record.type === 22) {
            joiner.push(record.content)
            while (joiner.next() !== undefined) records++
          }
          records++
        }
        reader.settle()
        at = end
      }
    })
    if (reader.input.length > 5 + 16_640) throw new Violation(`the reader keeps ${reader.input.length} bytes`)
    return `${words} after ${records > 1 ? "some" : records} records`
  })
}

const decoders = [
  decodeClientHello,
  decodeServerHello,
  decodeEncryptedExtensions,
  decodeCertificateRequest,
  decodeCertificate,
  decodeCertificateVerify,
  decodeNewSessionTicket,
  decodeKeyUpdate,
  decodeEndOfEarlyData,
  (message: Parameters<typeof decodeFinished>[0]) => decodeFinished(message, 32),
  decodeCompressedCertificate,
]

export function messages(corpus: readonly Uint8Array[]): Target {
  return ofBytes("messages", corpus, (input, random) => {
    if (input.length < 4) return "too short for a header"
    const decode = random.oneIn(4) ? random.pick(decoders) : decoderOf(input[0]!, random)
    return `${decode.name} ${refusing(() => void decode(handshakeMessage(input)))}`
  })
}

function decoderOf(type: number, random: Random): (typeof decoders)[number] {
  const byType: Readonly<Record<number, number>> = {
    1: 0,
    2: 1,
    8: 2,
    13: 3,
    11: 4,
    15: 5,
    4: 6,
    24: 7,
    5: 8,
    20: 9,
    25: 10,
  }
  return decoders[byType[type] ?? random.integer(decoders.length)]!
}

export function tickets(corpus: readonly Uint8Array[]): Target {
  return ofBytes("tickets", corpus, (input) => refusing(() => void decodeSession(input)))
}
