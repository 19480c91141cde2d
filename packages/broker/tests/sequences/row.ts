// A row of the table of packet sequences: what clients send, and exactly what comes back to each of them.

import { type Bytes, farewell, join, type Version } from "./bytes.ts"

export interface Row {
  readonly name: string
  readonly version: Version
  /** A numbered statement, such as MQTT-3.3.1-2, or a section, of the standard of that version. */
  readonly rule: string
  /** What the standard leaves open and is a choice of ours; or what makes the row clear. */
  readonly note?: string | undefined
  /** Which broker of brokers.ts; "plain" where nothing is said. */
  readonly broker?: string | undefined
  readonly steps: readonly Step[]
}

export type Step =
  | { readonly does: "joins"; readonly line: string; readonly version?: Version | undefined }
  | { readonly does: "sends" | "gets"; readonly line: string; readonly bytes: Bytes }
  | { readonly does: "opens" | "ends" | "cuts"; readonly line: string }
  | { readonly does: "waits"; readonly seconds: number }

export type Steps = readonly Step[]

/** One network connection, by its name, which is its Client Identifier as well. */
export function lineOf(line: string) {
  return {
    /** It connects, Clean Start, and is accepted. */
    joins: { does: "joins", line } as Step,
    joinsAs: (version: Version): Step => ({ does: "joins", line, version }),
    sends: (...packets: readonly Bytes[]): Step => ({ does: "sends", line, bytes: join(...packets) }),
    gets: (...packets: readonly Bytes[]): Step => ({ does: "gets", line, bytes: join(...packets) }),
    /** It is there, and sends nothing. */
    opens: { does: "opens", line } as Step,
    /** The broker ends it. */
    ends: { does: "ends", line } as Step,
    /** The client ends it, without a word. */
    cuts: { does: "cuts", line } as Step,
  }
}

export const c: ReturnType<typeof lineOf> = lineOf("c")
export const d: ReturnType<typeof lineOf> = lineOf("d")
export const e: ReturnType<typeof lineOf> = lineOf("e")
/** A second connection of client "c". */
export const again: ReturnType<typeof lineOf> = lineOf("c2")

export function waits(seconds: number): Step {
  return { does: "waits", seconds }
}

/** How a broker ends a connection: MQTT 5.0 with DISCONNECT, 3.1.1 without a word. */
export function told(version: Version, code: number): Steps {
  return version === 5 ? [c.gets(farewell(code)), c.ends] : [c.ends]
}

/** The steps of a client that has joined. */
export function joined(...steps: Steps): Steps {
  return [c.joins, ...steps]
}

/** It joins, sends this and gets that. */
export function asked(sent: Bytes, ...answer: readonly Bytes[]): Steps {
  return joined(c.sends(sent), ...(answer.length > 0 ? [c.gets(...answer)] : []))
}

/** It joins, sends this, and that is the end of it. */
export function wronged(version: Version, sent: Bytes, code: number): Steps {
  return joined(c.sends(sent), ...told(version, code))
}

/** The rule by the version of the row. */
export function by(version: Version, five: string, four: string, three: string = four): string {
  return version === 5 ? five : version === 4 ? four : three
}

export const both = [4, 5] as const
export const all = [3, 4, 5] as const

export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`
}
