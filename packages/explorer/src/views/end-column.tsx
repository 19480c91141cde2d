// One end: its state, what it would take next, and what it knows.

import { type TransitionRow, toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import type { EndState, ProofRow, SecretRow } from "../reading/ends.ts"
import type { End } from "../run/step.ts"
import { endTitle, messageTitle, secretMeaning, secretTitle } from "../words/names.ts"
import { Breakable } from "./breakable.tsx"
import { StateDiagram } from "./state-diagram.tsx"

interface Props {
  readonly end: End
  readonly state: EndState
  /** Of a saved trace: whose it is. */
  readonly witness: End | undefined
  readonly select: (step: number) => void
}

export function EndColumn({ end, state, witness, select }: Props): JSX.Element {
  const { failure, isClosed } = state
  const isAnswering = state.answering !== undefined
  const status = failure ? "failed" : isClosed ? "peer closed" : state.state
  return (
    <section class={`end of-${end}`} aria-labelledby={`${end}-title`}>
      <header class="end-head">
        <h3 id={`${end}-title`}>{endTitle(end)}</h3>
        <span class={failure ? "status is-bad" : "status"}>{isAnswering ? `${status}, answering` : status}</span>
      </header>
      {failure && (
        <p class="failure">
          {failure.message}
          {failure.alert && (
            <>
              {" "}
              · alert <b>{failure.alert}</b>
            </>
          )}
        </p>
      )}
      {witness !== undefined && witness !== end && (
        <p class="quiet">
          The trace is the {witness}’s: of the {end} there is what the records that it sent show of it.
        </p>
      )}
      <StateDiagram role={end} state={state.state} taken={state.taken} isAnswering={isAnswering} />
      <Legal state={state} />
      <Proofs end={end} proofs={state.proofs} select={select} />
      <Keys state={state} />
      <Secrets secrets={state.secrets} select={select} />
    </section>
  )
}

function Legal({ state: { legal, answering, failure, isClosed, state } }: { readonly state: EndState }): JSX.Element {
  const over = failure !== undefined
  return (
    <>
      <h4>May come next</h4>
      {over ? (
        <p class="quiet">Nothing: the connection is over.</p>
      ) : answering !== undefined ? (
        <p class="quiet">
          Nothing now: it has read <b>{messageTitle(answering)}</b>, and first does all that follows from it.
        </p>
      ) : (
        <ul class="legal">
          {grouped(legal).map(([message, rows]) => (
            <li key={message}>
              <b>{message}</b>
              {rows.map(({ to, when }) => (
                <span key={`${to} ${when}`} class="quiet">
                  {to === state ? "stays" : `to ${to}`}
                  {when && message !== when ? ` when ${when}` : ""}
                </span>
              ))}
            </li>
          ))}
          {state === "CONNECTED" && !isClosed && (
            <li>
              <b>application data</b>
            </li>
          )}
        </ul>
      )}
    </>
  )
}

/** Rows by their message; what happens without one stands for itself. */
function grouped(rows: readonly TransitionRow[]): readonly (readonly [string, readonly TransitionRow[]])[] {
  const groups = new Map<string, TransitionRow[]>()
  for (const row of rows) {
    const title = row.message === undefined ? (row.when ?? "") : messageTitle(row.message)
    groups.set(title, [...(groups.get(title) ?? []), row])
  }
  return [...groups]
}

function Proofs({
  end,
  proofs,
  select,
}: {
  readonly end: End
  readonly proofs: readonly ProofRow[]
  readonly select: Props["select"]
}): JSX.Element {
  return (
    <>
      <h4>Who is the {end === "client" ? "server" : "client"}?</h4>
      {proofs.length === 0 ? (
        <p class="quiet">Nothing says so in this connection.</p>
      ) : (
        <ol class="known">
          {proofs.map(({ text, step, isKnown }) => (
            <li key={step} class={isKnown ? "is-known" : "is-unknown"}>
              <button type="button" class="plain" onClick={() => select(step)}>
                {text}
                <span class="sr"> (step {step + 1})</span>
              </button>
            </li>
          ))}
        </ol>
      )}
    </>
  )
}

function Keys({ state: { keys } }: { readonly state: EndState }): JSX.Element {
  const row = (title: string, name: string | undefined) => (
    <div>
      <dt>{title}</dt>
      <dd class={name ? "mono" : "quiet"}>{name === undefined ? "in the clear" : <Breakable name={name} />}</dd>
    </div>
  )
  return (
    <>
      <h4>Keys in use</h4>
      <dl class="keys">
        {row("sends", keys.sent)}
        {row("reads", keys.received)}
      </dl>
    </>
  )
}

function Secrets({
  secrets,
  select,
}: {
  readonly secrets: readonly SecretRow[]
  readonly select: Props["select"]
}): JSX.Element {
  const known = secrets.filter(({ secret }) => secret !== undefined).length
  return (
    <>
      <h4>
        Secrets{" "}
        <span class="quiet">
          {known} of {secrets.length}
        </span>
      </h4>
      <ul class="known secrets">
        {secrets.map((row) => (
          <Secret key={`${row.name} ${row.generation}`} row={row} select={select} />
        ))}
      </ul>
    </>
  )
}

function Secret({ row, select }: { readonly row: SecretRow; readonly select: Props["select"] }): JSX.Element {
  const { name, generation, secret, step } = row
  const title = secretTitle(name, generation)
  if (secret === undefined) {
    return (
      <li class="is-unknown">
        {step === undefined ? (
          <span class="mono">
            <Breakable name={title} />
          </span>
        ) : (
          <button type="button" class="plain mono" onClick={() => select(step)} title={`derived at step ${step + 1}`}>
            <Breakable name={title} />
          </button>
        )}
        <span class="sr">: not known</span>
      </li>
    )
  }
  const hex = toHex(secret)
  return (
    <li class="is-known">
      <details>
        <summary>
          <span class="mono">
            <Breakable name={title} />
          </span>
          <span class="quiet mono begin">{hex.slice(0, 8)}…</span>
        </summary>
        <p>{secretMeaning(name)}.</p>
        <code class="hex-value" data-secret={title}>
          {hex}
        </code>
      </details>
    </li>
  )
}
