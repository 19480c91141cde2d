import type { Scene } from "./scene.ts"

/** A row. */
export interface Case {
  /** Unique, of lower-case words: what is done to whom. */
  readonly name: string
  /** Seconds that the row may take, its programs' start and end included; default 60. */
  readonly seconds?: number
  /**
   * With --ci: first and in any case, as what it shows is dearest to lose, or after the others, as it takes
   * long or shows nearly what another shows.
   * Every group has some that come first.
   */
  readonly when?: "first" | "last"
  /** Neither the most memory nor a measured time decides it: it may run beside others that say the same. */
  readonly beside?: boolean
  /** A program that it needs beside Node; without it the row is skipped. */
  readonly needs?: string
  /** Its clients come from several addresses of 127.0.0.0/8, all of which only Linux has; elsewhere the row is skipped. */
  readonly addresses?: boolean
  readonly run: (scene: Scene) => Promise<void>
}

export interface Group {
  readonly title: string
  readonly cases: readonly Case[]
}
