// The DER of a certificate as a tree that opens and closes: type, name and value of each, and the bytes of the one that is chosen.

import { toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { useMemo, useState } from "preact/hooks"
import { type DerNode, derTree, spkiTree } from "../certificates/tree.ts"
import { oidName } from "../certificates/words.ts"
import { SourceCode } from "./source-code.tsx"

interface TreeProps {
  /** DER. */
  readonly certificate: Uint8Array
  /** It is a SubjectPublicKeyInfo alone. */
  readonly isKey?: boolean
}

export function DerTree({ certificate, isKey = false }: TreeProps): JSX.Element {
  const root = useMemo(() => (isKey ? spkiTree : derTree)(certificate), [certificate, isKey])
  const [chosen, setChosen] = useState(root)
  return (
    <div class="der">
      <div class="der-tree">
        <Node node={root} depth={0} chosen={chosen} choose={setChosen} />
      </div>
      <section class="der-chosen" aria-live="polite" aria-label="The value">
        <p>
          <b>{chosen.name || chosen.type}</b>{" "}
          <span class="quiet">
            {chosen.type}, bytes {chosen.start} to {chosen.end - 1}
          </span>
        </p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
        <pre class="command" tabIndex={0}>
          <b>{hex(certificate, chosen.start, chosen.content)}</b> {hex(certificate, chosen.content, chosen.end)}
        </pre>
        {chosen.site && <SourceCode site={chosen.site} title="read by" />}
      </section>
    </div>
  )
}

/** Shown whole up to here: a signature is, a whole certificate is not. */
const mostShown = 160

function hex(bytes: Uint8Array, from: number, to: number): string {
  const text = toHex(bytes.subarray(from, Math.min(to, from + mostShown))).replace(/../g, "$& ")
  return to - from > mostShown ? `${text}… and ${to - from - mostShown} more` : text.trimEnd()
}

interface NodeProps {
  readonly node: DerNode
  readonly depth: number
  readonly chosen: DerNode
  readonly choose: (node: DerNode) => void
}

function Node({ node, depth, chosen, choose }: NodeProps): JSX.Element {
  const [isOpen, setOpen] = useState(depth < 3)
  const { parts, type, name, value } = node
  const isLeaf = parts.length === 0
  return (
    <div class="der-node">
      <button
        type="button"
        class="plain"
        aria-expanded={isLeaf ? undefined : isOpen}
        aria-current={node === chosen}
        onClick={() => {
          if (!isLeaf && node === chosen) setOpen(!isOpen)
          choose(node)
        }}
      >
        <span class="twist" aria-hidden="true">
          {isLeaf ? "" : isOpen ? "▾" : "▸"}
        </span>
        <span>
          {name && <b>{name} </b>}
          <span class="quiet">{type}</span>
          {value !== undefined && <code> {oidName(value) ?? value}</code>}
        </span>
      </button>
      {!isLeaf && isOpen && (
        <div class="der-parts">
          {parts.map((part) => (
            <Node key={part.start} node={part} depth={depth + 1} chosen={chosen} choose={choose} />
          ))}
        </div>
      )}
    </div>
  )
}
