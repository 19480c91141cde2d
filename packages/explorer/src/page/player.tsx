// Steps as of a film: back, on, play, and a strip that shows whose each step is.

import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import type { Step } from "../run/step.ts"
import { togglePlaying } from "./playing.ts"
import { move, moveFlight, playing, select, step, timeline } from "./state.ts"

export function Player(): JSX.Element {
  const steps = timeline.value?.steps ?? []
  const last = Math.max(0, steps.length - 1)
  const here = step.value
  return (
    <section class="player" aria-label="Steps">
      <div class="buttons">
        <Button
          title="To the first step (Home)"
          icon="M6 5v14M19 5 9 12l10 7z"
          isOff={here === 0}
          press={() => select(0)}
        />
        <Button
          title="Half a round trip back (Page Up)"
          icon="M12 5 3 12l9 7zM21 5l-9 7 9 7z"
          isOff={here === 0}
          press={() => moveFlight(-1)}
        />
        <Button title="One step back (left arrow)" icon="M16 5 7 12l9 7z" isOff={here === 0} press={() => move(-1)} />
        <Button
          title={playing.value ? "Pause (space)" : "Play (space)"}
          icon={playing.value ? "M8 5v14M16 5v14" : "M8 4.5 19 12 8 19.5z"}
          isMain
          press={togglePlaying}
        />
        <Button title="One step on (right arrow)" icon="m8 5 9 7-9 7z" isOff={here === last} press={() => move(1)} />
        <Button
          title="Half a round trip on (Page Down)"
          icon="m12 5 9 7-9 7zM3 5l9 7-9 7z"
          isOff={here === last}
          press={() => moveFlight(1)}
        />
        <Button
          title="To the last step (End)"
          icon="M18 5v14M5 5l10 7-10 7z"
          isOff={here === last}
          press={() => select(last)}
        />
      </div>
      <div class="track">
        <Strip steps={steps} here={here} />
        <input
          type="range"
          min={0}
          max={last}
          value={here}
          aria-label="Step"
          aria-valuetext={`step ${here + 1} of ${last + 1}`}
          onInput={(event) => select(Number(event.currentTarget.value))}
        />
      </div>
      <p class="count">
        <span class="sr">Step </span>
        <b>{here + 1}</b>
        <span class="quiet"> / {last + 1}</span>
      </p>
    </section>
  )
}

interface ButtonProps {
  readonly title: string
  readonly icon: string
  readonly isOff?: boolean
  readonly isMain?: boolean
  readonly press: () => void
}

function Button({ title, icon, isOff = false, isMain = false, press }: ButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class={isMain ? "is-main" : undefined}
      title={title}
      aria-label={title.replace(/ \(.*/, "")}
      // One that is off keeps the focus: whoever goes on by keyboard is not thrown out of the row.
      aria-disabled={isOff}
      onClick={() => !isOff && press()}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={icon} />
      </svg>
    </button>
  )
}

/** Whose each step is, and where a half round trip ends. */
function Strip({ steps, here }: { readonly steps: readonly Step[]; readonly here: number }): JSX.Element {
  const bars = useMemo(() => {
    const runs: { start: number; end: number; owner: string; isNew: boolean }[] = []
    for (const { index, end, flight, connection } of steps) {
      const owner = end ?? "wire"
      const before = steps[index - 1]
      const isNew = before !== undefined && (before.flight !== flight || before.connection !== connection)
      const run = runs.at(-1)
      if (run !== undefined && run.owner === owner && !isNew) run.end = index + 1
      else runs.push({ start: index, end: index + 1, owner, isNew })
    }
    return runs
  }, [steps])
  const count = Math.max(1, steps.length)
  return (
    <svg class="strip" viewBox={`0 0 ${count} 10`} preserveAspectRatio="none" aria-hidden="true">
      {bars.map(({ start, end, owner, isNew }) => (
        <rect
          key={start}
          class={`of-${owner}`}
          x={isNew ? start + 0.25 : start}
          y={owner === "server" ? 5 : owner === "wire" ? 3.5 : 1}
          width={end - start - (isNew ? 0.25 : 0)}
          height={owner === "wire" ? 3 : 4}
        />
      ))}
      <rect class="to-come" x={here + 1} y="0" width={Math.max(0, count - here - 1)} height="10" />
    </svg>
  )
}
