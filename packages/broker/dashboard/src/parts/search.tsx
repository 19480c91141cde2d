// The view of a list: its title, how many there are, what is searched for, and its page. What is searched for stands in the address.

import type { ComponentChildren, JSX } from "preact"
import { address, amend } from "../page/address.ts"

/** What a list may be narrowed down by: its name in the address, and value and text of each choice, the first where nothing is said. */
export interface Choice {
  readonly name: string
  readonly label: string
  readonly choices: readonly (readonly [value: string, text: string])[]
}

interface Props {
  readonly title: string
  /** Undefined: not known yet. */
  readonly total: string | undefined
  /** What the text that is searched for is. */
  readonly label: string
  readonly choices: readonly Choice[]
  readonly children: ComponentChildren
}

export function SearchedList({ title, total = "", label, choices, children }: Props): JSX.Element {
  return (
    <div class="stack">
      <div class="title">
        <h1>{title}</h1>
        <span class="quiet number">{total}</span>
      </div>
      <search>
        <form class="bar" onSubmit={(event) => event.preventDefault()}>
          <label class="field grow">
            <span>{label}</span>
            <input
              type="search"
              value={address.value.given["search"] ?? ""}
              spellcheck={false}
              autocomplete="off"
              onInput={(event) => amend({ search: event.currentTarget.value })}
            />
          </label>
          {choices.map((choice) => (
            <label key={choice.name} class="field">
              <span>{choice.label}</span>
              <select value={chosen(choice)} onChange={(event) => amend({ [choice.name]: event.currentTarget.value })}>
                {choice.choices.map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
          ))}
        </form>
      </search>
      {children}
    </div>
  )
}

/** What the address says of it, if that is a choice. */
export function chosen({ name, choices }: Choice): string {
  const given = address.value.given[name]
  return (choices.find(([value]) => value === given) ?? choices[0])?.[0] ?? ""
}
