// A broker that nobody has come to yet: how to connect the first client. When it comes this gives way to the dashboard.

import type { JSX } from "preact"
import type { ListenerModel } from "../../../src/admin/http/model.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { CopyLine } from "../parts/text.tsx"
import { waysIn } from "../words/first-client.ts"

interface Props {
  readonly listeners: readonly ListenerModel[]
  readonly onLeave: () => void
}

export function FirstClient({ listeners, onLeave }: Props): JSX.Element {
  const ways = waysIn(listeners, location.hostname)
  return (
    <div class="first">
      <header>
        <h1>The broker is up. Connect the first client.</h1>
        <p class="waits">
          <span class="dot" aria-hidden="true" />
          This page turns into the dashboard when it comes.{" "}
          <button type="button" class="link" onClick={onLeave}>
            Show the dashboard now
          </button>
        </p>
      </header>
      {ways.length === 0 && (
        <p class="card">
          This broker has no listener for clients: add one under <code>listeners</code> in its configuration.
        </p>
      )}
      {ways.map(({ listener, about, commands }) => (
        <section class="card" key={listener} aria-label={about}>
          <header>
            <h2>{about}</h2>
            <span class="tag">{shown(listener, 40)}</span>
          </header>
          {commands.map(({ tool, text }) => (
            <div key={tool}>
              <h3 class="field-name">{tool}</h3>
              <CopyLine text={text} label={`${tool} for ${shown(listener, 40)}`} />
            </div>
          ))}
        </section>
      ))}
      <p class="quiet">
        If the broker asks for a login, add <code>-u NAME -P PASSWORD</code>; <code>ca.pem</code> is the authority of
        its certificate.
      </p>
    </div>
  )
}
