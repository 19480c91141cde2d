// Who takes a hash of the transcript, of which messages, and what for (RFC 9846 sections 4.1 and 4.5): binders, secrets, signatures,
// and the MACs of Finished, each computed again.

import {
  certificateVerifyContent,
  codePointName,
  decodeCertificateVerify,
  equalBytes,
  finishedMac,
  handshakeMessage,
  hkdfExpandLabel,
  SignatureScheme,
} from "@puremq/tls13/explore"
import type { End, Timeline } from "../run/step.ts"
import { attempt, flowOf } from "./flow.ts"
import { onceForEnd } from "./memo.ts"
import { scheduleOf } from "./schedule.ts"
import { nodeOf, type Schedule } from "./schedule-node.ts"
import {
  binderPlaces,
  type Place,
  placeAt,
  type TranscriptEntry,
  type TranscriptOfEnd,
  transcriptOf,
} from "./transcript.ts"

interface Use {
  /** Unique among the uses of an end. */
  readonly id: string
  readonly title: string
  /** When the end takes the hash. */
  readonly step: number
  readonly place: Place
  /** Index of the last entry that is hashed, in the entries of the transcript. */
  readonly after: number
  readonly section: string
}

/** A secret is derived with it. */
export interface SecretUse extends Use {
  readonly kind: "secret"
  /** Of the schedule. */
  readonly node: string
}

/** A MAC over it: a PSK binder, or Finished. */
export interface MacUse extends Use {
  readonly kind: "mac"
  /** The node whose finished_key is the key. */
  readonly baseKey: string
  readonly finishedKey: Uint8Array | undefined
  /** As computed here, and as the message has it. */
  readonly computed: Uint8Array | undefined
  readonly inMessage: Uint8Array
  /** Of a binder: what is hashed of the ClientHello. */
  readonly truncated: Uint8Array | undefined
}

/** A signature over it. */
export interface SignatureUse extends Use {
  readonly kind: "signature"
  readonly signer: End
  /** 64 spaces, the context string, a zero byte, and the hash. */
  readonly content: Uint8Array
  readonly scheme: string
  readonly signature: Uint8Array
}

export type HashUse = SecretUse | MacUse | SignatureUse

export function isRight({ computed, inMessage }: MacUse): boolean {
  return computed !== undefined && equalBytes(computed, inMessage)
}

/** In the order of the transcript. */
export const hashUsesOf: (timeline: Timeline, connection: number, end: End) => readonly HashUse[] = onceForEnd(
  (timeline, connection, end) => {
    const transcript = transcriptOf(timeline, connection, end)
    const schedule = scheduleOf(timeline, connection, end)
    const uses = [...binders(transcript, schedule), ...secrets(transcript, schedule)]
    transcript.entries.forEach((entry, at) => {
      if (entry.name === "certificate_verify") uses.push(...signature(transcript, entry, at))
      if (entry.name === "finished") uses.push(finished(timeline, transcript, schedule, entry, at))
    })
    return uses.sort((a, b) => a.after - b.after || a.step - b.step)
  },
)

/** Section 4.3.11.2. The key of the first PSK only: the page knows which that is. */
function binders(transcript: TranscriptOfEnd, schedule: Schedule): HashUse[] {
  const { hash, entries } = transcript
  const node = nodeOf(schedule, "declined binder_key") ?? nodeOf(schedule, "binder_key")!
  return binderPlaces(transcript).map((place) => ({
    kind: "mac",
    id: `binder ${place.step}`,
    title: "PSK binder",
    step: place.step,
    place,
    after: entries.findIndex(({ since, name }) => since === place.step && name === "client_hello"),
    section: "4.3.11.2",
    baseKey: node.id,
    finishedKey: node.value && hkdfExpandLabel(hash, node.value, "finished", new Uint8Array(0), hash.length),
    computed: node.value && finishedMac(hash, node.value, place.hash),
    inMessage: place.binders[0] ?? new Uint8Array(0),
    truncated: place.truncated,
  }))
}

function secrets({ entries }: TranscriptOfEnd, { nodes }: Schedule): HashUse[] {
  return nodes.flatMap((node): HashUse[] => {
    if (node.kind !== "expand" || node.place === undefined || node.knownAt === undefined) return []
    const { id, name, place, knownAt, section } = node
    const after = entries.findIndex(({ since, hash }) => since === place.step && equalBytes(hash, place.hash))
    return [{ kind: "secret", id, title: name, step: knownAt, place, after, section, node: id }]
  })
}

/** Section 4.5.2: over everything ahead of the CertificateVerify. */
function signature(transcript: TranscriptOfEnd, entry: TranscriptEntry, at: number): HashUse[] {
  const verify = attempt(() => decodeCertificateVerify(handshakeMessage(entry.message)))
  if (verify === undefined || at === 0) return []
  const place = placeAt(transcript, at - 1)
  return [
    {
      kind: "signature",
      id: `signature ${entry.since}`,
      title: entry.title,
      step: entry.since,
      place,
      after: at - 1,
      section: "4.5.2",
      signer: entry.from,
      content: certificateVerifyContent(entry.from, place.hash),
      scheme: codePointName(SignatureScheme, verify.algorithm),
      signature: verify.signature,
    },
  ]
}

/** Section 4.5.3: over everything ahead of the Finished. */
function finished(
  timeline: Timeline,
  transcript: TranscriptOfEnd,
  schedule: Schedule,
  entry: TranscriptEntry,
  at: number,
): HashUse {
  const { hash, connection, end } = transcript
  const place = placeAt(transcript, at - 1)
  const baseKey =
    entry.branch === 0 ? `${entry.from}_handshake_traffic_secret` : applicationSecret(timeline, connection, end, entry)
  const secret = nodeOf(schedule, baseKey)?.value
  return {
    kind: "mac",
    id: `finished ${entry.since}`,
    title: entry.title,
    step: entry.since,
    place,
    after: at - 1,
    section: "4.5.3",
    baseKey,
    finishedKey: secret && hkdfExpandLabel(hash, secret, "finished", new Uint8Array(0), hash.length),
    computed: secret && finishedMac(hash, secret, place.hash),
    inMessage: entry.message.subarray(4),
    truncated: undefined,
  }
}

/** Section 4.5: after the handshake the base key is the application traffic secret of the time. */
function applicationSecret(timeline: Timeline, connection: number, end: End, { from, since }: TranscriptEntry): string {
  const name = `${from}_application_traffic_secret`
  const { secrets: told } = flowOf(timeline, connection, end)
  const current = told.findLast((secret) => secret.name === name && secret.step <= since)
  return `${name}_${current?.generation ?? 0}`
}
