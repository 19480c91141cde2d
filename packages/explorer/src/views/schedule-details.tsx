// One node of the key schedule: how it is computed, of what, and by which command anybody can compute it again.

import { equalBytes, toHex } from "@puremq/tls13/explore"
import type { JSX, Ref } from "preact"
import { useState } from "preact/hooks"
import { type Commands, commandsOf } from "../knowledge/commands.ts"
import {
  type ExpandNode,
  isComputed,
  isNeeded,
  nodeOf,
  type Schedule,
  type ScheduleNode,
  stateAt,
} from "../knowledge/schedule-node.ts"
import { Breakable } from "./breakable.tsx"
import { BytesLine, type BytesPiece } from "./bytes-line.tsx"
import { CopyButton } from "./copy-button.tsx"
import { Section } from "./section.tsx"

interface Props {
  readonly schedule: Schedule
  readonly node: ScheduleNode
  readonly step: number
  readonly select: (step: number) => void
  readonly choose: (id: string) => void
  readonly place: Ref<HTMLElement>
}

export function ScheduleDetails({ schedule, node, step, select, choose, place }: Props): JSX.Element {
  const state = stateAt(node, step)
  const commands = state === "known" ? commandsOf(node, schedule.hash) : undefined
  return (
    <section class="schedule-details card" aria-labelledby="node-title" ref={place}>
      <button type="button" class="link to-tree" onClick={toTree}>
        Back to the tree
      </button>
      <h3 id="node-title" class="mono">
        <Breakable name={node.name} />
      </h3>
      <p>
        {node.about} <Section of={`RFC 9846 section ${node.section}`} />
      </p>
      <p class="when">
        <When schedule={schedule} node={node} step={step} select={select} />
      </p>
      {node.kind !== "input" && (
        <>
          <h4>How</h4>
          <p class="mono formula">{formulaOf(schedule, node)}</p>
        </>
      )}
      <Inputs schedule={schedule} node={node} step={step} choose={choose} />
      {node.kind === "expand" && node.hkdfLabel && state === "known" && <Label node={node} info={node.hkdfLabel} />}
      {state === "known" && node.value && (
        <>
          <h4>Output</h4>
          <code class="hex-value is-output">{toHex(node.value)}</code>
          <p class="quiet">{agreement(node)}</p>
        </>
      )}
      {commands && <CommandTabs key={node.id} commands={commands} />}
    </section>
  )
}

function toTree(): void {
  document.querySelector<HTMLElement>('.schedule-tree [aria-selected="true"]')?.focus()
}

function When({ schedule, node, step, select }: Omit<Props, "choose" | "place">): JSX.Element {
  const { knownAt, untold } = node
  if (untold) {
    return isNeeded(schedule, node) ? (
      <>This end has it, as it has what is made of it: what was brought does not tell it.</>
    ) : (
      <>What was brought does not tell it, nor whether this end has it.</>
    )
  }
  if (knownAt === undefined) return <>This end never has it in this connection.</>
  return (
    <>
      {knownAt <= step ? "Known since " : "Not known yet: it comes at "}
      <button type="button" class="link" onClick={() => select(knownAt)}>
        step {knownAt + 1}
      </button>
      .
    </>
  )
}

function agreement(node: ScheduleNode): string {
  const { told, value } = node
  if (node.kind === "input") return "It comes from outside of the schedule."
  if (!isComputed(node)) return "As it was told: what it is made of is not known here."
  if (told === undefined) return "Computed here from its inputs; the stack does not tell it."
  return value && equalBytes(told, value)
    ? "✓ Computed here from its inputs; the stack itself has the same."
    : `The stack has another one: ${toHex(told)}`
}

function formulaOf(schedule: Schedule, node: ScheduleNode): string {
  if (node.kind === "input") return ""
  if (node.kind === "extract") return `HKDF-Extract(${nameOf(schedule, node.salt)}, ${nameOf(schedule, node.ikm)})`
  const parent = nameOf(schedule, node.parent)
  const isDerive = node.place !== undefined || node.label === "derived" || node.id.endsWith("binder_key")
  return isDerive
    ? `Derive-Secret(${parent}, "${node.label}", ${node.contextText})`
    : `HKDF-Expand-Label(${parent}, "${node.label}", ${node.contextText}, ${node.length})`
}

