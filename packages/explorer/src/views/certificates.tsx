// The certificates of the run, or a chain of one's own: the DER of each as a tree, and what every rule of the path said of it.

import { equalBytes } from "@puremq/tls13/explore"
import { X509Error } from "@puremq/tls13/x509"
import type { JSX } from "preact"
import { useMemo, useState } from "preact/hooks"
import { type Judgement, judge, type RuleSaid } from "../certificates/judge.ts"
import { type Made, makeChain, type Wishes } from "../certificates/make.ts"
import { type ShownKey, shownChains, shownKeys, type WhyNone, whyNone } from "../certificates/shown.ts"
import { reasonWords } from "../certificates/words.ts"
import { brought } from "../page/brought.ts"
import { address } from "../page/state.ts"
import { breakOf } from "../run/breaks.ts"
import { castOf, now, serverName } from "../run/cast.ts"
import { noble } from "../run/providers.ts"
import { DerTree } from "./der-tree.tsx"
import { Section } from "./section.tsx"
import { SourceCode } from "./source-code.tsx"
import type { ViewProps } from "./view.ts"

const day = 86_400_000

export function Certificates({ timeline, step, select }: ViewProps): JSX.Element {
  const [ours, setOurs] = useState<"run" | "own">("run")
  return (
    <div class="certificates">
      <fieldset class="segments">
        <legend class="sr">Whose certificates</legend>
        {(["run", "own"] as const).map((id) => (
          <label key={id}>
            <input type="radio" name="whose" checked={id === ours} onChange={() => setOurs(id)} />
            <span>{id === "run" ? "Those of the run" : "Make your own"}</span>
          </label>
        ))}
      </fieldset>
      {ours === "run" ? <OfTheRun timeline={timeline} step={step} select={select} /> : <OfYourOwn />}
    </div>
  )
}

function OfTheRun({ timeline, step, select }: ViewProps): JSX.Element {
  const { seed, breaks } = address.value
  const isBrought = brought.value !== undefined
  const trusted = useMemo(() => (isBrought ? [] : [castOf(noble(), seed).root.certificate]), [seed, isBrought])
  const later = useMemo(() => {
    const change = breaks === undefined ? undefined : breakOf(breaks).change?.(castOf(noble(), seed))
    return Math.round((change?.later ?? 0) / day)
  }, [breaks, seed])
  const connection = timeline.steps[step]?.connection ?? 0
  const isHere = (each: { readonly connection: number }) => each.connection === connection
  const shown = shownChains(timeline, step).filter(isHere).at(-1)
  const key = shownKeys(timeline, connection, step).at(-1)
  if (shown === undefined && key !== undefined) return <RawKey shown={key} />
  if (shown === undefined) return <None timeline={timeline} connection={connection} select={select} />
  const { by, chain, serverName: asked } = shown
  return (
    <>
      <p class="about">
        What the {by} shows, as {by === "server" ? "the client" : "the server"} reads it at step {shown.step + 1}.
        {isBrought && " Whom they trust is not known here, so no authority is trusted."}
      </p>
      <Judged
        key={`${shown.step} ${seed} ${breaks}`}
        chain={chain}
        trusted={trusted}
        wanted={by === "server" ? (asked ?? serverName) : "sensor-17.example"}
        usage={by === "server" ? "server" : "client"}
        later={isBrought ? 0 : later}
      />
    </>
  )
}

/** RFC 7250. */
function RawKey({ shown: { by, key, step } }: { readonly shown: ShownKey }): JSX.Element {
  return (
    <>
      <p class="about">
        The {by} shows a raw public key, {key.length} bytes, as the {by === "server" ? "client" : "server"} reads it at
        step {step + 1}: no name and no authority stands in it, and whoever reads it has to know the key already.{" "}
        <Section of="RFC 7250 section 3" />
      </p>
      <h3>Its DER: SubjectPublicKeyInfo</h3>
      <DerTree key={step} certificate={key} isKey />
    </>
  )
}

const none: Readonly<Record<WhyNone, string>> = {
  ticket: "Nobody shows a certificate in this connection: the pre-shared key of a ticket speaks for both.",
  "external PSK": "Nobody shows a certificate in this connection: a pre-shared key, given beforehand, speaks for both.",
  PSK: "Nobody shows a certificate in this connection: a pre-shared key speaks for both.",
  compressed: "The certificates of this connection are compressed by other means than zlib: they are not looked into.",
  "not seen": "No certificate of this connection can be seen: it did not get so far, or no secret opens that record.",
}

