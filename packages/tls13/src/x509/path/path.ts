// Building and validating a certification path (RFC 5280 section 6, RFC 4158): depth first from the leaf, each certificate
// checked as soon as it joins, so that a bad one ends its branch. Several candidates (cross-signed authorities) are tried
// within a budget. Signatures come last, from the anchor down: below the first wrong one nothing is checked, so that a peer
// spends our time on keys of authorities that we trust, never on keys of its own making. Key identifiers help to choose
// (RFC 5280 section 4.2.1.1): the best candidates come first, and what a peer sends under another identifier is no candidate;
// names and signatures decide.

import { equalBytes } from "../../bytes/equal.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { type Certificate, isSelfIssued } from "../certificate/certificate.ts"
import { type Reason, X509Error } from "../errors.ts"
import { hasPassed, inWholeSeconds, isToCome, type Moment } from "../moment.ts"
import { sameName } from "../names/distinguished-name.ts"
import { type PathBudget, type PathProblem, problemOf, startBudget, worse } from "./path-problem.ts"
import {
  type Checked,
  constraintProblem,
  issuerProblem,
  leafProblem,
  type Profile,
  signedBy,
  usualProfile,
} from "./path-rules.ts"
import { policyProblem } from "./policy.ts"
import type { TrustAnchor, TrustStore } from "./trust.ts"

export interface PathRequest {
  readonly leaf: Certificate
  /** Untrusted certificates that may stand between leaf and anchor, in any order. */
  readonly intermediates: readonly Certificate[]
  readonly trust: TrustStore
  /** Milliseconds since 1970-01-01T00:00:00Z; certificates say seconds, so it is rounded down to them. */
  readonly now: Moment
  readonly provider: CryptoProvider
  /** `path`: RFC 5280 section 6. `rfc5280`: also the duties of section 4. `webpki`: also the CA/B Forum's. Default: `usualProfile`. */
  readonly profile?: Profile
  /** Object identifier of the extended key usage that leaf and intermediates must allow; undefined: any use. */
  readonly usage?: string | undefined
  /** KeyUsage bits that the leaf must have when it has the extension. */
  readonly keyUsage?: number
  /** Intermediates that are not self-issued, at most; default 8. */
  readonly maximumIntermediates?: number
  /** Policies (object identifiers) of which the path must be valid for one. */
  readonly policies?: readonly string[]
  /** A last word on a whole path, such as revocation: a problem makes the search go on. */
  readonly accept?: (path: readonly Certificate[], anchor: TrustAnchor) => PathProblem | undefined
  readonly budget?: Partial<PathBudget>
}

export type PathVerdict =
  /** `path`: leaf first; the anchor's certificate is last. */
  | { readonly accepted: true; readonly path: readonly Certificate[]; readonly anchor: TrustAnchor }
  | { readonly accepted: false; readonly problem: PathProblem }

interface Search extends Checked {
  readonly request: PathRequest
  readonly intermediates: readonly Certificate[]
  readonly maximumIntermediates: number
  /** Signatures already checked: by signer's key bytes, by certificate. */
  readonly signatures: Map<Certificate, Map<Uint8Array, X509Error | undefined>>
  problem: PathProblem | undefined
}

/** Finds a path from the leaf to a trust anchor that keeps every rule, or says what stood in the way. Never throws for what certificates say. */
export function validatePath(request: PathRequest): PathVerdict {
  const profile = request.profile ?? usualProfile(request.trust.origin, request.usage)
  const budget = startBudget(request.budget)
  const verdict = searchPath(request, profile, budget)
  if (verdict.accepted || verdict.problem.reason !== "profile_violation" || profile === "path") return verdict
  // Whose issuer nobody trusts, say, is told that, and not what else a public authority would have to do. Out of one budget.
  const plain = searchPath(request, "path", budget)
  return !plain.accepted && graver.includes(plain.problem.reason) ? plain : verdict
}

