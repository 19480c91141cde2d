// Topic Filters and Shared Subscription filters (MQTT 5.0 sections 4.7.1 and 4.8.2).

import { PacketError } from "../packet/errors.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { refuseControlCharacters } from "../packet/topic.ts"

/** A checked Topic Filter. */
export interface TopicFilter {
  /** As the client wrote it; the key of the subscription within the session. */
  readonly text: string
  /** The Share Name of `$share/NAME/FILTER`, else undefined. */
  readonly shareName: string | undefined
  /** Levels of the filter proper, without `$share` and the Share Name. */
  readonly levels: readonly string[]
}

/** Checks `text` as a Topic Filter of at most `maximumLevels` levels. Throws PacketError with Reason Code 0x8F. */
export function parseFilter(text: string, maximumLevels: number): TopicFilter {
  refuseControlCharacters(text)
  let shareName: string | undefined
  let filter = text
  if (text === "$share" || text.startsWith("$share/")) {
    // [MQTT-4.8.2-1] a ShareName of at least one character; [MQTT-4.8.2-2] no wildcards in it, and a filter after it
    const slash = text.indexOf("/", 7)
    shareName = text.slice(7, slash < 0 ? undefined : slash)
    if (shareName === "") throw invalid("MQTT-4.8.2-1", "a shared subscription without ShareName")
    if (/[+#]/.test(shareName)) throw invalid("MQTT-4.8.2-2", "a ShareName contains a wildcard")
    if (slash < 0) throw invalid("MQTT-4.8.2-2", "a shared subscription without Topic Filter")
    filter = text.slice(slash + 1)
  }
  // [MQTT-4.7.3-1] at least one character
  if (filter === "") throw invalid("MQTT-4.7.3-1", "a Topic Filter is empty")
  const levels = filter.split("/")
  if (levels.length > maximumLevels) throw invalid("4.7.3", `a Topic Filter has more than ${maximumLevels} levels`)
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]!
    // [MQTT-4.7.1-1] "#" stands alone in the last level
    if (level.includes("#") && (level !== "#" || i !== levels.length - 1)) {
      throw invalid("MQTT-4.7.1-1", "# is not alone in the last level of a Topic Filter")
    }
    // [MQTT-4.7.1-2] "+" stands alone in its level
    if (level.includes("+") && level !== "+")
      throw invalid("MQTT-4.7.1-2", "+ is not alone in a level of a Topic Filter")
  }
  return { text, shareName, levels }
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

function invalid(rule: string, message: string): PacketError {
  return new PacketError(ReasonCode.TopicFilterInvalid, rule, message)
}
