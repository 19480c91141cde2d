// A record or a message byte by byte: where each field is, what it says, what it is for, and which lines of the stack wrote and read it.

import { equalBytes } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { useMemo, useState } from "preact/hooks"
import { address, go } from "../page/state.ts"
import { type Rung, rungsOf } from "../reading/ladder.ts"
import { type Form, pathTo, type Subject, subjectAt } from "../reading/subjects.ts"
import type { Field } from "../recording/spans.ts"
import type { Timeline } from "../run/step.ts"
import { bytesText, contentTypeName, messageTitle } from "../words/names.ts"
import { FieldDetails } from "./field-details.tsx"
import { FieldTree } from "./field-tree.tsx"
import { Hex } from "./hex.tsx"
import type { ViewProps } from "./view.ts"

export function Bytes({ timeline, step }: ViewProps): JSX.Element {
  const { look = step, field } = address.value
  const at = Math.min(look, timeline.steps.length - 1)
  const subject = useMemo(() => subjectAt(timeline, at), [timeline, at])
  const [formId, setForm] = useState<Form["id"]>("wire")
  const connection = timeline.steps[step]?.connection ?? 0
  const all = useMemo(() => rungsOf(timeline, connection), [timeline, connection])
  const rungs = all.filter(({ sentAt, wireAt }) => (sentAt ?? wireAt ?? 0) <= step)
  const form = subject?.forms.find(({ id }) => id === formId) ?? subject?.forms[0]
  return (
    <div class="bytes">
      <Choice rungs={rungs} chosen={subject} timeline={timeline} />
      {subject === undefined || form === undefined ? (
        <p class="empty">No bytes yet: go on to the first message.</p>
      ) : (
        <Looking key={`${subject.step} ${form.id}`} subject={subject} form={form} setForm={setForm} field={field} />
      )}
    </div>
  )
}

/* ---------------------------------------------------------------- what to look at */

function Choice({
  rungs,
  chosen,
  timeline,
}: {
  readonly rungs: readonly Rung[]
  readonly chosen: Subject | undefined
  readonly timeline: Timeline
}): JSX.Element {
  const happening = chosen === undefined ? undefined : timeline.steps[chosen.step]?.happening
  const isChosen = (rung: Rung) =>
    happening?.type !== "message" && [rung.wireAt, rung.sentAt, rung.openedAt].includes(chosen?.step)
  return (
    <nav class="choice" aria-label="Records and messages so far">
      <ol>
        {rungs.map((rung) => {
          const { from, sentAt, wireAt, inside } = rung
          const bytes = rung.arrives.length > 0 ? rung.arrives : rung.sent
          return (
            <li key={rung.key} class={`of-${from}`}>
              <Chosen look={wireAt ?? sentAt ?? 0} isChosen={isChosen(rung)}>
                <span class="sr">{from}: </span>
                <b>{contentTypeName(bytes[0] ?? 0)}</b> <span class="quiet">{bytes.length}</span>
              </Chosen>
              {inside.length > 0 && (
                <ol>
                  {inside.map(({ step, name, message }) => (
                    <li key={step}>
                      <Chosen
                        look={step}
                        isChosen={happening?.type === "message" && equalBytes(happening.message, message.message)}
                      >
                        {messageTitle(name)} <span class="quiet">{message.message.length}</span>
                      </Chosen>
                    </li>
                  ))}
                </ol>
              )}
            </li>
          )
        })}
      </ol>
    </nav>
  )
}

function Chosen({
  look,
  isChosen,
  children,
}: {
  readonly look: number
  readonly isChosen: boolean
  readonly children: JSX.Element | readonly (JSX.Element | string)[]
}): JSX.Element {
  return (
    <button type="button" class="plain" aria-current={isChosen} onClick={() => go({ look, field: undefined })}>
      {children}
    </button>
  )
}

/* ---------------------------------------------------------------- looking at it */

interface LookingProps {
  readonly subject: Subject
  readonly form: Form
  readonly setForm: (id: Form["id"]) => void
  readonly field: string | undefined
}

function Looking({ subject, form, setForm, field }: LookingProps): JSX.Element {
  const { bytes, fields, changed } = form
  const [hovered, setHovered] = useState<Field | undefined>(undefined)
  const [firstChanged] = changed
  const chosen = fieldAt(fields, field) ?? pathTo(fields, firstChanged ?? 0).at(-1) ?? fields[0]
  const at = field === undefined && firstChanged !== undefined ? firstChanged : (chosen?.start ?? 0)
  const shown = hovered ?? chosen
  const choose = (next: Field | undefined) => go({ look: subject.step, field: next && `${next.start}-${next.end}` })
  return (
    <>
      <section class="dump" aria-labelledby="dump-title">
        <header class="end-head">
          <h3 id="dump-title">
            {subject.title} <span class="quiet">{bytesText(bytes.length)}</span>
          </h3>
          {subject.forms.length > 1 && (
            <fieldset class="segments">
              <legend class="sr">Form</legend>
              {subject.forms.map(({ id, title }) => (
                <label key={id}>
                  <input type="radio" name="form" checked={id === form.id} onChange={() => setForm(id)} />
                  <span>{title}</span>
                </label>
              ))}
            </fieldset>
          )}
        </header>
        {changed.size > 0 && <p class="failure">Changed on the way: {bytesText(changed.size)}, marked below.</p>}
        <Hex form={form} shown={shown} at={at} hover={setHovered} choose={choose} />
      </section>
      <section class="fields" aria-labelledby="fields-title">
        <h3 id="fields-title">Fields</h3>
        <FieldTree fields={fields} bytes={bytes} chosen={chosen} choose={choose} />
      </section>
      <section class="details" aria-labelledby="details-title">
        <h3 id="details-title" class="sr">
          The field
        </h3>
        {shown && <FieldDetails form={form} field={shown} around={aroundOf(fields, shown)} />}
      </section>
    </>
  )
}

/** The field of these bytes: when there are several, the innermost. */
function fieldAt(fields: readonly Field[], text: string | undefined): Field | undefined {
  if (text === undefined) return undefined
  const [start = 0, end = 0] = text.split("-").map(Number)
  return pathTo(fields, start).findLast((one) => one.start === start && one.end === end) ?? pathTo(fields, start).at(-1)
}

/** The fields beside one, itself among them. */
function aroundOf(fields: readonly Field[], field: Field): readonly Field[] {
  const path = pathTo(fields, field.start)
  return path[path.indexOf(field) - 1]?.fields ?? fields
}
