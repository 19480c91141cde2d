// What the connection costs: bytes by message, round trips in time, computing; and the same of another scenario beside it.

import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import { type ConnectionCost, comparedParts, costsOf, firstDataAt, overheadTitle } from "../knowledge/cost.ts"
import type { ProviderName } from "../page/address.ts"
import { brought } from "../page/brought.ts"
import { runOf } from "../page/runs.ts"
import { address } from "../page/state.ts"
import { scenarioOf, scenarios } from "../run/scenarios.ts"
import type { Timeline } from "../run/step.ts"
import { bytesText, endTitle } from "../words/names.ts"
import { Breakable } from "./breakable.tsx"
import { chooseItem, itemOf } from "./item.ts"
import type { ViewProps } from "./view.ts"
import { Waterfall } from "./waterfall.tsx"

export function Cost({ timeline, step }: ViewProps): JSX.Element {
  const [roundTrip, setRoundTrip] = useState(60)
  const [said] = itemOf("cost")
  const beside = besideOf(said)
  const connection = timeline.steps[step]?.connection ?? 0
  const cost = costsOf(timeline).find((each) => each.connection === connection)
  const other = useBeside(beside, connection)
  const otherTitle = titleOf(beside)
  if (cost === undefined) return <p class="empty">Nothing has been sent in this connection.</p>
  const { scenario } = address.value
  const title = brought.value?.title ?? scenarioOf(scenario).title
  return (
    <div class="cost">
      <header class="end-head">
        <h3>Cost of connection {connection + 1}</h3>
        <label class="lab-choice">
          <span class="quiet">beside it </span>
          <select value={beside ?? ""} onChange={(event) => chooseItem("cost", event.currentTarget.value)}>
            <option value="">nothing</option>
            <option value={otherProvider()}>the same, with {otherProvider()}</option>
            {scenarios
              .filter(({ id }) => id !== scenario)
              .map(({ id, title: name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
          </select>
        </label>
      </header>
      <Totals cost={cost} title={title} roundTrip={roundTrip} />
      {other && <Totals cost={other} title={otherTitle} roundTrip={roundTrip} />}
      <section aria-labelledby="waterfall-title">
        <h3 id="waterfall-title">In time</h3>
        <label class="slider">
          <span>
            Round trip <b>{roundTrip} ms</b>
          </span>
          <input
            type="range"
            min={0}
            max={300}
            step={5}
            value={roundTrip}
            aria-valuetext={`${roundTrip} milliseconds`}
            onInput={(event) => setRoundTrip(Number(event.currentTarget.value))}
          />
        </label>
        <div class="waterfalls">
          <Waterfall cost={cost} title={title} roundTrip={roundTrip} />
          {other && <Waterfall cost={other} title={otherTitle} roundTrip={roundTrip} />}
        </div>
      </section>
      <Parts left={cost} right={other} titles={[title, otherTitle]} />
    </div>
  )
}

/* ---------------------------------------------------------------- beside it */

function otherProvider(): ProviderName {
  return address.value.provider === "noble" ? "fast" : "noble"
}

/** A scenario, or the other provider; undefined: nothing. */
function besideOf(said: string | undefined): string | undefined {
  return said === otherProvider() ? said : scenarios.find(({ id }) => id === said)?.id
}

function titleOf(beside: string | undefined): string {
  if (beside === undefined) return ""
  return beside === otherProvider() ? `With ${beside}` : scenarioOf(beside).title
}

/** The cost of the connection that the other run is about, or of the same one, once it has been played. */
function useBeside(beside: string | undefined, mine: number): ConnectionCost | undefined {
  const [played, setPlayed] = useState<{ readonly key: string; readonly timeline: Timeline } | undefined>(undefined)
  const { scenario: here, seed, provider: ours } = address.value
  const isProvider = beside === otherProvider()
  const scenario = isProvider ? here : (beside ?? here)
  const provider = isProvider ? otherProvider() : ours
  const key = `${scenario} ${seed} ${provider}`
  useEffect(() => {
    if (beside === undefined) return
    let isWanted = true
    runOf({ scenario, seed, provider, breaks: undefined, without: undefined, meddling: undefined }).then(
      ({ timeline }) => {
        if (isWanted) setPlayed({ key, timeline })
      },
      () => {
        // The page says why nothing can be played.
      },
    )
    return () => {
      isWanted = false
    }
  }, [key, beside])
  if (beside === undefined || played?.key !== key) return undefined
  const wanted = isProvider ? mine : (scenarioOf(scenario).focus ?? 0)
  return costsOf(played.timeline).find(({ connection }) => connection === wanted)
}

/* ---------------------------------------------------------------- in all */

interface TotalsProps {
  readonly cost: ConnectionCost
  readonly title: string
  readonly roundTrip: number
}

function Totals({ cost, title, roundTrip }: TotalsProps): JSX.Element {
  const { handshakeBytes, bytes, roundTrips, micros } = cost
  const first = firstDataAt(cost, roundTrip)
  const measured = micros.client + micros.server > 0
  return (
    <dl class="totals" aria-label={title}>
      <div>
        <dt>{title}</dt>
        <dd class="quiet">connection {cost.connection + 1}</dd>
      </div>
      <Total
        name="Client sends"
        value={bytesText(bytes.client)}
        more={`${bytesText(handshakeBytes.client)} of handshake`}
      />
      <Total
        name="Server sends"
        value={bytesText(bytes.server)}
        more={`${bytesText(handshakeBytes.server)} of handshake`}
      />
      <Total
        name="Before the client's data"
        value={roundTrips === undefined ? "never" : `${roundTrips} RTT`}
        more={first === undefined ? "" : `at the server after ${first} ms, with TCP`}
      />
      {measured && (
        <Total
          name="Computing"
          value={`${milliseconds(micros.client)} + ${milliseconds(micros.server)}`}
          more="client and server, on this machine"
        />
      )}
    </dl>
  )
}

function Total({
  name,
  value,
  more,
}: {
  readonly name: string
  readonly value: string
  readonly more: string
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{value}</b> <span class="quiet">{more}</span>
      </dd>
    </div>
  )
}

function milliseconds(micros: number): string {
  return `${(micros / 1_000).toFixed(1)} ms`
}

/* ---------------------------------------------------------------- bytes by message */

interface PartsProps {
  readonly left: ConnectionCost
  readonly right: ConnectionCost | undefined
  readonly titles: readonly [string, string]
}

function Parts({ left, right, titles }: PartsProps): JSX.Element {
  const rows = comparedParts(left, right ?? left)
  const most = Math.max(...rows.flatMap((row) => [row.left, row.right]))
  return (
    <section aria-labelledby="parts-title">
      <h3 id="parts-title">Bytes by message</h3>
      <table class="parts">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">
              <Breakable name={titles[0]} />
            </th>
            {right && (
              <th scope="col">
                <Breakable name={titles[1]} />
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ from, title, left: here, right: there }) => (
            <tr key={`${from} ${title}`} class={`of-${from}`}>
              <th scope="row">
                <span class="owner">{endTitle(from)}</span> <Breakable name={title.replace(/^(client|server) /, "")} />
                {title === overheadTitle && <span class="quiet"> headers, tags, types</span>}
              </th>
              <Bar bytes={here} most={most} />
              {right && <Bar bytes={there} most={most} />}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Bar({ bytes, most }: { readonly bytes: number; readonly most: number }): JSX.Element {
  return (
    <td>
      <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect width={(100 * bytes) / Math.max(1, most)} height="10" />
      </svg>
      <span>{bytes === 0 ? "none" : bytes.toLocaleString("en")}</span>
    </td>
  )
}
