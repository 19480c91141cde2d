// The views of the page, in the order of their tabs: a new one is a file and a row here.

import { BothEnds } from "./both-ends.tsx"
import { BreakIt } from "./break-it.tsx"
import { BringYourOwn } from "./bring-your-own.tsx"
import { Bytes } from "./bytes.tsx"
import { Certificates } from "./certificates.tsx"
import { Cost } from "./cost.tsx"
import { Eyes } from "./eyes.tsx"
import { KeySchedule } from "./key-schedule.tsx"
import { Lessons } from "./lessons.tsx"
import { Quiz } from "./quiz.tsx"
import { RecordLab } from "./record-lab.tsx"
import { TranscriptRail } from "./transcript-rail.tsx"
import type { View } from "./view.ts"

export const views: readonly View[] = [
  { id: "lessons", title: "Lessons", component: Lessons },
  { id: "ends", title: "Both ends", component: BothEnds },
  { id: "bytes", title: "Bytes", component: Bytes },
  { id: "keys", title: "Key schedule", component: KeySchedule },
  { id: "transcript", title: "Transcript", component: TranscriptRail },
  { id: "eyes", title: "Who reads what", component: Eyes },
  { id: "lab", title: "Record lab", component: RecordLab },
  { id: "cost", title: "Cost", component: Cost },
  { id: "break", title: "Break it", component: BreakIt },
  { id: "certificates", title: "Certificates", component: Certificates },
  { id: "own", title: "Bring your own", component: BringYourOwn },
  { id: "quiz", title: "Quiz", component: Quiz },
]
