// The bridges of a mosquitto.conf: their lines are collected, and each becomes one of ours, where there are any.

import type { ImportMeans } from "./means.ts"
import { bridgeRows } from "./mosquitto-rows.ts"
import { type Line, type Outcome, Settings, type Source } from "./outcome.ts"
import { flagOf, readingOf } from "./values.ts"

interface Draft {
  readonly opening: Line
  readonly lines: Map<string, Line>
  readonly topics: Line[]
}

/** What makes it one with TLS. */
const ofTls = ["bridge_cafile", "bridge_capath", "bridge_certfile", "bridge_identity", "bridge_psk"]
const olderNames: Readonly<Record<string, string>> = {
  addresses: "address",
  clientid: "remote_clientid",
  username: "remote_username",
  password: "remote_password",
}

export class MosquittoBridges {
  readonly #outcome: Outcome
  readonly #means: ImportMeans
  readonly #file: string
  readonly #drafts: Draft[] = []

  constructor(outcome: Outcome, means: ImportMeans, file: string) {
    this.#outcome = outcome
    this.#means = means
    this.#file = file
  }

  take(line: Line): void {
    const key = olderNames[line.key] ?? line.key
    const draft = this.#drafts.at(-1)
    if (key === "connection") this.#drafts.push({ opening: line, lines: new Map(), topics: [] })
    else if (draft === undefined) this.#outcome.leave(line.source, "there is no connection before it")
    else if (key === "topic") draft.topics.push(line)
    else {
      const before = draft.lines.get(key)
      if (before !== undefined) this.#outcome.leave(before.source, "a later line says something else")
      draft.lines.set(key, line)
    }
  }

  settle(): void {
    for (const draft of this.#drafts) this.#settle(draft)
  }

  #settle(draft: Draft): void {
    const { opening, lines, topics } = draft
    const out = (why: string) => {
      for (const { source } of [opening, ...lines.values(), ...topics]) this.#outcome.leave(source, why)
      this.#outcome.told.push(`the bridge ${opening.value} is not carried over: ${why}`)
    }
    if (!this.#means.knows("bridges.address")) {
      out("there are no bridges")
      return
    }
    const address = addressOf(lines)
    const rules = topics.map((line) => ({ line, rule: ruleOf(line.value) }))
    if (address === undefined) {
      out("it has no address that is known here")
      return
    }
    if (!rules.some(({ rule }) => typeof rule !== "string")) {
      out("it hands on nothing that is known here")
      return
    }
    const settings = new Settings()
    this.#outcome.bridges.push(settings)
    const name = opening.value.replaceAll(/[^\w.-]/g, "-").slice(0, 64)
    this.#outcome.take(settings, "name", opening.source, { value: name })
    this.#outcome.take(settings, "address", address.source, { value: address.url, differs: address.differs })
    const own: { readonly line: Line; readonly rule: object }[] = []
    for (const { line, rule } of rules) {
      if (typeof rule === "string") this.#outcome.leave(line.source, rule)
      else own.push({ line, rule })
    }
    const topicSources = own.map(({ line }) => line.source)
    settings.set(
      "topics",
      own.map(({ rule }) => rule),
      topicSources,
    )
    for (const source of topicSources) this.#outcome.carry(source)
    if (!lines.has("bridge_protocol_version"))
      settings.set("version", "3.1.1", [], "as there, where nothing else is said")
    for (const [key, line] of lines) if (key !== "address") this.#settleLine(settings, name, key, line)
  }

  #settleLine(settings: Settings, name: string, key: string, line: Line): void {
    const { source, value } = line
    const row = bridgeRows[key] ?? {}
    const [, path = ""] = row.to?.split(".") ?? []
    switch (key) {
      case "remote_password":
      case "bridge_psk":
        this.#settleSecret(settings, path, `${name}-${key === "bridge_psk" ? "psk" : "password"}`, value, source)
        return
      case "restart_timeout":
        this.#settleRetries(settings, line)
        return
      case "bridge_cafile":
      case "bridge_certfile":
      case "bridge_keyfile":
        this.#outcome.take(settings, path, source, { value: this.#means.beside(this.#file, value) })
        return
      default:
        this.#outcome.take(settings, path, source, readingOf(row, value))
    }
  }

  #settleSecret(settings: Settings, path: string, file: string, value: string, source: Source): void {
    this.#outcome.files.set(file, `${value}\n`)
    this.#outcome.take(settings, path, source, { value: file })
  }

  /** Seconds: a constant, or the least and the most. */
  #settleRetries(settings: Settings, { source, value }: Line): void {
    const [least = 0, most = least] = value.split(/ +/).map((each) => (/^\d{1,4}$/.test(each) ? Number(each) : 0))
    if (least < 1 || most < least) {
      this.#outcome.leave(source, "it is no time that is known here")
      return
    }
    this.#outcome.take(settings, "retryMinimum", source, { value: 1000 * least })
    this.#outcome.take(settings, "retryMaximum", source, { value: 1000 * most })
  }
}

function addressOf(
  lines: ReadonlyMap<string, Line>,
): { url: string; source: Source; differs: string | undefined } | undefined {
  const line = lines.get("address")
  const [first = "", ...others] = line?.value.split(/ +/) ?? []
  const [, host = "", port = "1883"] =
    /^(\[[0-9A-Fa-f:.]+\]|[^\s:]+|[0-9A-Fa-f:]+(?=:\d+$))(?::(\d{1,5}))?$/.exec(first) ?? []
  if (line === undefined || host === "") return undefined
  const osCertificates = lines.get("bridge_tls_use_os_certs")
  const hasTls =
    ofTls.some((key) => lines.has(key)) || (osCertificates !== undefined && flagOf(osCertificates.value) === true)
  const literal = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host
  return {
    url: `${hasTls ? "mqtts" : "mqtt"}://${literal}:${port}`,
    source: line.source,
    differs: others.length === 0 ? undefined : "a bridge has one address: the first of theirs",
  }
}

/** `FILTER [DIRECTION [QOS [LOCAL-PREFIX [REMOTE-PREFIX]]]]`, or why it cannot be carried over. */
function ruleOf(text: string): object | string {
  const words = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "")
  const [filter = "", direction = "out", qos = "0", localPrefix = "", remotePrefix = ""] = words
  if (filter === "") return "a topic of nothing but prefixes cannot be said here"
  if (!["in", "out", "both"].includes(direction) || !/^[012]$/.test(qos)) return "its direction or QoS is not known"
  return {
    filter,
    direction,
    qos: Number(qos),
    ...(localPrefix !== "" && { localPrefix }),
    ...(remotePrefix !== "" && { remotePrefix }),
  }
}
