// A turn that ends more than there is room for at once, a thousand sessions that are left say, is written in parts, with folds
// between them. What has to be there as a whole or not at all stays together: a message and who is to get it.

import type { Change } from "../packet/change.ts"
import { changeBytes } from "../packet/change-size.ts"

/** What is true by itself: a broker that dies behind it has ended so much and no more, and answered nobody. */
const alone: ReadonlySet<Change["type"]> = new Set([
  ...(["sent", "released", "done", "attended", "owned", "left", "ended", "unsubscribed", "freed"] as const),
  ...(["walk ended", "will cleared", "clock"] as const),
])

/** A retained message that goes is as true by itself; one that comes has its message before it. */
function isAlone(change: Change): boolean {
  return alone.has(change.type) || (change.type === "retained" && change.sequence === 0)
}

/** The Changes of a turn in their order, in parts of about so many bytes where they may be parted; else they are longer. */
export function partsOf(turn: readonly Change[], most: number): (readonly Change[])[] {
  const parts: (readonly Change[])[] = []
  let [begin, bytes] = [0, 0]
  for (const [at, change] of turn.entries()) {
    const before = turn[at - 1]
    if (bytes >= most && before !== undefined && isAlone(before) && isAlone(change)) {
      parts.push(turn.slice(begin, at))
      begin = at
      bytes = 0
    }
    bytes += changeBytes(change)
  }
  parts.push(begin === 0 ? turn : turn.slice(begin))
  return parts
}
