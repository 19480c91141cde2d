// A long name that may be broken behind its underscores, or between the halves of X25519MLKEM768, and nowhere else.

import type { JSX } from "preact"

export function Breakable({ name }: { readonly name: string }): JSX.Element {
  return (
    <>
      {name.split(/(?<=_)|(?<=\d)(?=[A-Z])/).map((part, at) => (
        <span key={at}>
          {part}
          <wbr />
        </span>
      ))}
    </>
  )
}
