// The record lab: a protected record taken apart, sealed and opened by hand, and what a nonce used twice gives away.

import type { JSX } from "preact"
import { sequenceBytes } from "../knowledge/protection.ts"
import { type ProtectedRecord, protectedRecords } from "../knowledge/records.ts"
import { bytesText, contentTypeName, secretTitle } from "../words/names.ts"
import { BytesLine, spaced } from "./bytes-line.tsx"
import { chooseItem, itemOf } from "./item.ts"
import { NonceTwice } from "./nonce-twice.tsx"
import { OpenByHand, SealByHand } from "./record-by-hand.tsx"
import { recordTitle } from "./record-title.ts"
import { Section } from "./section.tsx"
import type { ViewProps } from "./view.ts"

export function RecordLab({ timeline, step, select }: ViewProps): JSX.Element {
  const records = protectedRecords(timeline).filter((record) => record.step <= step)
  const [said] = itemOf("lab")
  const record = records.find((each) => `${each.step}` === said) ?? records.at(-1)
  const isOneOfSeveral = timeline.steps.some(({ connection }) => connection > 0)
  if (record === undefined) {
    return (
      <p class="empty">No record has been protected yet: step on until an end has keys, and has sealed something.</p>
    )
  }
  return (
    <div class={`lab of-${record.from}`}>
      <section aria-labelledby="lab-title">
        <header class="end-head">
          <h3 id="lab-title">A record, taken apart</h3>
          <label class="lab-choice">
            <span class="sr">Record</span>
            <select value={record.step} onChange={(event) => chooseItem("lab", event.currentTarget.value)}>
              {records.map((each) => (
                <option key={each.step} value={each.step}>
                  {recordTitle(each, isOneOfSeveral)}
                </option>
              ))}
            </select>
          </label>
        </header>
        <p>
          The {record.from} sealed it at{" "}
          <button type="button" class="link" onClick={() => select(record.step)}>
            step {record.step + 1}
          </button>
          , with {record.suite.aead.name} and the key of{" "}
          <span class="mono">{secretTitle(record.secretName, record.generation)}</span>.
        </p>
        <Nonce record={record} />
        <Layers record={record} />
      </section>
      <section class="lab-hand" aria-label="By hand">
        <SealByHand key={`seal ${record.step}`} record={record} />
        <OpenByHand key={`open ${record.step}`} record={record} />
      </section>
      <NonceTwice records={records} isOneOfSeveral={isOneOfSeveral} />
    </div>
  )
}

/** Section 5.3. */
function Nonce({ record: { iv, nonce, sequenceNumber } }: { readonly record: ProtectedRecord }): JSX.Element {
  const number = sequenceBytes(iv.length, sequenceNumber)
  const rows = [
    { name: `number ${sequenceNumber}`, bytes: number },
    { name: "iv", bytes: iv },
    { name: "nonce", bytes: nonce },
  ]
  return (
    <>
      <h4>
        Nonce <span class="quiet">the number of the record, exclusive-or the iv</span>
      </h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section class="scrolls" tabIndex={0} aria-label="Number, iv and nonce, byte by byte">
        <table class="nonce mono">
          <tbody>
            {rows.map(({ name, bytes }) => (
              <tr key={name} class={name === "nonce" ? "is-sum" : undefined}>
                <th scope="row">{name}</th>
                {Array.from(bytes, (byte, at) => (
                  <td key={at} class={number[at] === 0 ? "quiet" : "is-moved"}>
                    {byte.toString(16).padStart(2, "0")}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="quiet">
        The number is never sent: both count. A record in another place than its own does not open.{" "}
        <Section of="RFC 9846 section 5.3" />
      </p>
    </>
  )
}

/** Section 5.2: what goes into the AEAD, and what comes out. */
function Layers({ record }: { readonly record: ProtectedRecord }): JSX.Element {
  const { aad, inner, record: bytes, suite } = record
  const tagAt = bytes.length - suite.aead.tagLength
  const { content, type, padding } = inner
  return (
    <>
      <h4>
        Inside <span class="quiet">TLSInnerPlaintext, {bytesText(record.innerPlaintext.length)}</span>
      </h4>
      <BytesLine
        pieces={[
          { name: "content", bytes: content, colour: 0, means: printable(content) },
          { name: "type", bytes: Uint8Array.of(type), colour: 1, means: contentTypeName(type) },
          { name: "padding", bytes: new Uint8Array(padding), colour: 7, means: `${padding} zeros` },
        ]}
      />
      {padding === 0 && <p class="quiet">No padding: its length says how long the content is.</p>}
      <h4>
        On the wire <span class="quiet">{bytesText(bytes.length)}</span>
      </h4>
      <BytesLine
        pieces={[
          { name: "header", bytes: aad, colour: 3, means: "in the clear, and the AAD: who changes it breaks the tag" },
          { name: "ciphertext", bytes: bytes.subarray(5, tagAt), colour: 5 },
          { name: "tag", bytes: bytes.subarray(tagAt), colour: 6 },
        ]}
      />
      <p class="quiet">
        Outside it always says application_data (23) and version 0x0303; the real type is sealed. Key{" "}
        <span class="mono">{spaced(record.key)}</span> <Section of="RFC 9846 section 5.2" />
      </p>
    </>
  )
}

function printable(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined
  const text = String.fromCharCode(...bytes.subarray(0, 24))
  return /^[\x20-\x7e]+$/.test(text) ? `"${text}"` : undefined
}
