// The tree of topics that have retained messages, loaded level by level, and the message on one of them as it changes.

import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import type { PageOf, RetainedModel, TopicModel } from "../../../src/admin/http/model.ts"
import { bytes, count, several } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { brokersTime } from "../api/clock.ts"
import { RequestRefused } from "../api/request.ts"
import { asked, broker, operated, scope } from "../live/broker.ts"
import { consoleState, hear, subscribeConsole } from "../live/console.ts"
import { address, amend, hrefOf } from "../page/address.ts"
import { Confirm } from "../parts/confirm.tsx"
import { Payload } from "../parts/payload.tsx"
import { Problem, Sent, When } from "../parts/text.tsx"
import { bytesOfBase64, previewOf } from "../words/payload.ts"

/** Levels that are asked for at a time. */
const levelsOfPage = 100
const freshEach = 2000

export function Topics(): JSX.Element {
  const chosen = address.value.given["topic"]
  return (
    <div class="stack">
      <div class="title">
        <h1>Topics</h1>
        <span class="quiet number">
          {broker.value === undefined ? "" : several(broker.value.retainedMessages, "retained message")}
        </span>
      </div>
      <div class="topics">
        <div class="card tree">
          <Tree chosen={chosen} />
        </div>
        {chosen === undefined ? (
          <p class="card quiet">Choose a topic to see the message that is retained on it.</p>
        ) : (
          <Message key={chosen} topic={chosen} />
        )}
      </div>
    </div>
  )
}

/* ---------------------------------------------------------------- the tree */

function Tree({ chosen }: { readonly chosen: string | undefined }): JSX.Element {
  const tree = useRef<HTMLDivElement>(null)
  return (
    // As the pattern of a tree has it: one stop of Tab, arrows inside.
    <div role="tree" aria-label="Topics" ref={tree} onKeyDown={(event) => move(event, tree.current)}>
      <Levels parent={undefined} depth={1} chosen={chosen} />
    </div>
  )
}

function move(event: KeyboardEvent, tree: HTMLElement | null): void {
  const { activeElement } = document
  if (tree === null || !(activeElement instanceof HTMLElement)) return
  const rows = [...tree.querySelectorAll<HTMLElement>("[role=treeitem]")]
  const at = rows.indexOf(activeElement)
  const isOpen = activeElement.getAttribute("aria-expanded")
  const to = (index: number) => rows[Math.max(0, Math.min(rows.length - 1, index))]?.focus()
  const depth = Number(activeElement.getAttribute("aria-level"))
  if (event.key === "ArrowDown") to(at + 1)
  else if (event.key === "ArrowUp") to(at - 1)
  else if (event.key === "Home") to(0)
  else if (event.key === "End") to(rows.length - 1)
  else if (event.key === "ArrowRight" && isOpen === "false") activeElement.click()
  else if (event.key === "ArrowRight" && isOpen === "true") to(at + 1)
  else if (event.key === "ArrowLeft" && isOpen === "true") activeElement.click()
  else if (event.key === "ArrowLeft") {
    to(rows.findLastIndex((row, index) => index < at && Number(row.getAttribute("aria-level")) < depth))
  } else return
  event.preventDefault()
}

interface LevelsProps {
  readonly parent: string | undefined
  readonly depth: number
  readonly chosen: string | undefined
}

function Levels({ parent, depth, chosen }: LevelsProps): JSX.Element {
  const [items, setItems] = useState<readonly TopicModel[] | undefined>(undefined)
  const [values, setValues] = useState<ReadonlyMap<string, string>>(new Map())
  const [most, setMost] = useState(levelsOfPage)
  const [isAll, setAll] = useState(true)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  useEffect(() => {
    let over = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async () => {
      try {
        const found = await levelsBelow(parent, most)
        const shownValues = await valuesOf(parent, found.items)
        if (over) return
        setItems(found.items)
        setAll(found.isAll)
        setValues(shownValues)
        setProblem(undefined)
      } catch (error) {
        if (!over) setProblem(error instanceof Error ? error.message : String(error))
      }
      if (!over) timer = setTimeout(() => void load(), document.hidden ? 20_000 : freshEach * 2)
    }
    void load()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [parent, most])
  if (problem !== undefined && items === undefined) return <Problem text={problem} />
  if (items === undefined) return <p class="quiet">…</p>
  if (items.length === 0 && parent === undefined) {
    return (
      <p class="quiet">
        No message is retained. One is with <code>mosquitto_pub -r</code>, and in the{" "}
        <a href={hrefOf("console")}>console</a> with Retain.
      </p>
    )
  }
  return (
    <ul role={parent === undefined ? "none" : "group"}>
      {items.map((item, index) => (
        <Branch
          key={item.topic}
          item={item}
          depth={depth}
          chosen={chosen}
          value={values.get(item.topic)}
          isFirst={parent === undefined && index === 0}
        />
      ))}
      {!isAll && (
        <li role="none">
          <button type="button" class="small" onClick={() => setMost(most + levelsOfPage)}>
            More
          </button>
        </li>
      )}
    </ul>
  )
}

interface BranchProps {
  readonly item: TopicModel
  readonly depth: number
  readonly chosen: string | undefined
  readonly value: string | undefined
  readonly isFirst: boolean
}

function Branch({ item, depth, chosen, value, isFirst }: BranchProps): JSX.Element {
  const { level, topic, retained, below } = item
  // What the address names is open when it is come to.
  const [isOpen, setOpen] = useState(chosen !== undefined && below > 0 && chosen.startsWith(`${topic}/`))
  const press = () => {
    if (retained) amend({ topic })
    if (below > 0 && (!retained || chosen === topic || !isOpen)) setOpen(!isOpen)
  }
  return (
    <li role="none">
      <div
        role="treeitem"
        class="row"
        tabIndex={chosen === topic || (chosen === undefined && isFirst) ? 0 : -1}
        aria-level={depth}
        aria-selected={chosen === topic}
        aria-expanded={below > 0 ? isOpen : undefined}
        onClick={press}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== " ") return
          event.preventDefault()
          press()
        }}
      >
        {below > 0 ? (
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <path d="M4 2l4 4-4 4" />
          </svg>
        ) : (
          <svg viewBox="0 0 12 12" aria-hidden="true" />
        )}
        <span class="level">
          {level === "" ? <span class="quiet">(empty level)</span> : <Sent text={level} most={60} />}
        </span>
        {below > 0 && <span class="tag number">{count(below)}</span>}
        <bdi class="value">{value ?? ""}</bdi>
      </div>
      {isOpen && below > 0 && <Levels parent={topic} depth={depth + 1} chosen={chosen} />}
    </li>
  )
}

