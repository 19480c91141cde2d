// Who can read what: the two ends, somebody who listens, and thieves and machines of later years (RFC 9846 appendix F). Each has the
// secrets that follow from what he has: a rule for each stage of the key schedule, and a verdict for each record.

import type { SecretName } from "../run/names.ts"
import type { Timeline } from "../run/step.ts"
import { echOf, innerVerdict } from "./ech.ts"
import { endVerdict } from "./end-verdict.ts"
import { flowOf, groupOf } from "./flow.ts"
import { onceForTimeline } from "./memo.ts"
import { type OfferedPsk, offeredPsk } from "./psk.ts"
import { type SeenRecord, seenRecords } from "./seen-records.ts"
import type { EyeId, Thief, Verdict } from "./verdict.ts"

export interface Eye {
  readonly id: EyeId
  readonly title: string
  readonly about: string
}

export const eyes: readonly Eye[] = [
  { id: "client", title: "Client", about: "The one who opens the connection." },
  { id: "server", title: "Server", about: "The one who answers." },
  { id: "eavesdropper", title: "Eavesdropper", about: "Records everything on the wire, and has no key." },
  {
    id: "certificate-key",
    title: "Thief of the certificate's key",
    about: "Has recorded everything, and steals the private key of the server's certificate afterwards.",
  },
  {
    id: "ticket-key",
    title: "Thief of the ticket key",
    about: "Has recorded everything, and steals the key that the server seals its tickets with.",
  },
  {
    id: "quantum",
    title: "Quantum computer",
    about: "Has recorded everything, and has, one day, a machine that breaks elliptic curves.",
  },
]

export interface EyesRow {
  readonly record: SeenRecord
  /** The messages in it, by title. */
  readonly what: string
  readonly verdicts: Readonly<Record<EyeId, Verdict>>
}

/** A row for each record that is on the wire at a step. */
export function eyesAt(timeline: Timeline, step: number): readonly EyesRow[] {
  return seenRecords(timeline)
    .filter((record) => record.step <= step)
    .map((record) => ({
      record,
      what: [...new Set(record.parts.map(({ title }) => title))].join(", "),
      verdicts: {
        client: isUnknown(record) ? notBrought : endVerdict(timeline, record, "client", step),
        server: isUnknown(record) ? notBrought : endVerdict(timeline, record, "server", step),
        eavesdropper: thiefsVerdict(timeline, record, "eavesdropper"),
        "certificate-key": thiefsVerdict(timeline, record, "certificate-key"),
        "ticket-key": thiefsVerdict(timeline, record, "ticket-key"),
        quantum: thiefsVerdict(timeline, record, "quantum"),
      },
    }))
}

/* ---------------------------------------------------------------- what a connection's keys are made of */

/** The two things that come into the key schedule. */
export interface Ingredients {
  /** Undefined: none is used. */
  readonly psk: OfferedPsk | undefined
  /** Offered, and used for 0-RTT data if for nothing else. */
  readonly offered: OfferedPsk | undefined
  /** The group of the key exchange; undefined: there is none, or it has not come so far. */
  readonly group: string | undefined
  /** A PSK and no key exchange: psk_ke. */
  readonly pskOnly: boolean
  readonly hasCertificate: boolean
  /** The secret of the key exchange is all zeros: a share of small order was taken (RFC 7748 section 6.1). */
  readonly isZero: boolean
}

const allIngredients: (timeline: Timeline) => Map<number, Ingredients> = onceForTimeline(() => new Map())

export function ingredientsOf(timeline: Timeline, connection: number): Ingredients {
  const all = allIngredients(timeline)
  const known = all.get(connection)
  if (known) return known
  const ends = (["server", "client"] as const).map((end) => flowOf(timeline, connection, end))
  const flow = ends.find(({ messages }) => messages.length > 0) ?? ends[0]!
  const offered = offeredPsk(timeline, flow)
  const psk = offered?.chosen ? offered : undefined
  const group = groupOf(flow) || undefined
  const hasCertificate = flow.messages.some(
    ({ name, from }) => from === "server" && (name === "certificate" || name === "compressed_certificate"),
  )
  const isZero = ends.some(({ exchange }) => exchange?.secret.every((byte) => byte === 0))
  const pskOnly = psk !== undefined && group === undefined
  const ingredients = { psk, offered, group, pskOnly, hasCertificate, isZero }
  all.set(connection, ingredients)
  return ingredients
}

/**
 * Whether a thief has the pre-shared key that a connection offers; without one there is nothing that he lacks.
 * Undefined: he has it if it is of a ticket that he can open, and nobody here knows that.
 */