function nameOf(schedule: Schedule, id: string): string {
  return nodeOf(schedule, id)?.name ?? id
}

/* ---------------------------------------------------------------- inputs */

interface InputRow {
  readonly name: string
  readonly of: string
  /** A node to go to. */
  readonly id?: string
  readonly value: Uint8Array | undefined
}

function Inputs({ schedule, node, step, choose }: Omit<Props, "select" | "place">): JSX.Element | null {
  if (node.kind === "input") return null
  const rows = inputsOf(schedule, node)
  return (
    <>
      <h4>Inputs</h4>
      <dl class="inputs">
        {rows.map(({ name, of, id, value }) => {
          const source = id === undefined ? undefined : nodeOf(schedule, id)
          const isKnown = source === undefined ? stateAt(node, step) === "known" : stateAt(source, step) === "known"
          return (
            <div key={name}>
              <dt>
                {name}{" "}
                <span class="quiet">
                  {source === undefined ? (
                    of
                  ) : (
                    <button type="button" class="link mono" onClick={() => choose(source.id)}>
                      <Breakable name={of} />
                    </button>
                  )}
                </span>
              </dt>
              <dd>
                {isKnown && value ? (
                  <code class="hex-value">{value.length === 0 ? "(no bytes)" : toHex(value)}</code>
                ) : (
                  <span class="quiet">not known</span>
                )}
              </dd>
            </div>
          )
        })}
      </dl>
    </>
  )
}

function inputsOf(schedule: Schedule, node: Exclude<ScheduleNode, { kind: "input" }>): readonly InputRow[] {
  if (node.kind === "extract") {
    return [
      { name: "salt", of: nameOf(schedule, node.salt), id: node.salt, value: node.saltValue },
      { name: "IKM", of: nameOf(schedule, node.ikm), id: node.ikm, value: node.ikmValue },
    ]
  }
  const isHere = node.parentConnection === schedule.connection
  const elsewhere = isHere ? "" : ` of connection ${node.parentConnection + 1}`
  const secret = { name: "Secret", of: nameOf(schedule, node.parent) + elsewhere, value: node.secretValue }
  return [
    isHere ? { ...secret, id: node.parent } : secret,
    { name: "Context", of: contextText(node), value: node.context },
  ]
}

function contextText({ place, contextText: text, context }: ExpandNode): string {
  if (place !== undefined) return `Transcript-Hash(${text})`
  return context?.length ? (text === '""' ? "the hash of no messages" : text) : "none"
}

/** struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel */
function Label({ node, info }: { readonly node: ExpandNode; readonly info: Uint8Array }): JSX.Element {
  const label = info[2] ?? 0
  const pieces: readonly BytesPiece[] = [
    { name: "length", bytes: info.subarray(0, 2), colour: 0, means: `${node.length}` },
    { name: "label length", bytes: info.subarray(2, 3), colour: 7, means: `${label}` },
    { name: "label", bytes: info.subarray(3, 3 + label), colour: 1, means: `"tls13 ${node.label}"` },
    { name: "context length", bytes: info.subarray(3 + label, 4 + label), colour: 7, means: `${info[3 + label]}` },
    { name: "context", bytes: info.subarray(4 + label), colour: 2 },
  ]
  return (
    <>
      <h4>
        HkdfLabel <span class="quiet">{info.length} bytes: the info of HKDF-Expand</span>
      </h4>
      <BytesLine pieces={pieces} />
    </>
  )
}

/* ---------------------------------------------------------------- commands */

function CommandTabs({ commands }: { readonly commands: Commands }): JSX.Element {
  const [tool, setTool] = useState<keyof Commands>("javascript")
  const titles: Readonly<Record<keyof Commands, string>> = { javascript: "Node.js", openssl: "OpenSSL 3" }
  return (
    <>
      <h4>Compute it yourself</h4>
      <div class="command-head">
        <fieldset class="segments">
          <legend class="sr">With which tool</legend>
          {(["javascript", "openssl"] as const).map((each) => (
            <label key={each}>
              <input type="radio" name="command-tool" checked={each === tool} onChange={() => setTool(each)} />
              <span>{titles[each]}</span>
            </label>
          ))}
        </fieldset>
        <CopyButton text={commands[tool]} what={`the command for ${titles[tool]}`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <pre class="node-command" tabIndex={0}>
        <code>{commands[tool]}</code>
      </pre>
    </>
  )
}
