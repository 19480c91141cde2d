// What each can read of the records so far: the two ends, who listens, and thieves and machines of later years.

import type { JSX } from "preact"
import { type Eye, type EyesRow, eyes, eyesAt } from "../knowledge/eyes.ts"
import type { EyeId, Verdict } from "../knowledge/verdict.ts"
import { bytesText, contentTypeName, endTitle, fateTitle, upper } from "../words/names.ts"
import { chooseItem, itemOf } from "./item.ts"
import { Section } from "./section.tsx"
import { TwoHellos } from "./two-hellos.tsx"
import type { ViewProps } from "./view.ts"

export function Eyes({ timeline, step, select }: ViewProps): JSX.Element {
  const [said] = itemOf("eyes")
  const eye = eyes.find(({ id }) => id === said) ?? eyes.find(({ id }) => id === "eavesdropper")!
  const chosen = eye.id
  const connection = timeline.steps[step]?.connection ?? 0
  const rows = eyesAt(timeline, step).filter(({ record }) => record.connection === connection)
  const readable = rows.filter(({ verdicts }) => verdicts[chosen].reads).length
  const unknown = rows.filter(({ verdicts }) => verdicts[chosen].unknown).length
  return (
    <section class="eyes" aria-labelledby="eyes-title">
      <h3 id="eyes-title">Who can read what, connection {connection + 1}</h3>
      <fieldset class="eye-choice">
        <legend class="sr">Who looks</legend>
        {eyes.map(({ id, title }) => (
          <label key={id} class={`eye-option is-${id}`}>
            <input type="radio" name="eye" checked={id === chosen} onChange={() => chooseItem("eyes", id)} />
            <span>{title}</span>
          </label>
        ))}
      </fieldset>
      <p class="eye-about" aria-live="polite">
        <b>{eye.title}.</b> {eye.about}{" "}
        <span class="quiet">
          {rows.length === 0
            ? "Nothing has been sent yet."
            : `Reads ${readable} of the ${rows.length} records so far${unknown === 0 ? "" : `; of ${unknown} it is not known`}.`}
        </span>
      </p>
      <TwoHellos timeline={timeline} connection={connection} step={step} eye={eye} select={select} />
      {rows.length > 0 && <Records rows={rows} eye={eye} select={select} />}
      {rows.length > 0 && <Matrix rows={rows} chosen={chosen} />}
    </section>
  )
}

interface RecordsProps {
  readonly rows: readonly EyesRow[]
  readonly eye: Eye
  readonly select: (step: number) => void
}

/** Records one after the other of which the same is to say stand together. */
function Records({ rows, eye, select }: RecordsProps): JSX.Element {
  return (
    <ol class="eye-groups">
      {groupsOf(rows, eye.id).map((group) => {
        const first = group[0]!
        const verdict = first.verdicts[eye.id]
        const { reads, why, section } = verdict
        return (
          <li
            key={first.record.step}
            class={reads ? "is-open" : verdict.unknown ? "is-closed is-unknown" : "is-closed"}
          >
            <p class="eye-why">
              <span class="eye-verdict">{`${upper(verdictWords(verdict))}:`}</span> {why}{" "}
              <Section of={sectionText(section)} />
            </p>
            <ol class="eye-records">
              {group.map(({ record: { wire, step, bytes }, what }) => (
                <li key={step} class={`of-${wire.from}`}>
                  <span class="owner">{endTitle(wire.from)}</span>
                  <button type="button" class="plain eye-what" onClick={() => select(step)}>
                    {reads || bytes[0] !== 23 ? what : `${contentTypeName(bytes[0])}, sealed`}
                  </button>
                  <span class="quiet">
                    {bytesText(bytes.length)}
                    {wire.fate !== "carried" && `, ${fateTitle(wire.fate)}`}
                  </span>
                </li>
              ))}
            </ol>
          </li>
        )
      })}
    </ol>
  )
}

function groupsOf(rows: readonly EyesRow[], eye: EyeId): readonly (readonly EyesRow[])[] {
  const groups: EyesRow[][] = []
  for (const row of rows) {
    const last = groups.at(-1)
    if (last?.[0]?.verdicts[eye].why === row.verdicts[eye].why) last.push(row)
    else groups.push([row])
  }
  return groups
}

/** All six beside each other. */
function Matrix({ rows, chosen }: { readonly rows: readonly EyesRow[]; readonly chosen: EyeId }): JSX.Element {
  return (
    <>
      <h4>All of them beside each other</h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section class="scrolls" tabIndex={0} aria-label="Table of all who look">
        <table class="eye-matrix">
          <thead>
            <tr>
              <th scope="col">Record</th>
              {eyes.map(({ id, title }) => (
                <th key={id} scope="col" class={id === chosen ? "is-chosen" : undefined}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ record, what, verdicts }) => (
              <tr key={record.step}>
                <th scope="row" class={`of-${record.wire.from}`}>
                  {what}
                  {record.wire.fate !== "carried" && <span class="quiet"> {fateTitle(record.wire.fate)}</span>}
                </th>
                {eyes.map(({ id }) => (
                  <td key={id} class={id === chosen ? "is-chosen" : undefined} title={verdicts[id].why}>
                    {verdicts[id].unknown ? (
                      <span aria-hidden="true">?</span>
                    ) : (
                      <span class={verdicts[id].reads ? "dot is-known" : "dot"} aria-hidden="true" />
                    )}
                    <span class="sr">{verdictWords(verdicts[id])}</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  )
}

function verdictWords({ reads, unknown }: Verdict): string {
  return unknown ? "not known" : reads ? "reads" : "cannot read"
}

function sectionText(section: string): string {
  if (/^\d/.test(section)) return `RFC 9846 section ${section}`
  return section.startsWith("appendix") ? `RFC 9846 ${section}` : section
}