/** What there is instead, and where a certificate is. */
function None({
  timeline,
  connection,
  select,
}: Pick<ViewProps, "timeline" | "select"> & { readonly connection: number }): JSX.Element {
  const all = shownChains(timeline, timeline.steps.length)
  const here = all.find((each) => each.connection === connection)
  const later = here?.step ?? shownKeys(timeline, connection, timeline.steps.length)[0]?.step
  const to = (step: number) => (
    <button type="button" class="link" onClick={() => select(step)}>
      step {step + 1}
    </button>
  )
  if (later !== undefined) return <p class="empty">No certificate has been read yet: that is at {to(later)}.</p>
  const before = all.findLast((each) => each.connection < connection)
  return (
    <p class="empty">
      {none[whyNone(timeline, connection)]}{" "}
      {before && (
        <>
          Connection {before.connection + 1} has one: see {to(before.step)}.
        </>
      )}
    </p>
  )
}

/* ---------------------------------------------------------------- a chain and its verdict */

interface JudgedProps {
  readonly chain: readonly Uint8Array[]
  readonly trusted: readonly Uint8Array[]
  readonly wanted: string
  readonly usage?: "server" | "client"
  /** Days after the scenario's. */
  readonly later?: number
}

function Judged({ chain, trusted, wanted, usage = "server", later = 0 }: JudgedProps): JSX.Element {
  const [name, setName] = useState(wanted)
  const [days, setDays] = useState(later)
  const [trusts, setTrusts] = useState(true)
  const [index, setIndex] = useState(0)
  const judgement = useMemo(
    () => judged({ chain, trusted: trusts ? trusted : [], serverName: name, usage, now: now + days * day }),
    [chain, trusted, trusts, name, usage, days],
  )
  const all = useMemo(() => [...chain, ...trusted], [chain, trusted])
  const shown = all[index] ?? all[0]!
  return (
    <>
      <form class="question" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>{usage === "server" ? "The client wants" : "It is to be"}</span>
          <input type="text" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label>
          <span>Days later</span>
          <input
            type="number"
            min={-36500}
            max={36500}
            value={days}
            onInput={(event) => setDays(Math.trunc(Number(event.currentTarget.value)) || 0)}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={trusts} onChange={(event) => setTrusts(event.currentTarget.checked)} />
          <span>it trusts the authority</span>
        </label>
      </form>
      <p class={judgement.accepted ? "ruling is-kept" : "ruling is-broken"} role="status">
        <b>{judgement.accepted ? "Accepted" : "Refused"}:</b> {judgement.message.replace(/\.?$/, ".")}
      </p>
      <div class="chain-and-tree">
        <section aria-labelledby="chain-title">
          <h3 id="chain-title">The path</h3>
          <ol class="chain">
            {all.map((der, at) => (
              <li key={at}>
                <button type="button" aria-pressed={der === shown} onClick={() => setIndex(at)}>
                  <b>{at === 0 ? "Leaf" : at < chain.length ? "Intermediate" : "Trusted authority"}</b>{" "}
                  <span class="quiet">{der.length} bytes</span>
                  <Tally rules={judgement.rules.filter((rule) => equalBytes(rule.certificate, der))} />
                </button>
              </li>
            ))}
          </ol>
          <Rules rules={judgement.rules.filter((rule) => equalBytes(rule.certificate, shown))} />
        </section>
        <section aria-labelledby="tree-title">
          <h3 id="tree-title">
            Its DER <span class="quiet">{shown.length} bytes</span>
          </h3>
          <DerTree key={index} certificate={shown} />
        </section>
      </div>
    </>
  )
}

function judged(question: Omit<Parameters<typeof judge>[0], "provider">): Judgement {
  try {
    return judge({ ...question, provider: noble() })
  } catch (error) {
    if (error instanceof X509Error) return { accepted: false, message: error.message, path: [], rules: [] }
    throw error
  }
}

function Tally({ rules }: { readonly rules: readonly RuleSaid[] }): JSX.Element {
  const broken = rules.filter(({ said }) => said === "broken").length
  const kept = rules.filter(({ said }) => said === "kept").length
  if (broken > 0)
    return <span class="tally is-broken">{broken === 1 ? "a rule is broken" : `${broken} are broken`}</span>
  return <span class="tally quiet">{kept > 0 ? `${kept} rules kept` : "not looked at"}</span>
}

const marks = { kept: "✓", broken: "✗", "not reached": "·" } as const

