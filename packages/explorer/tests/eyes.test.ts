// Who reads what, row by row.

import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Timeline } from "../src/run/step.ts"
import { engineTime, loadEngine } from "./engine.ts"
import { printed, traces } from "./rfc8448-text.ts"
import { scenarioIds } from "./timelines.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const play = (scenario: string, breaks?: string) => engine.play({ scenario, provider: engine.fast(), seed: 7, breaks })
const ids = ["client", "server", "eavesdropper", "certificate-key", "ticket-key", "quantum"] as const

/** `C S E K T Q`: who reads it, by a letter each, and what it is. */
function table(timeline: Timeline, connection: number, step = Number.POSITIVE_INFINITY): string[] {
  return engine
    .eyesAt(timeline, step)
    .filter(({ record }) => record.connection === connection)
    .map(({ what, verdicts }) => {
      const letters = ids.map((id, at) => (verdicts[id].reads ? "CSEKTQ"[at] : "-")).join("")
      return `${letters} ${what}`
    })
}

const flight = "EncryptedExtensions, server Certificate, server CertificateVerify, server Finished"
const mqtt = (letters: string, count: number) => Array.from({ length: count }, () => `${letters} application data`)
const alerts = (letters: string) => [`${letters} alert`, `${letters} alert`]

it("full: a quantum computer reads what x25519 protects, thieves of keys nothing", () => {
  expect(table(play("full"), 0)).toEqual([
    "CSEKTQ ClientHello",
    "CSEKTQ ServerHello",
    "CSEKTQ change_cipher_spec",
    `CS---Q ${flight}`,
    "CSEKTQ change_cipher_spec",
    "CS---Q client Finished",
    ...mqtt("CS---Q", 5),
    ...alerts("CS---Q"),
  ])
})

it("hybrid: nobody but the two", () => {
  expect(table(play("hybrid"), 0).filter((row) => row.endsWith("application data"))).toEqual(mqtt("CS----", 5))
})

it("resumption: the ticket's key alone is not enough where there is a key exchange (psk_dhe_ke)", () => {
  const rows = table(play("resumption"), 1)
  expect(rows.slice(3)).toEqual([
    "CS---Q EncryptedExtensions, server Finished",
    "CSEKTQ change_cipher_spec",
    "CS---Q client Finished",
    "CS---Q NewSessionTicket",
    ...mqtt("CS---Q", 5),
    ...alerts("CS---Q"),
  ])
})

it("resumption without a key exchange (psk_ke): who steals the ticket key reads all of it", () => {
  const timeline = play("psk-ke")
  expect(table(timeline, 1).filter((row) => row.endsWith("application data"))).toEqual(mqtt("CS--TQ", 5))
  const { verdicts } = engine.eyesAt(timeline, 10_000).at(-1)!
  expect(verdicts["ticket-key"].why).toMatch(/psk_ke/)
  expect(verdicts.quantum.why).toMatch(/connection before/)
  const dhe = engine.nodeOf(engine.scheduleOf(timeline, 1, "client"), "dhe")!
  expect(dhe).toMatchObject({ name: "0", value: new Uint8Array(32) })
})

it("0-RTT data: who steals the ticket key reads it, and nothing behind it", () => {
  expect(table(play("0-rtt"), 1).filter((row) => !row.includes("change_cipher_spec"))).toEqual([
    "CSEKTQ ClientHello",
    "CS--TQ application data",
    "CSEKTQ ServerHello",
    "CS---Q EncryptedExtensions, server Finished",
    "CS--TQ EndOfEarlyData",
    "CS---Q client Finished",
    "CS---Q NewSessionTicket",
    ...mqtt("CS---Q", 4),
    ...alerts("CS---Q"),
  ])
})

it("0-RTT data that is rejected is not read by the server, and still by who steals the ticket key", () => {
  const [early] = table(play("0-rtt-rejected"), 1).filter((row) => row.endsWith("application data"))
  expect(early).toBe("C---TQ application data")
  const row = engine
    .eyesAt(play("0-rtt-rejected"), 10_000)
    .find(({ record }) => record.protection?.secretName === "client_early_traffic_secret")!
  expect(row.verdicts.server.why).toMatch(/takes no 0-RTT data/)
})

it("external PSK: a quantum computer breaks the exchange, and lacks the other half", () => {
  expect(table(play("external-psk"), 0).filter((row) => row.endsWith("application data"))).toEqual(mqtt("CS----", 5))
})

