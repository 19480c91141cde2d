// The rows, in the order in which they run: what is dearest to lose first.

import type { Group } from "../case.ts"
import { accessCases } from "./access.ts"
import { accountCases } from "./accounts.ts"
import { burstCases } from "./bursts.ts"
import { byteCases } from "./bytes.ts"
import { certificateCases } from "./certificates.ts"
import { commandCases } from "./commands.ts"
import { crowdCases } from "./crowds.ts"
import { halfDoneCases } from "./half-done.ts"
import { heldCases } from "./held.ts"
import { httpCases } from "./http.ts"
import { logCases } from "./log.ts"
import { memoryCases } from "./memory.ts"
import { neighbourCases } from "./neighbours.ts"
import { passwordCases } from "./passwords.ts"
import { reconnectCases } from "./reconnects.ts"
import { reloadCases } from "./reloads.ts"
import { scramCases } from "./scram.ts"
import { shareCases } from "./shares.ts"
import { smallHeapCases } from "./small-heap.ts"
import { stormCases } from "./storms.ts"
import { timeCases } from "./time.ts"
import { turnCases } from "./turns.ts"

export const groups: readonly Group[] = [
  { title: "Bytes of a client", cases: byteCases },
  {
    title: "Memory in sum",
    cases: [...memoryCases, ...halfDoneCases, ...heldCases, ...accountCases, ...smallHeapCases],
  },
  { title: "What one address leaves to others", cases: shareCases },
  { title: "Time of one packet, or of one turn", cases: [...timeCases, ...turnCases] },
  { title: "Much at once", cases: [...burstCases, ...reconnectCases] },
  { title: "Much at once on TLS", cases: stormCases },
  { title: "Who does not read", cases: neighbourCases },
  { title: "Passwords", cases: [...passwordCases, ...scramCases] },
  { title: "Crowds", cases: crowdCases },
  { title: "Identity and access", cases: accessCases },
  { title: "Certificates of a peer", cases: certificateCases },
  { title: "Pipes, files and commands", cases: [...commandCases, ...reloadCases] },
  { title: "HTTP, and what is half closed", cases: httpCases },
  { title: "The log and the metrics", cases: logCases },
]
