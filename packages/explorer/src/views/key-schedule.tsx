// The key schedule of one end as the diagram of section 7.1, filled as far as it is known at the step.

import { toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { keyLogOf } from "../knowledge/key-log.ts"
import { scheduleOf } from "../knowledge/schedule.ts"
import { nodeOf, type Schedule, type ScheduleNode, stateAt } from "../knowledge/schedule-node.ts"
import type { End } from "../run/step.ts"
import { Breakable } from "./breakable.tsx"
import { CopyButton } from "./copy-button.tsx"
import { EndSwitch } from "./end-switch.tsx"
import { chooseItem, itemOf } from "./item.ts"
import { ScheduleDetails } from "./schedule-details.tsx"
import { Section } from "./section.tsx"
import type { ViewProps } from "./view.ts"
import { whose } from "./whose.ts"

export function KeySchedule({ timeline, step, select }: ViewProps): JSX.Element {
  const here = timeline.steps[step]
  const [said, chosen] = itemOf("keys")
  const end = whose(said, timeline, step)
  const setEnd = (to: End) => chooseItem("keys", to, ...(chosen === undefined ? [] : [chosen]))
  const choose = (id: string) => chooseItem("keys", end, id)
  const connection = here?.connection ?? 0
  const schedule = scheduleOf(timeline, connection, end)
  const details = useRef<HTMLElement>(null)
  const node = (chosen !== undefined && nodeOf(schedule, chosen)) || newest(schedule, step)
  const known = schedule.nodes.filter((each) => stateAt(each, step) === "known").length
  return (
    <div class={`schedule of-${end}`}>
      <section aria-labelledby="schedule-title">
        <header class="end-head">
          <h3 id="schedule-title">Key schedule of connection {connection + 1}</h3>
          <EndSwitch name="schedule-end" end={end} choose={setEnd} />
        </header>
        <p class="quiet">
          {schedule.suite}: {known} of {schedule.nodes.length} known. Arrow keys go through it.
        </p>
        {schedule.lacksExchange && (
          <p class="quiet">
            What was brought does not tell the secret of the key exchange, as no key log and no trace does: what comes
            of it is shown as it was told, and not computed again.
          </p>
        )}
        <ScheduleTree
          schedule={schedule}
          step={step}
          chosen={node}
          choose={choose}
          show={() => showDetails(details.current)}
        />
        <p class="schedule-legend quiet">
          <span class="dot is-known" /> known <span class="dot" /> not yet <span class="dot is-never" />{" "}
          {schedule.nodes.some(({ untold }) => untold) ? "not told, or never" : "never"}, in this connection
        </p>
        <p class="key-log">
          <CopyButton text={keyLogOf(timeline, step)} what="the key log" label="Copy the key log" />
          <span class="quiet">
            What Wireshark takes to decrypt, up to this step. <Section of="RFC 9850" />
          </span>
        </p>
      </section>
      <ScheduleDetails schedule={schedule} node={node} step={step} select={select} choose={choose} place={details} />
    </div>
  )
}

/** Where the details stand below the tree, a press on a node leads to them. */
function showDetails(details: HTMLElement | null): void {
  if (details && details.offsetLeft < 100) details.scrollIntoView({ block: "start" })
}

/** What was derived last, so that the details follow the steps until somebody chooses. */
function newest({ nodes }: Schedule, step: number): ScheduleNode {
  const main = nodes.filter(({ kind, depth, told }) => kind !== "input" && depth < 2 && told !== undefined)
  let last = nodes.find(({ id }) => id === "early_secret") ?? nodes[0]!
  for (const node of main) if (stateAt(node, step) === "known" && node.knownAt! >= (last.knownAt ?? -1)) last = node
  return last
}

interface TreeProps {
  readonly schedule: Schedule
  readonly step: number
  readonly chosen: ScheduleNode
  readonly choose: (id: string) => void
  readonly show: () => void
}

function ScheduleTree({ schedule, step, chosen, choose, show }: TreeProps): JSX.Element {
  const { nodes } = schedule
  const tree = useRef<HTMLDivElement>(null)
  const hasFocus = useRef(false)
  useEffect(() => {
    if (hasFocus.current) tree.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus()
  }, [chosen.id])
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const to = nextNode(nodes, chosen, event.key)
    if (to === undefined) return
    event.preventDefault()
    choose(to.id)
  }
  const press = (id: string) => {
    choose(id)
    show()
  }
  return (
    <div
      class="schedule-tree"
      role="tree"
      aria-labelledby="schedule-title"
      tabIndex={-1}
      ref={tree}
      onKeyDown={onKeyDown}
      onFocusIn={() => (hasFocus.current = true)}
      onFocusOut={() => (hasFocus.current = false)}
    >
      {nodes.map((node) => (
        <TreeItem key={node.id} nodes={nodes} node={node} step={step} isChosen={node.id === chosen.id} choose={press} />
      ))}
    </div>
  )
}

