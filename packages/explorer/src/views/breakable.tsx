// A long name that may break at its underscores.

import type { JSX } from "preact"

export function Breakable({ name }: { readonly name: string }): JSX.Element {
  return (
    <>
      {name.split("_").map((part, at) => (
        <span key={at}>
          {at > 0 && (
            <>
              _<wbr />
            </>
          )}
          {part}
        </span>
      ))}
    </>
  )
}