async function levelsBelow(
  parent: string | undefined,
  most: number,
): Promise<{ readonly items: readonly TopicModel[]; readonly isAll: boolean }> {
  let items: readonly TopicModel[] = []
  let cursor: string | undefined
  do {
    const limit = Math.min(levelsOfPage, most - items.length)
    const page: PageOf<TopicModel> = await asked("/topics", { parent, limit, cursor })
    items = [...items, ...page.items]
    cursor = page.next
  } while (cursor !== undefined && items.length < most)
  // The broker's own topics come last.
  const own = items.filter(({ topic }) => topic.startsWith("$"))
  return { items: [...items.filter((item) => !own.includes(item)), ...own], isAll: cursor === undefined }
}

/** The beginnings of the values of these levels, as far as one request brings them. */
async function valuesOf(
  parent: string | undefined,
  items: readonly TopicModel[],
): Promise<ReadonlyMap<string, string>> {
  if (!items.some(({ retained }) => retained)) return new Map()
  const topic = parent === undefined ? "" : `${parent}/`
  const { items: found } = await asked<PageOf<RetainedModel>>("/retained", { topic, bytes: 64, limit: 200 })
  return new Map(found.map(({ topic: on, base64 }) => [on, previewOf(bytesOfBase64(base64), 48)]))
}

/* ---------------------------------------------------------------- one message */

function Message({ topic }: { readonly topic: string }): JSX.Element {
  const [found, setFound] = useState<RetainedModel | "none" | undefined>(undefined)
  const [live, setLive] = useState<{ readonly payload: Uint8Array; readonly at: number } | undefined>(undefined)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const [asks, setAsks] = useState(false)
  const isConnected = consoleState.value === "connected"
  useEffect(() => {
    let over = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async () => {
      try {
        const message = await asked<RetainedModel>("/retained-message", { topic })
        if (over) return
        setFound(message)
        setProblem(undefined)
      } catch (error) {
        if (over) return
        if (error instanceof RequestRefused && error.status === 404) setFound("none")
        else setProblem(error instanceof Error ? error.message : String(error))
      }
      if (!over) timer = setTimeout(() => void load(), document.hidden ? 20_000 : freshEach)
    }
    void load()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [topic])
  // Where the console is connected, each message on the topic is seen when it comes, retained or not.
  useEffect(() => {
    if (!isConnected) return undefined
    try {
      subscribeConsole(topic, 0)
    } catch {
      return undefined
    }
    return hear((on, payload) => {
      if (on === topic) setLive({ payload, at: brokersTime() })
    })
  }, [topic, isConnected])
  return (
    <section class="card" aria-label="Message">
      <header>
        <h2>
          <Sent text={topic} mono />
        </h2>
        {scope.value === "operate" && found !== undefined && found !== "none" && (
          <button type="button" class="small grave" onClick={() => setAsks(true)}>
            Delete
          </button>
        )}
      </header>
      <Problem text={problem} />
      {found === "none" && <p class="quiet">No message is retained on it any more.</p>}
      {found !== undefined && found !== "none" && (
        <>
          <Payload bytes={bytesOfBase64(found.base64)} />
          <p class="quiet">
            {bytes(found.bytes)}
            {found.bytes > 65_536 && ", of which the first 65 536 bytes are shown"}, QoS {found.qos}
            {found.expiresAt !== undefined && (
              <>
                , expires <When at={found.expiresAt} />
              </>
            )}
            , looked at every two seconds
          </p>
        </>
      )}
      {live !== undefined && (
        <p>
          Last message: <bdi class="sent mono">{previewOf(live.payload, 120)}</bdi>{" "}
          <span class="quiet">
            <When at={new Date(live.at).toISOString()} />
          </span>
        </p>
      )}
      {!isConnected && (
        <p class="quiet">
          Connect the <a href={hrefOf("console")}>console</a> to see each message on it as it comes.
        </p>
      )}
      {asks && (
        <Confirm
          title="Delete this retained message?"
          action="Delete"
          run={async () => void (await operated("DELETE", "/retained-message", { topic }))}
          onClose={() => setAsks(false)}
        >
          <p>
            Subscribers of <span class="mono">{shown(topic)}</span> get an empty message.
          </p>
        </Confirm>
      )}
    </section>
  )
}