function nextNode(nodes: readonly ScheduleNode[], chosen: ScheduleNode, key: string): ScheduleNode | undefined {
  const at = nodes.indexOf(chosen)
  if (key === "ArrowDown") return nodes[at + 1]
  if (key === "ArrowUp") return nodes[at - 1]
  if (key === "Home") return nodes[0]
  if (key === "End") return nodes.at(-1)
  // Right leads to what is made of it, left to what it is made of.
  if (key === "ArrowRight") return nodes.slice(at + 1).find((node) => parentOf(node) === chosen.id)
  if (key === "ArrowLeft") return nodes.find(({ id }) => id === parentOf(chosen))
  return undefined
}

function parentOf(node: ScheduleNode): string | undefined {
  return node.kind === "expand" ? node.parent : node.kind === "extract" ? node.salt : undefined
}

interface ItemProps {
  readonly nodes: readonly ScheduleNode[]
  readonly node: ScheduleNode
  readonly step: number
  readonly isChosen: boolean
  readonly choose: (id: string) => void
}

function TreeItem({ nodes, node, step, isChosen, choose }: ItemProps): JSX.Element {
  const state = stateAt(node, step)
  const mark = state === "known" ? "is-known" : state === "not yet" ? "" : "is-never"
  const rest = nodes.slice(nodes.indexOf(node) + 1)
  const classes = [`schedule-node depth-${node.depth} is-${node.kind} ${mark}`]
  if (node.knownAt === step) classes.push("is-new")
  // Lines go on to what else is made of the same secret.
  if (node.depth > 0 && rest.some(({ depth }) => depth < 2)) classes.push("goes-on")
  if (rest[0]?.depth === 2 && node.depth === 2) classes.push("branches-on")
  const tag = tagOf(nodes, node)
  const value =
    state !== "known" ? state : node.value === undefined ? "not told" : `${toHex(node.value.subarray(0, 4))}…`
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
    <div
      class={classes.join(" ")}
      role="treeitem"
      aria-level={node.depth + 1}
      aria-selected={isChosen}
      tabIndex={isChosen ? 0 : -1}
      onClick={() => choose(node.id)}
    >
      <span class={`dot ${mark}`} aria-hidden="true" />
      <span class="schedule-name mono">
        <Breakable name={node.name} />
      </span>
      {tag !== undefined && <span class="tag">{tag}</span>}
      <span class="schedule-value mono quiet">{value}</span>
    </div>
  )
}

/** What a node is in the HKDF-Extract that it goes into. */
function tagOf(nodes: readonly ScheduleNode[], { id, kind }: ScheduleNode): string | undefined {
  if (kind === "extract") return "HKDF-Extract"
  for (const node of nodes) {
    if (node.kind !== "extract") continue
    if (node.salt === id) return "salt"
    if (node.ikm === id) return id.endsWith("psk") && kind === "input" ? "IKM: PSK" : "IKM"
  }
  return undefined
}
