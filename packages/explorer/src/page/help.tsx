// How the page is used: its keys, and what its colours say.

import type { JSX } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { keys } from "./keyboard.ts"
import { helpIsOpen } from "./state.ts"

export function Help(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const isOpen = helpIsOpen.value
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  const close = () => {
    helpIsOpen.value = false
  }
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}>
      <header class="end-head">
        <h2 id="help-title">How to use this page</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </header>
      <p>
        A TLS 1.3 client and a TLS 1.3 server run in this page, and nothing leaves it. Time and randomness come from the
        seed, so that a link leads everybody to the same bytes: the address names the scenario, the seed and the step.
      </p>
      <h3>Keys</h3>
      <dl class="help-keys">
        {keys.map(([names, does]) => (
          <div key={does}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h3>Signs</h3>
      <ul class="legend">
        <li>
          <span class="sign of-client" /> the client, and what it does
        </li>
        <li>
          <span class="sign of-server" /> the server, and what it does
        </li>
        <li>
          <span class="sign is-clear" /> a record that everybody can read
        </li>
        <li>
          <span class="sign is-sealed" /> a record that only the two ends can read
        </li>
      </ul>
      <p>
        <b>noble</b> are audited packages that one can read; <b>fast</b> are this stack's own kernels, in WebAssembly.
        Both give the same bytes.
      </p>
    </dialog>
  )
}
