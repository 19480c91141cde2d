// Play: a step after the other. Who wants less motion gets half a round trip at a time, and longer to look at it.

import { effect } from "@preact/signals"
import { move, moveFlight, playing, select, step, timeline } from "./state.ts"

const calm = matchMedia("(prefers-reduced-motion: reduce)")
const stepTime = 1_000
const calmTime = 4_000

export function togglePlaying(): void {
  const last = (timeline.value?.steps.length ?? 1) - 1
  if (!playing.value && step.value >= last) select(0)
  playing.value = !playing.value
}

effect(() => {
  if (!playing.value) return
  const next = () => {
    const last = (timeline.peek()?.steps.length ?? 1) - 1
    if (step.peek() >= last) playing.value = false
    else if (calm.matches) moveFlight(1)
    else move(1)
  }
  const timer = setInterval(next, calm.matches ? calmTime : stepTime)
  return () => clearInterval(timer)
})
