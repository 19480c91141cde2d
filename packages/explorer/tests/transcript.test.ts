// The transcript that the page shows: its hashes are those that the secrets are derived with, that Finished and binders are MACs of, and
// that CertificateVerify signs.

import { createHash, createPublicKey, verify, X509Certificate } from "node:crypto"
import { unzlibSync } from "fflate"
import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { End, Timeline } from "../src/run/step.ts"
import { engineTime, loadEngine } from "./engine.ts"
import { connectionsOf, hex, scenarioIds } from "./timelines.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const ends: readonly End[] = ["client", "server"]
const play = (scenario: string, breaks?: string) => engine.play({ scenario, provider: engine.fast(), seed: 7, breaks })

/** The public key of the certificate that is ahead of a CertificateVerify, read without our own code. */
function publicKeyOf(message: Uint8Array) {
  const isCompressed = message[0] === 25
  // A CompressedCertificate: algorithm, uncompressed_length, and a vector24. A Certificate: context, list, and entries of vector24.
  const body = isCompressed ? unzlibSync(message.subarray(4 + 8)) : message.subarray(4)
  const at = 1 + body[0]! + 3
  const length = (body[at]! << 16) | (body[at + 1]! << 8) | body[at + 2]!
  const certificate = Buffer.from(body.subarray(at + 3, at + 3 + length))
  try {
    return new X509Certificate(certificate).publicKey
  } catch {
    return createPublicKey({ key: certificate, format: "der", type: "spki" })
  }
}

function usesOf(timeline: Timeline) {
  return connectionsOf(timeline).flatMap((connection) =>
    ends.flatMap((end) =>
      engine.hashUsesOf(timeline, connection, end).map((use) => {
        const { entries } = engine.transcriptOf(timeline, connection, end)
        return { use, entries, connection, end }
      }),
    ),
  )
}

describe.each(scenarioIds)("%s", (scenario) => {
  it("has MACs and signatures that are right, at both ends", () => {
    const uses = usesOf(play(scenario))
    expect(uses.length).toBeGreaterThan(10)
    for (const { use, entries, connection, end } of uses) {
      const where = { connection, end, id: use.id }
      if (use.kind === "mac") expect({ ...where, right: engine.isRight(use) }).toEqual({ ...where, right: true })
      if (use.kind !== "signature") continue
      const certificate = entries[use.after]!
      expect(certificate.name).toMatch(/certificate/)
      const key = publicKeyOf(certificate.message)
      const digest = key.asymmetricKeyType === "ed25519" ? null : "sha256"
      expect({ ...where, right: verify(digest, use.content, key, use.signature) }).toEqual({ ...where, right: true })
    }
  })

  it("has hashes that are those of the messages", () => {
    const timeline = play(scenario)
    for (const connection of connectionsOf(timeline)) {
      for (const end of ends) {
        const { entries } = engine.transcriptOf(timeline, connection, end)
        for (const [at, entry] of entries.entries()) {
          if (entry.branch > 0 || entry.until !== undefined) continue
          const hash = createHash("sha256")
          for (const before of entries.slice(0, at + 1)) if (before.until === undefined) hash.update(before.hashed)
          expect(hex(entry.hash)).toBe(hash.digest("hex"))
        }
      }
    }
  })
})

it("says who takes a hash of what, in order", () => {
  const uses = engine.hashUsesOf(play("resumption"), 1, "client")
  expect(uses.map(({ title, place }) => `${title}: ${place.messages}`)).toEqual([
    "PSK binder: Truncate(ClientHello)",
    "client_handshake_traffic_secret: ClientHello…ServerHello",
    "server_handshake_traffic_secret: ClientHello…ServerHello",
    "server Finished: ClientHello…EncryptedExtensions",
    "client_application_traffic_secret_0: ClientHello…server Finished",
    "server_application_traffic_secret_0: ClientHello…server Finished",
    "exporter_secret: ClientHello…server Finished",
    "client Finished: ClientHello…server Finished",
    "resumption_secret: ClientHello…client Finished",
  ])
})

it("puts message_hash in the place of the first ClientHello when a HelloRetryRequest comes", () => {
  const timeline = play("hello-retry")
  const transcript = engine.transcriptOf(timeline, 0, "client")
  const retry = transcript.entries.find(({ name }) => name === "hello_retry_request")!
  const names = (step: number) => engine.entriesAt(transcript, step).map(({ name }) => name)
  expect(names(retry.since - 1)).toEqual(["client_hello"])
  expect(names(retry.since)).toEqual(["message_hash", "hello_retry_request"])
  const [synthetic] = engine.entriesAt(transcript, retry.since)
  expect(hex(synthetic!.hashed)).toBe(`fe000020${createHash("sha256").update(synthetic!.message).digest("hex")}`)
})

it("goes on from the client's Finished when the server asks for a certificate later", () => {
  const uses = engine.hashUsesOf(play("post-handshake"), 0, "server")
  expect(uses.slice(-2).map(({ title, place }) => `${title}: ${place.messages}`)).toEqual([
    "client CertificateVerify: ClientHello…client Finished, CertificateRequest…client Certificate",
    "client Finished: ClientHello…client Finished, CertificateRequest…client CertificateVerify",
  ])
  expect(uses.at(-1)).toMatchObject({ baseKey: "client_application_traffic_secret_0" })
})

it("shows which MAC or signature is wrong when one is", () => {
  const wrong = (scenario: string, breaks: string, end: End) =>
    engine
      .hashUsesOf(play(scenario, breaks), 0, end)
      .filter((use) => use.kind === "mac" && !engine.isRight(use))
      .map(({ title }) => title)
  expect(wrong("full", "bad-finished", "client")).toEqual(["server Finished"])
  expect(wrong("external-psk", "bad-binder", "server")).toEqual(["PSK binder"])
})
