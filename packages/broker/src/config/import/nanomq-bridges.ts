// The bridges of a nanomq.conf: their lines are collected by name, and each becomes one of ours.

import { type HoconLine, rowAt, textAt } from "./hocon-lines.ts"
import type { HoconValue } from "./hocon-values.ts"
import type { ImportMeans } from "./means.ts"
import { nanomqBridgeRows } from "./nanomq-bridge-rows.ts"
import { type Outcome, Settings, type Source } from "./outcome.ts"
import { flagOf, type Row, readingOf } from "./values.ts"

/** One of `forwards` or `subscription`. */
interface Rule {
  readonly direction: "out" | "in"
  readonly source: Source
  remote?: string | undefined
  local?: string | undefined
  qos?: string | undefined
  retain?: string | undefined
}

interface Draft {
  readonly lines: Map<string, HoconLine>
  readonly rules: Map<string, Rule>
}

export class NanomqBridges {
  readonly #outcome: Outcome
  readonly #means: ImportMeans
  readonly #drafts = new Map<string, Draft>()

  constructor(outcome: Outcome, means: ImportMeans) {
    this.#outcome = outcome
    this.#means = means
  }

  /** A line below `bridges.mqtt`. */
  take(line: HoconLine): void {
    const [, , name = "", ...rest] = line.path
    if (name === "cache") {
      this.#outcome.hold(line.source, "what waits for a bridge is in the store")
      return
    }
    if (rest.length === 0) {
      this.#outcome.leave(line.source, "it is of no bridge that has a name")
      return
    }
    const draft = this.#drafts.get(name) ?? { lines: new Map(), rules: new Map() }
    this.#drafts.set(name, draft)
    const [option = "", at, member] = rest
    if (option !== "forwards" && option !== "subscription") {
      draft.lines.set(rest.join("."), line)
      return
    }
    const direction = option === "forwards" ? "out" : "in"
    // Of the older form each member is a line: `forwards.1.remote_topic`.
    if (at !== undefined && member !== undefined) this.#takeMember(draft, direction, `${option}.${at}`, member, line)
    else if (line.value.kind === "list")
      for (const [index, item] of line.value.items.entries())
        draft.rules.set(`${option}.${index + 1}`, ruleIn(item, direction, line.source))
    else
      for (const topic of line.text.split(",")) {
        const text = topic.trim()
        if (text !== "")
          draft.rules.set(`${option} ${text}`, { direction, source: line.source, remote: text, local: text })
      }
  }

  settle(): void {
    for (const [name, draft] of this.#drafts) this.#settle(name, draft)
  }

  #takeMember(draft: Draft, direction: "out" | "in", place: string, member: string, line: HoconLine): void {
    const rule: Rule = draft.rules.get(place) ?? { direction, source: line.source }
    draft.rules.set(place, rule)
    if (member === "remote_topic") rule.remote = line.text
    else if (member === "local_topic") rule.local = line.text
    else if (member === "topic") rule.remote = rule.local = line.text
    else if (member === "qos") rule.qos = line.text
    else if (member === "retain") rule.retain = line.text
    else {
      this.#outcome.leave(line.source, "a topic of a bridge has no such option here")
      return
    }
    if (line.source !== rule.source) this.#outcome.carry(line.source)
  }

  #settle(given: string, { lines, rules }: Draft): void {
    const out = (why: string) => {
      for (const { source } of lines.values()) this.#outcome.leave(source, why)
      for (const source of new Set([...rules.values()].map((rule) => rule.source))) this.#outcome.leave(source, why)
      this.#outcome.told.push(`the bridge ${given} is not carried over: ${why}`)
    }
    const off = lines.get("enable") ?? lines.get("bridge_mode")
    if (off !== undefined && flagOf(off.text) === false) {
      for (const { source } of lines.values()) this.#outcome.leave(source, "the bridge is off there")
      for (const { source } of rules.values()) this.#outcome.leave(source, "the bridge is off there")
      return
    }
    const server = lines.get("server") ?? lines.get("address")
    const address = server === undefined ? undefined : addressOf(server.text, lines.has("ssl.cacertfile"))
    if (server === undefined || address === undefined) {
      out("it has no address that is known here (there is no QUIC)")
      return
    }
    const topics = [...rules.values()].flatMap((rule) => {
      const topic = topicOf(rule)
      if (typeof topic === "string") this.#outcome.leave(rule.source, topic)
      return typeof topic === "string" ? [] : [{ topic, source: rule.source }]
    })
    if (topics.length === 0) {
      out("it hands on nothing that is known here")
      return
    }
    const settings = new Settings()
    this.#outcome.bridges.push(settings)
    const name = given.replaceAll(/[^\w.-]/g, "-").slice(0, 64)
    settings.set("name", name, [server.source])
    this.#outcome.take(settings, "address", server.source, { value: address.url, differs: address.differs })
    const sources = [...new Set(topics.map(({ source }) => source))]
    settings.set(
      "topics",
      topics.map(({ topic }) => topic),
      sources,
    )
    for (const source of sources) this.#outcome.carry(source)
    if (!lines.has("proto_ver")) settings.set("version", "3.1.1", [], "as there, where nothing else is said")
    for (const [option, line] of lines) this.#settleLine(settings, name, option, line, address.hasTls)
  }

  #settleLine(settings: Settings, name: string, option: string, line: HoconLine, hasTls: boolean): void {
    const { source, text } = line
    if (option === "server" || option === "address") return
    if (option === "enable" || option === "bridge_mode") {
      this.#outcome.carry(source)
      return
    }
    const row: Row | undefined = rowAt(nanomqBridgeRows, option.replace(/^quic_.*/, "quic_*").split("."))
    if (row === undefined) {
      this.#outcome.leave(source, "NanoMQ has no such option of a bridge that is known here")
      return
    }
    const path = row.to?.replace("bridges.", "") ?? ""
    if (option.startsWith("ssl.") && !hasTls) {
      this.#outcome.leave(source, "its address has no TLS")
      return
    }
    switch (option) {
      case "password":
      case "ssl.key_password": {
        const file = `${name}-${option === "password" ? "password" : "key-password"}`
        this.#outcome.files.set(file, `${text}\n`)
        this.#outcome.take(settings, path, source, { value: file })
        return
      }
      case "ssl.keyfile":
      case "ssl.certfile":
      case "ssl.cacertfile":
        this.#outcome.take(settings, path, source, { value: this.#means.beside(source.file, text) })
        return
      default:
        this.#outcome.take(settings, path, source, readingOf(row, text))
    }
  }
}

