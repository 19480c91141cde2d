// The right answer to a question is what the stack does: it is tried here with the records, secrets and signatures of the runs themselves.
// No other answer counts.

import { createHash, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { inflateSync } from "node:zlib"
import { finishedMac, fromHex, toHex, transitions } from "@puremq/tls13/explore"
import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { End, Happening, Step, Timeline } from "../src/run/step.ts"
import { engineTime, loadEngine } from "./engine.ts"

type Of<Type extends Happening["type"]> = Extract<Happening, { type: Type }>

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

/** Of the questions. */
const seeds = [1, 2, 3]
/** All scenarios have it. */
const suite = () => engine.noble().cipherSuites.find(({ name }) => name === "TLS_AES_128_GCM_SHA256")!
const runs = new Map<string, Timeline>()
function played(scenario: string, seed: number, breaks?: string): Timeline {
  const key = `${scenario} ${seed} ${breaks}`
  const timeline = runs.get(key) ?? engine.play({ scenario, seed, breaks, provider: engine.fast() })
  runs.set(key, timeline)
  return timeline
}

/** Every question of a kind that can be asked in a scenario, each with where it is asked. */
function* questions(kind: (typeof Engine.kinds)[number]) {
  for (const seed of seeds) {
    for (const { id: scenario } of engine.scenarios) {
      const timeline = played(scenario, 1)
      for (const { index: step } of timeline.steps) {
        const question = engine.questionOf(kind, timeline, step, seed)
        if (question)
          yield { question, timeline, scenario, step, where: `${scenario} ${seed} ${step}: ${question.prompt}` }
      }
    }
  }
}

function happening<Type extends Happening["type"]>({ steps }: Timeline, at: number, type: Type): Of<Type> {
  expect(steps[at]?.happening.type).toBe(type)
  return steps[at]!.happening as Of<Type>
}

function endOf(prompt: string): End {
  return /\bclient\b/.test(prompt) ? "client" : "server"
}

/** One answer counts, and the others do not. */
function expectOneRight(question: Engine.Question, right: string, where: string): void {
  const { choices } = question
  const truth = question.truth!
  const found = {
    where,
    right: truth.right,
    counting: choices.filter(({ id }) => engine.verdictOf(question, truth, id)?.isRight === true).map(({ id }) => id),
    ids: new Set(choices.map(({ id }) => id)).size,
    texts: new Set(choices.map(({ text }) => text)).size,
    isChoice: choices.length >= 2,
    none: [engine.verdictOf(question, truth, "something else"), engine.verdictOf(question, truth, "")],
  }
  const count = choices.length
  const wanted = {
    where,
    right,
    counting: [right],
    ids: count,
    texts: count,
    isChoice: true,
    none: [undefined, undefined],
  }
  expect(found).toEqual(wanted)
}

it("asks for the message that the end reads next, among all that its table allows", () => {
  const states = new Set<string>()
  for (const { question, timeline, step, where } of questions("message")) {
    const end = endOf(question.prompt)
    const { connection } = timeline.steps[step]!
    const ours = timeline.steps.filter((one) => one.connection === connection && one.end === end)
    const isRead = ({ happening: { type }, happening: one }: Step) =>
      type === "message" && one.type === "message" && one.direction === "received"
    const next = ours.find((one) => one.index > step && isRead(one))
    expectOneRight(question, next?.happening.type === "message" ? next.happening.name : "", where)
    // The table says the same: it leads from the state that is asked about.
    const state = / is in (\w+)\./.exec(question.prompt)![1]!
    const row = ours.find((one) => one.index > next!.index && one.happening.type === "state")?.happening as Of<"state">
    if (row) expect(row.from, where).toBe(state)
    const legal = transitions[end].filter(({ from, message }) => from === state && message !== undefined)
    const offered = question.choices.map(({ id }) => (id === "hello_retry_request" ? "server_hello" : id))
    for (const { message } of legal) expect(offered, where).toContain(message)
    // A ServerHello by its type, and another message to whoever waits for it: both may come, and the reasons say so.
    if (`${end} ${state}` === "client WAIT_SH") {
      const both = ["hello_retry_request", "server_hello"]
      expect(
        question.choices.map(({ id }) => id),
        where,
      ).toEqual(expect.arrayContaining(both))
      const wasRetried = ours.some(
        ({ index, happening }) =>
          index <= step && happening.type === "state" && happening.from === "WAIT_SH" && happening.to === "WAIT_SH",
      )
      // Section 4.2.4: there is one in a connection.
      const ofRetry = wasRetried ? "one HelloRetryRequest in a connection" : "would be legal"
      expect(question.wrong["hello_retry_request"], where).toContain(ofRetry)
      expect(question.wrong["server_hello"], where).toContain("would be legal")
      const goesTo = question.truth!.right === "server_hello" ? "WAIT_EE." : "WAIT_SH."
      expect(question.truth!.reason, where).toContain(`leads to ${goesTo}`)
    }
    states.add(`${end} ${state}`)
  }
  expect([...states].toSorted()).toEqual([
    ...["CONNECTED", "WAIT_CERT", "WAIT_CERT_CR", "WAIT_CV", "WAIT_EE", "WAIT_FINISHED", "WAIT_SH"].map(
      (s) => `client ${s}`,
    ),
    ...["CONNECTED", "START", "WAIT_CERT", "WAIT_CV", "WAIT_EOED", "WAIT_FINISHED"].map((s) => `server ${s}`),
  ])
})

it("asks for the nonce with which the next record can be opened, and with no other", () => {
  const numbers = new Set<number>()
  const opened = new Map<string, string>()
  for (const { question, timeline, scenario, step, where } of questions("nonce")) {
    const truth = question.truth!
    // The same record is asked about at every step before it.
    const known = opened.get(`${scenario} ${truth.step}`)
    if (known !== undefined) {
      expect(truth.right, where).toBe(known)
      continue
    }
    opened.set(`${scenario} ${truth.step}`, truth.right)
    const { record, content, direction } = happening(timeline, truth.step!, "record")
    const end = timeline.steps[truth.step!]!.end!
    expect([end, direction], where).toEqual([endOf(question.prompt), "sent"])
    expect(truth.step, where).toBeGreaterThan(step)
    const keys = timeline.steps.findLast(
      (one) =>
        one.index < truth.step! &&
        one.end === end &&
        one.happening.type === "keys" &&
        one.happening.direction === "sent",
    )!.happening as Of<"keys">
    const opens = (nonce: string) => {
      const aead = suite().aead.key(keys.key)
      const out = new Uint8Array(record.length)
      const length = aead.open(fromHex(nonce), record.subarray(0, 5), record.subarray(5), out, 0)
      return length < 0 ? undefined : out
    }
    expect(toHex(opens(truth.right)!.subarray(0, content.length)), where).toBe(toHex(content))
    expect(engine.verdictOf(question, truth, truth.right)?.isRight, where).toBe(true)
    expect(engine.verdictOf(question, truth, `0x${truth.right.toUpperCase()}`)?.isRight, where).toBe(true)
    expect(engine.verdictOf(question, truth, truth.right.replace(/..(?=.)/g, "$&:"))?.isRight, where).toBe(true)
    // Every single wrong digit, and what is known to be wrong.
    for (const wrong of [...Object.keys(question.wrong), ...oneOff(truth.right)]) {
      expect(engine.verdictOf(question, truth, wrong)?.isRight, `${where} ${wrong}`).toBe(false)
    }
    for (const wrong of Object.keys(question.wrong)) expect(opens(wrong), where).toBeUndefined()
    for (const none of ["", truth.right.slice(2), `${truth.right}00`, "nonsense", truth.right.replace(/.$/, "g")]) {
      expect(engine.verdictOf(question, truth, none), where).toBeUndefined()
    }
    numbers.add(Number(/sequence number is (\d+)/.exec(truth.reason)![1]))
  }
  expect([...numbers].toSorted()).toEqual(expect.arrayContaining([0, 1, 2]))
})

it("asks who has derived a secret by now", () => {
  const answers = new Set<string>()
  for (const { question, timeline, step, where } of questions("secret")) {
    const [, name, , generation] = /derived (\w+?)(_(\d+))? by now/.exec(question.prompt)!
    const { connection } = timeline.steps[step]!
    const knows = (end: End) =>
      timeline.steps.some(
        ({ index, connection: of, end: whose, happening: one }) =>
          index <= step &&
          of === connection &&
          whose === end &&
          one.type === "secret" &&
          one.name === name &&
          one.generation === Number(generation ?? 0),
      )
    const [client, server] = [knows("client"), knows("server")]
    expectOneRight(question, client ? (server ? "both" : "client") : server ? "server" : "none", where)
    answers.add(question.truth!.right)
  }
  expect([...answers].toSorted()).toEqual(["both", "client", "none", "server"])
})

it("asks for the messages whose hash is signed and MACed, as the signature and the MAC themselves say", () => {
  const kinds = new Set<string>()
  for (const { question, timeline, step, where } of questions("transcript")) {
    const truth = question.truth!
    const { end } = timeline.steps[truth.step!]!
    expect(end, where).toBe(endOf(question.prompt))
    expect(truth.step, where).toBeGreaterThanOrEqual(step)
    const subject = happening(timeline, truth.step!, "message")
    const fits = (choice: string) => {
      const covered = engine.coveredSteps(choice).map((at) => hashed(timeline, at))
      const hash = transcriptHash(covered)
      return subject.name === "finished"
        ? toHex(finishedMac(suite().hash, baseKey(timeline, truth.step!), hash)) === toHex(subject.message.subarray(4))
        : isSignedBy(timeline, truth.step!, hash)
    }
    for (const { id } of question.choices) expect(fits(id), `${where} ${id}`).toBe(id === truth.right)
    expectOneRight(question, truth.right, where)
    kinds.add(`${end} ${subject.name}`)
  }
  expect([...kinds].toSorted()).toEqual([
    "client certificate_verify",
    "client finished",
    "server certificate_verify",
    "server finished",
  ])
})

describe("the alert in which a break ends", () => {
  it("is what comes of playing it, and what the table of breaks says", () => {
    const seen = new Set<string>()
    for (const seed of seeds) {
      for (let step = 0; step < 60; step++) {
        const question = engine.questionOf("alert", played("full", 1), step, seed)!
        expect(question.truth).toBeUndefined()
        const broken = engine.breaks.find(({ id }) => id === question.breaks)!
        const truth = engine.alertTruth(played(broken.scenario, 1, broken.id))
        const { noticed } = broken
        const right = noticed === "goes on" ? "goes on" : (noticed.alert ?? "none")
        expectOneRight({ ...question, truth }, right, `${seed} ${broken.id}`)
        seen.add(broken.id)
      }
    }
    expect(seen.size).toBe(engine.breaks.length)
  })
})

it("asks the same again for the same seed, and something at every step of every run, broken or not", () => {
  const all = [
    ...engine.scenarios.map(({ id }) => played(id, 1)),
    ...engine.breaks.map(({ id, scenario }) => played(scenario, 1, id)),
  ]
  for (const timeline of all) {
    for (const { index } of timeline.steps) {
      const question = engine.questionAt(timeline, index, 1)
      expect(engine.questionAt(timeline, index, 1)).toEqual(question)
      expect(question.choices.length > 0 || question.bytes === 12).toBe(true)
    }
  }
  const prompts = (seed: number) =>
    played("full", 1).steps.map(({ index }) => engine.questionAt(played("full", 1), index, seed).prompt)
  expect(prompts(2)).not.toEqual(prompts(1))
})

it("goes on to another step and kind, or to one of the kind that is wished for", () => {
  const timeline = played("full", 1)
  const turns = Array.from({ length: 40 }, (_, turn) => engine.turnOf(timeline, 1, turn))
  expect(turns).toEqual(Array.from({ length: 40 }, (_, turn) => engine.turnOf(timeline, 1, turn)))
  for (let round = 0; round < 40; round += engine.kinds.length) {
    const asked = turns.slice(round, round + engine.kinds.length).map(({ kind }) => kind)
    expect(asked.toSorted()).toEqual([...engine.kinds].toSorted())
  }
  for (const { kind, step } of turns) expect(engine.questionAt(timeline, step, 1, kind).kind).toBe(kind)
  for (const kind of engine.kinds) {
    for (let turn = 0; turn < 10; turn++) expect(engine.turnOf(timeline, 1, turn, kind).kind).toBe(kind)
  }
})

it("leads to views that exist", () => {
  const source = readFileSync(new URL("../src/views/views.ts", import.meta.url), "utf8")
  for (const view of Object.values(engine.viewOf)) expect(source).toContain(`{ id: "${view}"`)
})

/** The nonce with each of its digits changed once. */
function oneOff(hex: string): string[] {
  return Array.from(
    hex,
    (digit, at) => hex.slice(0, at) + (Number.parseInt(digit, 16) ^ 1).toString(16) + hex.slice(at + 1),
  )
}

/** Section 4.1, of SHA-256: a ClientHello that was answered by a HelloRetryRequest goes in as message_hash. */
/** What stands in the transcript: of an encrypted hello ClientHelloInner. */
function hashed({ steps }: Timeline, at: number): Pick<Of<"message">, "name" | "message"> {
  const { happening: of } = steps[at]!
  if (of.type === "inner-hello") return { name: "client_hello", message: of.message }
  return happening({ steps, costs: [] }, at, "message")
}

function transcriptHash(messages: readonly Pick<Of<"message">, "name" | "message">[]): Uint8Array {
  const sha256 = (...parts: Uint8Array[]) => {
    const hash = createHash("sha256")
    for (const part of parts) hash.update(part)
    return new Uint8Array(hash.digest())
  }
  const parts = messages.map(({ message, name }, at) =>
    name === "client_hello" && messages[at + 1]?.name === "hello_retry_request"
      ? Uint8Array.of(254, 0, 0, 32, ...sha256(message))
      : message,
  )
  return sha256(...parts)
}

/** Section 4.5: of the handshake, and after it of the application data. */
function baseKey({ steps }: Timeline, at: number): Uint8Array {
  const { end, connection } = steps[at]!
  const isLater = steps.some(
    ({ index, connection: of, end: whose, happening: one }) =>
      index < at && of === connection && whose === end && one.type === "connected",
  )
  const name = `${end}_${isLater ? "application" : "handshake"}_traffic_secret`
  const found = steps.find(
    ({ connection: of, end: whose, happening: one }) =>
      of === connection && whose === end && one.type === "secret" && one.name === name,
  )
  return (found!.happening as Of<"secret">).secret
}

/** Section 4.5.2, by node:crypto and with the key that the signer has shown. */
function isSignedBy({ steps }: Timeline, at: number, hash: Uint8Array): boolean {
  const { end, connection, happening: proof } = steps[at]!
  const shown = steps.findLast(
    ({ index, connection: of, end: whose, happening: one }) =>
      index < at && of === connection && whose === end && one.type === "message" && /certificate$/.test(one.name),
  )!.happening as Of<"message">
  const { message } = proof as Of<"message">
  const label = `${" ".repeat(64)}TLS 1.3, ${end} CertificateVerify\0`
  expect(toHex(message.subarray(4, 6))).toBe("0403")
  return verify("sha256", Buffer.concat([Buffer.from(label), hash]), keyOf(shown), message.subarray(8))
}

/** Of the first entry of a Certificate: a certificate or a bare key. */
function keyOf({ name, message }: Of<"message">): KeyObject {
  const body = name === "compressed_certificate" ? inflateSync(message.subarray(12)) : message.subarray(4)
  const from = 1 + body[0]! + 6
  const length = (body[from - 3]! << 16) | (body[from - 2]! << 8) | body[from - 1]!
  const data = Buffer.from(body.subarray(from, from + length))
  try {
    return new X509Certificate(data).publicKey
  } catch {
    return createPublicKey({ key: data, format: "der", type: "spki" })
  }
}