/** What a person has to hear first. */
const graver: readonly Reason[] = ["unknown_issuer", "expired", "not_yet_valid"]

function searchPath(request: PathRequest, profile: Profile, budget: Checked["budget"]): PathVerdict {
  const search: Search = {
    request,
    intermediates: distinct(request.intermediates),
    maximumIntermediates: request.maximumIntermediates ?? 8,
    signatures: new Map(),
    problem: undefined,
    profile,
    anchorProfile: request.trust.origin === "host" ? "path" : profile,
    usage: request.usage,
    // RFC 5280 4.1.2.5 counts seconds, both ends included.
    now: inWholeSeconds(request.now),
    provider: request.provider,
    budget,
    names: new Map(),
  }
  const unfit = leafProblem(request.leaf, request.keyUsage ?? 0, search)
  if (unfit) return { accepted: false, problem: problemOf(unfit, request.leaf, 0) }
  // An anchor that is itself presented needs no signature: it is trusted as it is.
  const itself = request.trust.of(request.leaf)
  if (itself) {
    const limit = anchorLimits([request.leaf], itself, 0, search)
    const refused = limit ? problemOf(limit, request.leaf, 0) : finish(search, [request.leaf], itself)
    if (refused === undefined) return { accepted: true, path: [request.leaf], anchor: itself }
    search.problem = refused
  }
  return (
    extend(search, [request.leaf], 0) ?? {
      accepted: false,
      problem: search.problem ?? unknownIssuer(search, [request.leaf]),
    }
  )
}

/** Looks for an issuer of the last certificate of `path`; undefined when there is none that leads to an anchor. */
function extend(search: Search, path: readonly Certificate[], intermediates: number): PathVerdict | undefined {
  const { trust } = search.request
  const last = path[path.length - 1]!
  let any = false
  const atAnchor = (anchors: readonly TrustAnchor[]): PathVerdict | undefined => {
    for (const anchor of anchorsBestFirst(last, anchors)) {
      any = true
      if (!step(search, path)) return undefined
      const refused = anchorRefused(search, path, anchor)
      if (refused === undefined) return { accepted: true, path: [...path, anchor.certificate], anchor }
      note(search, isNamesake(search, last, anchor, refused) ? unknownIssuer(search, path) : refused)
      if (exhausted(search)) return undefined
    }
    return undefined
  }
  const exact = atAnchor(trust.exact(last.issuer))
  if (exact || exhausted(search)) return exact
  const named = namesakes(search, last)
  for (const candidate of bestFirst(search, last, named)) {
    if (path.some((each) => sameEntity(each, candidate))) continue
    any = true
    if (!step(search, path)) return undefined
    const verdict = intermediateVerdict(search, path, candidate, intermediates)
    if (verdict) return verdict
    if (exhausted(search)) return undefined
  }
  // Names that are written otherwise cost more to compare, and hardly ever help: they come last.
  const alike = atAnchor(trust.alike(last.issuer))
  if (!any) note(search, unknownIssuer(search, path, named.length > 0))
  return alike
}

/** That a trusted certificate has the name of a self-signed one is no reason: with another key it did not issue it. */
function isNamesake(search: Search, last: Certificate, anchor: TrustAnchor, refused: PathProblem): boolean {
  if (!isSelfIssued(last) || equalBytes(anchor.spki, last.spki) || refused.reason === "limit_exceeded") return false
  return signature(search, last, anchor.certificate)?.reason === "bad_signature"
}

