// Whose eyes a view looks with: the client's or the server's.

import type { JSX } from "preact"
import type { End } from "../run/step.ts"
import { endTitle } from "../words/names.ts"

interface Props {
  readonly name: string
  readonly end: End
  readonly choose: (end: End) => void
}

export function EndSwitch({ name, end, choose }: Props): JSX.Element {
  return (
    <fieldset class="segments">
      <legend class="sr">Whose</legend>
      {(["client", "server"] as const).map((each) => (
        <label key={each}>
          <input type="radio" name={name} checked={each === end} onChange={() => choose(each)} />
          <span>{endTitle(each)}</span>
        </label>
      ))}
    </fieldset>
  )
}
