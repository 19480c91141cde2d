import { readFileSync } from "node:fs"
import { fromHex } from "../src/bytes/hex.ts"

/** One step of a trace of RFC 8448, with its values as bytes. */
export interface Step {
  readonly actor: "client" | "server"
  readonly label: string
  /** The RFC shows the value at another step: this says which. */
  readonly sameAs: string | undefined
  /** The names of the values that the RFC shows at this step. */
  readonly fields: readonly string[]
  has(field: string): boolean
  /** @throws when the step has no such field */
  bytes(field: string): Uint8Array
}

export interface Trace {
  readonly section: string
  readonly id: string
  readonly steps: readonly Step[]
}

interface StepJson {
  readonly actor: "client" | "server"
  readonly label: string
  readonly same_as?: string
  readonly fields?: Readonly<Record<string, { readonly hex?: string; readonly text?: string }>>
}

interface FileJson {
  readonly traces: readonly { readonly section: number | string; readonly id: string; readonly steps: StepJson[] }[]
}

/** The five traces of RFC 8448, in its order. */
export function readTraces(): readonly Trace[] {
  const url = new URL("../../../test-vectors/rfc8448/rfc8448.json", import.meta.url)
  const file = JSON.parse(readFileSync(url, "utf8")) as FileJson
  return file.traces.map(({ section, id, steps }) => ({ section: String(section), id, steps: steps.map(step) }))
}

function step({ actor, label, same_as, fields }: StepJson): Step {
  return {
    actor,
    label,
    sameAs: same_as,
    fields: Object.keys(fields ?? {}),
    has: (field) => fields?.[field] !== undefined,
    bytes(field) {
      const value = fields?.[field]
      if (value?.hex !== undefined) return fromHex(value.hex)
      // The salt of the first HKDF-Extract: a string of Hash.length zeros, and every trace uses SHA-256.
      if (value?.text?.startsWith("0 ")) return new Uint8Array(32)
      throw new Error(`the step "${label}" has no field "${field}"`)
    },
  }
}
