// What a view is: a component that shows the first steps of a timeline, in its own way.

import type { ComponentType } from "preact"
import type { Timeline } from "../run/step.ts"

export interface ViewProps {
  readonly timeline: Timeline
  /** The last step that is shown. */
  readonly step: number
  /** Goes to another step. */
  readonly select: (step: number) => void
}

export interface View {
  /** As it stands in the address. */
  readonly id: string
  readonly title: string
  readonly component: ComponentType<ViewProps>
}
