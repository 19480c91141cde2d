// Trust anchors (RFC 5280 section 6.1.1 (d)), with constraints that the application puts on them (RFC 5937), and the store
// that finds them by name.

import { equalBytes } from "../../bytes/equal.ts"
import { parseAddress } from "../../bytes/ip-address.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import {
  type Certificate,
  certificateBlocks,
  parseCertificate,
  placeText,
  subjectText,
} from "../certificate/certificate.ts"
import { type UsageName, usageOid } from "../der/oid-names.ts"
import { attempt, isReadable, malformed, X509Error } from "../errors.ts"
import type { DistinguishedName } from "../names/distinguished-name.ts"
import type { GeneralName } from "../names/general-name.ts"
import { checkConstraint, type NameConstraints } from "../names/name-constraints.ts"

/** What an anchor may vouch for, beyond what its certificate says. */
export interface AnchorConstraints {
  /**
   * Host names, `DNS:...`, `IP:192.0.2.0/24`, `email:...` or `URI:...` that it may vouch for, and nothing else: a form without
   * an entry is not permitted, and an empty list permits nothing. undefined: every name.
   */
  readonly permittedNames?: readonly string[]
  readonly excludedNames?: readonly string[]
  /** Uses that it may vouch for; undefined: every use. */
  readonly usages?: readonly UsageName[]
  /** Intermediates that may stand below it. */
  readonly pathLength?: number
  /** Certificates issued after this moment are not accepted, in milliseconds since 1970 (a CA that lost its trust). */
  readonly issuedUntil?: number
}

export interface TrustAnchor {
  readonly subject: DistinguishedName
  readonly publicKey: PublicKey
  readonly spki: Uint8Array
  readonly certificate: Certificate
  readonly nameConstraints: NameConstraints | undefined
  /** Object identifiers. */
  readonly usages: readonly string[] | undefined
  readonly pathLength: number | undefined
  readonly issuedUntil: number | undefined
}

/**
 * Makes a trust anchor of a certificate.
 * @throws X509Error when its key cannot be used, or a constraint is none
 */
export function trustAnchor(source: Certificate | Uint8Array, constraints: AnchorConstraints = {}): TrustAnchor {
  const certificate = source instanceof Uint8Array ? parseCertificate(source) : source
  return anchorOf(certificate, parsedConstraints(constraints))
}

type ParsedConstraints = Pick<TrustAnchor, "nameConstraints" | "usages" | "pathLength" | "issuedUntil">

function anchorOf(certificate: Certificate, constraints: ParsedConstraints): TrustAnchor {
  if (certificate.publicKey === undefined) {
    throw new X509Error(
      "unsupported_key",
      `the trust anchor ${subjectText(certificate)} cannot be used: ${certificate.keyProblem?.message}`,
    )
  }
  const { subject, publicKey, spki } = certificate
  return { subject, publicKey, spki, certificate, ...constraints }
}

/** @throws X509Error for a name that is none */
function parsedConstraints(constraints: AnchorConstraints): ParsedConstraints {
  const { permittedNames, excludedNames = [] } = constraints
  const named = permittedNames !== undefined || excludedNames.length > 0
  return {
    nameConstraints: named
      ? {
          permitted: (permittedNames ?? []).map(parseConstraint),
          excluded: excludedNames.map(parseConstraint),
          exhaustive: permittedNames !== undefined,
        }
      : undefined,
    usages: constraints.usages?.map(usageOid),
    pathLength: constraints.pathLength,
    issuedUntil: constraints.issuedUntil,
  }
}

/** `example.com`, `DNS:example.com`, `IP:192.0.2.0/24`, `email:example.com`, `URI:.example.com`. */
function parseConstraint(text: string): GeneralName {
  const [, kind = "DNS", value = ""] = /^(?:(DNS|IP|email|URI):)?(.*)$/.exec(text) ?? []
  const base: GeneralName =
    kind === "IP" ? subnet(value) : { kind: kind === "DNS" ? "dns" : kind === "email" ? "email" : "uri", value }
  checkConstraint(base)
  return base
}

function subnet(text: string): GeneralName {
  const [address = "", prefix] = text.split("/")
  const bytes = parseAddress(address)
  const length = prefix === undefined ? (bytes?.length ?? 0) * 8 : Number(prefix)
  if (bytes === undefined || !Number.isInteger(length) || length < 0 || length > bytes.length * 8) {
    throw malformed(`${JSON.stringify(text)} is no subnet; write it like 192.0.2.0/24`)
  }
  const both = new Uint8Array(2 * bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    const mask = (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))) & 0xff
    both[i] = bytes[i]! & mask
    both[bytes.length + i] = mask
  }
  return { kind: "ip", bytes: both }
}

