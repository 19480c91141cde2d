// A handshake worker: a thread that answers key shares (RFC 9846 section 4.3.8) and signs CertificateVerify (section 4.5.2). It
// keeps nothing between two jobs.

import { parentPort, workerData } from "node:worker_threads"
import { messageOf } from "../../../bytes/errors.ts"
import { InvalidKeyShare } from "../../../crypto/provider.ts"
import { chooseProvider } from "../provider.ts"
import type { Job, JobResult, WorkerProvider } from "./jobs.ts"

const provider = chooseProvider(workerData as WorkerProvider)
const groups = new Map(provider.keyExchanges.map((group) => [group.code, group]))
const algorithms = new Map(provider.signatures.map((algorithm) => [algorithm.name, algorithm]))

parentPort!.on("message", (jobs: readonly Job[]) => {
  const results = jobs.map(result)
  // Jobs of one message share a key that is the same.
  for (const job of jobs) if (job.kind === "sign") erase(job.key)
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
    return { id: job.id, signature: algorithms.get(job.algorithm)!.sign(job.key, job.message, provider.random) }
  } catch (error) {
    return { id: job.id, failed: messageOf(error), invalidKeyShare: error instanceof InvalidKeyShare }
  }
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
