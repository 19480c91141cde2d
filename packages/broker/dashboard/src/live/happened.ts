/** A line of the broker's log. */
export interface Happened {
  /** Counted by the page. */
  readonly id: number
  readonly time: string
  readonly event: string
  readonly [field: string]: unknown
}
