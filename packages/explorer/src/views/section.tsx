// A section of a document, as a link to its text.

import type { JSX } from "preact"
import { sectionLink } from "../words/names.ts"

export function Section({ of }: { readonly of: string }): JSX.Element | null {
  if (of === "") return null
  const link = sectionLink(of)
  if (link === undefined) return <span class="section">{of}</span>
  return (
    <a class="section" href={link} target="_blank" rel="noreferrer">
      {of}
    </a>
  )
}
