// The transcript as a rail that grows: each message that is hashed, and on its right who takes the hash of all up to it.

import { toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { type HashUse, hashUsesOf } from "../knowledge/hash-uses.ts"
import { entriesAt, type TranscriptEntry, transcriptOf } from "../knowledge/transcript.ts"
import type { End } from "../run/step.ts"
import { bytesText } from "../words/names.ts"
import { EndSwitch } from "./end-switch.tsx"
import { chooseItem, itemOf } from "./item.ts"
import { Section } from "./section.tsx"
import { UseDetails } from "./use-details.tsx"
import type { ViewProps } from "./view.ts"
import { whose } from "./whose.ts"

export function TranscriptRail({ timeline, step, select }: ViewProps): JSX.Element {
  const here = timeline.steps[step]
  const [said] = itemOf("transcript")
  const end = whose(said, timeline, step)
  const connection = here?.connection ?? 0
  const transcript = transcriptOf(timeline, connection, end)
  const entries = entriesAt(transcript, step)
  const uses = hashUsesOf(timeline, connection, end).filter((use) => use.step <= step)
  const late = uses.filter(({ after }) => !entries.includes(transcript.entries[after]!))
  return (
    <section class={`transcript of-${end}`} aria-labelledby="transcript-title">
      <header class="end-head">
        <h3 id="transcript-title">Transcript of connection {connection + 1}</h3>
        <EndSwitch name="transcript-end" end={end} choose={(to) => chooseItem("transcript", to)} />
      </header>
      <p class="quiet">
        Both ends hash every handshake message, without record headers, in order ({transcript.hash.name}). Whoever
        changes one of them on its way changes all that is computed from it. <Section of="RFC 9846 section 4.1" />
      </p>
      {entries.length === 0 && <p class="empty">The {end} has sent and read no message yet.</p>}
      {/* What was computed over a ClientHello that a HelloRetryRequest has replaced. */}
      {late.length > 0 && <Uses uses={late} select={select} title="Taken before message_hash stood here" />}
      <ol class="rail">
        {entries.map((entry) => {
          const at = transcript.entries.indexOf(entry)
          return (
            <li
              key={`${entry.since} ${entry.name}`}
              class={`rail-entry by-${entry.from}${entry.since === step ? " is-new" : ""}`}
            >
              <Entry entry={entry} end={end} select={select} />
              <Uses uses={uses.filter(({ after }) => after === at)} select={select} title="" />
            </li>
          )
        })}
      </ol>
    </section>
  )
}

interface EntryProps {
  readonly entry: TranscriptEntry
  readonly end: End
  readonly select: (step: number) => void
}

function Entry({ entry, end, select }: EntryProps): JSX.Element {
  const { title, from, hashed, hash, since, name, branch } = entry
  return (
    <div class={`rail-message of-${from}`}>
      <p class="rail-title">
        <b>{title}</b>{" "}
        <span class="quiet">
          {bytesText(hashed.length)},{" "}
          {name === "message_hash" ? "in place of the first ClientHello" : from === end ? "sent" : "received"} at{" "}
          <button type="button" class="link" onClick={() => select(since)}>
            step {since + 1}
          </button>
        </span>
      </p>
      {name === "message_hash" && (
        <p class="quiet">
          After a HelloRetryRequest only the hash of the first ClientHello counts, as a message of type 254: a server
          need not keep the whole of it. <code>{toHex(hashed.subarray(0, 4))}</code> and the hash.
        </p>
      )}
      {branch > 0 && name === "certificate_request" && (
        <p class="quiet">A post-handshake authentication: it goes on from the client's Finished.</p>
      )}
      <p class="rail-hash">
        <span class="quiet">hash</span> <code>{toHex(hash)}</code>
      </p>
    </div>
  )
}

interface UsesProps {
  readonly uses: readonly HashUse[]
  readonly title: string
  readonly select: (step: number) => void
}

function Uses({ uses, title, select }: UsesProps): JSX.Element | null {
  if (uses.length === 0) return null
  return (
    <div class="rail-uses">
      {title !== "" && <h4>{title}</h4>}
      <ul>
        {uses.map((use) => (
          <li key={use.id}>
            <UseDetails use={use} select={select} />
          </li>
        ))}
      </ul>
    </div>
  )
}