function Rules({ rules }: { readonly rules: readonly RuleSaid[] }): JSX.Element {
  const broken = rules.find(({ said }) => said === "broken")
  if (rules.length === 0)
    return <p class="quiet">No rule was asked about it: the search ended before, or led elsewhere.</p>
  return (
    <>
      <h4>What each rule says of it</h4>
      <ul class="rules">
        {alike(rules).map(([rule, cited], at) => (
          <li key={at} class={`is-${rule.said.replace(" ", "-")}`}>
            <span class="mark" aria-hidden="true">
              {marks[rule.said]}
            </span>
            <span>
              <span class="sr">{rule.said}: </span>
              {rule.message ?? reasonWords(rule.reason)}{" "}
              {cited.map((each) => (
                <span key={each}>
                  <Section of={each} />{" "}
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
      {broken && <SourceCode site={{ ...broken, name: "" }} title="the line that refuses" />}
    </>
  )
}

/** Rules of which the same is to say stand in one line, each with its sections. */
function alike(rules: readonly RuleSaid[]): readonly (readonly [RuleSaid, readonly string[]])[] {
  const lines = new Map<string, readonly [RuleSaid, string[]]>()
  for (const rule of rules) {
    const words = `${rule.said} ${rule.message ?? reasonWords(rule.reason)}`
    const line = lines.get(words)
    if (line === undefined) lines.set(words, [rule, [rule.cited]])
    else if (!line[1].includes(rule.cited)) line[1].push(rule.cited)
  }
  return [...lines.values()]
}

/* ---------------------------------------------------------------- one's own */

const usual: Omit<Wishes, "provider" | "seed"> = {
  authority: "My CA",
  intermediate: "My Issuing CA",
  names: ["broker.test"],
  keyType: "p256",
  now,
  days: 90,
  usage: "server",
  pathLength: undefined,
  intermediateIsNoAuthority: false,
  leavesIntermediateOut: false,
}

function OfYourOwn(): JSX.Element {
  const { seed } = address.value
  const [wishes, setWishes] = useState(usual)
  const change = (part: Partial<typeof usual>) => setWishes({ ...wishes, ...part })
  const made = useMemo(() => makes({ ...wishes, seed, provider: noble() }), [wishes, seed])
  const trusted = useMemo(() => (typeof made === "string" ? [] : [made.root]), [made])
  const box = (name: "intermediateIsNoAuthority" | "leavesIntermediateOut", title: string) => (
    <label class="check">
      <input
        type="checkbox"
        checked={wishes[name]}
        onChange={(event) => change({ [name]: event.currentTarget.checked })}
      />
      <span>{title}</span>
    </label>
  )
  return (
    <>
      <form class="question" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>Names, with spaces between</span>
          <input
            type="text"
            value={wishes.names.join(" ")}
            onChange={(event) =>
              change({ names: event.currentTarget.value.split(/[\s,]+/).filter((one) => one !== "") })
            }
          />
        </label>
        <label>
          <span>Keys</span>
          <select
            value={wishes.keyType}
            onChange={(event) => change({ keyType: event.currentTarget.value as Wishes["keyType"] })}
          >
            <option value="p256">ECDSA P-256</option>
            <option value="p384">ECDSA P-384</option>
            <option value="ed25519">Ed25519</option>
          </select>
        </label>
        <label>
          <span>Valid for days</span>
          <input
            type="number"
            min={1}
            max={36500}
            value={wishes.days}
            onChange={(event) => change({ days: Math.max(1, Math.trunc(Number(event.currentTarget.value)) || 1) })}
          />
        </label>
        <label>
          <span>It is for</span>
          <select
            value={wishes.usage}
            onChange={(event) => change({ usage: event.currentTarget.value as Wishes["usage"] })}
          >
            <option value="server">a server</option>
            <option value="client">a client: a mistake here</option>
          </select>
        </label>
        {box("intermediateIsNoAuthority", "the intermediate is no authority")}
        {box("leavesIntermediateOut", "the server leaves it out")}
      </form>
      {typeof made === "string" ? (
        <p class="failure" role="alert">
          {made}
        </p>
      ) : (
        <>
          <Judged key={made.chainPem} chain={made.chain} trusted={trusted} wanted={wishes.names[0] ?? "broker.test"} />
          <details class="pem">
            <summary>The files, as PEM</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
            <pre class="command" tabIndex={0}>
              {made.chainPem}
              {made.rootPem}
            </pre>
          </details>
        </>
      )}
    </>
  )
}

function makes(wishes: Wishes): Made | string {
  try {
    return makeChain(wishes)
  } catch (error) {
    // A name that is none: what people type until it is one.
    return error instanceof Error ? error.message : String(error)
  }
}
