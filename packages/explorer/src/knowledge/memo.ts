// A timeline does not change, and what is known of it is asked for at every step: it is computed once.

import type { End, Timeline } from "../run/step.ts"

/** `compute`, with its answers kept as long as the timeline is. */
export function onceForTimeline<T>(compute: (timeline: Timeline) => T): (timeline: Timeline) => T {
  const known = new WeakMap<Timeline, T>()
  return (timeline) => {
    if (!known.has(timeline)) known.set(timeline, compute(timeline))
    return known.get(timeline)!
  }
}

/** The same, for each end of each connection. */
export function onceForEnd<T>(
  compute: (timeline: Timeline, connection: number, end: End) => T,
): (timeline: Timeline, connection: number, end: End) => T {
  const all = onceForTimeline(() => new Map<string, T>())
  return (timeline, connection, end) => {
    const known = all(timeline)
    const key = `${connection} ${end}`
    if (!known.has(key)) known.set(key, compute(timeline, connection, end))
    return known.get(key)!
  }
}
