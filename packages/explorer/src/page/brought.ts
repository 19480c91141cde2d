// A connection that somebody has brought: while it is there, every view shows it in the place of a scenario.

import { type Signal, signal } from "@preact/signals"
import type { BroughtFile } from "../observe/files.ts"
import type { Timeline } from "../run/step.ts"

export interface BroughtConnection {
  readonly title: string
  readonly timeline: Timeline
}

export const brought: Signal<BroughtConnection | undefined> = signal(undefined)

/** What stands in the fields of "Bring your own", and what was found in it: it stays while other views are looked at. */
export interface Bringing {
  readonly keyLog: string
  readonly text: string
  readonly file: { readonly name: string; readonly bytes: Uint8Array } | undefined
  readonly found: BroughtFile | undefined
  /** Why it cannot be read. */
  readonly problem: string | undefined
}

export const bringing: Signal<Bringing> = signal({
  ...{ keyLog: "", text: "", file: undefined, found: undefined, problem: undefined },
})
