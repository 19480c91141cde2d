// What a reload takes, and whether it is other than before: for one line of the log.

import type { EchServerKey } from "@puremq/tls13/ech"
import {
  nameText,
  parseCertificates,
  parseCrls,
  parseOcspResponse,
  parsePem,
  toPem,
  trustStoreFromPem,
} from "@puremq/tls13/x509"
import type { RenewedCertificate } from "../listen/listener.ts"
import { day, lifeText, ticketKeyLength } from "./certificate.ts"
import { echKeysText } from "./ech-keys.ts"
import { counted, type Reread } from "./reread.ts"

/** Certificates, authorities and lists of one listener. The key counts as a part of its certificate. */
export interface RereadCertificates {
  readonly certificate: Reread
  readonly ca: Reread | undefined
  readonly crl: Reread | undefined
  readonly staple: Reread | undefined
  readonly ticketKeys: Reread | undefined
  readonly echKeys: Reread | undefined
}

export function rereadCertificates(before: RenewedCertificate, after: RenewedCertificate): RereadCertificates {
  const changed = !sameContent(before.cert, after.cert) || !sameContent(before.key, after.key)
  return {
    certificate: { text: `certificate: ${lifeText(parseCertificates(after.cert)[0]!)}`, changed },
    ca: reread("CA", before.ca, after.ca, authoritiesText),
    crl: reread("CRL", before.crl, after.crl, listsText),
    staple: rereadBytes("OCSP staple", before.ocsp, after.ocsp, stapleText),
    ticketKeys: rereadBytes("ticket keys", before.ticketKeys, after.ticketKeys ?? before.ticketKeys, (keys) =>
      String(keys.length / ticketKeyLength),
    ),
    echKeys: rereadEch(before.echKeys, after.echKeys ?? before.echKeys),
  }
}

/** A text for each that differs, such as `CA: CN=Root until 2036-11-25, unchanged`; certificates first. */
export function certificateTexts(listeners: readonly RereadCertificates[]): Reread[] {
  const all = (["certificate", "ca", "crl", "staple", "ticketKeys", "echKeys"] as const).flatMap((kind) =>
    listeners.map((listener) => listener[kind]),
  )
  const seen = new Map<string, boolean>()
  for (const one of all) if (one !== undefined) seen.set(one.text, (seen.get(one.text) ?? false) || one.changed)
  return [...seen].map(([text, changed]) => ({ text: `${text}, ${changed ? "changed" : "unchanged"}`, changed }))
}

function reread(
  what: string,
  before: string | undefined,
  after: string | undefined,
  text: (pem: string) => string,
): Reread | undefined {
  if (after === undefined) return before === undefined ? undefined : { text: `${what}: none any more`, changed: true }
  return { text: `${what}: ${text(after)}`, changed: before === undefined || !sameContent(before, after) }
}

function rereadBytes(
  what: string,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
  text: (bytes: Uint8Array) => string,
): Reread | undefined {
  if (after === undefined) return before === undefined ? undefined : { text: `${what}: none any more`, changed: true }
  const same = before !== undefined && before.length === after.length && before.every((byte, i) => byte === after[i])
  return { text: `${what}: ${text(after)}`, changed: !same }
}

function rereadEch(before: readonly EchServerKey[] = [], after: readonly EchServerKey[] = []): Reread | undefined {
  if (after.length === 0) return undefined
  const written = (keys: readonly EchServerKey[]) =>
    keys.map(({ config, privateKey, retry }) => [config, privateKey, retry].join()).join()
  return { text: `ECH keys: ${echKeysText(after)}`, changed: written(before) !== written(after) }
}

function stapleText(der: Uint8Array): string {
  const until = Math.min(
    ...parseOcspResponse(der).responses.map(({ nextUpdate = Number.POSITIVE_INFINITY }) => nextUpdate),
  )
  return Number.isFinite(until) ? `until ${day(until)}` : "without an end"
}

/** By what the blocks hold: comments, and where lines end, make no difference. */
function sameContent(before: string, after: string): boolean {
  const content = (pem: string) => parsePem(pem).map(({ label, der }) => toPem(label, der))
  return before === after || content(before).join("") === content(after).join("")
}

function authoritiesText(pem: string): string {
  return some(trustStoreFromPem(pem).anchors.map(({ certificate }) => lifeText(certificate)))
}

function listsText(pem: string): string {
  return some(
    parseCrls(pem).map(({ issuer, thisUpdate, nextUpdate, revoked }) => {
      const until = nextUpdate === undefined ? "" : ` until ${day(nextUpdate)}`
      return `${nameText(issuer) || "nobody"} of ${day(thisUpdate)}${until} with ${revoked.size} revoked`
    }),
  )
}

/** A bundle may hold hundreds. */
function some(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).join(" and ")
  return texts.length > 3 ? `${shown} and ${counted(texts.length - 3, "other")}` : shown
}
