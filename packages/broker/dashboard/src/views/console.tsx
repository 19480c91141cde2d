// A small MQTT client in the page, over the broker's own WebSocket listener.

import { type Signal, signal } from "@preact/signals"
import type { JSX, TargetedEvent } from "preact"
import { useState } from "preact/hooks"
import type { ListenerModel } from "../../../src/admin/http/model.ts"
import { bytes, clock } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { PropertyId, type Qos } from "../../../src/mqtt-client/index.ts"
import { listeners } from "../live/broker.ts"
import {
  clearLines,
  connectConsole,
  consoleProblem,
  consoleState,
  disconnectConsole,
  filters,
  type Line,
  lines,
  publishConsole,
  subscribeConsole,
  unsubscribeConsole,
} from "../live/console.ts"
import { CopyLine, Problem, Sent } from "../parts/text.tsx"
import { bracketed, hostFor, webListeners } from "../words/first-client.ts"
import { previewOf } from "../words/payload.ts"

/** What is typed stays when another view is looked at. */
const typed: Signal<Readonly<Record<string, string>>> = signal<Readonly<Record<string, string>>>({
  clientId: `dashboard-${Math.random().toString(36).slice(2, 8)}`,
  path: "/mqtt",
  filter: "#",
  topic: "demo/hello",
})

const typedIn = (name: string) => typed.value[name] ?? ""
const type = (name: string) => (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>) => {
  typed.value = { ...typed.value, [name]: event.currentTarget.value }
}

export function Console(): JSX.Element {
  const known = listeners.value
  const doors = known === undefined ? [] : webListeners(known)
  return (
    <div class="stack">
      <h1>Console</h1>
      {known === undefined ? (
        <p class="waiting">The broker is being asked.</p>
      ) : doors.length === 0 ? (
        <NoDoor />
      ) : (
        <div class="console">
          <div class="stack">
            <Connect doors={doors} />
            <Subscribe />
            <Publish />
          </div>
          <Messages />
        </div>
      )}
    </div>
  )
}

const toAdd = `[[listeners]]
type = "wss"
port = 8084
cert = "server.pem"
key = "server-key.pem"`

function NoDoor(): JSX.Element {
  return (
    <section class="card stack" aria-label="No listener for browsers">
      <p>
        A page in a browser speaks MQTT over WebSocket, and this broker has no listener for that. Add one to its
        configuration, and start it anew:
      </p>
      <CopyLine text={toAdd} label="a listener for WebSocket" />
      <p class="quiet">
        Or on the command line: <code>puremq start --ws 8083</code>, without TLS, for this machine alone.
      </p>
    </section>
  )
}

function Connect({ doors }: { readonly doors: readonly ListenerModel[] }): JSX.Element {
  const state = consoleState.value
  const isClosed = state === "closed"
  const chosen = doors.find(({ name }) => name === typedIn("listener")) ?? doors[0]
  const connect = () => {
    if (chosen === undefined) return
    connectConsole({
      url: urlOf(chosen),
      clientId: typedIn("clientId"),
      version: typedIn("version") === "4" ? 4 : 5,
      username: typedIn("username"),
      password: typedIn("password"),
    })
  }
  return (
    <section class="card" aria-label="Connection">
      <header>
        <h2>Connection</h2>
        <span class={state === "connected" ? "tag is-good" : "tag"} role="status">
          {state === "closed" ? "not connected" : state}
        </span>
      </header>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (isClosed) connect()
          else disconnectConsole()
        }}
      >
        {isClosed ? (
          <>
            <label class="field">
              <span>Listener</span>
              <select
                value={chosen?.name}
                onChange={(event) => (typed.value = { ...typed.value, listener: event.currentTarget.value })}
              >
                {doors.map((door) => (
                  <option key={door.name} value={door.name}>
                    {shown(door.name, 30)}: {door.type}://{bracketed(hostInPage(door))}:{door.port}
                  </option>
                ))}
              </select>
            </label>
            <Field name="clientId" label="Client ID" />
            <div class="two">
              <Field name="username" label="User" />
              <Field name="password" label="Password" kind="password" />
            </div>
            <div class="two">
              <Field name="path" label="Path" />
              <label class="field">
                <span>MQTT</span>
                <select
                  value={typedIn("version") === "4" ? "4" : "5"}
                  onChange={(event) => (typed.value = { ...typed.value, version: event.currentTarget.value })}
                >
                  <option value="5">5.0</option>
                  <option value="4">3.1.1</option>
                </select>
              </label>
            </div>
          </>
        ) : (
          <p>
            <span class="mono">{chosen === undefined ? "" : urlOf(chosen)}</span> as{" "}
            <Sent text={typedIn("clientId")} most={60} mono />, MQTT {typedIn("version") === "4" ? "3.1.1" : "5.0"}
          </p>
        )}
        <Problem text={consoleProblem.value && helped(consoleProblem.value, chosen)} />
        <div class="actions">
          <button type="submit" class={isClosed ? "strong" : undefined}>
            {isClosed ? "Connect" : "Disconnect"}
          </button>
        </div>
      </form>
    </section>
  )
}

/** A listener on a loopback address that the page was asked for by another of its names is asked for by that, too. */
function hostInPage(door: ListenerModel): string {
  const here = location.hostname
  const isOwn = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|::1)$/
  return isOwn.test(door.host) && isOwn.test(here) ? here.replace(/^\[|\]$/g, "") : hostFor(door, here)
}

function urlOf(door: ListenerModel): string {
  return `${door.type}://${bracketed(hostInPage(door))}:${door.port}${typedIn("path").replace(/^\/*/, "/")}`
}

