// A connection that somebody has brought: while it is there, every view shows it in the place of a scenario.

import { type Signal, signal } from "@preact/signals"
import type { Timeline } from "../run/step.ts"

export interface BroughtConnection {
  readonly title: string
  readonly timeline: Timeline
}

export const brought: Signal<BroughtConnection | undefined> = signal(undefined)
