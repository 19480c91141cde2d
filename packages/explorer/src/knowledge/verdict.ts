// What is said of somebody who looks at a record.

export interface Verdict {
  readonly reads: boolean
  /** One sentence. */
  readonly why: string
  /** `5.2` of RFC 9846, or another document by its name. */
  readonly section: string
}
