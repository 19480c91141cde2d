// A provider and credentials whose dear operations a thread does: a handshake pauses for them as for a key in hardware.

import { concatBytes } from "../../../bytes/concat.ts"
import { copyOf } from "../../../bytes/copy.ts"
import { Pause } from "../../../bytes/pause.ts"
import type { CryptoProvider, KeyExchange } from "../../../crypto/provider.ts"
import type { SignatureSchemeInfo } from "../../../crypto/signature-schemes.ts"
import { isKeySigner } from "../../../x509/certificate/credential.ts"
import type { Credential, CredentialChoice, CredentialResolver, KeySigner, Signer } from "../../../x509/interfaces.ts"
import type { JobResult } from "./jobs.ts"
import type { HandshakeWorkers } from "./pool.ts"

/** The same provider; a server's part of a key exchange is answered by a thread. */
export function offloadedProvider(provider: CryptoProvider, workers: HandshakeWorkers): CryptoProvider {
  return { ...provider, keyExchanges: provider.keyExchanges.map((group) => offloadedExchange(group, workers)) }
}

function offloadedExchange(group: KeyExchange, workers: HandshakeWorkers): KeyExchange {
  return {
    name: group.name,
    code: group.code,
    start: (random) => group.start(random),
    respond(clientShare, random) {
      const job = workers.give({ kind: "respond", group: group.code, share: copyOf(clientShare) })
      if (job === undefined) return group.respond(clientShare, random)
      return pauseFor(job, (result) => ("secret" in result ? result : undefined))
    },
  }
}

/** The same credentials; those whose private key is in memory sign in a thread. */
export function offloadedCredentials(resolver: CredentialResolver, workers: HandshakeWorkers): CredentialResolver {
  const known = new WeakMap<Credential, Credential>()
  const choice = (chosen: CredentialChoice): CredentialChoice => {
    if (chosen === undefined || !("signer" in chosen) || !isKeySigner(chosen.signer)) return chosen
    const before = known.get(chosen)
    if (before !== undefined) return before
    const made = { ...chosen, signer: offloadedSigner(chosen.signer, workers) }
    known.set(chosen, made)
    return made
  }
  return {
    resolve(request) {
      const chosen = resolver.resolve(request)
      if (!(chosen instanceof Pause)) return choice(chosen)
      return new Pause(chosen.work && Promise.resolve(chosen.work).then(choice))
    },
  }
}

function offloadedSigner(signer: KeySigner, workers: HandshakeWorkers): Signer {
  return {
    sign(scheme: SignatureSchemeInfo, message: Uint8Array, provider: CryptoProvider) {
      const { privateKey: key } = signer
      const job = workers.give({ kind: "sign", algorithm: scheme.algorithm, key, message: copyOf(message) })
      if (job === undefined) return signer.sign(scheme, message, provider)
      return pauseFor(job, (result) => ("signature" in result ? result.signature : undefined))
    },
    respondAndSign({ algorithm }, { suite, group, clientShare, clientHello, random, legacySessionIdEcho, messages }) {
      const { privateKey: key } = signer
      const all = [clientShare, clientHello, random, legacySessionIdEcho, messages]
      const lengths = all.map(({ length }) => length)
      const parts = concatBytes(...all)
      const job = workers.give({ kind: "respond and sign", algorithm, key, suite, group, parts, lengths })
      return job && pauseFor(job, (result) => ("transcriptHash" in result ? result : undefined))
    },
  }
}

/** Stands still until the job is done. @param read undefined for an answer to something else */
export function pauseFor<Answer>(
  job: Promise<JobResult>,
  read: (result: JobResult) => Answer | undefined,
): Pause<Answer> {
  const work = job.then((result) => {
    const answer = read(result)
    if (answer === undefined) throw new Error("a handshake worker has answered something else")
    return answer
  })
  work.catch(() => undefined) // the connection may have ended meanwhile, and then nobody asks
  return new Pause(work)
}
