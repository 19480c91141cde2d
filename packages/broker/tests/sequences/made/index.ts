import type { Row } from "../row.ts"
import * as aliases from "./aliases.ts"
import * as authentication from "./authentication.ts"
import * as codes from "./codes.ts"
import * as connects from "./connects.ts"
import * as deliveries from "./deliveries.ts"
import * as features from "./features.ts"
import * as flags from "./flags.ts"
import * as forwards from "./forwards.ts"
import * as lengths from "./lengths.ts"
import * as properties from "./properties.ts"
import * as publishes from "./publishes.ts"
import * as retained from "./retained.ts"
import * as sessions from "./sessions.ts"
import * as shares from "./shares.ts"
import * as strings from "./strings.ts"
import * as subscribes from "./subscribes.ts"
import * as topics from "./topics.ts"
import * as wills from "./wills.ts"

/** The files of test-vectors/mqtt, by their names without ".txt". */
export const made: Readonly<Record<string, { readonly head: string; readonly rows: () => Row[] }>> = {
  flags,
  lengths,
  strings,
  properties,
  "reason-codes": { head: codes.head, rows: codes.rows },
  topics,
  connect: connects,
  publish: publishes,
  deliver: deliveries,
  forward: forwards,
  subscribe: subscribes,
  shared: shares,
  retained,
  sessions,
  wills,
  aliases,
  authentication,
  features,
}
