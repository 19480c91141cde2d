// Somebody on the way: what he does to which record, chosen by whoever is at the page.

import { fromHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { address, meddle } from "../page/state.ts"
import { missOf, recordsSent } from "../reading/meddled.ts"
import type { Meddling } from "../run/meddling.ts"
import { meddlingsOf, meddlingWords } from "../run/meddling-text.ts"
import { contentTypeName } from "../words/names.ts"
import type { ViewProps } from "./view.ts"

const kinds: Readonly<Record<Meddling["kind"], string>> = {
  flip: "flip a bit of it",
  drop: "drop it",
  repeat: "send it twice",
  delay: "let it come after the next one",
  cut: "cut it, and all that follows",
  inject: "slip bytes in ahead of it",
}

export function OnTheWay({ timeline }: Pick<ViewProps, "timeline">): JSX.Element {
  const all = recordsSent(timeline)
  const sent = all.map(({ record: each }) => each)
  const isOneOfSeveral = new Set(all.map(({ connection }) => connection)).size > 1
  const [record, setRecord] = useState<number | undefined>(undefined)
  const [kind, setKind] = useState<Meddling["kind"]>("flip")
  const [bit, setBit] = useState(0)
  const [bytes, setBytes] = useState(12)
  const [hex, setHex] = useState("15 03 03 00 02 02 28")
  const chosen = sent.find(({ id }) => id === record) ?? sent[0]
  const done = meddlingsOf(address.value.meddling ?? "")
  const injected = hex.replace(/\s+/g, "")
  const isHex = /^(?:[0-9a-f]{2}){1,512}$/i.test(injected)
  const add = () => {
    if (chosen === undefined) return
    const { id } = chosen
    const next: Meddling =
      kind === "flip"
        ? { kind, record: id, bit }
        : kind === "cut"
          ? { kind, record: id, bytes }
          : kind === "inject"
            ? { kind, record: id, bytes: fromHex(injected) }
            : { kind, record: id }
    meddle([...done, next])
  }
  return (
    <form
      class="on-the-way"
      aria-labelledby="way-title"
      onSubmit={(event) => {
        event.preventDefault()
        add()
      }}
    >
      <h3 id="way-title">Or be the one on the way</h3>
      <label class="wide">
        <span>Take this record</span>
        <select value={chosen?.id} onChange={(event) => setRecord(Number(event.currentTarget.value))}>
          {all.map(({ record: each, connection }) => (
            <option key={each.id} value={each.id}>
              {each.id + 1}: {isOneOfSeveral && `connection ${connection + 1}, `}the {each.from}'s{" "}
              {contentTypeName(each.sent[0] ?? 0)}, {each.sent.length} bytes
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>and</span>
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Meddling["kind"])}>
          {Object.entries(kinds).map(([id, words]) => (
            <option key={id} value={id}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {kind === "flip" && (
        <NumberField
          label="Bit, from 0, the highest of the first byte,"
          value={bit}
          most={8 * (chosen?.sent.length ?? 1) - 1}
          set={setBit}
        />
      )}
      {kind === "cut" && (
        <NumberField label="Bytes that arrive" value={bytes} most={(chosen?.sent.length ?? 1) - 1} set={setBytes} />
      )}
      {kind === "inject" && (
        <label class="wide">
          <span>Bytes, hexadecimal</span>
          <input type="text" class="mono" value={hex} onInput={(event) => setHex(event.currentTarget.value)} />
        </label>
      )}
      <button type="submit" disabled={chosen === undefined || (kind === "inject" && !isHex)}>
        Do it
      </button>
      {done.length > 0 && (
        <ul aria-label="What is done">
          {done.map((each, at) => (
            <li key={meddlingWords(each)}>
              {meddlingWords(each)}
              {isOneOfSeveral && connectionText(all, each)}
              {missOf(timeline, each) !== undefined && `: nothing is hit, as ${missOf(timeline, each)}`}{" "}
              <button
                type="button"
                class="link"
                aria-label={`Undo: ${meddlingWords(each)}`}
                onClick={() => meddle(done.filter((_, other) => other !== at))}
              >
                undo
              </button>
            </li>
          ))}
        </ul>
      )}
    </form>
  )
}

function connectionText(all: ReturnType<typeof recordsSent>, { record: id }: Meddling): string {
  const found = all.find(({ record }) => record.id === id)
  return found === undefined ? "" : ` (connection ${found.connection + 1})`
}

function NumberField({
  label,
  value,
  most,
  set,
}: {
  readonly label: string
  readonly value: number
  readonly most: number
  readonly set: (value: number) => void
}): JSX.Element {
  return (
    <label>
      <span>
        {label} to {most}
      </span>
      <input
        type="number"
        min={0}
        max={most}
        value={value}
        onInput={(event) => set(Math.min(most, Math.max(0, Math.trunc(Number(event.currentTarget.value)) || 0)))}
      />
    </label>
  )
}
