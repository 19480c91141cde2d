// Every field of every scenario, and of every break, has a name, a sentence and a section; and the lines that read and wrote it.

import { beforeAll, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Field } from "../src/recording/spans.ts"
import { engineTime, loadEngine } from "./engine.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

function runs() {
  const provider = engine.fast()
  return [
    ...engine.scenarios.map(({ id }) => engine.play({ scenario: id, provider, seed: 7 })),
    ...engine.breaks.map(({ id, scenario }) => engine.play({ scenario, provider, seed: 7, breaks: id })),
  ]
}

it("has words for every field, and its section", () => {
  const missing = new Set<string>()
  let seen = 0
  const walk = (fields: readonly Field[]) => {
    for (const field of fields) {
      seen++
      const meaning = engine.meaningOf(field, fields)
      const isWhole = meaning !== undefined && meaning.name !== "" && /^(RFC \d{4} |MQTT)/.test(meaning.section)
      if (!isWhole) missing.add(`${field.structure} | ${field.name} | ${field.kind}`)
      walk(field.fields)
    }
  }
  for (const timeline of runs()) {
    timeline.steps.forEach(({ happening, index }) => {
      if (!["message", "wire", "record"].includes(happening.type)) return
      for (const { fields } of engine.subjectAt(timeline, index)?.forms ?? []) walk(fields)
    })
  }
  expect(seen).toBeGreaterThan(1_000)
  expect([...missing]).toEqual([])
})

it("RFC 8449 section 4: a record size limit counts the content type and the padding", () => {
  const of = (name: string) => ({ structure: "record_size_limit", name, start: 0, end: 2, kind: "number", fields: [] })
  expect(engine.meaningOf({ ...of("value"), site: undefined } as never, [])?.text).toMatch(
    /TLSInnerPlaintext: content, type byte and padding, 16,385 at most/,
  )
})

it("says every step in a sentence", () => {
  for (const { steps } of runs()) {
    for (const step of steps) {
      const { text, section } = engine.sentenceOf(step)
      expect(text).toMatch(/^[A-Z].*\.$/s)
      expect(section).toMatch(/^$|^RFC \d{4} (section|appendix) \w/)
    }
  }
})

it("covers every byte of records and messages with fields, and knows who wrote them", () => {
  const timeline = engine.play({ scenario: "full", provider: engine.fast(), seed: 7 })
  for (const { happening, index } of timeline.steps) {
    if (happening.type !== "message" && happening.type !== "wire") continue
    const subject = engine.subjectAt(timeline, index)!
    for (const { bytes, fields, written } of subject.forms) {
      expect(fields[0]?.start).toBe(0)
      expect(fields.at(-1)?.end).toBe(bytes.length)
      fields.slice(1).forEach((field, at) => {
        expect(field.start).toBe(fields[at]!.end)
      })
      for (const field of fields) expect(engine.writerOf(written, field)?.site?.file).toMatch(/\.ts$/)
    }
  }
})

it("RFC 8879: shows the Certificate inside of a CompressedCertificate, with its fields", () => {
  const timeline = engine.play({ scenario: "compression", provider: engine.fast(), seed: 7 })
  const at = timeline.steps.findIndex(
    ({ happening: of }) => of.type === "message" && of.name === "compressed_certificate",
  )
  const [message, inside] = engine.subjectAt(timeline, at)!.forms
  expect([message!.title, inside!.title]).toEqual(["Message", "Decompressed"])
  expect(inside!.bytes.length).toBeGreaterThan(message!.bytes.length)
  expect(inside!.fields.map(({ name }) => name)).toContain("certificate_list")
  expect(inside!.fields.at(-1)!.end).toBe(inside!.bytes.length)
  // What is no zlib, claims another length or a whole lot, has nothing inside to show.
  const { bytes } = message!
  expect(engine.decompressedCertificate(bytes)).toEqual(inside!.bytes)
  const changed = (change: (copy: Uint8Array) => void) => {
    const copy = Uint8Array.from(bytes)
    change(copy)
    return engine.decompressedCertificate(copy)
  }
  expect(changed((copy) => copy.fill(2, 5, 6))).toBeUndefined()
  expect(changed((copy) => (copy[8]! ^= 1))).toBeUndefined()
  expect(changed((copy) => copy.fill(0xff, 6, 9))).toBeUndefined()
  expect(changed((copy) => copy.fill(0, 12))).toBeUndefined()
  expect(engine.decompressedCertificate(bytes.subarray(0, 20))).toBeUndefined()
})

it("puts every record of a connection on the ladder once", () => {
  for (const timeline of runs()) {
    const connections = new Set(timeline.steps.map(({ connection }) => connection))
    for (const connection of connections) {
      const wires = timeline.steps.filter((step) => step.connection === connection && step.happening.type === "wire")
      const rungs = engine.rungsOf(timeline, connection)
      expect(rungs.filter(({ wireAt }) => wireAt !== undefined).map(({ wireAt }) => wireAt)).toEqual(
        wires.map(({ index }) => index),
      )
      // What arrives whole was sent by somebody, but for what was injected.
      for (const { fate, sentAt } of rungs) if (fate !== "injected") expect(sentAt).toBeDefined()
    }
  }
})
