// Where time goes on after a restart. The store's time never jumps: what the machine's clock says is asked only how long the
// broker was away, and only where it can know. A device may begin each time in 1970 and learn the time later.

import type { Clock } from "../packet/change.ts"

/** Milliseconds since 1970, 2025-01-01: a clock that says less has not been set, as no broker that is older has written a store. */
export const earliestWall = 1_735_689_600_000

/**
 * The time at which a broker goes on whose last sign of life was `last`, when the machine's clock says `wall`; without one it is
 * that. Where it is not known how long it was away it is as if it had come back at once. So no interval is longer than before.
 */
export function resumedAt(last: Clock | undefined, wall: number): number {
  if (last === undefined) return wall
  const known = last.wall >= earliestWall && wall >= last.wall
  return known ? last.now + (wall - last.wall) : last.until
}
