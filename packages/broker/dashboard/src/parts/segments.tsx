// One of a few.

import type { JSX } from "preact"

interface Props<Value extends string> {
  readonly name: string
  readonly label: string
  readonly value: Value
  readonly choices: readonly (readonly [Value, string])[]
  readonly onChoose: (value: Value) => void
}

export function Segments<Value extends string>(props: Props<Value>): JSX.Element {
  const { name, label, value, choices, onChoose } = props
  return (
    <fieldset class="segments">
      <legend class="sr">{label}</legend>
      {choices.map(([each, text]) => (
        <label key={each}>
          <input type="radio" name={name} checked={each === value} onChange={() => onChoose(each)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  )
}
