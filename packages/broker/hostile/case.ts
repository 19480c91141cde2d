import type { Scene } from "./scene.ts"

/** A row. */
export interface Case {
  /** Unique, of lower-case words: what is done to whom. */
  readonly name: string
  /** Seconds that the row may take, its programs' start and end included; default 60. */
  readonly seconds?: number
  /** Also run with --ci. */
  readonly ci?: boolean
  /** A program that it needs beside Node; without it the row is skipped. */
  readonly needs?: string
  readonly run: (scene: Scene) => Promise<void>
}

export interface Group {
  readonly title: string
  readonly cases: readonly Case[]
}
