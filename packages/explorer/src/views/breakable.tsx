// A long name that may be broken behind its underscores, and nowhere else.

import type { JSX } from "preact"

export function Breakable({ name }: { readonly name: string }): JSX.Element {
  return (
    <>
      {name.split(/(?<=_)/).map((part, at) => (
        <span key={at}>
          {part}
          <wbr />
        </span>
      ))}
    </>
  )
}
