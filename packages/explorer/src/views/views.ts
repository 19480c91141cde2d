// The views of the page, in the order of their tabs: a new one is a file and a row here.

import { BothEnds } from "./both-ends.tsx"
import { BreakIt } from "./break-it.tsx"
import { Bytes } from "./bytes.tsx"
import type { View } from "./view.ts"

export const views: readonly View[] = [
  { id: "ends", title: "Both ends", component: BothEnds },
  { id: "bytes", title: "Bytes", component: Bytes },
  { id: "break", title: "Break it", component: BreakIt },
]
