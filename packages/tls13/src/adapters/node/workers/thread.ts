// A handshake worker: a thread that answers key shares (RFC 9846 section 4.3.8) and signs CertificateVerify (section 4.5.2), both
// in one job where it can, and checks the signatures of clients and of their certificates. It keeps nothing between two jobs.

import { parentPort, workerData } from "node:worker_threads"
import { messageOf } from "../../../bytes/errors.ts"
import { certificateVerifyContent } from "../../../codec/certificate-verify.ts"
import { InvalidKeyShare } from "../../../crypto/provider.ts"
import { foreseenTranscriptHash } from "../../../handshake/server/foreseen-transcript.ts"
import type { UnsignedFlight } from "../../../x509/interfaces.ts"
import { chooseProvider, type ProviderName } from "../provider.ts"
import type { Job, JobResult } from "./jobs.ts"

const provider = chooseProvider(workerData as ProviderName)
const groups = new Map(provider.keyExchanges.map((group) => [group.code, group]))
const hashes = new Map(provider.cipherSuites.map(({ code, hash }) => [code, hash]))
const algorithms = new Map(provider.signatures.map((algorithm) => [algorithm.name, algorithm]))

parentPort!.on("message", (jobs: readonly Job[]) => {
  const results = jobs.map(result)
  // Jobs of one message share a key that is the same.
  for (const job of jobs) if ("key" in job) erase(job.key)
  // What is secret goes over as it is, and leaves no copy here.
  parentPort!.postMessage(
    results,
    results.flatMap((each) => ("secret" in each ? [each.secret.buffer as ArrayBuffer] : [])),
  )
})

function result(job: Job): JobResult {
  try {
    if (job.kind === "respond") {
      const { share, secret } = groups.get(job.group)!.respond(job.share, provider.random)
      return { id: job.id, share, secret: alone(secret) }
    }
    if (job.kind === "respond and sign") return respondAndSign(job)
    if (job.kind === "verify") return { id: job.id, verified: verified(job) }
    return { id: job.id, signature: algorithms.get(job.algorithm)!.sign(job.key, job.message, provider.random) }
  } catch (error) {
    return { id: job.id, failed: messageOf(error), invalidKeyShare: error instanceof InvalidKeyShare }
  }
}

function verified({ checks, inOrder }: Extract<Job, { kind: "verify" }>): readonly boolean[] {
  const results: boolean[] = []
  for (const { algorithm, key, message, signature } of checks) {
    const right = algorithms.get(algorithm)!.verify(key, message, signature)
    results.push(right)
    if (inOrder && !right) break
  }
  return results
}

/** The server's flight as it will be sent, but for its Finished. */
function respondAndSign(job: Extract<Job, { kind: "respond and sign" }>): JobResult {
  const { suite, group } = job
  const [clientShare, clientHello, random, legacySessionIdEcho, messages] = cut(job.parts, job.lengths)
  const { share, secret } = groups.get(group)!.respond(clientShare!, provider.random)
  const flight = { suite, group, clientShare, clientHello, random, legacySessionIdEcho, messages } as UnsignedFlight
  const transcriptHash = foreseenTranscriptHash(hashes.get(suite)!, flight, share)
  try {
    const content = certificateVerifyContent("server", transcriptHash)
    const signature = algorithms.get(job.algorithm)!.sign(job.key, content, provider.random)
    return { id: job.id, share, secret: alone(secret), signature, transcriptHash }
  } catch (error) {
    secret.fill(0)
    throw error
  }
}

function cut(parts: Uint8Array, lengths: readonly number[]): readonly Uint8Array[] {
  let at = 0
  return lengths.map((length) => {
    at += length
    return parts.subarray(at - length, at)
  })
}

/** In memory that nobody else has a part of. */
function alone(bytes: Uint8Array): Uint8Array {
  if (bytes.length === bytes.buffer.byteLength) return bytes
  const own = new Uint8Array(bytes)
  bytes.fill(0)
  return own
}

/** The copy that came with the message. */
function erase(key: object): void {
  for (const part of Object.values(key)) if (part instanceof Uint8Array) part.fill(0)
}
