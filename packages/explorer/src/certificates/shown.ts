// The certificates that somebody shows in a run, with whom the other end wants to reach: what the path is judged by.

import { copyOf, decodeCertificate, handshakeMessage } from "@puremq/tls13/explore"
import { attempt, clientHelloOf } from "../knowledge/flow.ts"
import { decompressedCertificate } from "../reading/decompressed.ts"
import type { End, Happening, Timeline } from "../run/step.ts"

export interface ShownChain {
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
    if (chain.length > 0) found.push({ by, chain, step: index, serverName: names.get(connection) })
  }
  return found
}

/** A DER certificate begins with a SEQUENCE whose first part is one, a SubjectPublicKeyInfo with one that is its algorithm. */
function chainOf({ name, message }: Message): readonly Uint8Array[] {
  const isCompressed = name === "compressed_certificate"
  if (!isCompressed && name !== "certificate") return []
  const plain = isCompressed ? decompressedCertificate(message) : message
  const { certificateList = [] } = attempt(() => plain && decodeCertificate(handshakeMessage(plain))) ?? {}
  const isRawKey = certificateList.length === 1 && certificateList[0]!.data.length < 200
  return isRawKey ? [] : certificateList.map(({ data }) => copyOf(data))
}

function serverNameOf({ message }: Message): string | undefined {
  const extensions: object = clientHelloOf(message)?.extensions ?? {}
  return "server_name" in extensions ? `${extensions.server_name}` : undefined
}
