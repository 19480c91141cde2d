// Short runs of bytes as coloured pieces, each with its name: a nonce, an HkdfLabel, an inner plaintext.

import { toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"

export interface BytesPiece {
  readonly name: string
  readonly bytes: Uint8Array
  /** One of the eight colours of fields. */
  readonly colour: number
  /** In words, when the bytes alone do not say it. */
  readonly means?: string | undefined
}

/** Bytes shown of a long piece. */
const most = 96

export function BytesLine({ pieces }: { readonly pieces: readonly BytesPiece[] }): JSX.Element {
  return (
    <dl class="bytes-line">
      {pieces
        .filter(({ bytes }) => bytes.length > 0)
        .map(({ name, bytes, colour, means }) => (
          <div key={name} class={`colour-${colour}`}>
            <dt>
              {name}
              {means !== undefined && <span class="means"> {means}</span>}
            </dt>
            <dd class="mono">{spaced(bytes)}</dd>
          </div>
        ))}
    </dl>
  )
}

/** `0a 0b 0c`, with what is left out counted. */
export function spaced(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, most), (byte) => toHex(Uint8Array.of(byte))).join(" ")
  return bytes.length > most ? `${shown} … ${(bytes.length - most).toLocaleString("en")} more` : shown
}