function intermediateVerdict(
  search: Search,
  path: readonly Certificate[],
  candidate: Certificate,
  intermediates: number,
): PathVerdict | undefined {
  const count = intermediates + (isSelfIssued(candidate) ? 0 : 1)
  const index = path.length
  // Self-issued certificates do not count for path lengths, but a path of nothing else must end too.
  if (count > search.maximumIntermediates || path.length > 2 * search.maximumIntermediates + 2) {
    note(
      search,
      problemOf(
        new X509Error("path_too_long", `the path would have more than ${search.maximumIntermediates} intermediates`),
        candidate,
        index,
      ),
    )
    return undefined
  }
  const unfit =
    issuerProblem(candidate, "intermediate", intermediates, search) ??
    constraintProblem(path, candidate.extensions.nameConstraints, search) ??
    // A signature that another path has shown to be wrong ends this branch too.
    search.signatures.get(path[path.length - 1]!)?.get(candidate.spki)
  if (unfit) {
    note(search, problemOf(unfit, candidate, index))
    return undefined
  }
  return extend(search, [...path, candidate], count)
}

function anchorRefused(search: Search, path: readonly Certificate[], anchor: TrustAnchor): PathProblem | undefined {
  const { certificate } = anchor
  const intermediates = path.slice(1).filter((each) => !isSelfIssued(each)).length
  const unfit =
    issuerProblem(certificate, "anchor", intermediates, search) ??
    anchorLimits(path, anchor, intermediates, search) ??
    constraintProblem(path, certificate.extensions.nameConstraints, search)
  if (unfit) return problemOf(unfit, certificate, path.length)
  return signaturesProblem(search, [...path, certificate]) ?? finish(search, path, anchor)
}

/** @param path the anchor's certificate last: its key is the first that is used */
function signaturesProblem(search: Search, path: readonly Certificate[]): PathProblem | undefined {
  for (let i = path.length - 1; i > 0; i--) {
    const wrong = signature(search, path[i - 1]!, path[i]!)
    if (wrong) return problemOf(wrong, path[i]!, i)
  }
  return undefined
}

/** What the application limits its own anchor to (RFC 5937). */
function anchorLimits(
  path: readonly Certificate[],
  anchor: TrustAnchor,
  intermediates: number,
  search: Search,
): X509Error | undefined {
  const { usage } = search.request
  if (anchor.pathLength !== undefined && intermediates > anchor.pathLength) {
    return new X509Error(
      "path_too_long",
      `it is trusted for at most ${anchor.pathLength} intermediates and ${intermediates} stand below it`,
    )
  }
  if (usage !== undefined && anchor.usages !== undefined && !anchor.usages.includes(usage)) {
    return new X509Error("extended_key_usage", "it is not trusted for this use")
  }
  if (anchor.issuedUntil !== undefined && path[0]!.notBefore > anchor.issuedUntil) {
    return new X509Error("unknown_issuer", "it is not trusted for certificates issued so late")
  }
  return constraintProblem(path, anchor.nameConstraints, search)
}

/** The checks that need the whole path. @param path without the anchor's certificate */
function finish(search: Search, path: readonly Certificate[], anchor: TrustAnchor): PathProblem | undefined {
  const policy = policyProblem(path, search.request.policies)
  if (policy) return problemOf(policy, path[0]!, 0)
  return search.request.accept?.(path[0] === anchor.certificate ? path : [...path, anchor.certificate], anchor)
}

function signature(search: Search, certificate: Certificate, issuer: Certificate): X509Error | undefined {
  const known = search.signatures.get(certificate) ?? new Map<Uint8Array, X509Error | undefined>()
  search.signatures.set(certificate, known)
  if (known.has(issuer.spki)) return known.get(issuer.spki)
  const problem = signedBy(certificate, issuer, search)
  known.set(issuer.spki, problem)
  return problem
}

/** Certificates of the issuer's name: written alike, or else the same by RFC 5280 section 7.1. */
function namesakes({ intermediates }: Search, last: Certificate): readonly Certificate[] {
  const found = intermediates.filter((each) => equalBytes(each.subject.der, last.issuer.der))
  return found.length > 0 ? found : intermediates.filter((each) => sameName(each.subject, last.issuer))
}

