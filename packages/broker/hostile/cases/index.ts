// The rows, in the order in which they run.

import type { Group } from "../case.ts"
import { accessCases } from "./access.ts"
import { byteCases } from "./bytes.ts"
import { certificateCases } from "./certificates.ts"
import { commandCases } from "./commands.ts"
import { crowdCases } from "./crowds.ts"
import { logCases } from "./log.ts"
import { memoryCases } from "./memory.ts"
import { neighbourCases } from "./neighbours.ts"
import { passwordCases } from "./passwords.ts"
import { timeCases } from "./time.ts"

export const groups: readonly Group[] = [
  { title: "Bytes of a client", cases: byteCases },
  { title: "Certificates of a peer", cases: certificateCases },
  { title: "Pipes, files and commands", cases: commandCases },
  { title: "Passwords", cases: passwordCases },
  { title: "Crowds", cases: crowdCases },
  { title: "Identity and access", cases: accessCases },
  { title: "The log and the metrics", cases: logCases },
  { title: "Memory in sum", cases: memoryCases },
  { title: "Time of one packet", cases: timeCases },
  { title: "Who does not read", cases: neighbourCases },
]
