// `puremq` as it is, but for its store, which answers late. PUREMQ_LATE_SEED says how late.

import { type Random, seeded } from "../../tls13/fuzz/random.ts"
import type { Store } from "../src/ports/store.ts"
import { LateStore } from "../src/stores/late.ts"
import { DelayedStore } from "./delayed-store.ts"

/** Milliseconds: mostly few, at times more than a life of the broker lasts. */
function delayOf(random: Random): number {
  if (random.oneIn(3)) return 0
  return random.integer(random.oneIn(20) ? 1000 : random.oneIn(4) ? 120 : 15)
}

const random = seeded(Number(process.env.PUREMQ_LATE_SEED))
const { open } = LateStore.prototype
LateStore.prototype.open = function (store: Store): void {
  open.call(this, new DelayedStore(store, () => delayOf(random)))
}
await import("../src/cli/main.ts")
