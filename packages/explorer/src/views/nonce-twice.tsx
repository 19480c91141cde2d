// Two real records under one nonce: what who listens learns of them.

import { toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { nonceReuse, usualPair } from "../knowledge/nonce-reuse.ts"
import { xor } from "../knowledge/protection.ts"
import type { ProtectedRecord } from "../knowledge/records.ts"
import { recordTitle } from "./record-title.ts"
import { Section } from "./section.tsx"

/** Bytes that are shown beside each other. */
const width = 24

interface Props {
  readonly records: readonly ProtectedRecord[]
  /** There are several connections. */
  readonly isOneOfSeveral: boolean
}

export function NonceTwice({ records, isOneOfSeveral }: Props): JSX.Element | null {
  const [firstStep, setFirst] = useState<number | undefined>(undefined)
  const [secondStep, setSecond] = useState<number | undefined>(undefined)
  const usual = usualPair(records)
  const first = records.find(({ step }) => step === firstStep) ?? usual?.[0]
  const second = records.find(({ step }) => step === secondStep) ?? usual?.[1]
  if (first === undefined || second === undefined) {
    return <p class="quiet">What a nonce used twice gives away: there have to be two records.</p>
  }
  const reuse = nonceReuse(first, second)
  const [one, two] = reuse.plaintexts
  return (
    <section class="card twice" aria-labelledby="twice-title">
      <h3 id="twice-title">What a nonce used twice gives away</h3>
      <p>
        Here the second record is sealed once more, under the key and the nonce of the first: what happens when somebody
        counts wrongly, or restores a machine from a copy. <Section of="RFC 9846 section 5.3" />
      </p>
      <div class="hand-row">
        <RecordChoice name="First" {...{ records, isOneOfSeveral }} record={first} choose={setFirst} />
        <RecordChoice name="Second" {...{ records, isOneOfSeveral }} record={second} choose={setSecond} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section class="scrolls" tabIndex={0} aria-label="Ciphertexts and plaintexts, byte by byte">
        <table class="twice-bytes mono">
          <tbody>
            <Row name="Ciphertext 1" bytes={reuse.ciphertexts[0]} />
            <Row name="Ciphertext 2" bytes={reuse.ciphertexts[1]} />
            <Row name="exclusive-or: all may see it" bytes={reuse.xorOfCiphertexts} isSum />
            <Row name="Plaintext 1" bytes={one} />
            <Row name="Plaintext 2" bytes={two} />
            <Row name="exclusive-or: the same" bytes={reuse.xorOfPlaintexts} isSum />
          </tbody>
        </table>
      </section>
      <p>
        The key stream is the same, so it falls out
        {reuse.areEqual && ": where the plaintexts are equal, nothing is left"}. Who knows or guesses the first
        plaintext reads the second one: <code>{text(xor(reuse.xorOfCiphertexts, one))}</code>
      </p>
      <h4>And the tag</h4>
      <p>{reuse.forgery}</p>
      <p class="quiet">
        The two tags: <code>{toHex(reuse.tags[0])}</code> and <code>{toHex(reuse.tags[1])}</code>
      </p>
    </section>
  )
}

interface RowProps {
  readonly name: string
  readonly bytes: Uint8Array
  readonly isSum?: boolean
}

function Row({ name, bytes, isSum = false }: RowProps): JSX.Element {
  return (
    <tr class={isSum ? "is-sum" : undefined}>
      <th scope="row">{name}</th>
      {Array.from(bytes.subarray(0, width), (byte, at) => (
        <td key={at}>{byte.toString(16).padStart(2, "0")}</td>
      ))}
      {bytes.length > width && <td class="quiet">…</td>}
    </tr>
  )
}

interface ChoiceProps extends Props {
  readonly name: string
  readonly record: ProtectedRecord
  readonly choose: (step: number) => void
}

function RecordChoice({ name, records, isOneOfSeveral, record, choose }: ChoiceProps): JSX.Element {
  return (
    <label class="grow">
      <span>{name}</span>
      <select value={record.step} onChange={(event) => choose(Number(event.currentTarget.value))}>
        {records.map((each) => (
          <option key={each.step} value={each.step}>
            {recordTitle(each, isOneOfSeveral)}
          </option>
        ))}
      </select>
    </label>
  )
}

function text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("")
}
