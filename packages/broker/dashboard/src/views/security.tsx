// What fails and why, by whom; certificates that will expire; who has no post-quantum key exchange; who was not let in.

import { type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import type { CertificateModel, HandshakeFailureModel, RefusalModel } from "../../../src/admin/http/model.ts"
import { explain, faultWords } from "../../../src/admin/words/failures.ts"
import { absolute, count, several, withoutPort } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { expiryNow, expirySoon, expiryText } from "../../../src/admin/words/verdict.ts"
import { broker, certificates, failures, now, refusals } from "../live/broker.ts"
import { hrefOf } from "../page/address.ts"
import { type Column, Table } from "../parts/list.tsx"
import { Segments } from "../parts/segments.tsx"
import { Sent, When } from "../parts/text.tsx"
import { kindWords, refusalText } from "../words/refusals.ts"

export function Security(): JSX.Element {
  return (
    <div class="stack">
      <h1>Security</h1>
      <Certificates />
      <div class="pair">
        <PostQuantum />
        <Sources />
      </div>
      <Handshakes />
      <Refusals />
    </div>
  )
}

/* ---------------------------------------------------------------- certificates */

const roleWords = { server: "shown to clients", chain: "above it", clients: "authority of clients" } as const

const certificateColumns: readonly Column<CertificateModel>[] = [
  { name: "Certificate", cell: ({ subject }) => <Sent text={subject} most={60} /> },
  { name: "Listener", room: "middle", cell: ({ listener }) => shown(listener, 40) },
  { name: "Is", room: "middle", cell: ({ role }) => roleWords[role] },
  { name: "Names", room: "wide", cell: ({ names }) => <Sent text={names.slice(0, 8).join(", ")} most={80} /> },
  {
    name: "Expires",
    cell: ({ daysLeft, notAfter }) => (
      <span class={`tag ${toneOfDays(daysLeft)}`} title={absolute(Date.parse(notAfter))}>
        {expiryText(daysLeft)
          .replace(/^expires /, "")
          .replace(/:.*/, "")}
      </span>
    ),
  },
]

function toneOfDays(days: number): string {
  if (days <= expiryNow) return "is-bad"
  return days <= expirySoon ? "is-look" : "is-good"
}

function Certificates(): JSX.Element {
  const known = certificates.value
  const all = [...(known?.certificates ?? [])].sort((a, b) => a.daysLeft - b.daysLeft)
  const worst = all.find(({ role }) => role === "server")
  return (
    <section class="card" aria-label="Certificates">
      <header>
        <h2>Certificates</h2>
        <span class="quiet">
          {worst !== undefined && worst.daysLeft > expirySoon
            ? `the next to expire has ${several(worst.daysLeft, "day")}`
            : `flagged from ${expirySoon} days before they expire`}
        </span>
      </header>
      <Table
        label="Certificates of the listeners"
        items={known === undefined ? undefined : all}
        columns={certificateColumns}
        keyOf={({ listener, role, sha256 }) => `${listener} ${role} ${sha256}`}
        nothing="No listener has TLS."
      />
      {known !== undefined && known.revocationLists.length > 0 && (
        <ul>
          {known.revocationLists.map(({ listener, issuer, revoked, nextUpdate, daysLeft }) => (
            <li key={`${listener} ${issuer}`}>
              Revocation list of <Sent text={issuer} most={60} /> at {shown(listener, 40)}:{" "}
              {several(revoked, "certificate")} revoked
              {nextUpdate !== undefined && (
                <>
                  , next <When at={nextUpdate} />
                </>
              )}
              {daysLeft !== undefined && daysLeft < 0 && <span class="tag is-bad">out of date</span>}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/* ---------------------------------------------------------------- post-quantum */

function PostQuantum(): JSX.Element {
  const about = broker.value
  const { with: withPq = 0, without = 0 } = about?.postQuantum ?? {}
  const all = withPq + without
  const groups = Object.entries(about?.clientsBy.group ?? {}).sort(([, a], [, b]) => b - a)
  return (
    <section class="card" aria-label="Key exchange">
      <header>
        <h2>Post-quantum key exchange</h2>
        {without > 0 && <a href={hrefOf("clients", { pq: "without" })}>Who is without</a>}
      </header>
      {all === 0 ? (
        <p class="quiet">No client with TLS of this broker is connected.</p>
      ) : (
        <>
          <p>
            {without === 0
              ? `All ${count(all)} connected clients with TLS have it: what is recorded today stays secret.`
              : `${several(without, "client")} of ${count(all)} with TLS ${without === 1 ? "is" : "are"} still without it.`}
          </p>
          <div class="share">
            <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
              <rect class="of-good" width={(withPq / all) * 100} height="4" />
              <rect class="of-look" x={(withPq / all) * 100} width={(without / all) * 100} height="4" />
            </svg>
          </div>
          <Bars
            rows={groups.map(([name, clients]) => [name === "none" ? "resumed without key exchange" : name, clients])}
            plain
          />
        </>
      )}
    </section>
  )
}

interface BarsProps {
  readonly rows: readonly (readonly [string, number])[]
  readonly plain?: boolean
}

function Bars({ rows, plain = false }: BarsProps): JSX.Element {
  const most = Math.max(1, ...rows.map(([, each]) => each))
  return (
    <ul class={plain ? "bars is-plain" : "bars"}>
      {rows.map(([name, each]) => (
        <li key={name} class={plain ? "is-plain" : undefined}>
          <Sent text={name} most={60} />
          <span class="number">{count(each)}</span>
          <svg viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true">
            <rect width={(each / most) * 100} height="2" />
          </svg>
        </li>
      ))}
    </ul>
  )
}

/* ---------------------------------------------------------------- who fails, and why */

const by: Signal<"reason" | "address"> = signal<"reason" | "address">("reason")
const rowsOfBars = 7

function Sources(): JSX.Element {
  const counts = new Map<string, number>()
  const add = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const failure of failures.value ?? []) {
    add(by.value === "address" ? withoutPort(failure.peer) : explain(failure).kind)
  }
  for (const { kind, peer } of refusals.value ?? []) {
    add(by.value === "address" ? withoutPort(peer) : `${kindWords[kind]} refused`)
  }
  const rows = [...counts].sort(([, a], [, b]) => b - a)
  const [handshakes, others] = [failures.value?.length ?? 0, refusals.value?.length ?? 0]
  return (
    <section class="card" aria-label="Failures by reason or address">
      <header>
        <h2>What was refused</h2>
        <Segments
          name="by"
          label="By"
          value={by.value}
          choices={[
            ["reason", "By reason"],
            ["address", "By address"],
          ]}
          onChoose={(value) => (by.value = value)}
        />
      </header>
      {rows.length === 0 ? (
        <p class="quiet">Nothing was refused.</p>
      ) : (
        <>
          <Bars rows={rows.slice(0, rowsOfBars)} />
          <p class="quiet">
            {rows.length > rowsOfBars && `and ${count(rows.length - rowsOfBars)} more; `}
            of the last {several(handshakes, "handshake")} and {several(others, "login or right", "logins and rights")}
          </p>
        </>
      )}
    </section>
  )
}

const fault: Signal<"" | "client" | "server" | "network"> = signal<"" | "client" | "server" | "network">("")
const rowsAtOnce = 20
const mostShown: Signal<number> = signal(rowsAtOnce)

function Handshakes(): JSX.Element {
  const all = (failures.value ?? []).filter((each) => fault.value === "" || each.fault === fault.value)
  return (
    <section class="card" aria-label="Handshakes that failed">
      <header>
        <h2>TLS handshakes that failed</h2>
        <Segments
          name="fault"
          label="Whose fault"
          value={fault.value}
          choices={[
            ["", "All"],
            ["client", "Client"],
            ["network", "Network"],
            ["server", "Broker"],
          ]}
          onChoose={(value) => (fault.value = value)}
        />
      </header>
      {all.length === 0 ? (
        <p class="quiet">{failures.value === undefined ? "…" : "None."}</p>
      ) : (
        <ol class="happened">
          {all.slice(0, mostShown.value).map((failure) => (
            <Handshake key={failure.id} failure={failure} />
          ))}
        </ol>
      )}
      {all.length > mostShown.value && (
        <button type="button" class="small" onClick={() => (mostShown.value += rowsAtOnce)}>
          Show more
        </button>
      )}
    </section>
  )
}

function Handshake({ failure }: { readonly failure: HandshakeFailureModel }): JSX.Element {
  const { at, peer, listener, serverName, alert, reason, milliseconds, offer } = failure
  const { what, advice } = explain(failure)
  const offered = [
    ["Versions", offer?.versions],
    ["Suites", offer?.suites],
    ["Groups", offer?.groups],
    ["Signature schemes", offer?.signatureSchemes],
  ] as const
  return (
    <li>
      <bdi class="sent">{what}</bdi>
      <When at={at} />
      {advice !== undefined && <span class="advice sent">{advice}</span>}
      <details class="advice">
        <summary>
          The fault was {faultWords[failure.fault]}, at {shown(listener, 40)}
          {alert !== undefined && (
            <>
              , alert <span class="mono">{shown(alert, 40)}</span>
            </>
          )}
        </summary>
        <dl class="offer">
          <dt>When</dt>
          <dd>{absolute(Date.parse(at))}</dd>
          <dt>From</dt>
          <dd>
            <Sent text={peer} mono />
          </dd>
          <dt>Reason</dt>
          <dd>
            <Sent text={reason} most={300} />
          </dd>
          <dt>Name it asked for</dt>
          <dd>{serverName === undefined ? "none" : <Sent text={serverName} />}</dd>
          <dt>Took</dt>
          <dd>{count(milliseconds)} ms</dd>
          {offered.map(
            ([name, values]) =>
              values !== undefined && (
                <>
                  <dt key={name}>{name}</dt>
                  <dd>
                    <Sent text={values.length === 0 ? "none" : values.join(", ")} most={600} mono />
                  </dd>
                </>
              ),
          )}
        </dl>
      </details>
    </li>
  )
}

/* ---------------------------------------------------------------- logins and rights */

const refusalColumns: readonly Column<RefusalModel>[] = [
  { name: "What", cell: (refusal) => <bdi class="sent">{refusalText(refusal)}</bdi> },
  { name: "Kind", room: "middle", cell: ({ kind }) => kindWords[kind] },
  { name: "From", room: "middle", cell: ({ peer }) => <Sent text={withoutPort(peer)} most={48} mono /> },
  { name: "When", kind: "time", cell: ({ at }) => <When at={at} /> },
]

const onlyLogins: Signal<"" | "login"> = signal<"" | "login">("")
const mostRefusals = 50

function Refusals(): JSX.Element {
  // Times are said anew each second.
  void now.value
  const all = refusals.value?.filter(({ kind }) => onlyLogins.value === "" || kind === "login")
  return (
    <section class="card" aria-label="Refused">
      <header>
        <h2>Logins and rights</h2>
        <Segments
          name="logins"
          label="Which"
          value={onlyLogins.value}
          choices={[
            ["", "All"],
            ["login", "Logins"],
          ]}
          onChoose={(value) => (onlyLogins.value = value)}
        />
      </header>
      <Table
        label="What was refused last"
        items={all?.slice(0, mostRefusals)}
        columns={refusalColumns}
        keyOf={({ id }) => String(id)}
        nothing="Nothing was refused."
      />
    </section>
  )
}
