// A table of a list's page, with what is said when there is nothing, and the buttons to go on.

import type { ComponentChildren, JSX } from "preact"
import { count } from "../../../src/admin/words/format.ts"
import { type Pages, pageSize } from "./pages.ts"
import { Problem } from "./text.tsx"

export interface Column<Entry> {
  readonly name: string
  readonly cell: (entry: Entry) => ComponentChildren
  readonly kind?: "number" | "time" | undefined
  /** Left out where there is no room: on less than a desk's screen, or on a phone. */
  readonly room?: "wide" | "middle" | undefined
}

interface Props<Entry> {
  readonly label: string
  readonly pages: Pages<Entry>
  readonly columns: readonly Column<Entry>[]
  readonly keyOf: (entry: Entry) => string
  readonly nothing: ComponentChildren
}

export function List<Entry>({ label, pages, columns, keyOf, nothing }: Props<Entry>): JSX.Element {
  const { items, page, isLast, isOld, problem } = pages
  const from = page * pageSize
  const isAlone = page === 0 && isLast
  return (
    <div class="stack">
      <Problem text={problem} />
      <Table label={label} items={items} columns={columns} keyOf={keyOf} nothing={nothing} isOld={isOld} />
      <div class="pager">
        <span class="number" role="status">
          {items === undefined || items.length === 0 ? "" : `${count(from + 1)} to ${count(from + items.length)}`}
          {items !== undefined && items.length > 0 && isLast ? ": the last" : ""}
        </span>
        {!isAlone && (
          <span>
            <button type="button" class="small" aria-disabled={page === 0} onClick={pages.previous}>
              Previous
            </button>
            <button type="button" class="small" aria-disabled={isLast} onClick={pages.next}>
              Next
            </button>
          </span>
        )}
      </div>
    </div>
  )
}

interface TableProps<Entry> extends Omit<Props<Entry>, "pages"> {
  readonly items: readonly Entry[] | undefined
  readonly isOld?: boolean
}

/** The first column names the row. */
export function Table<Entry>(props: TableProps<Entry>): JSX.Element {
  const { label, items, columns, keyOf, nothing, isOld = false } = props
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
    <section class={isOld ? "table is-old" : "table"} aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" class={classOf(column)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items?.map((entry) => (
            <tr key={keyOf(entry)}>
              {columns.map((column, index) =>
                index === 0 ? (
                  <th key={column.name} scope="row" class={classOf(column)}>
                    {column.cell(entry)}
                  </th>
                ) : (
                  <td key={column.name} class={classOf(column)}>
                    {column.cell(entry)}
                  </td>
                ),
              )}
            </tr>
          ))}
          {(items === undefined || items.length === 0) && (
            <tr>
              <td class="none" colSpan={columns.length}>
                {items === undefined ? "…" : nothing}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  )
}

function classOf<Entry>({ kind, room }: Column<Entry>): string | undefined {
  const all = [kind, room].filter((each) => each !== undefined)
  return all.length === 0 ? undefined : all.join(" ")
}
