// A hex dump in the colours of its fields. For the eye and the mouse: the tree beside it says the same to everybody else.

import { signal } from "@preact/signals"
import { toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { coloursOf, type Piece, rowsOf } from "../reading/runs-of-bytes.ts"
import type { Form } from "../reading/subjects.ts"
import type { Field } from "../recording/spans.ts"

interface Props {
  readonly form: Form
  /** The field that is marked. */
  readonly shown: Field | undefined
  /** A byte that has to be seen. */
  readonly at: number
  readonly hover: (field: Field | undefined) => void
  readonly choose: (field: Field) => void
}

const narrow = matchMedia("(max-width: 620px)")
const width = signal(narrow.matches ? 8 : 16)
narrow.addEventListener("change", () => {
  width.value = narrow.matches ? 8 : 16
})

export function Hex({ form, shown, at, hover, choose }: Props): JSX.Element {
  const { bytes, fields, changed } = form
  const rows = useMemo(() => rowsOf(bytes, fields, width.value), [bytes, fields, width.value])
  const dump = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const row = dump.current?.children[Math.floor(at / width.value)]
    if (!(row instanceof HTMLElement)) return
    const box = dump.current!
    const top = row.offsetTop - box.offsetTop
    if (top < box.scrollTop || top + row.offsetHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = top - box.clientHeight / 3
  }, [at, form])
  const palette = useMemo(() => coloursOf(fields), [fields])
  const classOf = ({ start, end, path }: Piece) => {
    const field = path.at(-1)
    const classes = ["piece", field === undefined ? "is-unnamed" : `colour-${palette.get(field)}`]
    if (field?.kind === "length") classes.push("is-length")
    if (shown !== undefined && path.includes(shown)) {
      classes.push("is-shown")
      if (start === shown.start) classes.push("begins")
      if (end === shown.end) classes.push("ends")
    }
    return classes.join(" ")
  }
  return (
    // The tree of fields says the same, by keyboard and to a screen reader.
    <div ref={dump} class={`hex width-${width.value}`} aria-hidden="true" onMouseLeave={() => hover(undefined)}>
      {rows.map((pieces) => (
        <div key={pieces[0]!.start} class="row">
          <span class="offset">{pieces[0]!.start.toString(16).padStart(4, "0")}</span>
          <span class="codes">
            {pieces.map((piece) => (
              // biome-ignore lint/a11y/noStaticElementInteractions: the tree of fields is for the keyboard
              // biome-ignore lint/a11y/useKeyWithClickEvents: the same
              <span
                key={piece.start}
                class={classOf(piece)}
                onMouseEnter={() => hover(piece.path.at(-1))}
                onClick={() => piece.path.length > 0 && choose(piece.path.at(-1)!)}
              >
                <Codes bytes={bytes} piece={piece} changed={changed} />
              </span>
            ))}
          </span>
          <span class="text">{textOf(bytes.subarray(pieces[0]!.start, pieces.at(-1)!.end))}</span>
        </div>
      ))}
    </div>
  )
}

function Codes({
  bytes,
  piece: { start, end },
  changed,
}: {
  readonly bytes: Uint8Array
  readonly piece: Piece
  readonly changed: ReadonlySet<number>
}): JSX.Element {
  const codes = Array.from(bytes.subarray(start, end), (byte) => toHex(Uint8Array.of(byte)))
  if (changed.size === 0) return <>{codes.join(" ")}</>
  return (
    <>
      {codes.map((code, at) => (
        <span key={at} class={changed.has(start + at) ? "is-changed" : undefined}>
          {at > 0 ? ` ${code}` : code}
        </span>
      ))}
    </>
  )
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("")
}
