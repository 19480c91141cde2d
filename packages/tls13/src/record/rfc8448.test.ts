import { describe, expect, it } from "vitest"
import { readTraces, type Step } from "../../tests/rfc8448-vectors.ts"
import { ContentType } from "../bytes/code-points.ts"
import { toHex } from "../bytes/hex.ts"
import { Writer } from "../bytes/writer.ts"
import { TLS_AES_128_GCM_SHA256 as suite } from "../crypto/noble/index.ts"
import { RecordReader } from "./record-reader.ts"
import { RecordWriter } from "./record-writer.ts"

// Every record of the traces, written from its payload byte for byte, and read back.

describe.each(readTraces().map((trace) => [trace.section, trace.id, trace.steps] as const))(
  "RFC 8448 section %s, %s",
  (_section, id, steps) => {
    it("RFC 9846 5.1 to 5.3: every record is written as the RFC shows it, and opens to its payload", () => {
      const sides = { client: new Side(), server: new Side() }
      let sealed = 0
      for (const step of steps) {
        const side = sides[step.actor]
        if (step.label.startsWith("derive write traffic keys")) side.protect(writeSecret(step, steps))
        if (!step.has("complete record")) continue
        const type = ContentType[/^send (\w+) record$/.exec(step.label)![1] as keyof typeof ContentType]
        const record = step.bytes("complete record")
        const payload = step.bytes("payload")
        expect(toHex(side.write(type, payload)), step.label).toBe(toHex(record))
        const inbound = side.read(record)
        expect(inbound.type).toBe(type)
        expect(toHex(inbound.content)).toBe(toHex(payload))
        expect(inbound.wasProtected).toBe(record[0] === ContentType.application_data)
        if (inbound.wasProtected) sealed++
      }
      expect(sealed).toBe(protectedRecords[id])
    })
  },
)

const protectedRecords: Readonly<Record<string, number>> = {
  "simple-1rtt": 7,
  "resumed-0rtt": 8,
  "hello-retry-request": 4,
  "client-authentication": 4,
  "compatibility-mode": 4,
}

/** What one side writes, and what the other reads. */
class Side {
  readonly #writer = new RecordWriter()
  readonly #reader = new RecordReader()

  protect(secret: Uint8Array): void {
    this.#writer.protect(suite, secret)
    this.#reader.protect(suite, secret)
  }

  write(type: number, payload: Uint8Array): Uint8Array {
    const out = new Writer()
    this.#writer.write(type, payload, out)
    return out.finish()
  }

  read(record: Uint8Array) {
    this.#reader.push(record)
    const inbound = this.#reader.next()!
    expect(this.#reader.next()).toBeUndefined()
    return inbound
  }
}

/** The secret of a "derive write traffic keys" step, or of the other side's step that it refers to. */
function writeSecret(step: Step, steps: readonly Step[]): Uint8Array {
  if (!step.sameAs) return step.bytes("PRK")
  const [, actor, what, way] = /^same as (\w+) (.*) (read|write) traffic keys$/.exec(step.sameAs)!
  return steps
    .find(
      (other) => other.actor === actor && other.label === `derive ${way} traffic keys for ${what}` && !other.sameAs,
    )!
    .bytes("PRK")
}
