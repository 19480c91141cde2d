// Small pieces of text that are everywhere: what peers have sent, times, copyable lines.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { absolute, ago } from "../../../src/admin/words/format.ts"
import { lineLength, shown } from "../../../src/admin/words/sent.ts"
import { now } from "../live/broker.ts"

/** A text of a peer's: bounded, isolated from what is around it, in whole as its title. */
export function Sent(props: { readonly text: string; readonly most?: number; readonly mono?: boolean }): JSX.Element {
  const { text, most = lineLength, mono = false } = props
  if (text === "") return <span class="quiet">(empty)</span>
  const title = text.length > most ? shown(text, 1000) : undefined
  return (
    <bdi class={mono ? "sent mono" : "sent"} title={title}>
      {shown(text, most)}
    </bdi>
  )
}

/** "2 minutes ago", with the time itself when it is pointed at. @param at text of RFC 3339 */
export function When({ at }: { readonly at: string }): JSX.Element {
  const time = Date.parse(at)
  return (
    <time dateTime={at} title={absolute(time)}>
      {ago(time, now.value)}
    </time>
  )
}

export function CopyLine({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      // Without TLS a browser has no clipboard to give: what is selected can be copied.
      return
    }
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <div class="copy">
      <pre>{text}</pre>
      <button type="button" class="small" aria-label={`Copy: ${label}`} onClick={() => void copy()}>
        {copied ? "Copied" : "Copy"}
      </button>
      <span class="sr" role="status">
        {copied ? "Copied" : ""}
      </span>
    </div>
  )
}

export function Problem({ text }: { readonly text: string | undefined }): JSX.Element | null {
  return text === undefined ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  )
}
