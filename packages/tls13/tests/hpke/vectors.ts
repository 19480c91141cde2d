import { readFileSync } from "node:fs"

/** A suite of appendix A of RFC 9180: see test-vectors/rfc9180/README.md. All texts are hexadecimal. */
export interface HpkeVector {
  readonly suite: string
  readonly mode: 0
  readonly kem_id: number
  readonly kdf_id: number
  readonly aead_id: number
  readonly info: string
  readonly ikmE: string
  readonly pkEm: string
  readonly skEm: string
  readonly ikmR: string
  readonly pkRm: string
  readonly skRm: string
  readonly enc: string
  readonly encryptions: readonly {
    readonly sequence_number: number
    readonly pt: string
    readonly aad: string
    readonly ct: string
  }[]
  readonly exports: readonly {
    readonly exporter_context: string
    readonly L: number
    readonly exported_value: string
  }[]
}

const file = new URL("../../../../test-vectors/rfc9180/rfc9180.json", import.meta.url)

export const hpkeVectors: readonly HpkeVector[] = JSON.parse(readFileSync(file, "utf8"))
