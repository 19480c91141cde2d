// What a text in HOCON says, what it refers to, and what is wrong with it.

/** Where a value stands. */
export interface Spot {
  readonly file: string
  /** From 1. */
  readonly line: number
}

export type HoconValue = HoconText | HoconObject | HoconList

export interface HoconText {
  readonly kind: "text"
  readonly text: string
  /** Not: it may be a number, true, false or null. */
  readonly quoted: boolean
  readonly spot: Spot
}

export interface HoconObject {
  readonly kind: "object"
  readonly members: ReadonlyMap<string, HoconValue>
  readonly spot: Spot
}

export interface HoconList {
  readonly kind: "list"
  readonly items: readonly HoconValue[]
  readonly spot: Spot
}

/** A text that is not HOCON; the message is a clause. */
export class HoconError extends Error {
  readonly spot: Spot

  constructor(message: string, spot: Spot) {
    super(message)
    this.name = "HoconError"
    this.spot = spot
  }
}

/** What a text refers to. */
export interface HoconMeans {
  /** The text of a file that is included, and its name; undefined: there is none. */
  readonly include: (name: string, from: string) => { readonly file: string; readonly text: string } | undefined
  /** A variable of the environment. */
  readonly variable: (name: string) => string | undefined
  /** Told of a file that is included and not there, and of a substitution that nothing is known of. */
  readonly missing: (what: string, spot: Spot) => void
}
