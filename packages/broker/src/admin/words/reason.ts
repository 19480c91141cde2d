// What there is to look at.

export interface Reason {
  readonly tone: "look" | "bad"
  readonly text: string
  /** Where there is more. */
  readonly href: string | undefined
}