/** Those that may have issued `last`: without those of another key identifier, the likeliest first. */
function bestFirst(search: Search, last: Certificate, named: readonly Certificate[]): readonly Certificate[] {
  const isValid = ({ notBefore, notAfter }: Certificate) =>
    !isToCome(notBefore, search.now) && !hasPassed(notAfter, search.now)
  const isBelowAnchor = ({ issuer }: Certificate) => search.request.trust.exact(issuer).length > 0
  const rank = (candidate: Certificate): number =>
    4 * identifierRank(last, candidate) + (isValid(candidate) ? 0 : 2) + (isBelowAnchor(candidate) ? 0 : 1)
  const fitting = named.filter((candidate) => identifierRank(last, candidate) < 2)
  return fitting.length < 2 ? fitting : sorted(fitting, rank)
}

/** What the application trusts may have any identifier: those of other ones come last. */
function anchorsBestFirst(last: Certificate, anchors: readonly TrustAnchor[]): readonly TrustAnchor[] {
  if (anchors.length < 2) return anchors
  return sorted(anchors, ({ certificate }) => identifierRank(last, certificate))
}

/** 0: the authorityKeyIdentifier names this issuer's key; 1: one of both says nothing; 2: it names another key. */
function identifierRank(last: Certificate, issuer: Certificate): 0 | 1 | 2 {
  const wanted = last.extensions.authorityKeyIdentifier?.keyIdentifier
  const own = issuer.extensions.subjectKeyIdentifier
  if (own === undefined || wanted === undefined) return 1
  return equalBytes(own, wanted) ? 0 : 2
}

function sorted<Item>(items: readonly Item[], rank: (item: Item) => number): readonly Item[] {
  return items
    .map((item) => ({ item, rank: rank(item) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}

/** RFC 4158 2.4.2: the same subject and key twice in a path is a loop. */
function sameEntity(a: Certificate, b: Certificate): boolean {
  return a === b || (equalBytes(a.subject.der, b.subject.der) && equalBytes(a.spki, b.spki))
}

function distinct(certificates: readonly Certificate[]): Certificate[] {
  const kept: Certificate[] = []
  for (const certificate of certificates) {
    if (!kept.some((each) => equalBytes(each.der, certificate.der))) kept.push(certificate)
  }
  return kept
}

function step(search: Search, path: readonly Certificate[]): boolean {
  if (search.budget.candidates-- > 0) return true
  note(
    search,
    problemOf(
      new X509Error("limit_exceeded", "looking for its issuers takes more steps than are spent on one chain"),
      path[0]!,
      0,
    ),
  )
  return false
}

function exhausted(search: Search): boolean {
  return search.problem?.reason === "limit_exceeded"
}

function note(search: Search, problem: PathProblem): void {
  search.problem = search.problem === undefined ? problem : worse(search.problem, problem)
}

/** @param isPassedOver certificates of the issuer's name are there, all with another key identifier */
function unknownIssuer(search: Search, path: readonly Certificate[], isPassedOver = false): PathProblem {
  const last = path[path.length - 1]!
  const index = path.length - 1
  if (isSelfIssued(last)) {
    const message =
      index === 0
        ? "it is self-signed and not one of the trusted certificates"
        : "it is a root that is not one of the trusted certificates"
    return problemOf(
      new X509Error("unknown_issuer", `${message}; add it to the trusted ones if it should be`),
      last,
      index,
    )
  }
  if (isPassedOver) {
    const message =
      "the chain has certificates of its issuer's name, but none with the key that its authorityKeyIdentifier names; send the issuer's certificate that belongs to it"
    return problemOf(new X509Error("unknown_issuer", message), last, index)
  }
  const more =
    search.request.trust.anchors.length === 0
      ? "no certificates are trusted at all"
      : "its issuer is neither trusted nor in the chain"
  return problemOf(
    new X509Error("unknown_issuer", `${more}; send the missing intermediate, or trust its root`),
    last,
    index,
  )
}
