// The certificates and revocation lists of listeners, with the days that are left to them.

import { createHash } from "node:crypto"
import {
  type Certificate,
  type Crl,
  generalNameText,
  nameText,
  parseCertificates,
  parseCrls,
  subjectText,
  trustStoreFromPem,
  X509Error,
} from "@puremq/tls13/x509"
import { timeText } from "../times.ts"
import type { CertificateModel, CertificatesModel, RevocationListModel } from "./model.ts"
import type { KnownListener } from "./parts.ts"

const day = 86_400_000
/** Authorities of a listener: a bundle may have hundreds, and each is told. */
const mostAuthorities = 200

/** Reads each text once: a revocation list may have a hundred thousand entries. */
export class CertificateReader {
  #chains = new Map<string, readonly Certificate[]>()
  #authorities = new Map<string, readonly Certificate[]>()
  #lists = new Map<string, readonly Crl[]>()

  /** @param now milliseconds since 1970 */
  read(listeners: readonly KnownListener[], now: number): CertificatesModel {
    const [chains, authorities, lists] = [this.#chains, this.#authorities, this.#lists]
    // What is no longer in use is forgotten.
    this.#chains = new Map()
    this.#authorities = new Map()
    this.#lists = new Map()
    const certificates: CertificateModel[] = []
    const revocationLists: RevocationListModel[] = []
    for (const { name, certificates: texts } of listeners) {
      if (texts === undefined) continue
      const { cert, ca, crl } = texts
      const chain = once(cert, chains, this.#chains, () => parseCertificates(cert))
      certificates.push(
        ...chain.map((each, index) => certificateModel(name, index === 0 ? "server" : "chain", each, now)),
      )
      if (ca !== undefined) {
        const trusted = () => trustStoreFromPem(ca).anchors.map(({ certificate }) => certificate)
        const all = once(ca, authorities, this.#authorities, trusted)
        certificates.push(...all.slice(0, mostAuthorities).map((each) => certificateModel(name, "clients", each, now)))
      }
      if (crl === undefined) continue
      const all = once(crl, lists, this.#lists, () => parseCrls(crl))
      revocationLists.push(...all.map((each) => listModel(name, each, now)))
    }
    return { certificates, revocationLists }
  }
}

function certificateModel(
  listener: string,
  role: CertificateModel["role"],
  certificate: Certificate,
  now: number,
): CertificateModel {
  const { serialNumber, notBefore, notAfter, issuer, extensions, der } = certificate
  return {
    listener,
    role,
    subject: subjectText(certificate),
    issuer: nameText(issuer),
    names: (extensions.subjectAltName ?? []).map(generalNameText),
    serial: Buffer.from(serialNumber).toString("hex"),
    notBefore: timeText(notBefore),
    notAfter: timeText(notAfter),
    daysLeft: Math.floor((notAfter - now) / day),
    sha256: createHash("sha256").update(der).digest("hex"),
  }
}

function listModel(
  listener: string,
  { issuer, thisUpdate, nextUpdate, revoked }: Crl,
  now: number,
): RevocationListModel {
  const until = nextUpdate !== undefined && {
    nextUpdate: timeText(nextUpdate),
    daysLeft: Math.floor((nextUpdate - now) / day),
  }
  return { listener, issuer: nameText(issuer), thisUpdate: timeText(thisUpdate), ...until, revoked: revoked.size }
}

function once<T>(
  text: string,
  known: ReadonlyMap<string, readonly T[]>,
  kept: Map<string, readonly T[]>,
  read: () => readonly T[],
): readonly T[] {
  const found = kept.get(text) ?? known.get(text) ?? readable(read)
  kept.set(text, found)
  return found
}

/** They are in use, so they could be read; what an embedding program has put in their place since may not. */
function readable<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read()
  } catch (error) {
    if (error instanceof X509Error) return []
    throw error
  }
}
