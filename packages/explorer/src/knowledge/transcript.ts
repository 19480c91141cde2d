// The transcript of one end (RFC 9846 section 4.1): the handshake messages as they are hashed, and the hash behind each.

import { HandshakeType, truncateBinders } from "@puremq/tls13/explore"
import type { End, Timeline } from "../run/step.ts"
import { clientHelloOf, type Flow, flowOf } from "./flow.ts"
import { onceForEnd } from "./memo.ts"
import type { SeenMessage } from "./seen-message.ts"
import type { Hash } from "./suites.ts"

export interface TranscriptEntry {
  /** `message_hash` for what stands in the place of the first ClientHello after a HelloRetryRequest. */
  readonly name: string
  /** As the RFC writes it in a list of messages: `ClientHello`, `server Finished`. */
  readonly title: string
  readonly from: End
  /** Since when it stands here, and until when: a first ClientHello is replaced. */
  readonly since: number
  readonly until: number | undefined
  /** As it was on the wire. */
  readonly message: Uint8Array
  /** What goes into the hash: another thing than the message for `message_hash` only. */
  readonly hashed: Uint8Array
  /** Transcript-Hash of all up to here. */
  readonly hash: Uint8Array
  /** 0: the handshake; 1, 2, ...: a post-handshake authentication, which goes on from the client's Finished. */
  readonly branch: number
}

export interface TranscriptOfEnd {
  readonly connection: number
  readonly end: End
  readonly hash: Hash
  /** All that ever stand in it. */
  readonly entries: readonly TranscriptEntry[]
}

export const transcriptOf: (timeline: Timeline, connection: number, end: End) => TranscriptOfEnd = onceForEnd(
  (timeline, connection, end) => {
    const flow = flowOf(timeline, connection, end)
    const { hash } = flow.suite
    return { connection, end, hash, entries: [...handshakeEntries(flow), ...authenticationEntries(flow)] }
  },
)

/** What stands in it at a step. */
export function entriesAt({ entries }: TranscriptOfEnd, step: number): readonly TranscriptEntry[] {
  return entries.filter(({ since, until }) => since <= step && (until === undefined || step < until))
}

function handshakeEntries(flow: Flow): TranscriptEntry[] {
  const { hash } = flow.suite
  const messages = flow.messages.filter(({ afterHandshake }) => !afterHandshake)
  const entries: TranscriptEntry[] = []
  let state = hash.start()
  const add = (seen: SeenMessage, fields: Partial<TranscriptEntry> = {}) => {
    const entry = { ...entryOf(seen), ...fields }
    state.update(entry.hashed)
    entries.push({ ...entry, hash: state.digest() })
  }
  for (const seen of messages) {
    const first = entries[0]
    if (seen.name === "hello_retry_request" && first?.name === "client_hello" && entries.length === 1) {
      entries[0] = { ...first, until: seen.step }
      state = hash.start()
      // Section 4.1: message_hash || 00 00 Hash.length || Hash(ClientHello1).
      const hashed = Uint8Array.of(HandshakeType.message_hash, 0, 0, hash.length, ...hash.digest(first.message))
      add({ ...seen, from: "client", message: first.message }, { name: "message_hash", title: "message_hash", hashed })
    }
    add(seen)
  }
  return entries
}

/** Section 4.5: CertificateRequest and what answers it, behind the handshake up to the client's Finished. One is answered before the next. */
function authenticationEntries(flow: Flow): TranscriptEntry[] {
  const { hash } = flow.suite
  const handshake = flow.messages.filter(({ afterHandshake }) => !afterHandshake)
  const after = flow.messages.filter(({ afterHandshake, name }) => afterHandshake && isAuthentication(name))
  const entries: TranscriptEntry[] = []
  let branch = 0
  let state = hash.start()
  for (const seen of after) {
    if (seen.name === "certificate_request") {
      branch++
      state = hash.start()
      for (const entry of handshakeEntries({ ...flow, messages: handshake })) {
        if (entry.until === undefined) state.update(entry.hashed)
      }
    }
    state.update(seen.message)
    entries.push({ ...entryOf(seen), hash: state.digest(), branch })
  }
  return entries
}

function isAuthentication(name: string): boolean {
  return [
    ...["certificate_request", "certificate", "compressed_certificate", "certificate_verify", "finished"],
  ].includes(name)
}

function entryOf({ name, from, step, message }: SeenMessage): TranscriptEntry {
  const title = titleOf(name, from)
  return { name, title, from, since: step, until: undefined, message, hashed: message, hash: message, branch: 0 }
}

/** What both ends send is told apart. */
export function titleOf(name: string, from: End): string {
  const title = name
    .split("_")
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join("")
  return ["finished", "certificate", "compressed_certificate", "certificate_verify"].includes(name)
    ? `${from} ${title}`
    : title
}

/* ---------------------------------------------------------------- places in it */

/** Messages up to one of them, and their hash. */
export interface Place {
  /** `ClientHello…ServerHello`. */
  readonly messages: string
  readonly hash: Uint8Array
  readonly step: number
}

/** Up to a message of the handshake; undefined: it has not come. */
export function placeOf(transcript: TranscriptOfEnd, name: string, from: End): Place | undefined {
  const at = transcript.entries.findIndex(
    (entry) => entry.branch === 0 && entry.until === undefined && entry.name === name && entry.from === from,
  )
  return at === -1 ? undefined : placeAt(transcript, at)
}

export function placeAt({ entries }: TranscriptOfEnd, at: number): Place {
  const { title, hash, since, branch } = entries[at]!
  const first = entries.find(({ until }) => until === undefined)!.title
  const last = branch === 0 ? title : "client Finished"
  const handshake = first === last ? first : `${first}…${last}`
  if (branch === 0) return { messages: handshake, hash, step: since }
  const answer = title === "CertificateRequest" ? title : `CertificateRequest…${title}`
  return { messages: `${handshake}, ${answer}`, hash, step: since }
}

/** Section 4.3.11.2: what the binders of a ClientHello are computed over. */
export interface BinderPlace extends Place {
  /** The ClientHello without its list of binders. */
  readonly truncated: Uint8Array
  readonly binders: readonly Uint8Array[]
}

/** One for each ClientHello that has binders. */
export function binderPlaces({ hash, entries }: TranscriptOfEnd): readonly BinderPlace[] {
  const places: BinderPlace[] = []
  const helloes = entries.filter(({ name, branch }) => name === "client_hello" && branch === 0)
  for (const entry of helloes) {
    const hello = clientHelloOf(entry.message)
    const psks = hello?.extensions.pre_shared_key
    if (hello === undefined || psks === undefined) continue
    const truncated = truncateBinders(entry.message, hello.extensions)
    const state = hash.start()
    const isFirst = entry === helloes[0]
    for (const before of isFirst ? [] : entries.slice(0, entries.indexOf(entry))) {
      if (before.until === undefined) state.update(before.hashed)
    }
    state.update(truncated)
    const messages = isFirst ? "Truncate(ClientHello)" : "message_hash, HelloRetryRequest, Truncate(ClientHello)"
    places.push({ messages, hash: state.digest(), step: entry.since, truncated, binders: psks.binders })
  }
  return places
}