it("says at each step what has been read so far", () => {
  const timeline = play("full")
  const sent = timeline.steps.find(({ happening: of }) => of.type === "wire" && of.record.id === 3)!
  const read = timeline.steps.find(({ happening: of }) => of.type === "record" && of.wire === 3)!
  expect(table(timeline, 0, sent.index - 1)).toHaveLength(3)
  expect(table(timeline, 0, sent.index).at(-1)).toBe(`-S---Q ${flight}`)
  expect(table(timeline, 0, read.index).at(-1)).toBe(`CS---Q ${flight}`)
})

it("a record that somebody drops is read by no receiver", () => {
  const rows = engine.eyesAt(play("full", "drop"), 10_000)
  const dropped = rows.find(({ record }) => record.wire.fate === "dropped")!
  expect(dropped.verdicts.client).toMatchObject({ reads: false, why: "It has not arrived." })
})

const rowsOf = (timeline: Timeline, connection = 0) =>
  engine.eyesAt(timeline, Number.POSITIVE_INFINITY).filter(({ record }) => record.connection === connection)

it("replayed records are there, and the client that is not: whoever sends them again reads no more than before", () => {
  const timeline = play("0-rtt-replayed")
  const rows = rowsOf(timeline, 2)
  expect(rows.map(({ what, record }) => `${record.wire.fate} ${what}`)).toEqual([
    "injected ClientHello",
    "injected change_cipher_spec",
    "injected application data",
    "dropped ServerHello",
    "dropped change_cipher_spec",
    "dropped EncryptedExtensions, server Finished",
  ])
  const early = rows[2]!.verdicts
  expect(early.client.why).toBe("It has written it in connection 2: here somebody else sends it again.")
  expect(early.server).toMatchObject({ reads: false, why: expect.stringMatching(/takes no 0-RTT data/) })
  expect(early.eavesdropper.reads).toBe(false)
  expect(early["ticket-key"].reads).toBe(true)
  expect(rows[3]!.verdicts.client.why).toBe("It is not there: somebody else speaks in its name.")
  // Without the replay guard the server reads it once more.
  const taken = engine.play({
    ...{ scenario: "0-rtt-replayed", provider: engine.fast(), seed: 7 },
    ...{ breaks: "replay", without: "replay" },
  })
  expect(rowsOf(taken, 2)[2]!.verdicts.server).toMatchObject({ reads: true })
})

it("what somebody slips in is there, and is nobody's", () => {
  const rows = rowsOf(play("full", "inject"))
  const at = rows.findIndex(({ record }) => record.wire.fate === "injected")
  const { what, verdicts } = rows[at]!
  expect(what).toBe("EncryptedExtensions")
  expect(verdicts.server).toMatchObject({ reads: false, why: expect.stringMatching(/^It has not written it/) })
  expect(verdicts.client.why).toBe("It is not what may come here: the client gives up.")
  expect(verdicts.eavesdropper).toMatchObject({ reads: true, why: "Somebody on the way sends it, in the clear." })
  // One that looks sealed opens for nobody.
  const meddlings = engine.meddlingsOf("inject.3.170303001100112233445566778899aabbccddeeff00")
  const sealed = rowsOf(engine.play({ scenario: "full", provider: engine.fast(), seed: 7, meddlings })).find(
    ({ record }) => record.wire.fate === "injected",
  )!
  expect(ids.map((id) => sealed.verdicts[id].reads)).not.toContain(true)
  expect(sealed.verdicts.client.why).toBe("It does not open: the client gives up.")
})

it("a record that comes twice is read once", () => {
  const rows = rowsOf(play("full", "repeat"))
  const [first, again] = rows.filter(({ record }, _, all) =>
    all.some((other) => other.record.wire.fate === "repeated" && other.record.wire.id === record.wire.id),
  )
  expect([first!.verdicts.server.reads, again!.verdicts.server.reads]).toEqual([true, false])
  expect(again!.verdicts.server.why).toBe("It does not open: the server gives up.")
})

