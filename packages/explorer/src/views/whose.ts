// Whose knowledge a view shows: the one that is chosen, else the one who did something last.

import type { End, Timeline } from "../run/step.ts"

export function whose(said: string | undefined, { steps }: Timeline, step: number): End {
  if (said === "client" || said === "server") return said
  const connection = steps[step]?.connection
  for (let at = step; at >= 0 && steps[at]?.connection === connection; at--) {
    const end = steps[at]?.end
    if (end) return end
  }
  return "client"
}
