// One client: what is known of its connection and its session, and what can be done with it.

import type { ComponentChildren, JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import type { ClientModel, SessionModel, SubscriptionModel } from "../../../src/admin/http/model.ts"
import { bytes, count, duration, several } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { RequestRefused } from "../api/request.ts"
import { asked, events, operated, scope } from "../live/broker.ts"
import { address, hrefOf } from "../page/address.ts"
import { Confirm } from "../parts/confirm.tsx"
import { Events } from "../parts/events.tsx"
import { List } from "../parts/list.tsx"
import { usePages } from "../parts/pages.ts"
import { Problem, Sent, When } from "../parts/text.tsx"
import { subscriptionColumns } from "./subscriptions.tsx"

const freshEach = 3000

interface Known {
  readonly id: string
  readonly client: ClientModel | undefined
  readonly session: SessionModel | undefined
}

export function Client(): JSX.Element {
  const id = address.value.given["id"] ?? ""
  const [known, setKnown] = useState<Known | undefined>(undefined)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const [asks, setAsks] = useState<"disconnect" | "end" | undefined>(undefined)
  const [turn, setTurn] = useState(0)
  const told = events.value.find((line) => line["clientId"] === id)?.id
  useEffect(() => {
    let over = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async () => {
      try {
        const [client, session] = await Promise.all([
          orNone(asked<ClientModel>("/client", { clientId: id })),
          orNone(asked<SessionModel>("/session", { clientId: id })),
        ])
        if (over) return
        setKnown({ id, client, session })
        setProblem(undefined)
      } catch (error) {
        if (!over) setProblem(error instanceof Error ? error.message : String(error))
      }
      if (!over) timer = setTimeout(() => void load(), freshEach)
    }
    void load()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [id, turn, told])
  const here = known?.id === id ? known : undefined
  const { client, session } = here ?? {}
  const mayOperate = scope.value === "operate"
  return (
    <div class="stack">
      <div class="title">
        <div>
          <a href={hrefOf("clients")} class="quiet">
            Clients
          </a>
          <h1>
            <Sent text={id} />
          </h1>
        </div>
        <div class="actions">
          {here !== undefined && <State known={here} />}
          {mayOperate && client !== undefined && (
            <button type="button" class="grave" onClick={() => setAsks("disconnect")}>
              Disconnect
            </button>
          )}
          {mayOperate && session !== undefined && (
            <button type="button" class="grave" onClick={() => setAsks("end")}>
              End session
            </button>
          )}
        </div>
      </div>
      <Problem text={problem} />
      {client !== undefined && <Connection client={client} />}
      {client?.tls !== undefined && <Tls client={client} />}
      {session !== undefined && <Session session={session} client={client} />}
      {here !== undefined && session === undefined && client === undefined && (
        <p class="card">There is no client and no session by this name now.</p>
      )}
      {session !== undefined && <Subscriptions id={id} />}
      <Events clientId={id} />
      {asks !== undefined && (
        <Asking what={asks} id={id} onClose={() => setAsks(undefined)} onDone={() => setTurn(turn + 1)} />
      )}
    </div>
  )
}

function State({ known: { client, session } }: { readonly known: Known }): JSX.Element {
  if (client !== undefined) return <span class="tag is-good">connected</span>
  return <span class="tag">{session === undefined ? "gone" : "away"}</span>
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Connection({ client }: { readonly client: ClientModel }): JSX.Element {
  const { user, login, identity, address: from, transport, listener, mqtt, since, keepAlive, cleanStart } = client
  return (
    <section class="card" aria-label="Connection">
      <header>
        <h2>Connection</h2>
      </header>
      <dl class="facts">
        <Fact name="User">{user === "" ? "anonymous" : <Sent text={user} />}</Fact>
        <Fact name="Logged in by">{shown(login, 40)}</Fact>
        {identity !== undefined && (
          <Fact name="Name in its certificate">
            <Sent text={identity} />
          </Fact>
        )}
        <Fact name="Address">
          <Sent text={from} mono />
        </Fact>
        <Fact name="Listener">
          {shown(listener ?? transport, 60)} ({transport})
        </Fact>
        <Fact name="MQTT">
          {mqtt}, {cleanStart ? "clean start" : "goes on with its session"}
        </Fact>
        <Fact name="Connected">
          <When at={since} />
        </Fact>
        <Fact name="Keep alive">{keepAlive === 0 ? "none" : several(keepAlive, "second")}</Fact>
        <Fact name="Waits for its transport">{bytes(client.outboundBytes)}</Fact>
      </dl>
    </section>
  )
}

function Tls({ client: { tls } }: { readonly client: ClientModel }): JSX.Element | null {
  if (tls === undefined) return null
  const { version, suite, group, postQuantum, resumed, serverName } = tls
  return (
    <section class="card" aria-label="TLS">
      <header>
        <h2>TLS</h2>
        {postQuantum ? (
          <span class="tag is-good">post-quantum</span>
        ) : (
          <span class="tag is-look">{group === undefined ? "no key exchange" : "not post-quantum"}</span>
        )}
      </header>
      <dl class="facts">
        <Fact name="Version">{shown(version, 20).replace("TLSv", "TLS ")}</Fact>
        <Fact name="Cipher suite">
          <span class="mono">{shown(suite, 60)}</span>
        </Fact>
        <Fact name="Group">
          {group === undefined ? "none: resumed without" : <span class="mono">{shown(group, 60)}</span>}
        </Fact>
        <Fact name="Handshake">{resumed ? "resumed" : "full"}</Fact>
        <Fact name="Name it asked for">{serverName === undefined ? "none" : <Sent text={serverName} />}</Fact>
      </dl>
    </section>
  )
}

/** It does not end by itself. */
const forever = 0xffff_ffff

function Session(props: { readonly session: SessionModel; readonly client: ClientModel | undefined }): JSX.Element {
  const { subscriptions, inflight, queuedMessages, queuedBytes, unreleased, kept, expiryInterval, endsAt } =
    props.session
  const stays = !kept ? "ends with the connection" : expiryInterval >= forever ? "forever" : duration(expiryInterval)
  return (
    <section class="card" aria-label="Session">
      <header>
        <h2>Session</h2>
      </header>
      <dl class="facts">
        <Fact name="Stays after the connection">{stays}</Fact>
        {endsAt !== undefined && (
          <Fact name="Ends">
            <When at={endsAt} />
          </Fact>
        )}
        <Fact name="Subscriptions">{count(subscriptions)}</Fact>
        <Fact name="In flight">{several(inflight, "message")}</Fact>
        <Fact name="Queue">
          {several(queuedMessages, "message")}, {bytes(queuedBytes)}
        </Fact>
        <Fact name="QoS 2 not released">{count(unreleased)}</Fact>
      </dl>
    </section>
  )
}

function Subscriptions({ id }: { readonly id: string }): JSX.Element {
  const pages = usePages<SubscriptionModel>("/subscriptions", { clientId: id })
  return (
    <section class="stack" aria-label="Subscriptions">
      <h2>Subscriptions</h2>
      <List
        label="Subscriptions of the client"
        pages={pages}
        columns={subscriptionColumns.filter(({ name }) => name !== "Client")}
        keyOf={({ filter, shareName = "" }) => `${shareName} ${filter}`}
        nothing="It has no subscriptions."
      />
    </section>
  )
}

interface AskingProps {
  readonly what: "disconnect" | "end"
  readonly id: string
  readonly onClose: () => void
  readonly onDone: () => void
}

function Asking({ what, id, onClose, onDone }: AskingProps): JSX.Element {
  if (what === "end") return <EndSession id={id} onClose={onClose} onDone={onDone} />
  const run = async (form: FormData) => {
    const reason = String(form.get("reason") ?? "").trim()
    await operated("POST", "/client/disconnect", { clientId: id, reason: reason === "" ? undefined : reason })
    onDone()
  }
  return (
    <Confirm title="Disconnect this client?" action="Disconnect" run={run} onClose={onClose}>
      <p>
        <Sent text={id} mono /> may come again at once; its session stays as long as it may.
      </p>
      <label class="field">
        <span>Reason, which a client of MQTT 5.0 is told</span>
        <input name="reason" maxLength={200} placeholder="disconnected by the operator" autocomplete="off" />
      </label>
    </Confirm>
  )
}

export function EndSession({ id, onClose, onDone }: Omit<AskingProps, "what">): JSX.Element {
  const run = async () => {
    await operated("DELETE", "/session", { clientId: id })
    onDone()
  }
  return (
    <Confirm title="End this session?" action="End session" run={run} onClose={onClose}>
      <p>
        The connection of <Sent text={id} mono />, its subscriptions and all messages that wait for it go. Nothing
        brings them back.
      </p>
    </Confirm>
  )
}

/** Undefined: there is none. */
async function orNone<Answer>(asking: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asking
  } catch (error) {
    if (error instanceof RequestRefused && error.status === 404) return undefined
    throw error
  }
}