it("who has given up reads nothing more, for that reason and not for want of a key", () => {
  for (const broken of engine.breaks) {
    const timeline = play(broken.scenario, broken.id)
    const gaveUp = (end: string, connection: number) =>
      timeline.steps.find(
        ({ end: of, connection: at, happening }) => of === end && at === connection && happening.type === "failed",
      )?.index
    for (const { record, verdicts } of engine.eyesAt(timeline, Number.POSITIVE_INFINITY)) {
      const receiver = record.wire.from === "client" ? "server" : "client"
      const { reads, why } = verdicts[receiver]
      if ((gaveUp(receiver, record.connection) ?? Number.POSITIVE_INFINITY) < record.step)
        expect({ id: broken.id, reads, why }).toEqual({
          ...{ id: broken.id, reads: false },
          why: "It has given up before this comes.",
        })
      expect({ id: broken.id, why }).not.toEqual({ id: broken.id, why: "It has no key that opens it." })
    }
  }
})

it("late records have what their sender put in them", () => {
  const rows = rowsOf(play("hello-retry", "reorder"))
  expect(rows.find(({ record }) => record.wire.fate === "delayed")).toMatchObject({ what: "ServerHello" })
})

describe.each(scenarioIds)("%s", (scenario) => {
  it("gives one sentence and a section for every verdict, without a hole in it", () => {
    for (const { verdicts } of engine.eyesAt(play(scenario), 10_000)) {
      for (const id of ids) {
        const { why, section } = verdicts[id]
        expect(why).toMatch(/^[A-Z0-9][^.]*\.$|^[^.]*RFC[^.]*\.$/)
        expect(why).not.toMatch(/undefined/)
        expect(section).toMatch(/^(\d|appendix [CEF]|RFC|draft)/)
      }
    }
  })

  it("has an end read what the trace says that it has read, and nothing else", () => {
    const timeline = play(scenario)
    for (const { record, verdicts } of engine.eyesAt(timeline, 10_000)) {
      const receiver = record.wire.from === "client" ? "server" : "client"
      const read = timeline.steps.some(
        ({ end, happening: of }) => of.type === "record" && end === receiver && of.wire === record.wire.id,
      )
      expect({ id: record.wire.id, reads: verdicts[receiver].reads }).toEqual({ id: record.wire.id, reads: read })
    }
  })
})

describe("a connection that was brought, with a pre-shared key of which nobody here knows where it is from", () => {
  /** The second connection of a run, as a capture has it. */
  const brought = (scenario: string) => {
    const run = play(scenario)
    const chunks = run.steps.flatMap(({ connection, happening: of }) =>
      connection === 1 && of.type === "wire" ? [{ from: of.record.from, bytes: of.record.sent }] : [],
    )
    return engine.observe(chunks, engine.readKeyLog(engine.keyLogOf(run)), engine.fast())
  }
  const rfc8448 = () => {
    const { chunks, known } = engine.readPasted(printed(traces.find(({ section }) => section === 4)!))
    return engine.observe(chunks, known, engine.noble())
  }

  it.each([
    ["0-rtt", () => brought("0-rtt")],
    ["psk-ke", () => brought("psk-ke")],
    ["resumption", () => brought("resumption")],
    ["RFC 8448 section 4", rfc8448],
  ] as const)("%s: is not said to be given beforehand, nor to be a ticket's", (name, timeline) => {
    const rows = engine.eyesAt(timeline(), Number.POSITIVE_INFINITY)
    let unknown = 0
    for (const { record, verdicts } of rows) {
      for (const id of ["ticket-key", "quantum"] as const) {
        const verdict = verdicts[id]
        expect(verdict.why).not.toMatch(/^The pre-shared key was given|and no machine computes it|^The ticket/)
        if (verdict.unknown)
          expect(verdict).toMatchObject({ reads: false, why: expect.stringMatching(/was not brought/) })
        if (record.protection === undefined) continue
        const isEarly = record.protection.secretName.includes("early")
        // With a key exchange the thief of a ticket key lacks that, wherever the PSK is from.
        const depends = id === "quantum" || isEarly || name === "psk-ke"
        expect({ name, id, what: record.protection, unknown: verdict.unknown }).toMatchObject({
          unknown: depends ? true : undefined,
        })
        if (depends) unknown++
      }
    }
    expect(unknown).toBeGreaterThan(5)
  })
})

it("a secret of zeros is everybody's", () => {
  const options = { scenario: "full", provider: engine.fast(), seed: 7, breaks: "zero-share" }
  const taken = engine.play({ ...options, without: "small-order-point" })
  expect(table(taken, 0).filter((row) => !row.startsWith("CSEKTQ"))).toEqual([])
  expect(rowsOf(taken).at(-1)!.verdicts.eavesdropper.why).toMatch(/all zeros/)
})
