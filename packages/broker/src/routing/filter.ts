// Topic Filters and Shared Subscription filters (MQTT 5.0 sections 4.7.1 and 4.8.2).

import { checkText, encodeText } from "../packet/bytes.ts"
import { PacketError } from "../packet/errors.ts"
import { filterFault } from "../packet/filter-form.ts"
import { ReasonCode } from "../packet/reason-codes.ts"

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

/**
 * The text of a Topic Filter as one of at most `maximumLevels` levels; undefined (Reason Code 0x8F) when it has more, or begins as
 * a Shared Subscription and is none, which MQTT 3.1.1 does not forbid.
 */
export function readFilter(text: string, maximumLevels: number): TopicFilter | undefined {
  const isShared = text === "$share" || text.startsWith("$share/")
  const slash = isShared ? text.indexOf("/", 7) : -1
  if (isShared && (slash <= 7 || slash === text.length - 1 || /[+#]/.test(text.slice(7, slash)))) return undefined
  if (levelsAfter(text, slash + 1) > maximumLevels) return undefined
  const path = text.slice(slash + 1)
  return { text, shareName: slash < 0 ? undefined : text.slice(7, slash), path, levels: path.split("/") }
}

/** Any text, one of our own say. Throws PacketError that says what is wrong with it. */
export function parseFilter(text: string, maximumLevels: number): TopicFilter {
  const bytes = encodeText(text)
  checkText(bytes, 0, bytes.length)
  const fault = filterFault(bytes, 0, bytes.length)
  if (fault !== undefined) throw new PacketError(ReasonCode.TopicFilterInvalid, fault.rule, fault.what)
  const filter = readFilter(text, maximumLevels)
  if (filter !== undefined) return filter
  const what = `a Topic Filter has more than ${maximumLevels} levels`
  throw new PacketError(ReasonCode.TopicFilterInvalid, "4.7.3", what)
}

function levelsAfter(text: string, start: number): number {
  let levels = 1
  for (let at = text.indexOf("/", start); at >= 0; at = text.indexOf("/", at + 1)) levels++
  return levels
}

/** Can more than one filter of this kind match a topic for one session? Those with wildcards, and shared ones. */
export function isWild(filter: { readonly text: string; readonly shareName: string | undefined }): boolean {
  return filter.shareName !== undefined || filter.text.includes("+") || filter.text.endsWith("#")
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
