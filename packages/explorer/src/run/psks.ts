// The external PSKs of the scenarios: what an application would have been given beforehand.

import type { ExternalPsk } from "@puremq/tls13"

export const externalPsk: ExternalPsk = {
  identity: Uint8Array.from("sensor-17", (character) => character.charCodeAt(0)),
  key: Uint8Array.from({ length: 32 }, (_, at) => at),
  hash: "sha256",
  kind: "external",
}

/** The right name with a key that somebody has guessed. */
export const guessedPsk: ExternalPsk = { ...externalPsk, key: new Uint8Array(32).fill(0x55) }
