// The shim's own certificates, and its choice among them as BoringSSL's shim makes it.

import { readFileSync } from "node:fs"
import { equalBytes } from "../src/bytes/equal.ts"
import { Pause } from "../src/bytes/pause.ts"
import type { CryptoProvider } from "../src/crypto/provider.ts"
import type { ServerSession } from "../src/session/session.ts"
import { certificateBytes, parseCertificate } from "../src/x509/certificate/certificate.ts"
import { credentialFits, loadCredential, loadRawPublicKey } from "../src/x509/certificate/credential.ts"
import { ownDelegation } from "../src/x509/delegated/own.ts"
import { X509Error } from "../src/x509/errors.ts"
import type { Credential, CredentialRequest, CredentialResolver } from "../src/x509/interfaces.ts"
import type { ConnectionFlags, CredentialFlags, Flags } from "./flags.ts"
import { Failure, Unimplemented } from "./outcomes.ts"
import { policyOf } from "./policy.ts"

/** What a connection showed of its peer and of itself, beyond HandshakeInfo. */
export interface Seen {
  /** The index of a `-new-*-credential`; -1: the default one, or none. */
  selectedCredential: number
  /** The last one received. */
  clientHello: Uint8Array | undefined
  /** That of the ticket which a server opened last. */
  openedSession: ServerSession | undefined
  ocspResponse: Uint8Array | undefined
  signedCertificateTimestamps: Uint8Array | undefined
}

interface Choice {
  readonly credential: Credential
  readonly mustMatchIssuer: boolean
  readonly index: number
}

export function credentialResolver(
  flags: ConnectionFlags,
  seen: Seen,
  provider: CryptoProvider,
): CredentialResolver | undefined {
  const choices = loadChoices(flags, provider)
  if (choices.length === 0 && flags.credentials.length > 0) return undefined
  return {
    resolve(request) {
      checkRequest(request, flags)
      if (flags.has("-fail-cert-callback")) return new Pause(Promise.reject(new Failure("certificate callback failed")))
      if (flags.has("-fail-ocsp-callback")) return new Pause(Promise.reject(new Failure("OCSP callback failed")))
      const choice = choose(choices, request)
      seen.selectedCredential = choice?.index ?? -1
      return flags.has("-async") ? new Pause(Promise.resolve(choice?.credential)) : choice?.credential
    },
  }
}

function loadChoices(flags: ConnectionFlags, provider: CryptoProvider): Choice[] {
  const choices: Choice[] = []
  flags.credentials.forEach((each, index) => {
    if (each.kind === "psk") return
    const mustMatchIssuer = each.flags.has("-must-match-issuer")
    choices.push({ credential: usable(each, provider, flags.has("-async")), mustMatchIssuer, index })
  })
  if (flags.has("-key-file")) {
    const credential = usable({ kind: "x509", flags: withoutStaple(flags) }, provider, flags.has("-async"))
    choices.push({ credential, mustMatchIssuer: false, index: -1 })
  }
  return choices
}

/** The OCSP callback of BoringSSL may decline to staple. */
function withoutStaple(flags: ConnectionFlags): Flags {
  return flags.has("-decline-ocsp-callback") ? flags.without("-ocsp-response") : flags
}

/** @throws Unimplemented for a key of another kind */
function usable(flags: CredentialFlags, provider: CryptoProvider, async: boolean): Credential {
  try {
    return load(flags, provider, async)
  } catch (error) {
    if (error instanceof X509Error && error.reason === "unsupported_key") throw new Unimplemented(error.message)
    throw error
  }
}

function load({ kind, flags }: CredentialFlags, provider: CryptoProvider, async: boolean): Credential {
  const key = readFileSync(flags.text("-key-file")!, "utf8")
  const certificate = flags.text("-cert-file")
  const delegated = kind === "delegated" ? flags.bytes("-delegated-credential") : undefined
  const loaded =
    kind === "rpk" || certificate === undefined
      ? loadRawPublicKey({ key })
      : delegated
        ? delegatedOf(certificatesOf(certificate), delegated, key, provider)
        : loadCredential({ cert: readFileSync(certificate, "utf8"), key })
  const ocspResponse = flags.bytes("-ocsp-response")
  const signedCertificateTimestamps = flags.bytes("-signed-cert-timestamps")
  const signatureSchemes = policyOf(flags)?.signatureSchemes ?? flags.numbers("-signing-prefs")
  if (signatureSchemes?.includes(0x0420)) throw new Unimplemented("signature scheme 0x0420, BoringSSL's own")
  const { signer } = loaded
  return {
    ...loaded,
    ...(ocspResponse && { ocspResponse }),
    ...(signedCertificateTimestamps && { signedCertificateTimestamps }),
    ...(signatureSchemes && { signatureSchemes }),
    signer: async ? { sign: later(signer.sign.bind(signer)) } : signer,
  }
}

/** The runner's certificates have no DelegationUsage, which `loadDelegatedCredential` insists on. */
function delegatedOf(
  chain: readonly Uint8Array[],
  delegated: Uint8Array,
  key: string,
  provider: CryptoProvider,
): Credential {
  const { own } = ownDelegation(parseCertificate(chain[0]!), delegated, { delegated, key, provider })
  return { type: "X509", chain, ...own }
}

/** The same answer, later. */
function later<Args extends unknown[], Answer>(work: (...args: Args) => Answer | Pause<Answer>) {
  return (...args: Args): Pause<Answer> => {
    const answer = work(...args)
    return answer instanceof Pause ? answer : new Pause(Promise.resolve(answer))
  }
}

/** The first that the peer can use; else the last, so that the stack itself finds the words for what is wrong. */
function choose(choices: readonly Choice[], request: CredentialRequest): Choice | undefined {
  const right = choices.filter(({ credential, mustMatchIssuer }) => !mustMatchIssuer || issuedBy(credential, request))
  return right.find(({ credential }) => credentialFits(credential, request)) ?? right.at(-1)
}

function issuedBy({ chain }: Credential, { authorities }: CredentialRequest): boolean {
  return chain.some((der) => {
    const { issuer } = parseCertificate(der)
    return authorities.some((authority) => equalBytes(authority, issuer.der))
  })
}

/** What the flags say of the peer's request for a certificate. */
function checkRequest(request: CredentialRequest, flags: ConnectionFlags): void {
  const expectedSchemes = flags.numbers("-expect-peer-verify-pref")
  if (expectedSchemes && expectedSchemes.join() !== request.signatureSchemes.join()) {
    throw new Failure(`peer verify preferences mismatch: got ${request.signatureSchemes.join()}`)
  }
  const expectedNames = flags.text("-expect-client-ca-list")
  if (expectedNames !== undefined && !flags.has("-server")) {
    const got = request.authorities.map((name) => Buffer.from(name).toString("hex")).join()
    if (got !== (expectedNames === "<EMPTY>" ? "" : expectedNames)) {
      throw new Failure(`names in CertificateRequest differ: got ${got}`)
    }
  }
}

/** DER certificates of a PEM file. */
export function certificatesOf(file: string): readonly Uint8Array[] {
  return certificateBytes(readFileSync(file, "utf8"))
}
