// A client's authentication (RFC 9846 sections 4.5.1 and 4.5.2) whose signatures a thread checks. What they mean is decided here,
// as without threads: a search for a path that asks for a signature which is not known yet is told that it is wrong, its verdict
// is thrown away, the thread is asked, and the search begins anew. So it ends with what it would have found by itself, and
// nothing of the rules, authorities and lists goes to a thread.
//
// Usually one job is all: behind the client's CertificateVerify it has the signatures of the path that its chain looks like, which
// are looked at if the first is right.

import { copyOf } from "../../../bytes/copy.ts"
import { equalBytes } from "../../../bytes/equal.ts"
import { Pause } from "../../../bytes/pause.ts"
import { copyOfPublicKey, type PublicKey, samePublicKey } from "../../../crypto/keys.ts"
import type { CryptoProvider, SignatureAlgorithm } from "../../../crypto/provider.ts"
import type { CertificateVerdict, CertificateVerification, CertificateVerifier } from "../../../x509/interfaces.ts"
import { type SignatureCheck, straightSignatures } from "../../../x509/path/straight-path.ts"
import type { TrustStore } from "../../../x509/path/trust.ts"
import type { JobResult } from "./jobs.ts"
import { pauseFor } from "./offload.ts"
import type { HandshakeWorkers } from "./pool.ts"

/** Jobs for one verdict; each knows at least one signature more. What needs more of them is verified in this thread. */
const mostJobs = 16

export interface OffloadedAuthentication {
  /** Those of the provider; a CertificateVerify is checked by a thread. */
  readonly signatures: readonly SignatureAlgorithm[]
  readonly verifier: CertificateVerifier
}

/** What is known of the signatures of one chain. */
interface Expected {
  /** The likely ones, until a job has them. */
  likely: readonly SignatureCheck[]
  readonly known: KnownSignatures
}

/**
 * @param verifier may be asked more than once about one chain
 * @param trust its authorities; undefined for an application's own verifier, which is asked once and checks signatures itself
 */
export function offloadedAuthentication(
  provider: CryptoProvider,
  verifier: CertificateVerifier,
  trust: (() => TrustStore) | undefined,
  workers: HandshakeWorkers,
): OffloadedAuthentication {
  const byChain = new WeakMap<readonly Uint8Array[], Expected>()
  /** By the leaf's key, as it was read for one handshake. */
  const byKey = new WeakMap<PublicKey, Expected>()

  function expectedOf({ chain, type }: CertificateVerification): Expected {
    const before = byChain.get(chain)
    if (before !== undefined) return before
    const made = { likely: type === "X509" ? likelyOf(chain) : [], known: new KnownSignatures() }
    byChain.set(chain, made)
    return made
  }

  function likelyOf(chain: readonly Uint8Array[]): readonly SignatureCheck[] {
    try {
      return straightSignatures(chain, trust!(), provider).map(copied)
    } catch {
      // Authorities that cannot be read, say: the verifier meets them, too, and refuses with the reason.
      return []
    }
  }

  const signatures = provider.signatures.map((algorithm) => ({
    ...algorithm,
    verifyLater(key: PublicKey, message: Uint8Array, signature: Uint8Array): Pause<boolean> | undefined {
      const expected = byKey.get(key)
      const behind = expected?.likely ?? []
      const own = copied({ algorithm: algorithm.name, key, message, signature })
      const job = workers.give({ kind: "verify", checks: [own, ...behind], inOrder: true })
      if (job === undefined) return undefined
      if (expected !== undefined) expected.likely = []
      return pauseFor(job, (result) => {
        if (!("verified" in result)) return undefined
        const [right, ...others] = result.verified
        expected?.known.add(behind, others)
        return right
      })
    },
  }))
  if (trust === undefined) return { signatures, verifier }

  /** The verdict by what is known, and what else it asked for: with that it is none. */
  function informedVerdict(
    verification: CertificateVerification,
    known: KnownSignatures,
  ): readonly [verdict: CertificateVerdict | Pause<CertificateVerdict>, missing: readonly SignatureCheck[]] {
    const missing: SignatureCheck[] = []
    const informed = verification.provider.signatures.map((algorithm) => ({
      ...algorithm,
      verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
        const check = { algorithm: algorithm.name, key, message, signature }
        const right = known.find(check)
        if (right === undefined) missing.push(copied(check))
        return right ?? false
      },
    }))
    const verdict = verifier.verify({ ...verification, provider: { ...verification.provider, signatures: informed } })
    return [verdict, missing]
  }

  async function laterVerdict(
    verification: CertificateVerification,
    known: KnownSignatures,
    first: Promise<JobResult>,
    asked: readonly SignatureCheck[],
  ): Promise<CertificateVerdict> {
    let [job, checks]: [Promise<JobResult> | undefined, readonly SignatureCheck[]] = [first, asked]
    for (let jobs = 1; job !== undefined; jobs++) {
      const result = await job
      if (!("verified" in result)) throw new Error("a handshake worker has answered something else")
      known.add(checks, result.verified)
      const [verdict, missing] = informedVerdict(verification, known)
      if (missing.length === 0) return settled(verdict)
      checks = missing
      job = jobs < mostJobs ? workers.give({ kind: "verify", checks, inOrder: false }) : undefined
    }
    return settled(verifier.verify(verification))
  }

  return {
    signatures,
    verifier: {
      ...(verifier.asks && { asks: verifier.asks }),
      leafKey(verification) {
        const key = verifier.leafKey?.(verification)
        if (key !== undefined) byKey.set(key, expectedOf(verification))
        return key
      },
      verify(verification) {
        const expected = expectedOf(verification)
        const { known, likely } = expected
        const [verdict, missing] = informedVerdict(verification, known)
        if (missing.length === 0) return verdict
        // Of a chain whose holder was verified before, as when a session is resumed, nothing is known yet.
        const [checks, inOrder] = likely.length > 0 ? [likely, true] : [missing, false]
        expected.likely = []
        const job = workers.give({ kind: "verify", checks, inOrder })
        if (job === undefined) return verifier.verify(verification)
        const work = laterVerdict(verification, known, job, checks)
        work.catch(() => undefined) // the connection may have ended meanwhile, and then nobody asks
        return new Pause(work)
      },
    },
  }
}

/** Signatures whose verdict is known: some, so that they are looked for one by one. */
class KnownSignatures {
  readonly #all: { readonly check: SignatureCheck; readonly right: boolean }[] = []

  /** @param verified of the first of them, or of all */
  add(checks: readonly SignatureCheck[], verified: readonly boolean[]): void {
    for (const [i, right] of verified.entries()) this.#all.push({ check: checks[i]!, right })
  }

  find({ algorithm, key, message, signature }: SignatureCheck): boolean | undefined {
    return this.#all.find(
      ({ check }) =>
        check.algorithm === algorithm &&
        equalBytes(check.signature, signature) &&
        equalBytes(check.message, message) &&
        samePublicKey(check.key, key),
    )?.right
  }
}

/** With bytes that are copied to a thread alone, not with what they are a part of, and stay as they are until then. */
function copied({ algorithm, key, message, signature }: SignatureCheck): SignatureCheck {
  return { algorithm, key: copyOfPublicKey(key), message: copyOf(message), signature: copyOf(signature) }
}

function settled<Answer>(answer: Answer | Pause<Answer>): Answer | PromiseLike<Answer> {
  if (!(answer instanceof Pause)) return answer
  if (answer.work === undefined) throw new Error("a verifier that pauses here needs `work`")
  return answer.work
}
