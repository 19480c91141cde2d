// What a lesson is made of: text, with links to steps that are described by what happens in them, not by their number.

import type { End, Happening } from "../run/step.ts"

type Part<Value> = Value extends Uint8Array
  ? never
  : Value extends object
    ? { readonly [Key in keyof Value]?: Part<Value[Key]> }
    : Value

/** What the step that is meant looks like; of a happening, the part that tells it from others. */
export type Wanted = {
  readonly [Type in Happening["type"]]: Part<Omit<Extract<Happening, { type: Type }>, "type">> & {
    readonly type: Type
    /** "wire": between the ends; undefined: whosesoever. */
    readonly of?: End | "wire"
    /** Default: the one that the scenario is about. */
    readonly connection?: number
    /** "last": of all that fit; default: the first. */
    readonly which?: "first" | "last"
  }
}[Happening["type"]]

/** A way into the page. */
export interface Link {
  readonly text: string
  /** The id of a scenario. */
  readonly scenario: string
  /** The id of a break, which is of that scenario. */
  readonly breaks?: string
  /** The check of the break that is left out. */
  readonly without?: string
  /** Default: that of the page. */
  readonly seed?: number
  readonly wanted: Wanted
  /** The id of a view. */
  readonly view: string
  /** What is chosen in the view, as it stands in the address: `eyes/quantum`. */
  readonly item?: string
  /** The field of the message that is meant, by its structure and name: `key_share.key_exchange`. */
  readonly field?: string
}

/** Text, in which `what stands between backticks` is code, and links. */
export type Paragraph = readonly (string | Link)[]

export interface Lesson {
  /** As it stands in the address. */
  readonly id: string
  readonly title: string
  /** Of RFC 9846, such as "4.3.8" or "F.1"; another document's by its whole name. */
  readonly sections: readonly string[]
  /** Two to five. */
  readonly paragraphs: readonly Paragraph[]
  /** What to try in the page, and what there is to see then. */
  readonly question: Paragraph
  readonly answer: Paragraph
}

/** The message as its sender writes it, or as its receiver reads it. */
export function message(of: End, direction: "sent" | "received", name: string, connection?: number): Wanted {
  return { type: "message", of, direction, name, ...(connection !== undefined && { connection }) }
}

export function links({ paragraphs, question, answer }: Lesson): readonly Link[] {
  return [...paragraphs, question, answer].flat().filter((part) => typeof part !== "string")
}
