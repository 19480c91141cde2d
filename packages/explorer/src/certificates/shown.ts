// The certificates that somebody shows in a run, with whom the other end wants to reach: what the path is judged by.

import { copyOf, decodeCertificate, handshakeMessage } from "@puremq/tls13/explore"
import { ingredientsOf } from "../knowledge/eyes.ts"
import { attempt, clientHelloOf } from "../knowledge/flow.ts"
import { decompressedCertificate } from "../reading/decompressed.ts"
import type { End, Happening, Timeline } from "../run/step.ts"

export interface ShownChain {
  readonly connection: number
  readonly by: End
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  /** The step at which the other end reads it. */
  readonly step: number
  /** The name that the client asked for; undefined: it named none. */
  readonly serverName: string | undefined
}

type Message = Extract<Happening, { type: "message" }>

/** Chains of X.509 that have been read up to a step, in order. A raw public key is none. */
export function shownChains({ steps }: Timeline, step: number): readonly ShownChain[] {
  const found: ShownChain[] = []
  const names = new Map<number, string | undefined>()
  for (const { index, connection, end, happening } of steps) {
    if (index > step) break
    if (happening.type !== "message") continue
    if (happening.name === "client_hello") names.set(connection, serverNameOf(happening))
    if (happening.direction !== "received" || end === undefined) continue
    const chain = chainOf(happening)
    const by = end === "client" ? "server" : "client"
    if (chain.length > 0) found.push({ connection, by, chain, step: index, serverName: names.get(connection) })
  }
  return found
}

export interface ShownKey {
  readonly by: End
  /** DER of its SubjectPublicKeyInfo. */
  readonly key: Uint8Array
  readonly step: number
}

/** RFC 7250: the raw public keys that have been read in a connection up to a step, in order. */
export function shownKeys({ steps }: Timeline, connection: number, step: number): readonly ShownKey[] {
  return steps.flatMap(({ index, connection: of, end, happening }) => {
    if (index > step || of !== connection || end === undefined) return []
    if (happening.type !== "message" || happening.direction !== "received") return []
    const list = listOf(happening)
    const by = end === "client" ? "server" : "client"
    return isRawKey(list) ? [{ by, key: copyOf(list[0]!.data), step: index } as const] : []
  })
}

/** Why nobody shows a certificate in a connection. */
export type WhyNone = "ticket" | "external PSK" | "PSK" | "compressed" | "not seen"

export function whyNone(timeline: Timeline, connection: number): WhyNone {
  const { steps } = timeline
  const isCompressed = steps.some(
    ({ connection: of, happening }) =>
      of === connection && happening.type === "message" && happening.name === "compressed_certificate",
  )
  if (isCompressed) return "compressed"
  const { psk } = ingredientsOf(timeline, connection)
  if (psk === undefined) return "not seen"
  return psk.origin === undefined ? "PSK" : psk.origin.kind === "resumption" ? "ticket" : "external PSK"
}

/** A DER certificate begins with a SEQUENCE whose first part is one, a SubjectPublicKeyInfo with one that is its algorithm. */
function chainOf(message: Message): readonly Uint8Array[] {
  const list = listOf(message)
  return isRawKey(list) ? [] : list.map(({ data }) => copyOf(data))
}

type Entries = ReturnType<typeof decodeCertificate>["certificateList"]

function isRawKey(list: Entries): boolean {
  return list.length === 1 && list[0]!.data.length < 200
}

function listOf({ name, message }: Message): Entries {
  const isCompressed = name === "compressed_certificate"
  if (!isCompressed && name !== "certificate") return []
  const plain = isCompressed ? decompressedCertificate(message) : message
  const { certificateList = [] } = attempt(() => plain && decodeCertificate(handshakeMessage(plain))) ?? {}
  return certificateList
}

function serverNameOf({ message }: Message): string | undefined {
  const extensions: object = clientHelloOf(message)?.extensions ?? {}
  return "server_name" in extensions ? `${extensions.server_name}` : undefined
}
