// Topic Filters and Shared Subscription filters (MQTT 5.0 sections 4.7.1 and 4.8.2).

import { PacketError } from "../packet/errors.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { hasControlCharacters } from "../packet/topic.ts"

/** A checked Topic Filter. */
export interface TopicFilter {
  /** As the client wrote it; the key of the subscription within the session. */
  readonly text: string
  /** The Share Name of `$share/NAME/FILTER`, else undefined. */
  readonly shareName: string | undefined
  /** The filter proper, without `$share` and the Share Name. */
  readonly path: string
  /** Its levels. They take far more memory than the text: not for keeping. */
  readonly levels: readonly string[]
}

/** What is wrong with a text that is no Topic Filter. */
interface Fault {
  readonly rule: string
  readonly what: string
}

// Values, not errors: a client may send as many wrong filters as it likes, and an Error costs 50 times as much as a check.
const faults = {
  control: { rule: "1.5.4", what: "a topic contains a control character or a non-character" },
  // [MQTT-4.8.2-1] a ShareName of at least one character; [MQTT-4.8.2-2] no wildcards in it, and a filter after it
  noShareName: { rule: "MQTT-4.8.2-1", what: "a shared subscription without ShareName" },
  wildShareName: { rule: "MQTT-4.8.2-2", what: "a ShareName contains a wildcard" },
  noFilter: { rule: "MQTT-4.8.2-2", what: "a shared subscription without Topic Filter" },
  // [MQTT-4.7.3-1] at least one character
  empty: { rule: "MQTT-4.7.3-1", what: "a Topic Filter is empty" },
  // [MQTT-4.7.1-1] "#" stands alone in the last level
  hash: { rule: "MQTT-4.7.1-1", what: "# is not alone in the last level of a Topic Filter" },
  // [MQTT-4.7.1-2] "+" stands alone in its level
  plus: { rule: "MQTT-4.7.1-2", what: "+ is not alone in a level of a Topic Filter" },
  levels: { rule: "4.7.3", what: "a Topic Filter has more than the allowed levels" },
} as const satisfies Record<string, Fault>

/** `text` as a Topic Filter of at most `maximumLevels` levels; undefined when it is none (Reason Code 0x8F). */
export function readFilter(text: string, maximumLevels: number): TopicFilter | undefined {
  const shared = isShared(text)
  if (faultOf(text, shared, maximumLevels) !== undefined) return undefined
  const slash = shared ? text.indexOf("/", 7) : -1
  const path = text.slice(slash + 1)
  return { text, shareName: shared ? text.slice(7, slash) : undefined, path, levels: path.split("/") }
}

/** Like readFilter, for texts of our own: throws PacketError that says what is wrong. */
export function parseFilter(text: string, maximumLevels: number): TopicFilter {
  const filter = readFilter(text, maximumLevels)
  if (filter !== undefined) return filter
  const { rule, what } = faultOf(text, isShared(text), maximumLevels) ?? faults.empty
  const told = what === faults.levels.what ? `a Topic Filter has more than ${maximumLevels} levels` : what
  throw new PacketError(ReasonCode.TopicFilterInvalid, rule, told)
}

function isShared(text: string): boolean {
  return text === "$share" || text.startsWith("$share/")
}

function faultOf(text: string, shared: boolean, maximumLevels: number): Fault | undefined {
  if (hasControlCharacters(text)) return faults.control
  let start = 0
  if (shared) {
    const slash = text.indexOf("/", 7)
    const end = slash < 0 ? text.length : slash
    if (end <= 7) return faults.noShareName
    for (let i = 7; i < end; i++) if (isWildcard(text.charCodeAt(i))) return faults.wildShareName
    if (slash < 0) return faults.noFilter
    start = slash + 1
  }
  return start === text.length ? faults.empty : faultOfLevels(text, start, maximumLevels)
}

function faultOfLevels(text: string, start: number, maximumLevels: number): Fault | undefined {
  let levels = 1
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === slashCode) {
      levels++
      if (levels > maximumLevels) return faults.levels
    }
    if (!isWildcard(code)) continue
    const begins = i === start || text.charCodeAt(i - 1) === slashCode
    const ends = i + 1 === text.length || text.charCodeAt(i + 1) === slashCode
    if (code === hashCode && !(begins && i + 1 === text.length)) return faults.hash
    if (!begins || !ends) return faults.plus
  }
  return undefined
}

/** Can more than one filter of this kind match a topic for one session? Those with wildcards, and shared ones. */
export function isWild(filter: { readonly text: string; readonly shareName: string | undefined }): boolean {
  return filter.shareName !== undefined || filter.text.includes("+") || filter.text.endsWith("#")
}

const slashCode = 0x2f
const plusCode = 0x2b
const hashCode = 0x23

function isWildcard(code: number): boolean {
  return code === plusCode || code === hashCode
}

/** Does the filter match the topic? For a single pair, and without memory of its own; the router uses the tree. */
export function matches(levels: readonly string[], topic: string): boolean {
  const first = levels[0]
  // [MQTT-4.7.2-1] a filter that starts with a wildcard does not match a topic that starts with $
  if (topic.startsWith("$") && (first === "+" || first === "#")) return false
  let at = 0
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]!
    if (level === "#") return true // also the parent level
    if (at > topic.length) return false
    const slash = topic.indexOf("/", at)
    const end = slash < 0 ? topic.length : slash
    if (level !== "+" && (level.length !== end - at || !topic.startsWith(level, at))) return false
    at = end + 1
  }
  return at > topic.length
}

/** Does every topic that `inner` matches also match `outer`? */
export function covers(outer: readonly string[], inner: readonly string[]): boolean {
  if (inner[0]?.startsWith("$") === true && (outer[0] === "+" || outer[0] === "#")) return false
  for (let i = 0; i < outer.length; i++) {
    const level = outer[i]!
    if (level === "#") return true
    if (i >= inner.length) return false
    const other = inner[i]!
    if (other === "#") return false
    if (level !== "+" && level !== other) return false
  }
  return outer.length === inner.length
}

/** Is there a topic that both match? */
export function overlaps(a: readonly string[], b: readonly string[]): boolean {
  const wild = (level: string | undefined) => level === "+" || level === "#"
  if ((a[0]?.startsWith("$") === true && wild(b[0])) || (b[0]?.startsWith("$") === true && wild(a[0]))) return false
  for (let i = 0; ; i++) {
    const left = a[i]
    const right = b[i]
    if (left === "#" || right === "#") return true
    if (left === undefined || right === undefined) return left === right
    if (left !== "+" && right !== "+" && left !== right) return false
    // "a/#" also matches "a": look whether the longer one goes on with "#"
    if (i + 1 === a.length && b[i + 1] === "#" && b.length === i + 2) return true
    if (i + 1 === b.length && a[i + 1] === "#" && a.length === i + 2) return true
  }
}
