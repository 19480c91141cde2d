// Topics, Topic Filters and Client Identifiers as subjects of NATS, and back. A level becomes a token; what a token cannot have is
// written as % and two hexadecimal digits, or %u and four, and an empty level as % alone, so that each subject is of one topic only.
//
//   a/b.c//d    t.a.b%2Ec.%.d           a/+    t.a.*  h.>
//   $a/b        d.a.b                   a/#    t.a  t.a.>  h.>
//
// Topics that begin with $ have a root of their own, as wildcards do not match them [MQTT-4.7.2-1]. What would be longer than a
// server takes has a subject of its hash, under a root that filters with wildcards match all of; its topic goes beside it.

import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { encodeText } from "../packet/bytes.ts"

/** Bytes of a subject: a server's control line, 4,096 by default, has more in it. */
export const longestSubject = 3000

const ordinary = "t"
const dollar = "d"
const hashed = "h"

/** White space, which may end a subject, other control characters, the separator, both wildcards, and the sign itself. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const special = /[\u0000-\u0020\u007f-\u009f\s.*>%]/g

export interface Subject {
  readonly text: string
  /** It does not say its topic, which is to go beside it. */
  readonly hashed: boolean
}

/** The subject of a Topic Name. */
export function subjectOfTopic(topic: string): Subject {
  const text = plainSubject(topic)
  return isLong(text) ? { text: `${hashed}.${hashOf(topic)}`, hashed: true } : { text, hashed: false }
}

/** The Topic Name of a subject; undefined: it is hashed, or none of these. */
export function topicOfSubject(subject: string): string | undefined {
  const [root, ...tokens] = subject.split(".")
  if ((root !== ordinary && root !== dollar) || tokens.length === 0) return undefined
  const levels = tokens.map(textOf)
  if (levels.includes(undefined)) return undefined
  const topic = root === dollar ? `$${levels.join("/")}` : levels.join("/")
  // There is one way to write each.
  return plainSubject(topic) === subject ? topic : undefined
}

/**
 * The subjects, with wildcards of NATS, that together match the topics that a Topic Filter (without $share and its name) matches;
 * of those with a hash, all of them where the filter has a wildcard.
 */
export function subjectsOfFilter(path: string): readonly string[] {
  const levels = path.split("/")
  const all = levels.at(-1) === "#"
  if (all) levels.pop()
  if (!all && !levels.includes("+")) return [subjectOfTopic(path).text]
  const inDollar = levels[0]?.startsWith("$") === true
  const [root, ...tokens] = [
    inDollar ? dollar : ordinary,
    ...levels.map((level, at) => (level === "+" ? "*" : tokenOf(inDollar && at === 0 ? level.slice(1) : level))),
  ]
  const start = [root, ...tokens].join(".")
  const plain = all ? (tokens.length === 0 ? [`${start}.>`] : [start, `${start}.>`]) : [start]
  return [...plain.filter((each) => !isLong(each)), `${hashed}.>`]
}

/** The one token of a Client Identifier. */
export function tokenOfClient(clientId: string): string {
  const token = tokenOf(clientId)
  // No other token begins so: after % come two digits or nothing.
  return isLong(token) ? `%h${hashOf(clientId)}` : token
}

/** The Client Identifier of a token; undefined: it is hashed, or none. */
export function clientOfToken(token: string): string | undefined {
  return token.startsWith("%h") ? undefined : textOf(token)
}

/** Whether a subject matches what was subscribed to. */
export function subjectMatches(pattern: string, subject: string): boolean {
  const wanted = pattern.split(".")
  const tokens = subject.split(".")
  const rest = wanted.at(-1) === ">"
  if (rest ? tokens.length < wanted.length : tokens.length !== wanted.length) return false
  return wanted.every(
    (token, at) => token === "*" || token === tokens[at] || (token === ">" && at === wanted.length - 1),
  )
}

function plainSubject(topic: string): string {
  const inDollar = topic.startsWith("$")
  const levels = (inDollar ? topic.slice(1) : topic).split("/")
  return [inDollar ? dollar : ordinary, ...levels.map(tokenOf)].join(".")
}

function tokenOf(level: string): string {
  if (level === "") return "%"
  return level.replace(special, (sign) => {
    const code = sign.charCodeAt(0)
    const digits = code.toString(16).toUpperCase()
    return code <= 0xff ? `%${digits.padStart(2, "0")}` : `%u${digits.padStart(4, "0")}`
  })
}

/** Undefined: no level is written so. */
function textOf(token: string): string | undefined {
  if (token === "%") return ""
  if (token === "" || /%(?!u[0-9A-F]{4}|[0-9A-F]{2})/.test(token)) return undefined
  return token.replace(/%(?:u([0-9A-F]{4})|([0-9A-F]{2}))/g, (_, four: string | undefined, two: string | undefined) =>
    String.fromCharCode(Number.parseInt(four ?? two ?? "", 16)),
  )
}

function isLong(subject: string): boolean {
  return subject.length > longestSubject || encodeText(subject).length > longestSubject
}

function hashOf(text: string): string {
  return bytesToHex(sha256(encodeText(text)))
}
