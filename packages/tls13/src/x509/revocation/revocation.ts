// Revocation as an explicit policy: what the application asks for, and what a path's certificates are judged by.

import type { CryptoProvider } from "../../crypto/provider.ts"
import type { Certificate } from "../certificate/certificate.ts"
import { timeText } from "../der/time.ts"
import { attempt, X509Error } from "../errors.ts"
import type { Moment } from "../moment.ts"
import { type PathProblem, problemOf } from "../path/path-problem.ts"
import { type CrlStore, revocationReasons } from "./crl.ts"
import { ocspStatus, parseOcspResponse } from "./ocsp.ts"

/** `require`: no answer is a refusal. `ifPresent`: what is there must be usable and must not say revoked. `off`: not looked at. */
export type RevocationMode = "require" | "ifPresent" | "off"

export interface RevocationOptions {
  /** Lists, or a function that gives the lists of the moment. */
  readonly crls?: CrlStore | (() => CrlStore)
  /** Default `ifPresent`. */
  readonly crl?: RevocationMode
  /** Which certificates need a list under `require`: default `chain`, every one but the trust anchor. */
  readonly scope?: "leaf" | "chain"
  /** Of the stapled response for the leaf. Default `ifPresent`; a certificate with must-staple needs one unless `off`. */
  readonly ocsp?: RevocationMode
}

/** The certificate of a path that is revoked, or about which too little is known. @param path leaf first, anchor last */
export function revocationProblem(
  path: readonly Certificate[],
  options: RevocationOptions,
  ocspResponse: Uint8Array | undefined,
  now: Moment,
  provider: CryptoProvider,
): PathProblem | undefined {
  const store = typeof options.crls === "function" ? options.crls() : options.crls
  const crlMode = options.crl ?? "ifPresent"
  const proven = stapleProblem(path, options.ocsp ?? "ifPresent", ocspResponse, now, provider)
  if (proven instanceof X509Error) return problemOf(proven, path[0]!, 0)
  if (crlMode === "off") return undefined
  for (let i = 0; i < path.length - 1; i++) {
    const certificate = path[i]!
    const problem = listProblem(certificate, path[i + 1]!, store, now, provider, {
      // A good OCSP response is an answer too.
      required: crlMode === "require" && !(i === 0 && proven) && (i === 0 || options.scope !== "leaf"),
    })
    if (problem) return problemOf(problem, certificate, i)
  }
  return undefined
}

function listProblem(
  certificate: Certificate,
  issuer: Certificate,
  store: CrlStore | undefined,
  now: Moment,
  provider: CryptoProvider,
  { required }: { readonly required: boolean },
): X509Error | undefined {
  const status = store?.status(certificate, issuer, now, provider) ?? { kind: "none" }
  switch (status.kind) {
    case "good":
      return undefined
    case "revoked":
      return revoked(status.entry.revokedAt, status.entry.reason)
    case "unusable":
      return new X509Error("revocation_unknown", status.why)
    case "none":
      return required
        ? new X509Error("revocation_unknown", "no revocation list of its issuer was given, and one is required")
        : undefined
  }
}

/** True: the staple says good. False: nothing is known. An error: refused. */
function stapleProblem(
  path: readonly Certificate[],
  mode: RevocationMode,
  ocspResponse: Uint8Array | undefined,
  now: Moment,
  provider: CryptoProvider,
): boolean | X509Error {
  const leaf = path[0]!
  const issuer = path[1]
  if (mode === "off" || issuer === undefined) return false
  if (ocspResponse === undefined || ocspResponse.length === 0) {
    // RFC 7633 4.3.3: a certificate that asks for stapling is not good without it.
    if (leaf.extensions.mustStaple)
      return new X509Error(
        "revocation_unknown",
        "it must come with a stapled OCSP response (RFC 7633) and came without",
      )
    return mode === "require"
      ? new X509Error("revocation_unknown", "it came without a stapled OCSP response, and one is required")
      : false
  }
  const response = attempt(() => parseOcspResponse(ocspResponse))
  if (response instanceof X509Error) return response
  const status = ocspStatus(response, leaf, issuer, now, provider)
  if (status instanceof X509Error) return status
  if (status.kind === "revoked") return revoked(status.revokedAt, status.reason)
  if (status.kind === "good") return true
  return new X509Error("revocation_unknown", "the OCSP responder does not know it")
}

function revoked(at: number, reason: number): X509Error {
  const why = reason === 0 ? "" : ` (${revocationReasons[reason] ?? reason})`
  return new X509Error("revoked", `it was revoked on ${timeText(at)}${why}; get a new one`)
}
