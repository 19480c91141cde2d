// The fields as a tree: up and down go through it, left and right close and open.

import type { JSX } from "preact"
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { meaningOf } from "../meanings.ts"
import { coloursOf } from "../reading/runs-of-bytes.ts"
import type { Field } from "../recording/spans.ts"
import { fieldValue } from "../words/values.ts"

interface Props {
  readonly fields: readonly Field[]
  readonly bytes: Uint8Array
  readonly chosen: Field | undefined
  readonly choose: (field: Field) => void
}

interface Item {
  readonly field: Field
  readonly level: number
  readonly parent: Field | undefined
  readonly siblings: readonly Field[]
}

export function FieldTree({ fields, bytes, chosen, choose }: Props): JSX.Element {
  const [closed, setClosed] = useState<ReadonlySet<Field>>(new Set())
  const palette = useMemo(() => coloursOf(fields), [fields])
  const items = itemsOf(fields, closed)
  const tree = useRef<HTMLDivElement>(null)
  const hasFocus = useRef(false)
  const at = items.findIndex(({ field }) => field === chosen)
  useEffect(() => {
    const item = tree.current?.querySelector<HTMLElement>('[aria-selected="true"]')
    if (!item) return
    if (hasFocus.current) item.focus({ preventScroll: true })
    const box = tree.current!
    if (item.offsetTop < box.scrollTop) box.scrollTop = item.offsetTop
    else if (item.offsetTop + item.offsetHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = item.offsetTop + item.offsetHeight - box.clientHeight
  }, [chosen])
  const setOpen = (field: Field, isOpen: boolean) => {
    const next = new Set(closed)
    if (isOpen) next.delete(field)
    else next.add(field)
    setClosed(next)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const item = items[at]
    if (item === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    const to = (next: Item | undefined) => next && choose(next.field)
    const hasParts = item.field.fields.length > 0
    const isOpen = hasParts && !closed.has(item.field)
    if (event.key === "ArrowDown") to(items[at + 1])
    else if (event.key === "ArrowUp") to(items[at - 1])
    else if (event.key === "Home") to(items[0])
    else if (event.key === "End") to(items.at(-1))
    else if (event.key === "ArrowRight") {
      if (isOpen) to(items[at + 1])
      else if (hasParts) setOpen(item.field, true)
    } else if (event.key === "ArrowLeft") {
      if (isOpen) setOpen(item.field, false)
      else if (item.parent) choose(item.parent)
    } else return
    event.preventDefault()
  }
  return (
    <div
      class="tree"
      role="tree"
      aria-labelledby="fields-title"
      ref={tree}
      onKeyDown={onKeyDown}
      onFocusIn={() => {
        hasFocus.current = true
      }}
      onFocusOut={() => {
        hasFocus.current = false
      }}
    >
      {items.map(({ field, level, siblings }, index) => {
        const isChosen = field === chosen
        const name = meaningOf(field, siblings)?.name ?? field.name
        const isOpen = !closed.has(field)
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the tree hears the keys of its items
          <div
            key={`${field.start} ${field.end} ${level} ${field.kind}`}
            role="treeitem"
            aria-level={level}
            aria-selected={isChosen}
            aria-expanded={field.fields.length > 0 ? isOpen : undefined}
            tabIndex={isChosen || (at < 0 && index === 0) ? 0 : -1}
            class={`level-${Math.min(level, 7)}`}
            onClick={() => choose(field)}
          >
            <span class={`swatch colour-${palette.get(field)}`} />
            <span class="name">{name || "bytes"}</span>
            <span class="value">
              {field.kind === "vector" && field.fields.length > 0 ? "" : fieldValue(field, bytes)}
            </span>
          </div>
        )
      })}
    </div>
  )
}

function itemsOf(
  fields: readonly Field[],
  closed: ReadonlySet<Field>,
  level = 1,
  parent: Field | undefined = undefined,
): readonly Item[] {
  return fields.flatMap((field) => [
    { field, level, parent, siblings: fields },
    ...(closed.has(field) ? [] : itemsOf(field.fields, closed, level + 1, field)),
  ])
}
