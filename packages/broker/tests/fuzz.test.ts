// Some sequences of `npm run fuzz -- --target broker`, and those that were once found, through the broker in this process:
// nothing is thrown, and a well-behaved client is answered.

import { createHash } from "node:crypto"
import { duplexPair } from "node:stream"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { seeded } from "../../tls13/fuzz/random.ts"
import { readBrokerCorpus } from "../fuzz/corpus.ts"
import { Ear } from "../fuzz/ear.ts"
import { isScram, makeScramSequence, scramPasswordFile } from "../fuzz/scram.ts"
import { makeSequence, type Sequence } from "../fuzz/sequence.ts"
import { chooseTransport } from "../fuzz/transport.ts"
import { connect, pingreq } from "../hostile/wire/mqtt.ts"
import type { Derived } from "../hostile/wire/scram.ts"
import { createBroker, type PureMqBroker } from "../src/platform/node.ts"

let broker: PureMqBroker
beforeAll(() => {
  const plain = `:$scrypt$ln=10,r=8,p=1$${"A".repeat(22)}$${"A".repeat(43)}`
  broker = createBroker({ sysInterval: 0, login: { passwords: scramPasswordFile(plain), anonymous: true } })
})
afterAll(() => broker.close())

const thrown: unknown[] = []
/** Of SCRAM, that have succeeded. */
let logins = 0
const derived = new Map<string, Derived>()
const note = (error: unknown) => thrown.push(error)

/** Until what was written has been read and answered. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate)
}

async function execute(seed: number, execution: number): Promise<void> {
  const random = seeded(seed, execution)
  // What is live draws the transport first.
  chooseTransport(random)
  const scram = isScram(execution) ? makeScramSequence(random, derived) : undefined
  const { chunks, frozen, ending } = scram ? { chunks: scram.parts, frozen: false, ...scram } : makeSequence(random)
  const [ours, theirs] = duplexPair()
  ours.on("error", () => undefined)
  theirs.on("error", () => undefined)
  broker.attach(theirs, { address: `192.0.2.${execution % 256}:1` })
  const ear = new Ear(ours)
  const closed = new Promise<void>((resolve) => ours.once("close", resolve))
  if (frozen) ours.pause()
  for (const part of chunks) {
    const chunk = part instanceof Uint8Array ? part : part(await ear.serverFirst(closed))
    if (ours.destroyed || !ours.writable) break
    ours.write(chunk)
    await turns(1)
  }
  await turns(2)
  if (ear.isIn) logins++
  if (ending === "end") ours.end()
  await turns(2)
  ours.destroy()
  theirs.destroy()
}

/** @returns the types of the packets that a client gets which connects and asks */
async function answers(): Promise<readonly number[]> {
  const [ours, theirs] = duplexPair()
  const got: Buffer[] = []
  ours.on("data", (data: Buffer) => got.push(data))
  broker.attach(theirs)
  ours.write(connect({ version: 4, clientId: "health" }))
  ours.write(pingreq())
  for (let i = 0; i < 200 && Buffer.concat(got).length < 6; i++) await turns(1)
  ours.destroy()
  const bytes = Buffer.concat(got)
  return [bytes[0]! >> 4, bytes[4]! >> 4]
}

describe("sequences of hostile clients", () => {
  beforeAll(() => {
    process.on("uncaughtException", note)
    process.on("unhandledRejection", note)
  })
  afterAll(() => {
    process.off("uncaughtException", note)
    process.off("unhandledRejection", note)
  })

  it("600 of them leave a broker that answers", async () => {
    for (let execution = 0; execution < 600; execution++) {
      await execute(20_260_101, execution)
      expect(thrown, `--target broker --seed 20260101 --only ${execution}`).toEqual([])
    }
    expect(await answers()).toEqual([2, 13])
    expect(logins).toBeGreaterThan(10)
  })

  it("so do those that were once found", async () => {
    for (const [what, entry] of Object.entries(readBrokerCorpus())) {
      const [seed, execution] = entry.split(":").map(Number)
      await execute(seed!, execution!)
      expect(thrown, what).toEqual([])
    }
    expect(await answers()).toEqual([2, 13])
  })

  it("equal seeds give equal sequences, which get behind CONNECT", () => {
    const make = () => Array.from({ length: 200 }, (_, i) => makeSequence(seeded(7, i)))
    const digest = (all: readonly Sequence[]) => {
      const hash = createHash("sha256")
      for (const { state, chunks, ending } of all)
        hash.update(`${state} ${chunks.length} ${ending}`).update(Buffer.concat(chunks))
      return hash.digest("hex")
    }
    const sequences = make()
    expect(digest(make())).toBe(digest(sequences))
    expect(new Set(sequences.map(({ state }) => state)).size).toBe(7)
    expect(sequences.filter(({ chunks }) => chunks.length > 1).length).toBeGreaterThan(10)
  })
})
