// What somebody who looks at a connection from outside knows of its secrets: the lines of a key log (RFC 9850), or what goes into the
// key schedule, from which all of them follow.

import { fromHex, toHex } from "@puremq/tls13/explore"
import type { SecretName } from "../run/names.ts"

export interface KnownSecrets {
  /** A traffic secret of the connection with this ClientHello.random, when it is known as such. */
  logged(name: SecretName, clientRandom: Uint8Array): Uint8Array | undefined
  /** What goes into the schedule; undefined: it is not known. */
  readonly inputs?: {
    /** undefined: no PSK is in use. */
    readonly psk: Uint8Array | undefined
    readonly sharedSecret: Uint8Array | undefined
  }
}

export const nothingKnown: KnownSecrets = { logged: () => undefined }

/** RFC 9850 section 2.1. */
const labels: Readonly<Record<string, SecretName>> = {
  CLIENT_EARLY_TRAFFIC_SECRET: "client_early_traffic_secret",
  EARLY_EXPORTER_SECRET: "early_exporter_secret",
  CLIENT_HANDSHAKE_TRAFFIC_SECRET: "client_handshake_traffic_secret",
  SERVER_HANDSHAKE_TRAFFIC_SECRET: "server_handshake_traffic_secret",
  CLIENT_TRAFFIC_SECRET_0: "client_application_traffic_secret",
  SERVER_TRAFFIC_SECRET_0: "server_application_traffic_secret",
  EXPORTER_SECRET: "exporter_secret",
}

/** How many connections a key log has secrets of. */
export function connectionsInKeyLog(text: string): number {
  const randoms = text.match(/^[A-Z0-9_]+ ([0-9a-fA-F]{64}) (?=[0-9a-fA-F])/gm) ?? []
  return new Set(randoms.map((line) => line.split(" ")[1]!.toLowerCase())).size
}

/** Lines that are no lines of a key log, or of a label that is not known, are passed over, as RFC 9850 section 2 wants. */
export function readKeyLog(text: string): KnownSecrets {
  const known = new Map<string, Uint8Array>()
  for (const line of text.split(/\r?\n/)) {
    const [, label = "", random = "", secret = ""] =
      /^([A-Z0-9_]+) ([0-9a-fA-F]{64}) ([0-9a-fA-F]+)\s*$/.exec(line) ?? []
    const name = labels[label]
    if (name === undefined || secret.length % 2 !== 0) continue
    known.set(`${name} ${random.toLowerCase()}`, fromHex(secret))
  }
  return { logged: (name, clientRandom) => known.get(`${name} ${toHex(clientRandom)}`) }
}
