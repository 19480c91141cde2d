// The record lab: what it says of a record is what the engine sealed, and what another AEAD than ours opens.

import { createDecipheriv } from "node:crypto"
import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import { engineTime, loadEngine } from "./engine.ts"
import { connectionsOf, hex, scenarioIds } from "./timelines.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const play = (scenario: string) => engine.play({ scenario, provider: engine.fast(), seed: 7 })

describe.each(scenarioIds)("%s", (scenario) => {
  it("opens every protected record with node:crypto, and seals it again to the same bytes", () => {
    const timeline = play(scenario)
    const records = engine.protectedRecords(timeline)
    const sent = timeline.steps.filter(
      ({ happening: of }) => of.type === "record" && of.direction === "sent" && of.protected,
    )
    expect(records.length).toBe(sent.length)
    for (const record of records) {
      const { key, nonce, aad, record: bytes, innerPlaintext, inner } = record
      const decipher = createDecipheriv("aes-128-gcm", key, nonce)
      decipher.setAAD(aad).setAuthTag(bytes.subarray(-16))
      const opened = Buffer.concat([decipher.update(bytes.subarray(5, -16)), decipher.final()])
      expect(hex(opened)).toBe(hex(innerPlaintext))
      expect(hex(engine.sealRecord(record, inner))).toBe(hex(bytes))
      expect(engine.openRecord(record, bytes)).toEqual({ opened: true, inner })
      const next = { ...record, sequenceNumber: record.sequenceNumber + 1 }
      expect(engine.openRecord(next, bytes)).toMatchObject({ opened: false, why: expect.stringContaining("tag") })
    }
  })

  it("finds each of them on the wire, by its sender", () => {
    const timeline = play(scenario)
    for (const { wire, record, from } of engine.protectedRecords(timeline)) {
      const found = timeline.steps.find(({ happening: of }) => of.type === "wire" && of.record.id === wire)?.happening
      // What is cut off, and what an absent client would be sent, may never leave.
      if (wire === undefined) expect(["0-rtt-replayed", "close"]).toContain(scenario)
      else expect(found).toMatchObject({ record: { from, sent: record } })
    }
  })

  it("has a key log with every secret that has a label, and no other", () => {
    const timeline = play(scenario)
    const lines = engine.keyLogOf(timeline).trimEnd().split("\n")
    expect(new Set(lines).size).toBe(lines.length)
    const logged = new Set(lines.map((line) => line.split(" ")[2]))
    const unlogged = ["early_secret", "binder_key", "handshake_secret", "main_secret", "resumption_secret"]
    for (const { happening } of timeline.steps) {
      if (happening.type !== "secret") continue
      const { name, secret } = happening
      expect({ name, logged: logged.has(hex(secret)) }).toEqual({ name, logged: !unlogged.includes(name) })
    }
    for (const connection of connectionsOf(timeline)) {
      const { nodes } = engine.scheduleOf(timeline, connection, "server")
      const node = nodes.find(({ id }) => id === "server_handshake_traffic_secret")!
      expect(
        lines.some((line) => line.startsWith("SERVER_HANDSHAKE_TRAFFIC_SECRET ") && line.endsWith(hex(node.value!))),
      ).toBe(true)
    }
  })
})

it("counts from 0 for each key", () => {
  const records = engine.protectedRecords(play("key-update")).filter(({ from }) => from === "client")
  const numbers = records.map(
    ({ secretName, generation, sequenceNumber }) => `${secretName.slice(7, 10)} ${generation} ${sequenceNumber}`,
  )
  expect(numbers).toEqual(["han 0 0", "app 0 0", "app 0 1", "app 0 2", "app 1 0", "app 1 1"])
})

it("makes a nonce of a number of any size", () => {
  const iv = Uint8Array.from({ length: 12 }, (_, at) => 0xf0 + at)
  expect(hex(engine.sequenceBytes(12, 0x1_0203_0405))).toBe("000000000000000102030405")
  expect(hex(engine.nonceOf(iv, 0))).toBe(hex(iv))
  expect(hex(engine.nonceOf(iv, 0x1_0203_0405))).toBe("f0f1f2f3f4f5f6f6fafafefe")
})

it("keeps padding, and says why what is no record does not open", () => {
  const [record] = engine.protectedRecords(play("full"))
  const padded = engine.sealRecord(record!, { content: Uint8Array.of(1, 2), type: 22, padding: 30 })
  expect(padded.length).toBe(5 + 2 + 1 + 30 + 16)
  expect(engine.openRecord(record!, padded)).toEqual({
    opened: true,
    inner: { content: Uint8Array.of(1, 2), type: 22, padding: 30 },
  })
  const empty = engine.sealRecord(record!, { content: new Uint8Array(0), type: 0, padding: 3 })
  expect(engine.openRecord(record!, empty)).toMatchObject({ why: expect.stringContaining("zeros") })
  expect(engine.openRecord(record!, padded.subarray(0, 20))).toMatchObject({ why: expect.stringContaining("short") })
})

it("shows what a nonce used twice gives away", () => {
  const records = engine
    .protectedRecords(play("full"))
    .filter(({ inner, from }) => inner.type === 23 && from === "client")
  const [connect, subscribe] = records
  const reuse = engine.nonceReuse(connect!, subscribe!)
  expect(hex(reuse.nonce)).toBe(hex(connect!.nonce))
  expect(hex(reuse.xorOfCiphertexts)).toBe(hex(reuse.xorOfPlaintexts))
  expect(hex(reuse.recovered)).toBe(hex(subscribe!.innerPlaintext.subarray(0, reuse.recovered.length)))
  expect(hex(reuse.ciphertexts[0])).toBe(hex(connect!.record.subarray(5, 5 + reuse.recovered.length)))
  expect(reuse.forgery).toMatch(/^AES-GCM/)
})

it("shows a nonce used twice on two records that are not the same, where there are such", () => {
  for (const scenario of scenarioIds) {
    const records = engine.protectedRecords(play(scenario))
    for (let count = 2; count <= records.length; count++) {
      const some = records.slice(0, count)
      const [first, second] = engine.usualPair(some)!
      const reuse = engine.nonceReuse(first, second)
      const texts = new Set(some.map(({ innerPlaintext }) => hex(innerPlaintext)))
      expect({ scenario, count, areEqual: reuse.areEqual }).toEqual({ scenario, count, areEqual: texts.size === 1 })
      expect(reuse.xorOfCiphertexts.some((byte) => byte !== 0)).toBe(!reuse.areEqual)
    }
  }
  const alerts = engine.protectedRecords(play("full")).slice(-2)
  const reuse = engine.nonceReuse(alerts[0]!, alerts[1]!)
  expect(hex(reuse.tags[0])).toBe(hex(reuse.tags[1]))
  expect(reuse.forgery).toMatch(/^The two have the same inside/)
})