function ruleIn(item: HoconValue, direction: "out" | "in", source: Source): Rule {
  if (item.kind === "text") return { direction, source, remote: item.text, local: item.text }
  if (item.kind !== "object") return { direction, source }
  const topic = textAt(item, "topic")
  return {
    direction,
    source,
    remote: textAt(item, "remote_topic") ?? topic,
    local: textAt(item, "local_topic") ?? topic,
    qos: textAt(item, "qos"),
    retain: textAt(item, "retain"),
  }
}

const schemes: Readonly<Record<string, string>> = {
  "mqtt-tcp": "mqtt",
  tcp: "mqtt",
  mqtt: "mqtt",
  "tls+mqtt-tcp": "mqtts",
  "tls+tcp": "mqtts",
  mqtts: "mqtts",
  ws: "ws",
  wss: "wss",
}

/** @param hasAuthorities of TLS, which the older form has without another address */
function addressOf(
  text: string,
  hasAuthorities: boolean,
): { url: string; hasTls: boolean; differs: string | undefined } | undefined {
  const [, scheme = "", login, host = "", port, path = ""] =
    /^([a-z+-]+):\/\/(?:([^@/]*)@)?(\[[0-9A-Fa-f:.]+\]|[^\s:/@]+)(?::(\d{1,5}))?(\/\S*)?$/.exec(text) ?? []
  const known = schemes[scheme]
  if (known === undefined || host === "") return undefined
  const own = known === "mqtt" && hasAuthorities ? "mqtts" : known
  const isWebSocket = own === "ws" || own === "wss"
  return {
    url: `${own}://${host}${port === undefined ? "" : `:${port}`}${isWebSocket ? path : ""}`,
    hasTls: own === "mqtts" || own === "wss",
    differs: login === undefined ? undefined : "the login that stands in the address there is left out",
  }
}

/** Or why it cannot be carried over. */
function topicOf({ direction, remote, local, qos, retain }: Rule): object | string {
  const [here = "", there = ""] = [local === "" ? remote : local, remote === "" ? local : remote]
  if (here === "" || there === "") return "it names no topic"
  if (qos !== undefined && !/^[012]$/.test(qos)) return "its QoS is not known"
  if (retain !== undefined && !/^([02]|true|false)$/.test(retain)) return "no message is made a retained one here"
  const renamed = renaming(here, there)
  if (renamed === undefined) return `a topic is renamed by its beginning here, which ${here} and ${there} are not`
  const keeps = retain === undefined || retain === "2" || retain === "true"
  return {
    ...renamed,
    direction,
    qos: qos === undefined ? (direction === "out" ? 2 : 1) : Number(qos),
    ...(!keeps && { retain: false }),
  }
}

/** Two names of one topic as what they have in common at their ends, and what is before it. */
function renaming(
  here: string,
  there: string,
): { filter: string; localPrefix?: string; remotePrefix?: string } | undefined {
  if (here === there) return { filter: here }
  const [mine, theirs] = [here.split("/"), there.split("/")]
  let same = 0
  while (same < Math.min(mine.length, theirs.length) && mine.at(-1 - same) === theirs.at(-1 - same)) same++
  if (same === 0) return undefined
  const before = (levels: readonly string[]) => levels.slice(0, levels.length - same)
  const [localPrefix, remotePrefix] = [mine, theirs].map((levels) => {
    const head = before(levels)
    return head.length === 0 ? "" : `${head.join("/")}/`
  })
  if (/[+#]/.test(`${localPrefix}${remotePrefix}`)) return undefined
  return {
    filter: mine.slice(mine.length - same).join("/"),
    ...(localPrefix && { localPrefix }),
    ...(remotePrefix && { remotePrefix }),
  }
}
