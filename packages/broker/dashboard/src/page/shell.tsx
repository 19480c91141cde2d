// What is around every view: where one is, whether the broker answers, who one is.

import type { JSX } from "preact"
import { useEffect, useLayoutEffect, useRef } from "preact/hooks"
import { ago, short } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { broker, follow, link, now, scope, tokenName } from "../live/broker.ts"
import { disconnectConsole } from "../live/console.ts"
import { forgetToken, token } from "../live/token.ts"
import { Segments } from "../parts/segments.tsx"
import { address, hrefOf } from "./address.ts"
import { Boundary } from "./boundary.tsx"
import { Brand } from "./brand.tsx"
import { Login } from "./login.tsx"
import { themeChoice } from "./theme.ts"
import { type View, views } from "./views.ts"

export function Page(): JSX.Element {
  return token.value === undefined ? <Login /> : <Shell key={token.value} />
}

function Shell(): JSX.Element {
  const main = useRef<HTMLElement>(null)
  useEffect(() => {
    const end = follow()
    return () => {
      end()
      disconnectConsole()
    }
  }, [])
  const { view: id, given } = address.value
  const view = views.find((each) => each.id === id) ?? views[0]!
  const of = `${view.id} ${given["id"] ?? ""}`
  const isFirst = useRef(true)
  useLayoutEffect(() => {
    const what = view.id === "client" ? shown(given["id"] ?? "", 40) : view.title
    document.title = `${what} · PureMQ`
    // Who comes by keyboard goes on in the view; the page's first view leaves the focus where it is.
    if (!isFirst.current) {
      main.current?.focus({ preventScroll: true })
      scrollTo(0, 0)
    }
    isFirst.current = false
  }, [of])
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        To the view
      </button>
      <Side chosen={view} />
      <main ref={main} tabIndex={-1}>
        <Boundary of={of}>
          <view.component key={of} />
        </Boundary>
        <Lost />
      </main>
    </div>
  )
}

function Side({ chosen }: { readonly chosen: View }): JSX.Element {
  const menu = useRef<HTMLElement>(null)
  const inMenu = chosen.within ?? chosen.id
  useLayoutEffect(() => {
    // On a phone the menu is a row that scrolls.
    menu.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" })
  }, [inMenu])
  return (
    <header class="side">
      <Brand />
      <nav aria-label="Views" ref={menu}>
        <ul>
          {views
            .filter(({ within, id }) => within === undefined && (id !== "operate" || scope.value !== "read"))
            .map(({ id, title, count }) => (
              <li key={id}>
                <a href={hrefOf(id)} aria-current={id === inMenu ? "page" : undefined}>
                  {title}
                  {count !== undefined && broker.value !== undefined && (
                    <span class="count">{short(count(broker.value))}</span>
                  )}
                </a>
              </li>
            ))}
        </ul>
      </nav>
      <div class="foot">
        <LinkState />
        <span class="who sent">
          {scope.value === undefined
            ? ""
            : `${shown(tokenName.value, 40)}: ${scope.value === "operate" ? "may operate" : "may read"}`}
        </span>
        <Segments
          name="theme"
          label="Colours"
          value={themeChoice.value}
          choices={[
            ["system", "Auto"],
            ["light", "Light"],
            ["dark", "Dark"],
          ]}
          onChoose={(choice) => (themeChoice.value = choice)}
        />
        <button type="button" class="small" onClick={() => forgetToken()}>
          Sign out
        </button>
      </div>
    </header>
  )
}

const linkWords = { begins: "connecting", there: "live", lost: "connection lost" } as const

function LinkState(): JSX.Element {
  const { state } = link.value
  const tone = { begins: "dot", there: "dot is-good", lost: "dot is-look" }[state]
  return (
    <span class="link-state" role="status">
      <span class={tone} aria-hidden="true" />
      {linkWords[state]}
    </span>
  )
}

function Lost(): JSX.Element | null {
  const { value } = link
  if (value.state !== "lost") return null
  return (
    <p class="lost" role="alert">
      {value.why} What is shown is of {ago(value.since, now.value)}. It is asked again by itself.
    </p>
  )
}
