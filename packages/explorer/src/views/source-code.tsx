// A line of the stack's sources with those around it, and where it stands.

import { lines } from "stack:source-lines"
import type { JSX } from "preact"
import type { Site } from "../recording/spans.ts"

export function SourceCode({ site, title }: { readonly site: Site; readonly title: string }): JSX.Element {
  const ofFile = lines[site.file] ?? {}
  const near = [-2, -1, 0, 1, 2].map((by) => site.line + by).filter((line) => ofFile[line] !== undefined)
  const indent = Math.min(
    ...near.filter((line) => ofFile[line]!.trim() !== "").map((line) => ofFile[line]!.search(/\S/)),
  )
  return (
    <figure class="source">
      <figcaption>
        {title}{" "}
        <code class="place">
          {site.file}:{site.line}
        </code>
      </figcaption>
      {near.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
        <pre tabIndex={0}>
          {near.map((line) => (
            <code key={line} class={line === site.line ? "line is-it" : "line"}>
              <span class="number">{line}</span>
              {`${ofFile[line]!.slice(indent)}\n`}
            </code>
          ))}
        </pre>
      )}
    </figure>
  )
}