function hasPsk(timeline: Timeline, thief: Thief, psk: OfferedPsk | undefined): boolean | undefined {
  if (psk === undefined) return true
  if (psk.origin === undefined) return thief === "ticket-key" || thief === "quantum" ? undefined : false
  if (psk.origin.kind !== "resumption") return false
  if (thief === "ticket-key") return true
  // The PSK of a ticket is made of the resumption_secret of the connection that gave it.
  return hasMainSecret(timeline, thief, psk.origin.connection)
}

function hasExchange(thief: Thief, { group, pskOnly, isZero }: Ingredients): boolean {
  if (pskOnly || isZero) return true
  return thief === "quantum" && group !== undefined && !isHybrid(group)
}

function hasMainSecret(timeline: Timeline, thief: Thief, connection: number): boolean | undefined {
  const ingredients = ingredientsOf(timeline, connection)
  return hasExchange(thief, ingredients) && hasPsk(timeline, thief, ingredients.psk)
}

/** Whether a thief can compute a secret of a connection; undefined: nobody here knows. */
export function hasSecret(timeline: Timeline, thief: Thief, connection: number, name: SecretName): boolean | undefined {
  if (!isEarly(name)) return hasMainSecret(timeline, thief, connection)
  const { offered } = ingredientsOf(timeline, connection)
  if (offered === undefined) return false
  return hasPsk(timeline, thief, offered)
}

function isEarly(name: SecretName): boolean {
  return name === "client_early_traffic_secret" || name === "early_exporter_secret"
}

function isHybrid(group: string): boolean {
  return group.includes("MLKEM")
}

/* ---------------------------------------------------------------- verdicts */

/** Of a connection that was brought without the secret that opens it: sealed, and nothing here says more. */
function isUnknown({ protection, wire }: SeenRecord): boolean {
  return protection === undefined && wire.sent[0] === 23
}

/** No end has ever sent it. */
function isMadeUp({ wire, origin }: SeenRecord): boolean {
  return wire.fate === "injected" && origin === undefined
}

const notBrought: Verdict = {
  reads: false,
  unknown: true,
  why: "It is sealed, and the secret that opens it was not brought along: nobody here can say more.",
  section: "5.2",
}

function thiefsVerdict(timeline: Timeline, record: SeenRecord, thief: Thief): Verdict {
  const { protection, connection } = record
  const ingredients = ingredientsOf(timeline, connection)
  if (isUnknown(record)) return notBrought
  if (isMadeUp(record)) {
    if (record.bytes[0] !== 23) {
      return { reads: true, why: "Somebody on the way sends it, in the clear.", section: "appendix F.1" }
    }
    return { reads: false, why: "Somebody on the way has made it up: no key of the two opens it.", section: "5.2" }
  }
  if (protection === undefined) return inTheClear(timeline, record, thief, ingredients)
  const known = hasSecret(timeline, thief, connection, protection.secretName)
  const early = isEarly(protection.secretName)
  if (known && !early && ingredients.isZero) {
    const why =
      "The key share of small order makes the secret of the exchange all zeros: everybody can compute the keys."
    return { reads: true, why, section: "7.4.2" }
  }
  if (known === undefined) return { reads: false, unknown: true, ...dependsOnPsk(thief, ingredients, early) }
  return { reads: known, ...reasons[thief]({ timeline, ingredients, early, reads: known }) }
}

/** What cannot be said of a pre-shared key whose origin was not brought along. */
function dependsOnPsk(thief: Thief, { group, pskOnly }: Ingredients, early: boolean): Reason {
  const section = "2.2"
  if (thief === "ticket-key") {
    const why =
      "Where the pre-shared key comes from was not brought along: if it is of a ticket that this key opens, the thief reads all that it protects; if it was given beforehand, nothing."
    return { why, section }
  }
  const breaks = early || pskOnly ? "" : `It breaks ${group}, and needs the pre-shared key, too. `
  const why = `${breaks}Where that key comes from was not brought along: it has the key if it is of a ticket of a connection that it breaks, and not if it was given beforehand.`
  return { why: breaks === "" ? why.replace("that key", "the pre-shared key") : why, section }
}