/** A browser tells a page nothing of why a WebSocket failed. */
function helped(problem: string, door: ListenerModel | undefined): string {
  if (!problem.startsWith("Not connected: the broker closed")) return problem
  const papers =
    door?.type === "wss" ? " The browser has to trust the certificate of the listener: open its address once." : ""
  return `The WebSocket was not opened.${papers} If the listener names origins, ${location.origin} has to be one of them; the broker's log says why it refused.`
}

interface FieldProps {
  readonly name: string
  readonly label: string
  readonly kind?: "text" | "password"
}

function Field({ name, label, kind = "text" }: FieldProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: it is one of the two
    <label class="field">
      <span>{label}</span>
      {kind === "password" ? (
        <input type="password" value={typedIn(name)} onInput={type(name)} autocomplete="off" />
      ) : (
        <input
          type="text"
          value={typedIn(name)}
          onInput={type(name)}
          spellcheck={false}
          autocomplete="off"
          maxLength={65_535}
        />
      )}
    </label>
  )
}

function QosField({ name }: { readonly name: string }): JSX.Element {
  return (
    <label class="field">
      <span>QoS</span>
      <select
        value={typedIn(name) === "" ? "0" : typedIn(name)}
        onChange={(event) => (typed.value = { ...typed.value, [name]: event.currentTarget.value })}
      >
        <option>0</option>
        <option>1</option>
        <option>2</option>
      </select>
    </label>
  )
}

function qosOf(name: string): Qos {
  const value = Number(typedIn(name))
  return value === 1 || value === 2 ? value : 0
}

function Subscribe(): JSX.Element {
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const isOff = consoleState.value !== "connected"
  const act = (work: () => void) => {
    try {
      work()
      setProblem(undefined)
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <section class="card" aria-label="Subscribe">
      <header>
        <h2>Subscribe</h2>
      </header>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!isOff) act(() => subscribeConsole(typedIn("filter"), qosOf("filterQos")))
        }}
      >
        <div class="bar">
          <div class="grow">
            <Field name="filter" label="Topic filter" />
          </div>
          <QosField name="filterQos" />
          <button type="submit" aria-disabled={isOff}>
            Subscribe
          </button>
        </div>
        <Problem text={problem} />
        {filters.value.length > 0 && (
          <ul class="stack">
            {filters.value.map((filter) => (
              <li key={filter} class="bar">
                <span class="grow">
                  <Sent text={filter} mono />
                </span>
                <button type="button" class="small" onClick={() => act(() => unsubscribeConsole(filter))}>
                  Unsubscribe<span class="sr"> from {shown(filter)}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </form>
    </section>
  )
}

function Publish(): JSX.Element {
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const [retain, setRetain] = useState(false)
  const isOff = consoleState.value !== "connected"
  const isFive = typedIn("version") !== "4"
  const publish = () => {
    const [name = "", ...rest] = typedIn("userProperty").split("=")
    const properties =
      isFive && name !== "" ? [{ id: PropertyId.UserProperty, value: [name, rest.join("=")] as const }] : []
    try {
      const payload = new TextEncoder().encode(typedIn("payload"))
      publishConsole({ topic: typedIn("topic"), payload, qos: qosOf("qos"), retain, properties })
      setProblem(undefined)
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <section class="card" aria-label="Publish">
      <header>
        <h2>Publish</h2>
      </header>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!isOff) publish()
        }}
      >
        <Field name="topic" label="Topic" />
        <label class="field">
          <span>Payload</span>
          <textarea value={typedIn("payload")} onInput={type("payload")} spellcheck={false} />
        </label>
        {isFive && <Field name="userProperty" label="User property, as name=value" />}
        <div class="bar">
          <QosField name="qos" />
          <label class="check">
            <input type="checkbox" checked={retain} onChange={(event) => setRetain(event.currentTarget.checked)} />
            Retain
          </label>
        </div>
        <Problem text={problem} />
        <div class="actions">
          <button type="submit" class={isOff ? undefined : "strong"} aria-disabled={isOff}>
            Publish
          </button>
        </div>
      </form>
    </section>
  )
}

/** Characters of a payload in the list. */
const previewLength = 2000

function Messages(): JSX.Element {
  return (
    <section class="card" aria-label="Messages">
      <header>
        <h2>Messages</h2>
        <button type="button" class="small" onClick={clearLines}>
          Clear
        </button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <ol class="messages" tabIndex={0} aria-label="Messages, newest first">
        {lines.value.length === 0 && <li class="quiet">None yet.</li>}
        {lines.value.map((line) => (
          <MessageLine key={line.id} line={line} />
        ))}
      </ol>
    </section>
  )
}

function MessageLine({ line }: { readonly line: Line }): JSX.Element {
  const { at, way, topic, payload, qos, retain, userProperties, others } = line
  const time = <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
  if (way === "said") {
    return (
      <li>
        <div class="head">
          {time}
          <span class="tag is-look">{shown(topic, 300)}</span>
        </div>
      </li>
    )
  }
  return (
    <li class={`is-${way}`}>
      <div class="head">
        {time}
        <b>{way === "in" ? "came" : "sent"}</b>
        <Sent text={topic} mono />
        <span class="tag">QoS {qos}</span>
        {retain && <span class="tag">retained</span>}
        <span class="quiet">{bytes(line.bytes)}</span>
      </div>
      <pre dir="ltr">{previewOf(payload, previewLength)}</pre>
      {(userProperties.length > 0 || others.length > 0) && (
        <p class="properties sent">
          {[...userProperties.slice(0, 20).map(([name, value]) => `${name} = ${value}`), ...others]
            .map((text) => shown(text, 160))
            .join(" · ")}
        </p>
      )}
    </li>
  )
}
