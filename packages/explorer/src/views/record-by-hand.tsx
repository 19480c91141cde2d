// Sealing and opening by hand, with the key of a record: what one changes shows at once what it is good for.

import { ContentType, codePointName, fromHex, toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { openRecord, type Protection, sealRecord } from "../knowledge/protection.ts"
import type { ProtectedRecord } from "../knowledge/records.ts"
import { spaced } from "./bytes-line.tsx"
import { CopyButton } from "./copy-button.tsx"

/** Of content and of padding: what a person still reads. */
const mostBytes = 4_096

export function SealByHand({ record }: { readonly record: ProtectedRecord }): JSX.Element {
  const isText = record.inner.content.every((byte) => byte >= 0x20 && byte < 0x7f)
  const [text, setText] = useState(isText ? String.fromCharCode(...record.inner.content.subarray(0, 200)) : "Hello")
  const [type, setType] = useState<number>(23)
  const [padding, setPadding] = useState(0)
  const [number, setNumber] = useState(record.sequenceNumber)
  const content = Uint8Array.from(text.slice(0, mostBytes), (character) => character.charCodeAt(0) & 0xff)
  const sealed = sealRecord({ ...record, sequenceNumber: number }, { content, type, padding })
  return (
    <div class="card hand">
      <h3>Seal by hand</h3>
      <label>
        <span>Content</span>
        <input type="text" value={text} maxLength={mostBytes} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <div class="hand-row">
        <label>
          <span>Type</span>
          <select value={type} onChange={(event) => setType(Number(event.currentTarget.value))}>
            {Object.entries(ContentType).map(([name, value]) => (
              <option key={value} value={value}>
                {name} ({value})
              </option>
            ))}
          </select>
        </label>
        <NumberField name="Zeros of padding" value={padding} most={mostBytes} set={setPadding} />
        <NumberField name="Number" value={number} most={Number.MAX_SAFE_INTEGER} set={setNumber} />
      </div>
      <div class="command-head">
        <h4>The record</h4>
        <CopyButton text={toHex(sealed)} what="the sealed record" />
      </div>
      <output class="hex-value mono">{spaced(sealed)}</output>
    </div>
  )
}

export function OpenByHand({ record }: { readonly record: ProtectedRecord }): JSX.Element {
  const [text, setText] = useState(toHex(record.record))
  const [key, setKey] = useState(toHex(record.key))
  const [iv, setIv] = useState(toHex(record.iv))
  const [number, setNumber] = useState(record.sequenceNumber)
  const { suite } = record
  const bytes = bytesOf(text)
  const said = answer(bytes, {
    ...{ suite, sequenceNumber: number },
    key: bytesOf(key) ?? new Uint8Array(0),
    iv: bytesOf(iv) ?? new Uint8Array(0),
  })
  const flip = () => {
    if (bytes === undefined || bytes.length < 6) return
    const at = bytes.length - 1
    setText(toHex(Uint8Array.of(...bytes.subarray(0, at), bytes[at]! ^ 1)))
  }
  return (
    <div class="card hand">
      <h3>Open by hand</h3>
      <label>
        <span>Record, hexadecimal</span>
        <textarea
          class="mono"
          rows={5}
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div class="hand-row">
        <NumberField name="Number" value={number} most={Number.MAX_SAFE_INTEGER} set={setNumber} />
        <button type="button" onClick={flip}>
          Flip its last bit
        </button>
        <button type="button" onClick={() => setText(toHex(record.record))}>
          As it was
        </button>
      </div>
      <div class="hand-row">
        <label class="grow">
          <span>Key</span>
          <input
            type="text"
            class="mono"
            value={key}
            spellcheck={false}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <label class="grow">
          <span>iv</span>
          <input
            type="text"
            class="mono"
            value={iv}
            spellcheck={false}
            onInput={(event) => setIv(event.currentTarget.value)}
          />
        </label>
      </div>
      <div aria-live="polite">{said}</div>
    </div>
  )
}

function answer(record: Uint8Array | undefined, protection: Protection): JSX.Element {
  const { suite, key, iv } = protection
  if (record === undefined) return <Problem why="That is not hexadecimal: two digits for each byte." />
  if (key.length !== suite.aead.keyLength)
    return <Problem why={`The key has ${suite.aead.keyLength} bytes, in hexadecimal.`} />
  if (iv.length !== suite.aead.nonceLength)
    return <Problem why={`The iv has ${suite.aead.nonceLength} bytes, in hexadecimal.`} />
  const result = openRecord(protection, record)
  if (!result.opened) return <Problem why={result.why} />
  const { content, type, padding } = result.inner
  return (
    <>
      <p class="opened">
        ✓ It opens: {codePointName(ContentType, type)}, {content.length} bytes of content, {padding} of padding.
      </p>
      <output class="hex-value mono">{content.length === 0 ? "(no content)" : spaced(content)}</output>
    </>
  )
}

function Problem({ why }: { readonly why: string }): JSX.Element {
  return <p class="failure">{why}</p>
}

interface NumberFieldProps {
  readonly name: string
  readonly value: number
  readonly most: number
  readonly set: (value: number) => void
}

function NumberField({ name, value, most, set }: NumberFieldProps): JSX.Element {
  return (
    <label>
      <span>{name}</span>
      <input
        type="number"
        min={0}
        max={most}
        value={value}
        onInput={(event) => {
          const said = Number(event.currentTarget.value)
          if (Number.isInteger(said) && said >= 0 && said <= most) set(said)
        }}
      />
    </label>
  )
}

function bytesOf(text: string): Uint8Array | undefined {
  const digits = text.replace(/[\s:]/g, "")
  return /^([0-9a-f]{2})*$/i.test(digits) && digits.length <= 2 * 20_000 ? fromHex(digits.toLowerCase()) : undefined
}
