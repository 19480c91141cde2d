// Asks before something is done that cannot be taken back, and says what went wrong.

import type { ComponentChildren, JSX, TargetedSubmitEvent } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { Problem } from "./text.tsx"

interface Props {
  readonly title: string
  readonly action: string
  readonly grave?: boolean
  readonly children: ComponentChildren
  readonly run: (form: FormData) => Promise<void>
  readonly onClose: () => void
}

export function Confirm({ title, action, grave = true, children, run, onClose }: Props): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (busy) return
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setProblem(undefined)
    try {
      await run(form)
      dialog.current?.close()
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
    setBusy(false)
  }
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <h2>{title}</h2>
        {children}
        <Problem text={problem} />
        <footer>
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
          <button type="submit" class={grave ? "strong grave" : "strong"} aria-disabled={busy}>
            {action}
          </button>
        </footer>
      </form>
    </dialog>
  )
}
