// A process that hands turns to a store and says how many were committed, until it is killed.
// Arguments: directory, seed, options as JSON; with "open" as seed it only has it open.

import { writeSync } from "node:fs"
import { openFileStore } from "../../src/stores/node-files.ts"
import { anyTurns, Seeded } from "./random-changes.ts"
import { answerOf } from "./small-hub.ts"

const [directory = "", seed = "", options = "{}"] = process.argv.slice(2)
const store = await openFileStore({ directory, ...JSON.parse(options) })
await answerOf(store.restore(() => {}))
writeSync(1, "open\n")
let committed = 0
for (const turn of seed === "open" ? [] : anyTurns(new Seeded(Number(seed)), 4000)) {
  if ((await answerOf(store.commit(turn))) !== "committed") process.exit(1)
  writeSync(1, `${++committed}\n`)
  if (committed % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
}
setTimeout(() => {}, 60_000)
