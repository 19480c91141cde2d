// All there is to say of a field.

import { toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { meaningOf } from "../meanings.ts"
import { type Form, writerOf } from "../reading/subjects.ts"
import type { Field } from "../recording/spans.ts"
import { bytesText } from "../words/names.ts"
import { fieldValue, isOpaque } from "../words/values.ts"
import { Section } from "./section.tsx"
import { SourceCode } from "./source-code.tsx"

interface Props {
  readonly form: Form
  readonly field: Field
  readonly around: readonly Field[]
}

/** Bytes shown in full. */
const most = 64

export function FieldDetails({ form, field, around }: Props): JSX.Element {
  const { start, end, structure, site } = field
  const meaning = meaningOf(field, around)
  const writer = writerOf(form.written, field)?.site
  const raw = form.bytes.subarray(start, end)
  return (
    <article class="field">
      <h4>
        <span class="quiet">{structure.replace(/\.extensions$/, ", an extension")}</span>
        <span class="field-name">{meaning?.name ?? field.name}</span>
      </h4>
      {!isOpaque(field) && <p class="field-value">{fieldValue(field, form.bytes)}</p>}
      {meaning && (
        <p class="meaning">
          {meaning.text} <Section of={meaning.section} />
        </p>
      )}
      <p class="quiet">
        {end - start === 1 ? `Byte ${start}` : `Bytes ${start} to ${end - 1}`}, {bytesText(end - start)}
      </p>
      <code class="hex-value">
        {toHex(raw.subarray(0, most)).replace(/(..)(?=.)/g, "$1 ")}
        {raw.length > most && " …"}
      </code>
      {writer && <SourceCode site={writer} title="written by" />}
      {site && <SourceCode site={site} title="read by" />}
    </article>
  )
}
