// A payload, and the choice of how it is looked at.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { type Look, payloadAs, usualLook } from "../words/payload.ts"
import { Segments } from "./segments.tsx"

const looks = [
  ["text", "Text"],
  ["json", "JSON"],
  ["hex", "Hex"],
] as const

export function Payload({ bytes }: { readonly bytes: Uint8Array }): JSX.Element {
  const [chosen, setChosen] = useState<Look | undefined>(undefined)
  const look = chosen ?? usualLook(bytes)
  const text = payloadAs(bytes, look)
  return (
    <div>
      <Segments name="look" label="Look at it as" value={look} choices={looks} onChoose={setChosen} />
      {bytes.length === 0 ? (
        <p class="payload quiet">It is empty.</p>
      ) : text === undefined ? (
        <p class="payload quiet">It is no {look === "json" ? "JSON" : "text in UTF-8"}.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
        <pre class={look === "hex" ? "payload is-hex" : "payload"} tabIndex={0} dir="ltr">
          {text}
        </pre>
      )}
    </div>
  )
}