/** The anchors that are trusted, found by subject. Immutable: to change the trust, make a new one. */
export class TrustStore {
  readonly anchors: readonly TrustAnchor[]
  /** Certificates that were left out as they cannot be used: a sentence each, with its place in the file. */
  readonly skipped: readonly string[]
  /**
   * `host`: what the host trusts, which are authorities of the public web. It decides how strict paths are judged unless a
   * profile is named (see `usualProfile`), and its anchors are trusted as they are: some of the oldest break rules that they
   * hold others to.
   */
  readonly origin: "own" | "host"
  readonly #byName = new Map<number, TrustAnchor[]>()
  #byKey: Map<string, TrustAnchor[]> | undefined

  constructor(anchors: readonly TrustAnchor[], skipped: readonly string[] = [], origin: "own" | "host" = "own") {
    this.anchors = anchors
    this.skipped = skipped
    this.origin = origin
    for (const anchor of anchors) append(this.#byName, fnv1a(anchor.subject.der), anchor)
  }

  /** Anchors with exactly this name. */
  exact(name: DistinguishedName): readonly TrustAnchor[] {
    return this.#byName.get(fnv1a(name.der))?.filter(({ subject }) => equalBytes(subject.der, name.der)) ?? none
  }

  /** Anchors whose name is written otherwise but is the same by RFC 5280 section 7.1. */
  alike(name: DistinguishedName): readonly TrustAnchor[] {
    if (this.#byKey === undefined) {
      this.#byKey = new Map()
      for (const anchor of this.anchors) append(this.#byKey, anchor.subject.key, anchor)
    }
    const same = this.#byKey.get(name.key) ?? []
    const exact = this.exact(name)
    return same.filter((anchor) => !exact.includes(anchor))
  }

  /** The anchor that is this very certificate. */
  of(certificate: Certificate): TrustAnchor | undefined {
    return this.exact(certificate.subject).find((anchor) => equalBytes(anchor.certificate.der, certificate.der))
  }

  /** A store of one's own, with these anchors and more. */
  with(...more: readonly TrustAnchor[]): TrustStore {
    return new TrustStore([...this.anchors, ...more], this.skipped)
  }
}

const none: readonly TrustAnchor[] = []

/** A hash that spreads names; whoever chooses the anchors has no use for a collision. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash
}

function append<Key>(map: Map<Key, TrustAnchor[]>, key: Key, anchor: TrustAnchor): void {
  const list = map.get(key)
  if (list) list.push(anchor)
  else map.set(key, [anchor])
}

/**
 * A store of the certificates in a PEM bundle (or DER). Those that cannot be used (a negative serial number, a key of another
 * kind) are left out, and named in `skipped`: others of the bundle may well be those that count.
 * @throws X509Error when none can be used, when the PEM is broken, or a constraint is none
 */
export function trustStoreFromPem(source: string | Uint8Array, constraints: AnchorConstraints = {}): TrustStore {
  const limits = parsedConstraints(constraints)
  const anchors: TrustAnchor[] = []
  const skipped: X509Error[] = []
  const blocks = certificateBlocks(source)
  for (const [index, block] of blocks.entries()) {
    const anchor = attempt(() => anchorOf(parseCertificate(block.der), limits))
    if (isReadable(anchor)) anchors.push(anchor)
    else skipped.push(new X509Error(anchor.reason, `${placeText(block, index)} cannot be used: ${anchor.message}`))
  }
  const [first] = skipped
  if (anchors.length === 0 && first) {
    const more = blocks.length > 1 ? `none of ${blocks.length} certificates can be used as a trust anchor; ` : ""
    throw new X509Error(first.reason, more + first.message)
  }
  return new TrustStore(
    anchors,
    skipped.map(({ message }) => message),
  )
}

/**
 * A store of what can be used of many certificates, as of a host's store, which nobody here chose one by one; the rest is
 * counted. A bundle whose PEM is broken throws.
 */
export function trustStoreOfUsable(
  sources: readonly (string | Uint8Array)[],
  origin: TrustStore["origin"] = "own",
): {
  readonly store: TrustStore
  readonly skipped: number
} {
  const anchors: TrustAnchor[] = []
  const skipped: string[] = []
  for (const source of sources) {
    for (const [index, block] of certificateBlocks(source).entries()) {
      const anchor = attempt(() => trustAnchor(block.der))
      if (isReadable(anchor)) anchors.push(anchor)
      else skipped.push(`${placeText(block, index)} cannot be used: ${anchor.message}`)
    }
  }
  return { store: new TrustStore(anchors, skipped, origin), skipped: skipped.length }
}
