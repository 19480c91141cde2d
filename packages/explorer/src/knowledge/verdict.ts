// What is said of somebody who looks at a record.

import type { End } from "../run/step.ts"

export type Thief = "eavesdropper" | "certificate-key" | "ticket-key" | "quantum"
export type EyeId = End | Thief

export interface Verdict {
  readonly reads: boolean
  /** Nobody here can say: `reads` is false, and `why` tells what it depends on. */
  readonly unknown?: true
  /** One sentence. */
  readonly why: string
  /** `5.2` of RFC 9846, or another document by its name. */
  readonly section: string
}
