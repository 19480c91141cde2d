// What people bring and take away: captures, key logs, saved traces and pasted bytes in, a pcapng with the secrets in it out.

import type { JSX } from "preact"
import { pcapngOf } from "../observe/export.ts"
import { type Brought, type BroughtFile, isKeyLog, readBrought } from "../observe/files.ts"
import { NotReadable } from "../observe/pasted.ts"
import { connectionsInKeyLog } from "../observe/secrets.ts"
import { type Bringing, bringing, brought } from "../page/brought.ts"
import { show } from "../page/state.ts"
import { now } from "../run/cast.ts"
import { noble } from "../run/providers.ts"
import type { ViewProps } from "./view.ts"

export function BringYourOwn({ timeline }: ViewProps): JSX.Element {
  const { keyLog, text, file, found, problem } = bringing.value
  const set = (change: Partial<Bringing>) => {
    bringing.value = { ...bringing.peek(), ...change }
  }

  const read = (bytes: Uint8Array, lines: string) => {
    try {
      const read = readBrought(bytes, lines, noble())
      set({ found: read, problem: undefined })
      if (read.connections.length === 1) open(read.connections[0]!)
    } catch (error) {
      set({ found: undefined })
      if (!(error instanceof NotReadable)) throw error
      set({ problem: error.message })
    }
  }
  const take = async (given: File | undefined) => {
    if (given === undefined) return
    const bytes = new Uint8Array(await given.arrayBuffer())
    if (isKeyLog(bytes)) {
      takeKeyLog(new TextDecoder().decode(bytes))
      return
    }
    set({ file: { name: given.name, bytes } })
    read(bytes, bringing.peek().keyLog)
  }
  const takeKeyLog = (lines: string) => {
    set({ keyLog: lines, problem: undefined })
    const { file: given, found: before, text: pasted } = bringing.peek()
    if (given !== undefined) read(given.bytes, lines)
    else if (before !== undefined) read(new TextEncoder().encode(pasted), lines)
  }
  return (
    <div class="own">
      <section aria-labelledby="own-in">
        <h3 id="own-in">Look at a connection of yours</h3>
        <p>
          Nothing leaves this page. A capture shows what everybody on the way sees; with the secrets of one end, all of
          it.
        </p>
        {/* biome-ignore lint/a11y/useSemanticElements: a place to drop a file on is no fieldset */}
        <div
          class="drop"
          role="group"
          aria-label="A file"
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => {
            event.preventDefault()
            void take(event.dataTransfer?.files[0])
          }}
        >
          <label>
            <span>A file: pcap or pcapng, or what tls13 connect --explore or --record has saved</span>
            <input type="file" onChange={(event) => void take(event.currentTarget.files?.[0])} />
          </label>
          <p class="quiet">{file === undefined ? "or drop it here" : `${file.name} is here; or drop another one`}</p>
        </div>
        <label class="block">
          <span>
            Secrets, as lines of a key log (<code>SSLKEYLOGFILE</code>, RFC 9850), when the file has none
          </span>
          <textarea
            rows={3}
            spellcheck={false}
            value={keyLog}
            placeholder="CLIENT_HANDSHAKE_TRAFFIC_SECRET 5f3c… 9a1b…"
            onChange={(event) => takeKeyLog(event.currentTarget.value)}
          />
        </label>
        <label class="block">
          <span>Or paste: a ClientHello or any record in hexadecimal, or a whole section, 3 to 7, of RFC 8448</span>
          <textarea
            rows={6}
            spellcheck={false}
            value={text}
            placeholder="16 03 01 00 c8 01 00 00 c4 03 03 …"
            onInput={(event) => set({ text: event.currentTarget.value })}
          />
        </label>
        <p class="actions">
          <button
            type="button"
            class="strong"
            disabled={text.trim() === ""}
            onClick={() => {
              const bytes = new TextEncoder().encode(text)
              if (isKeyLog(bytes)) {
                set({ text: "" })
                takeKeyLog(text)
                return
              }
              set({ file: undefined })
              read(bytes, keyLog)
            }}
          >
            Read it
          </button>
        </p>
        <div aria-live="polite">
          {problem !== undefined && <p class="failure">{problem}</p>}
          {found === undefined && problem === undefined && keyLog.trim() !== "" && <KeyLogAlone keyLog={keyLog} />}
          {found && <Found found={found} hasKeyLog={keyLog.trim() !== ""} />}
        </div>
      </section>
      <TakeAway timeline={timeline} />
    </div>
  )
}

/** Secrets, and nothing yet that they open. */
function KeyLogAlone({ keyLog }: { readonly keyLog: string }): JSX.Element {
  const count = connectionsInKeyLog(keyLog)
  return (
    <p>
      {count === 0
        ? "There is no line of a key log in the field for secrets: each has a label, a client random of 64 digits, and a secret."
        : `The secrets of ${count === 1 ? "one connection" : `${count} connections`} are in their field now. What is missing is the connection itself: give its capture, too, or paste its bytes.`}
    </p>
  )
}

function open(connection: Brought): void {
  show({ title: connection.title, timeline: connection.timeline() })
}

function Found({ found, hasKeyLog }: { readonly found: BroughtFile; readonly hasKeyLog: boolean }): JSX.Element {
  const steps = brought.value?.timeline.steps ?? []
  const sealed = steps.filter(
    ({ happening }) => happening.type === "event" && happening.text.includes("cannot be read"),
  ).length
  return (
    <>
      <h4>Found</h4>
      <ul class="connections">
        {found.connections.map((connection) => (
          <li key={connection.title}>
            <button
              type="button"
              aria-pressed={brought.value?.title === connection.title}
              onClick={() => open(connection)}
            >
              {connection.title}
            </button>
          </li>
        ))}
      </ul>
      {found.notes.map((note) => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
      {brought.value !== undefined && <p>It is in the other views now: begin with Both ends.</p>}
      {sealed > 0 && (
        <p class="failure">
          {sealed} of its records cannot be read:{" "}
          {hasKeyLog ? "no secret of the key log opens them." : "give the secrets of one end as a key log."}
        </p>
      )}
    </>
  )
}

function TakeAway({ timeline }: Pick<ViewProps, "timeline">): JSX.Element {
  const save = () => {
    const bytes = pcapngOf(timeline, now)
    const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type: "application/octet-stream" }))
    const link = document.createElement("a")
    link.href = url
    link.download = "tls13-explorer.pcapng"
    link.click()
    URL.revokeObjectURL(url)
  }
  return (
    <section aria-labelledby="own-out">
      <h3 id="own-out">Take it away</h3>
      <p>
        The whole run as a pcapng file, with its secrets inside: Wireshark opens it decrypted. The packets around the
        records are made up; the records are not.
      </p>
      <p class="actions">
        <button type="button" onClick={save}>
          Save as pcapng
        </button>
      </p>
      <h4>From your own programs</h4>
      <p>
        The <code>tls13</code> command saves what this page opens, of a connection to any server:
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <pre class="command" tabIndex={0}>
        {
          "tls13 connect example.org:443 --explore seen.json\ntls13 connect example.org:443 --record seen.jsonl\ntls13 connect example.org:443 --pcap seen.pcapng"
        }
      </pre>
    </section>
  )
}
