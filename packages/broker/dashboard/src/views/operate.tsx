// What somebody who runs the broker may do, with a token of the scope operate.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import type { DrainModel, RotatedModel } from "../../../src/admin/http/model.ts"
import { several } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { broker, operated, scope } from "../live/broker.ts"
import { Confirm } from "../parts/confirm.tsx"
import { Problem, When } from "../parts/text.tsx"

export function Operate(): JSX.Element {
  if (scope.value !== "operate") {
    return (
      <div class="stack">
        <h1>Operate</h1>
        <p class="card">
          This token may only read. To reload, rotate keys or send clients elsewhere sign in with one of the scope
          operate, which <code>puremq token</code> makes.
        </p>
      </div>
    )
  }
  return (
    <div class="stack">
      <h1>Operate</h1>
      <div class="operations">
        <Reload />
        <Rotate />
        <Drain />
      </div>
      <p class="quiet">Each of these leaves a line in the broker's log, with the name of the token.</p>
    </div>
  )
}

/** Runs one operation at a time and keeps what came of it. */
function useOperation(): {
  readonly done: string | undefined
  readonly problem: string | undefined
  readonly busy: boolean
  readonly run: (work: () => Promise<string>) => Promise<void>
} {
  const [state, setState] = useState<{ done?: string; problem?: string; busy: boolean }>({ busy: false })
  const run = async (work: () => Promise<string>) => {
    setState({ busy: true })
    try {
      setState({ done: await work(), busy: false })
    } catch (error) {
      setState({ problem: error instanceof Error ? error.message : String(error), busy: false })
    }
  }
  return { done: state.done, problem: state.problem, busy: state.busy, run }
}

function Outcome({
  done,
  problem,
}: {
  readonly done: string | undefined
  readonly problem: string | undefined
}): JSX.Element {
  return (
    <div role="status" class="outcome">
      {done !== undefined && <p class="notice">{done}</p>}
      <Problem text={problem} />
    </div>
  )
}

function Reload(): JSX.Element {
  const { done, problem, busy, run } = useOperation()
  const reload = () =>
    run(async () => {
      await operated("POST", "/reload")
      return "Read again: what has changed holds from now on."
    })
  return (
    <section class="card" aria-label="Configuration">
      <header>
        <h2>Configuration</h2>
      </header>
      <p>Reads the configuration, certificates, passwords and access rules again: all of it is taken, or nothing.</p>
      <div class="actions">
        <button type="button" aria-disabled={busy} onClick={() => busy || void reload()}>
          Reload
        </button>
      </div>
      <Outcome done={done} problem={problem} />
    </section>
  )
}

function Rotate(): JSX.Element {
  const { done, problem, busy, run } = useOperation()
  const [forget, setForget] = useState(false)
  const rotate = () =>
    run(async () => {
      const { listeners } = await operated<RotatedModel>("POST", "/ticket-keys/rotate", { forget })
      const where = listeners.map((name) => shown(name, 40)).join(", ")
      return listeners.length === 0 ? "No listener has tickets." : `Tickets have a new key at ${where}.`
    })
  return (
    <section class="card" aria-label="Ticket keys">
      <header>
        <h2>Ticket keys</h2>
      </header>
      <p>
        Seals session tickets by a new key. Tickets given before stay good for a time, unless they are to be forgotten.
      </p>
      <label class="check">
        <input type="checkbox" checked={forget} onChange={(event) => setForget(event.currentTarget.checked)} />
        Forget the tickets given before: their clients make a full handshake
      </label>
      <div class="actions">
        <button type="button" aria-disabled={busy} onClick={() => busy || void rotate()}>
          Rotate
        </button>
      </div>
      <Outcome done={done} problem={problem} />
    </section>
  )
}

function Drain(): JSX.Element {
  const [asks, setAsks] = useState(false)
  const { done, problem, busy, run } = useOperation()
  const draining = broker.value?.draining
  const end = () =>
    run(async () => {
      await operated("DELETE", "/drain")
      return "Clients are let in again."
    })
  const begin = async (form: FormData) => {
    const server = String(form.get("server") ?? "").trim()
    await operated<DrainModel>("POST", "/drain", { server, seconds: Number(form.get("seconds")) })
  }
  return (
    <section class="card" aria-label="Drain">
      <header>
        <h2>Send clients elsewhere</h2>
        {draining !== undefined && <span class="tag is-look">under way</span>}
      </header>
      {draining === undefined ? (
        <>
          <p>
            Lets nobody in any more, and sends clients to another server in even shares until a deadline: MQTT 5.0
            clients get its name as Server Reference.
          </p>
          <div class="actions">
            <button type="button" class="grave" onClick={() => setAsks(true)}>
              Send clients elsewhere
            </button>
          </div>
        </>
      ) : (
        <>
          <p>
            To <b class="sent">{shown(draining.server)}</b>, since <When at={draining.since} />, until{" "}
            <When at={draining.until} />: {several(draining.left, "connection")} left.
          </p>
          <div class="actions">
            <button type="button" aria-disabled={busy} onClick={() => busy || void end()}>
              Let clients in again
            </button>
          </div>
        </>
      )}
      <Outcome done={done} problem={problem} />
      {asks && (
        <Confirm title="Send all clients elsewhere?" action="Send them" run={begin} onClose={() => setAsks(false)}>
          <label class="field">
            <span>Server Reference, such as broker-2.example:8883</span>
            <input name="server" required maxLength={256} autocomplete="off" spellcheck={false} />
          </label>
          <label class="field">
            <span>Within so many seconds</span>
            <input name="seconds" type="number" required min={0} max={86_400} value={60} />
          </label>
        </Confirm>
      )}
    </section>
  )
}
