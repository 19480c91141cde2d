// A button that copies a text, and says that it has.

import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"

interface Props {
  readonly text: string
  /** What is copied, for who does not see where the button is. */
  readonly what: string
  /** On the button; default: Copy. */
  readonly label?: string
}

export function CopyButton({ text, what, label = "Copy" }: Props): JSX.Element {
  const [said, setSaid] = useState("")
  useEffect(() => {
    if (said === "") return
    const timer = setTimeout(() => setSaid(""), 2_000)
    return () => clearTimeout(timer)
  }, [said])
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid("Copied")
    } catch {
      setSaid("Not copied: mark it by hand")
    }
  }
  return (
    <button type="button" class="switch copy" onClick={copy}>
      <span aria-live="polite">{said || label}</span>
      <span class="sr"> {what}</span>
    </button>
  )
}