function inTheClear(timeline: Timeline, record: SeenRecord, thief: Thief, { offered }: Ingredients): Verdict {
  const isHello = record.parts.some(({ title }) => title === "ClientHello")
  const ech = isHello ? echOf(timeline, record.connection) : undefined
  const hello = ech?.hellos[0]
  if (ech !== undefined && hello !== undefined) {
    const inner = innerVerdict(ech, hello, thief, record.step)
    const also = inner.reads ? "and ClientHelloInner in it opens, too" : "ClientHelloInner in it is sealed"
    return { reads: true, why: `ClientHelloOuter is sent in the clear, ${also}.`, section: "RFC 9849 section 5" }
  }
  if (!isHello || offered === undefined) {
    // change_cipher_spec is there for middleboxes only.
    if (record.bytes[0] === 20) {
      return { reads: true, why: "It is sent in the clear, and says nothing.", section: "appendix E.4" }
    }
    return { reads: true, why: "There are no keys yet: it is sent in the clear.", section: "5.1" }
  }
  if (offered.origin === undefined) {
    const opens = thief === "ticket-key" ? ": if that is a ticket, and this key is its own, it opens" : ""
    const why = `It is sent in the clear, and so is what names the pre-shared key${opens}.`
    return { reads: true, why, section: "4.3.11" }
  }
  const isTicket = offered.origin.kind === "resumption"
  if (isTicket && thief === "ticket-key") {
    return { reads: true, why: "The ticket in it opens, and the pre-shared key is inside.", section: "4.7.1" }
  }
  if (isTicket) {
    const why = "It is sent in the clear; the ticket in it is sealed, and one that is used twice is known again."
    return { reads: true, why, section: "appendix C.4" }
  }
  return {
    reads: true,
    why: "It is sent in the clear, and so is the name of the pre-shared key.",
    section: "appendix F.1",
  }
}

interface Case {
  readonly timeline: Timeline
  readonly ingredients: Ingredients
  /** Protected by a key of the PSK alone: 0-RTT data. */
  readonly early: boolean
  readonly reads: boolean
}

type Reason = Pick<Verdict, "why" | "section">

const reasons: Readonly<Record<Thief, (about: Case) => Reason>> = {
  eavesdropper: ({ early, ingredients: { pskOnly } }) => {
    const lacks = early || pskOnly ? "the pre-shared key" : "the secret of the key exchange, which was never sent"
    return {
      why: `He lacks ${lacks}: he sees lengths and times only.`,
      section: early ? "2.3" : "appendix F.1",
    }
  },
  "certificate-key": ({ ingredients: { hasCertificate } }) =>
    hasCertificate
      ? {
          why: "That key only signs, and goes into no other: he can pose as the server from now on, and reads nothing of before.",
          section: "appendix F.1",
        }
      : { why: "No certificate has a part in this connection, and its key opens nothing of it.", section: "2.2" },
  "ticket-key": ({ early, ingredients }) => ticketThief(early, ingredients),
  quantum: (about) => quantumThief(about),
}

function ticketThief(early: boolean, { psk, offered, pskOnly }: Ingredients): Reason {
  const used = early ? offered : psk
  if (used === undefined) {
    return { why: "No ticket has a part in this connection: its keys come of the key exchange alone.", section: "7.1" }
  }
  if (used.origin === undefined) {
    const why =
      "Whatever the pre-shared key is of, it is half of it: the key exchange adds a secret that is in no ticket."
    return { why, section: "appendix F.1" }
  }
  if (used.origin.kind !== "resumption") {
    return { why: "The pre-shared key was given beforehand, and is in no ticket.", section: "2.2" }
  }
  if (early) {
    const why =
      "0-RTT data is protected by the ticket's key alone: whoever opens the ticket reads it, even years later."
    return { why, section: "2.3" }
  }
  if (pskOnly) {
    const why = "There was no fresh key exchange (psk_ke): the ticket's key is all that the secrets are made of."
    return { why, section: "appendix F.1" }
  }
  const why = "The ticket's key is half of it: the key exchange (psk_dhe_ke) adds a secret that is in no ticket."
  return { why, section: "appendix F.1" }
}

function quantumThief({ ingredients, early, reads }: Case): Reason {
  const { psk, offered, group, pskOnly } = ingredients
  const used = early ? offered : psk
  if (!reads && used?.origin !== undefined && used.origin.kind !== "resumption") {
    const why = "A pre-shared key that was given beforehand goes into every secret, and no machine computes it."
    return { why, section: "RFC 9257" }
  }
  if (!reads && used && group !== undefined && !isHybrid(group)) {
    const why = `It breaks ${group}, but not the exchange of the connection that the ticket's key comes from.`
    return { why, section: "4.7.1" }
  }
  if (!reads && early) {
    return { why: "The ticket's key comes of a connection that it cannot break.", section: "4.7.1" }
  }
  if (!reads) {
    const why = `ML-KEM is made to withstand it: ${group ?? "the exchange"} holds as long as one of its halves does.`
    return { why, section: "draft-ietf-tls-ecdhe-mlkem" }
  }
  if (early || pskOnly) {
    const why =
      "It breaks the key exchange of the connection before, and so has its ticket's key: there is nothing else here."
    return { why, section: "4.7.1" }
  }
  const also = psk ? ", and the connection that the ticket is from" : ""
  const why = `It computes a private key from a share of ${group}${also}: all secrets follow.`
  return { why, section: "7.4" }
}
